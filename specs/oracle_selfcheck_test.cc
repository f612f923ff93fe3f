// SPDX-License-Identifier: MIT
//
// The specification itself: every scenario against the oracle under every profile, and every clause
// with its scenario and its line in a model.
#include "specs/oracle_selfcheck.h"

#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "specs/contradictions.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

std::string Joined(const std::vector<SpecError>& errors) {
  std::string all;
  for (const SpecError& error : errors) all += "\n" + error.ToString();
  return all;
}

TEST(Specification, TheEmbeddedFilesHaveNoErrors) {
  EXPECT_TRUE(Specification().ok()) << Joined(Specification().errors);
  EXPECT_FALSE(Specification().specs.files.empty());
}

TEST(Specification, TheTableOfClausesIsWhatTheFilesSay) {
  size_t count = 0;
  for (const SpecFile& file : Specification().specs.files) {
    for (const ClauseSpec& spec : file.clauses) {
      const ClauseId id = FindClause(spec.id);
      ASSERT_NE(id, kNoClause) << spec.id;
      EXPECT_EQ(static_cast<size_t>(id), count++);
      const Clause& clause = GetClause(id);
      EXPECT_EQ(clause.id, spec.id);
      EXPECT_EQ(clause.level, spec.level);
      EXPECT_EQ(clause.path, spec.path);
      EXPECT_EQ(clause.claim, spec.claim);
      EXPECT_EQ(clause.trait, spec.trait);
    }
  }
  EXPECT_EQ(count, AllClauses().size());
  EXPECT_EQ(FindClause("hash.no.such"), kNoClause);
}

TEST(Specification, EveryClauseHasAScenarioOnEachOfItsPaths) {
  std::set<std::string> by_syscalls, by_programs;
  for (const Scenario* scenario : Specification().specs.AllScenarios()) {
    if (scenario->via == Path::kSyscall) by_syscalls.insert(scenario->clause);
    if (HasProgramStep(*scenario)) by_programs.insert(scenario->clause);
  }
  for (const Clause& clause : AllClauses()) {
    const std::string id(clause.id);
    if (clause.path != Path::kProgram) {
      EXPECT_TRUE(by_syscalls.contains(id)) << id << " has no scenario of system calls";
    }
    if (clause.path != Path::kSyscall) {
      EXPECT_TRUE(by_programs.contains(id)) << id << " has no scenario with a program";
    }
  }
}

TEST(Specification, RowsOfTheListOfFactsAreCoveredByClausesThatAskMapsOfTheirType) {
  std::map<std::string, std::set<MapType>> asked;
  for (const Scenario* scenario : Specification().specs.AllScenarios()) {
    for (const Step& step : scenario->steps) {
      const auto* create = std::get_if<MapCreate>(&step.operation.call);
      if (create != nullptr) asked[scenario->clause].insert(create->type);
    }
  }
  for (const SpecFile& file : Specification().specs.files) {
    for (const ClauseSpec& spec : file.clauses) {
      for (const std::string& row : spec.ledger) {
        const std::optional<MapType> type =
            ParseMapType("BPF_MAP_TYPE_" + row.substr(0, row.find('-')));
        if (!type) continue;                   // Of no type: "GEN-…".
        if (asked[spec.id].empty()) continue;  // About sockets alone.
        EXPECT_TRUE(asked[spec.id].contains(*type)) << spec.id << " for " << row;
      }
    }
  }
}

// One source file of the oracle, without its comments: a mention in one is no citation.
struct Source {
  std::string text;
  std::map<std::string, std::string> aliases;  // `using C = clause::hash;`: "C" → "hash".
};

std::vector<Source> OracleSources() {
  static const std::regex kAlias(R"(using\s+(\w+)\s*=\s*clause::(\w+)\s*;)");
  std::vector<Source> sources;
  for (const auto& entry : std::filesystem::directory_iterator(MAPSPEC_SOURCE_DIR "/oracle")) {
    const std::string name = entry.path().filename().string();
    if (name.find("_test.") != std::string::npos) continue;
    if (!name.ends_with(".cc") && !name.ends_with(".h")) continue;
    Source source;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      source.text += line.substr(0, line.find("//")) + "\n";
    }
    for (std::sregex_iterator it(source.text.begin(), source.text.end(), kAlias), end; it != end;
         ++it) {
      source.aliases[(*it)[1]] = (*it)[2];
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

// The names before "::IDENTIFIER" in a source: "hash", "C".
std::set<std::string> Qualifiers(const std::string& text, const std::string& identifier) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  const std::string wanted = "::" + identifier;
  std::set<std::string> found;
  for (size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
    const size_t end = at + wanted.size();
    if (end < text.size() && is_word(text[end])) continue;
    size_t start = at;
    while (start > 0 && is_word(text[start - 1])) --start;
    found.insert(text.substr(start, at - start));
  }
  return found;
}

// Whether a source reads the member IDENTIFIER of a table of clauses: "c_->IDENTIFIER".
bool ReadsMember(const std::string& text, const std::string& identifier) {
  return std::regex_search(text, std::regex("(->|\\.)\\s*" + identifier + "\\b"));
}

// The scopes from which oracle/type_clauses.cc makes such tables.
std::set<std::string> ScopesOfTables(const std::vector<Source>& sources) {
  static const std::regex kTable(R"(Clauses<clause::(\w+)>)");
  std::set<std::string> scopes;
  for (const Source& source : sources) {
    for (std::sregex_iterator it(source.text.begin(), source.text.end(), kTable), end; it != end;
         ++it) {
      scopes.insert((*it)[1]);
    }
  }
  return scopes;
}

TEST(Specification, EveryClauseIsCitedByALineOfTheOracle) {
  const std::vector<Source> sources = OracleSources();
  ASSERT_GT(sources.size(), 5u);
  std::set<std::string> scopes;
  for (const Clause& clause : AllClauses()) scopes.insert(ConstantOf(clause.id).scope);
  const std::set<std::string> tables = ScopesOfTables(sources);
  std::map<std::string, bool> members;  // Whether anybody reads the member.
  for (const Clause& clause : AllClauses()) {
    const ClauseConstant constant = ConstantOf(clause.id);
    bool cited = false;
    if (tables.contains(constant.scope)) {
      const auto [member, fresh] = members.try_emplace(constant.identifier, false);
      for (size_t i = 0; fresh && i < sources.size() && !member->second; ++i) {
        member->second = ReadsMember(sources[i].text, constant.identifier);
      }
      cited = member->second;
    }
    for (const Source& source : sources) {
      for (const std::string& qualifier : Qualifiers(source.text, constant.identifier)) {
        const auto alias = source.aliases.find(qualifier);
        const bool names_it = qualifier == constant.scope ||
                              (alias != source.aliases.end() && alias->second == constant.scope);
        // What two types have in common gets their group of clauses as a template parameter.
        const bool shared = constant.scope != "generic" && alias == source.aliases.end() &&
                            !scopes.contains(qualifier);
        cited = cited || names_it || shared;
      }
    }
    EXPECT_TRUE(cited) << clause.id << " is cited nowhere in oracle/";
  }
}

class ScenariosAgainstTheOracle : public ::testing::TestWithParam<size_t> {
 protected:
  const Profile& profile() const { return AllProfiles()[GetParam()]; }
};

TEST_P(ScenariosAgainstTheOracle, AgreeInEveryStep) {
  size_t checked = 0;
  size_t contradictions = 0;
  for (const Scenario* scenario : Specification().specs.AllScenarios()) {
    if (!InForce(*scenario, profile())) continue;
    const SelfCheckResult result = SelfCheck(*scenario, profile());
    EXPECT_TRUE(result.problems.empty()) << Joined(result.problems);
    ++checked;
    contradictions += result.contradictions;
  }
  EXPECT_GT(checked, 0u);
  if (profile().observed) {
    EXPECT_GT(contradictions, checked);
  }
  RecordProperty("scenarios", static_cast<int>(checked));
  RecordProperty("contradictions", static_cast<int>(contradictions));
}

INSTANTIATE_TEST_SUITE_P(EveryProfile, ScenariosAgainstTheOracle,
                         ::testing::Range<size_t>(0, AllProfiles().size()),
                         [](const ::testing::TestParamInfo<size_t>& param) {
                           std::string name = AllProfiles()[param.param].name;
                           for (char& c : name) {
                             if (c == '-' || c == '.') c = '_';
                           }
                           return name;
                         });

// ---- The check itself: a scenario that is wrong is found

class SelfCheckTest : public ::testing::Test {
 protected:
  // A scenario for the first clause of the queue's file.
  SelfCheckResult Check(const std::string& body, const std::string& profile = "") {
    std::string id;
    for (const SpecFile& file : Specification().specs.files) {
      if (file.prefix == "queue" && !file.clauses.empty()) id = file.clauses[0].id;
    }
    const SpecText text{"t.yaml",
                        "map_type: QUEUE\ndefaults: {key_size: 0, value_size: 4, max_entries: 2}\n"
                        "clauses:\n  - {id: " +
                            id +
                            ", level: observed, claim: c, path: both, source: {document: d}}\n"
                            "scenarios:\n  - clause: " +
                            id + "\n    map: {}\n    steps:\n" + body};
    loaded_ = LoadSpecTexts({&text, 1}, {});
    EXPECT_TRUE(loaded_.ok()) << Joined(loaded_.errors);
    const Profile& chosen = profile.empty() ? NewestLinuxProfile() : *FindProfile(profile);
    return SelfCheck(loaded_.specs.files.at(0).scenarios.at(0), chosen);
  }
  // The problems but for "never cites the clause", which these scenarios do not care about.
  std::string ProblemsOf(const std::string& body) {
    std::vector<SpecError> problems = Check(body).problems;
    std::erase_if(problems, [](const SpecError& problem) {
      return problem.message.find("never cites") != std::string::npos;
    });
    return Joined(problems);
  }

  LoadedSpecs loaded_;
};

TEST_F(SelfCheckTest, ATrueScenarioHasNoProblem) {
  EXPECT_EQ(ProblemsOf("      - push: {value: 1}\n      - push: {value: 2}\n"
                       "      - pop: {expect: {value: 1}}\n      - pop: {expect: {value: 2}}\n"
                       "      - pop: {expect: {error: ENOENT, out: untouched}}\n"),
            "");
}

TEST_F(SelfCheckTest, WhatTheScenarioLeavesOpenIsFound) {
  const SelfCheckResult result = Check("      - push: {value: 7}\n      - pop:\n");
  ASSERT_EQ(result.trace.outcomes.size(), 3u);
  EXPECT_EQ(std::get<Bytes>(result.trace.outcomes[2].output), (Bytes{7, 0, 0, 0}));
}

TEST_F(SelfCheckTest, AWrongValueIsRefusedWithItsPlace) {
  const std::string problems =
      ProblemsOf("      - push: {value: 1}\n      - pop: {expect: {value: 2}}\n");
  EXPECT_NE(problems.find("t.yaml:10:9: "), std::string::npos) << problems;
  EXPECT_NE(
      problems.find("operation 2 (BPF_MAP_LOOKUP_AND_DELETE_ELEM): the scenario expects success "
                    "with value 0x02000000, but for success with value 0x02000000 the oracle "
                    "expects 0x01000000"),
      std::string::npos)
      << problems;
}

TEST_F(SelfCheckTest, AWrongErrnoIsRefused) {
  EXPECT_NE(ProblemsOf("      - pop: {expect: EINVAL}\n").find("the oracle expects ENOENT"),
            std::string::npos);
  EXPECT_NE(ProblemsOf("      - pop:\n").find("the oracle expects ENOENT"), std::string::npos);
}

TEST_F(SelfCheckTest, APromiseThatTheOracleDoesNotMakeIsFound) {
  // No model speaks of this type, so the oracle lets its creation end as it likes.
  const std::string problems = ProblemsOf(
      "      - create: {as: m1, type: STRUCT_OPS, key_size: 4, value_size: 4, expect: EINVAL}\n");
  EXPECT_NE(problems.find("but the oracle does not object to"), std::string::npos) << problems;
}

TEST_F(SelfCheckTest, ContradictionsDifferFromWhatIsStatedOnly) {
  Check("      - push: {value: 1}\n      - pop: {expect: {value: 1}}\n");
  const Step& pop = loaded_.specs.files[0].scenarios[0].steps[2];
  Outcome agreeing;
  agreeing.output = Bytes{1, 0, 0, 0};
  const std::vector<Outcome> made = Contradictions(pop, agreeing);
  EXPECT_EQ(made.size(), 5u);  // Three errnos and two flipped bits.
  for (const Outcome& outcome : made) {
    EXPECT_FALSE(Match(pop.expected, pop.operation, outcome).matches);
  }
  Step open = pop;
  open.expected.alternatives = {StatedOutcome{}};
  EXPECT_EQ(Contradictions(open, agreeing).size(), 3u);
}

TEST_F(SelfCheckTest, HelpersAreAnsweredToo) {
  EXPECT_EQ(
      ProblemsOf("      - push: {via: program, value: 1}\n      - peek: {via: program}\n"
                 "      - pop: {via: program, expect: {value: 1, result: 0}}\n"
                 "      - pop: {via: program, expect: {error: ENOENT, value: 0}}\n"
                 "      - delete: {via: program, key: \"0x\", expect: {refused: any}}\n"
                 "      - create: {as: m1, type: HASH, key_size: 4, value_size: 4}\n"
                 "      - update: {map: m1, key: 1, value: 7}\n"
                 "      - update: {map: m1, key: 2, value: 8}\n"
                 "      - delete: {map: m1, via: program, key: 1, hold: true}\n"
                 "      - for_each: {map: m1, expect: {result: 1, keys: [2], values: [8]}}\n"),
      "");
}

TEST_F(SelfCheckTest, AWrongPromiseAboutAProgramIsRefused) {
  EXPECT_NE(ProblemsOf("      - pop: {via: program, expect: {refused: EACCES}}\n"), "");
  EXPECT_NE(ProblemsOf("      - delete: {via: program, key: \"0x\", expect: EACCES}\n"), "");
  EXPECT_NE(ProblemsOf("      - push: {via: program, value: 1, expect: {result: 1}}\n"), "");
}

TEST_F(SelfCheckTest, ContradictionsOfAHelperTurnRefusalsAndNumbers) {
  Check("      - pop: {via: program, expect: {result: -2}}\n");
  const Step& pop = loaded_.specs.files[0].scenarios[0].steps[1];
  Outcome agreeing;
  agreeing.error = Errno::kENOENT;
  agreeing.output = Bytes(4);
  ASSERT_TRUE(Match(pop.expected, pop.operation, agreeing).matches);
  bool refused = false, halved = false;
  for (const Outcome& outcome : Contradictions(pop, agreeing)) {
    refused = refused || outcome.completion == Completion::kRefused;
    halved = halved || outcome.result == (int64_t{1} << 32) - 2;
  }
  EXPECT_TRUE(refused);
  EXPECT_TRUE(halved);
}

}  // namespace
}  // namespace mapspec

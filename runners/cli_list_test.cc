// SPDX-License-Identifier: MIT
//
// The clauses by their sources, and where documentation and kernels disagree, as users see them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "runners/cli_harness.h"

namespace mapspec {
namespace {

using Words = std::vector<std::string>;

// The line of `text` that has `part` in it, "" when there is none.
std::string LineWith(const std::string& text, const std::string& part) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.find(part) != std::string::npos) return line;
  }
  return "";
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Words BySource(Words more = {}) {
  Words words = {"list", "clauses", "--by-source"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(ListBySource, TellsOfEachSectionItsClausesAndWhetherKernelsAgree) {
  const CommandResult result = Mapspec(BySource());
  EXPECT_EQ(result.status, 0) << result.err;
  for (const char* document : {"map_hash.rst: ", "map_queue_stack.rst: ", "uapi/linux/bpf.h: ",
                               "bpf(2): ", "kernel/bpf/hashtab.c: "}) {
    EXPECT_TRUE(Has(result.out, document)) << document;
  }
  EXPECT_TRUE(Has(result.out, "\n  bpf_map_get_next_key()\n"));
  const std::string agreed = LineWith(result.out, "hash.get_next_key.null-key ");
  EXPECT_TRUE(Has(agreed, "documented  syscall  agree     A NULL key gives the first key."))
      << agreed;
}

TEST(ListBySource, OfOneDocumentLeavesOutTheOthers) {
  const CommandResult result = Mapspec(BySource({"uapi/linux/bpf.h"}));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out.rfind("uapi/linux/bpf.h: ", 0), 0u);
  EXPECT_FALSE(Has(result.out, "map_hash.rst"));
  // An observed clause stands below the document that it contradicts, with what is said there.
  const std::string disputed = LineWith(result.out, "generic.lock.word-hidden-without-flag ");
  EXPECT_TRUE(Has(disputed, "DISAGREE  BPF_F_LOCK must be specified")) << disputed;
  EXPECT_TRUE(Has(result.out, "kernels: 5.10 to 7.3 look up without it as well"));
}

TEST(ListBySource, TellsWhatCameOutOfARun) {
  const Directory directory;
  const std::string file = directory / "run.json";
  const CommandResult run = Mapspec({"run", "--filter", "queue.pop.*", "--effort", "quick",
                                     "--json", file, "--out", directory / "out"});
  ASSERT_EQ(run.status, 0) << run.err;
  const CommandResult result = Mapspec(BySource({"map_queue_stack.rst", "--results", file}));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(Has(LineWith(result.out, "queue.pop.empty "), "  userspace pass  "));
  EXPECT_TRUE(Has(LineWith(result.out, "stack.pop.empty "), "  userspace not run  "));
  const CommandResult table =
      Mapspec(BySource({"map_queue_stack.rst", "--results", file, "--markdown"}));
  EXPECT_TRUE(Has(LineWith(table.out, "`queue.pop.empty`"), "| userspace pass |"));
}

TEST(ListBySource, SaysWhatIsWrong) {
  const Directory directory;
  const std::string damaged = directory.Write("damaged.json", "\n{\"backend\":\"kernel\"}\n");
  const struct {
    Words words;
    std::vector<std::string> said;
  } cases[] = {
      {BySource({"map_hahs.rst"}), {"map_hahs.rst", "did you mean `map_hash.rst`?"}},
      {BySource({"a-paper-about-poetry"}), {"known are bpf(2)", "map_queue_stack.rst"}},
      {BySource({"map_hash.rst", "--filter", "nothing.*"}), {"nothing.*"}},
      {BySource({"--results", "/nonexistent.json"}), {"/nonexistent.json", "cannot be read"}},
      {BySource({"--results", "/dev/null"}), {"holds no results"}},
      {BySource({"--results", damaged}), {damaged + ":2:", "run --json"}},
      {{"list", "backends", "--by-source"}, {"--by-source", "list clauses"}},
      {{"list", "clauses", "--markdown"}, {"--by-source", "--markdown"}},
      {{"list", "divergences", "--filter", "queue.push.appends"}, {"queue.push.appends"}},
  };
  for (const auto& c : cases) {
    const CommandResult result = Mapspec(c.words);
    EXPECT_EQ(result.status, 2) << c.said[0];
    EXPECT_EQ(result.out, "") << c.said[0];
    for (const std::string& said : c.said) EXPECT_TRUE(Has(result.err, said)) << result.err;
  }
}

TEST(ListBySource, TheTableInTheRepositoryIsUpToDate) {
  const CommandResult result = Mapspec(BySource({"--markdown"}));
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(result.out == ReadFile(MAPSPEC_SOURCE_DIR "/specs/by-source.md"))
      << "specs/by-source.md is not what the clauses give; from the root of the repository:\n"
      << "  " << MAPSPEC_COMMAND << " list clauses --by-source --markdown > specs/by-source.md";
}

TEST(ListDivergences, TellsTheClaimItsSourceTheKernelsAndTheScript) {
  const CommandResult result = Mapspec({"list", "divergences", "--filter", "generic.info.*"});
  EXPECT_EQ(result.status, 0) << result.err;
  for (const char* part :
       {"generic.info.bad-descriptor (observed)\n", "  source   bpf(2), ERRORS\n",
        "  says     The error for a descriptor that is not open is EBADF.\n",
        "  kernels  5.10 to 7.3 say EBADFD.\n", "  script   generic.info.bad-descriptor",
        "{\"op\":\"BPF_OBJ_GET_INFO_BY_FD\",\"map\":\"bad\"", "-> EBADFD\n",
        "  run      mapspec run --backend kernel --filter ", "\n1 divergences"}) {
    EXPECT_TRUE(Has(result.out, part)) << part << "\nin\n" << result.out;
  }
}

// A command in the ledger that selects nothing, or a scenario that fails, shows no divergence.
TEST(ListDivergences, ItsCommandsRunAndItsScenariosHold) {
  const CommandResult result = Mapspec({"list", "divergences"});
  ASSERT_EQ(result.status, 0) << result.err;
  const std::string marker = "--backend kernel --filter ";
  std::istringstream in(result.out);
  std::string filter;
  size_t commands = 0;
  size_t scenarios = 0;  // Scripts that are one, by their ids; others are said in words.
  for (std::string line; std::getline(in, line);) {
    static const std::regex kScenario(R"(^  script   [a-z_]+\.[a-z_]+\.)");
    scenarios += std::regex_search(line, kScenario) ? 1 : 0;
    if (line.rfind("  run ", 0) != 0) continue;
    std::string id = line.substr(line.find(marker) + marker.size());
    if (id.front() == '\'') id = id.substr(1, id.size() - 2);
    filter += (filter.empty() ? "" : ":") + id;
    ++commands;
  }
  EXPECT_GT(commands, 15u);
  EXPECT_EQ(scenarios, commands);
  const Directory directory;
  const CommandResult run =
      Mapspec({"run", "--filter", filter, "-v", "--effort", "quick", "--out", directory / "out"});
  EXPECT_EQ(run.status, 0) << run.err;
  // The id of a clause selects each of its variants.
  EXPECT_GE(CountOf(run.err, "kept  ") + CountOf(run.err, "skipped  "), commands) << run.err;
}

TEST(ListTraits, TellsWhereEachHoldsWhichKernelsRanAndWhatShowsIt) {
  const CommandResult result = Mapspec({"list", "traits"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(Has(result.out, "\n  linux-5.10      5.10."));
  EXPECT_TRUE(Has(result.out,
                  "\nhash_btf_needs_key: a hash with a BTF value type needs a key type (EINVAL)\n"
                  "  true   linux-5.10, linux-6.1, "));
  EXPECT_TRUE(Has(result.out,
                  "\n  false  linux-7.0, linux-7.1\n         generic.create.btf-value-alone "
                  "[kernel/bpf/syscall.c, "));
}

TEST(ListTraits, AsJsonIsAnObjectForEachTrait) {
  const CommandResult text = Mapspec({"list", "traits"});
  const CommandResult result = Mapspec({"list", "traits", "--json"});
  EXPECT_EQ(result.status, 0) << result.err;
  std::istringstream lines(result.out);
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto trait = nlohmann::json::parse(line);
    const std::string heading = trait.at("trait").get<std::string>() + ": ";
    EXPECT_TRUE(Has(text.out, "\n" + heading + trait.at("meaning").get<std::string>())) << line;
    EXPECT_GE(trait.at("profiles").size(), 10u) << line;
    EXPECT_FALSE(trait.at("profiles")[0].at("kernels").get<std::string>().empty()) << line;
    EXPECT_FALSE(trait.at("clauses").empty()) << line;
  }
  EXPECT_GT(count, 20u);
  EXPECT_EQ(Mapspec({"list", "profiles", "--json"}).status, 2);
}

}  // namespace
}  // namespace mapspec

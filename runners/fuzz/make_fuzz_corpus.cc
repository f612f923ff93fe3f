// SPDX-License-Identifier: MIT
//
// make_fuzz_corpus DIRECTORY: writes the seed corpora, DIRECTORY/TARGET/NAME, from the scenarios of
// specs/*.yaml: each as a script in bytes, and some of them, chosen so that every operation and
// every way to end is there, as text, trace, conversation and specification; and for each target a
// dictionary of the words that are in them, DIRECTORY/TARGET.dict.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "backends/agent/agent_protocol.h"
#include "oracle/trace_json.h"
#include "properties/entropy.h"
#include "properties/script_decoder.h"
#include "runners/failure_report.h"
#include "runners/fuzz/dictionary.h"
#include "runners/fuzz/fuzzed_library.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

namespace fs = std::filesystem;

// Engines work best on small inputs, and cut what is larger than 1 MiB by default.
constexpr size_t kMaxSeed = 64 * 1024;
const std::string kMaps = "maps_fuzzer";

class Corpus {
 public:
  explicit Corpus(fs::path directory) : directory_(std::move(directory)) {}

  void Add(const std::string& target, std::string_view name, std::string_view content) {
    if (content.size() > kMaxSeed) return;
    const fs::path directory = directory_ / target;
    const auto [dictionary, is_new] = dictionaries_.try_emplace(target);
    if (is_new) fs::remove_all(directory);
    fs::create_directories(directory);
    Write(directory / FileNameOf(name), content);
    ++seeds_;
    if (target == kMaps) return;
    dictionary->second.AddWordsOf(content);
  }
  void Add(const std::string& target, std::string_view name, std::span<const uint8_t> content) {
    Add(target, name,
        std::string_view(reinterpret_cast<const char*>(content.data()), content.size()));
  }
  void WriteDictionaries() {
    dictionaries_[kMaps].AddRecords();
    for (const auto& [target, dictionary] : dictionaries_) {
      Write(directory_ / (target + ".dict"), dictionary.ToText());
    }
  }
  bool failed() const { return failed_; }
  size_t seeds() const { return seeds_; }

 private:
  void Write(const fs::path& path, std::string_view content) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << content;
    out.flush();
    failed_ |= !out.good();
  }

  fs::path directory_;
  std::map<std::string, Dictionary> dictionaries_;
  bool failed_ = false;
  size_t seeds_ = 0;
};

// Decisions of the script generator, for each type and for mixed scripts.
void AddDecisions(Corpus& corpus) {
  SeededEntropy entropy(1);
  for (uint8_t kind = 0; kind <= MapKinds().size(); ++kind) {
    for (const uint8_t operations : std::to_array<uint8_t>({9, 29, 59})) {
      std::vector<uint8_t> record = {0, kind, operations};
      while (record.size() < 12u * operations) {
        // No byte that ends a record.
        record.push_back(static_cast<uint8_t>(entropy.Below(0xc0)));
      }
      corpus.Add(kMaps, "decisions-" + std::to_string(kind) + "-" + std::to_string(operations),
                 record);
    }
  }
}

// Whether the trace has an operation that ends in a way that `seen` does not have yet.
bool IsNew(const Trace& trace, std::set<std::string>* seen) {
  bool is_new = false;
  for (size_t i = 0; i < trace.outcomes.size(); ++i) {
    const Outcome& outcome = trace.outcomes[i];
    is_new |= seen->insert(std::string(OperationName(trace.operations[i].call)) + " " +
                           ErrnoName(outcome.error) + " " +
                           std::to_string(static_cast<int>(outcome.completion)))
                  .second;
  }
  return is_new;
}

std::string Conversation(const Trace& trace, const Backend& backend) {
  AgentHello hello;
  hello.environment = backend.environment();
  hello.capabilities = backend.capabilities();
  hello.profile = backend.default_profile();
  std::string text = CommandToJson({AgentCommand::Kind::kRun, trace.operations.size()}) + "\n";
  for (const Operation& operation : trace.operations) text += OperationToJson(operation) + "\n";
  text += CommandToJson({}) + "\n" + HelloToJson(hello) + "\n";
  for (const Outcome& outcome : trace.outcomes) text += OutcomeToJson(outcome) + "\n";
  return text + std::string(kEndedLine) + "\n" + ErrorToJson("the library is gone") + "\n";
}

// The lines from `first` up to and without `end`, counted from 1.
std::string Lines(const std::string& text, size_t first, size_t end) {
  std::istringstream in(text);
  std::string lines, line;
  for (size_t number = 1; number < end && std::getline(in, line); ++number) {
    if (number >= first) lines += line + "\n";
  }
  return lines;
}

// A specification of one clause and one of its scenarios: what stands in the file.
void AddSpecification(const SpecFile& file, const std::string& text, const Scenario& scenario,
                      Corpus& corpus) {
  const auto clause =
      std::find_if(file.clauses.begin(), file.clauses.end(),
                   [&](const ClauseSpec& candidate) { return candidate.id == scenario.clause; });
  if (clause == file.clauses.end()) return;
  // Up to the next clause or scenario, or the end of the list.
  size_t clause_end = SIZE_MAX, scenario_end = SIZE_MAX, head_end = SIZE_MAX;
  for (const ClauseSpec& other : file.clauses) {
    head_end = std::min<size_t>(head_end, other.position.line);
    if (other.position.line > clause->position.line) {
      clause_end = std::min<size_t>(clause_end, other.position.line);
    }
  }
  size_t first_scenario = SIZE_MAX;
  for (const Scenario& other : file.scenarios) {
    first_scenario = std::min<size_t>(first_scenario, other.position.line);
    if (other.position.line > scenario.position.line) {
      scenario_end = std::min<size_t>(scenario_end, other.position.line);
    }
  }
  clause_end = std::min(clause_end, first_scenario - 1);
  corpus.Add("specs_fuzzer", scenario.id,
             Lines(text, 1, head_end) + Lines(text, clause->position.line, clause_end) +
                 "scenarios:\n" + Lines(text, scenario.position.line, scenario_end));
}

constexpr std::string_view kDeviations[] = {
    "- {clause: queue.pop.takes-head, backend: \"library:*\", reason: loses the head when full, "
    "link: \"https://example.org/issues/7\"}\n",
    "# Two\n- clause: hash.*\n  reason: >-\n    not yet\n- clause: \"generic.?*\"\n"
    "  profile: linux-6.*\n  reason: 'later'\n",
    "- {clause: hash.updat.noexist, reason: misspelt}\n",
    "[]\n",
};

int Main(const fs::path& directory) {
  std::string problem;
  const auto backend = MakeFuzzedLibrary(&problem);
  if (backend == nullptr) {
    std::fprintf(stderr, "make_fuzz_corpus: %s\n", problem.c_str());
    return 3;
  }
  Corpus corpus(directory);
  AddDecisions(corpus);
  std::set<std::string> seen;
  const std::vector<SpecText> texts = EmbeddedSpecTexts();
  const Specs& specs = Specification(backend->environment().possible_cpus).specs;
  for (const SpecFile& file : specs.files) {
    for (const Scenario& scenario : file.scenarios) {
      const Script script = ToScript(scenario);
      corpus.Add(kMaps, scenario.id, EncodeScript(script.operations));
      Trace trace{
          script.name, backend->default_profile(), backend->environment(), script.operations, {}};
      backend->NewSession(&problem)->Run(script.operations, &trace.outcomes);
      if (!IsNew(trace, &seen)) continue;
      std::ostringstream as_script, as_trace;
      WriteScript(script, as_script);
      WriteTrace(trace, as_trace);
      corpus.Add("script_fuzzer", scenario.id, as_script.str());
      corpus.Add("trace_fuzzer", scenario.id, as_trace.str());
      corpus.Add("agent_fuzzer", scenario.id, Conversation(trace, *backend));
      const auto text = std::find_if(texts.begin(), texts.end(), [&](const SpecText& candidate) {
        return candidate.name == file.name;
      });
      if (text != texts.end()) AddSpecification(file, text->text, scenario, corpus);
    }
  }
  for (size_t i = 0; i < std::size(kDeviations); ++i) {
    corpus.Add("deviations_fuzzer", std::to_string(i), kDeviations[i]);
  }
  corpus.WriteDictionaries();
  if (corpus.failed()) {
    std::fprintf(stderr, "make_fuzz_corpus: %s: cannot be written\n", directory.c_str());
    return 2;
  }
  std::printf("%zu seeds in %s\n", corpus.seeds(), directory.c_str());
  return 0;
}

}  // namespace
}  // namespace mapspec

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY  (DIRECTORY/TARGET is replaced)\n", argv[0]);
    return 2;
  }
  return mapspec::Main(argv[1]);
}

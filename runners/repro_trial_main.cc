// SPDX-License-Identifier: MIT
//
// repro-trial: reproducers, written, compiled and run by the hundred.
//   mutants  For faults of the userspace library (libusermaps_mutant.so): a scenario in which the
//            oracle sees the fault; with the faulty library in front of libbpf the reproducer must
//            end with 1, with the unchanged one with 0.
//   kernel   Scenarios of both paths on the running kernel. An outcome that conforms is made wrong;
//            the reproducer must find the kernel right (0). What an older profile objects to is
//            there (1).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "backends/backend.h"
#include "backends/host_environment.h"
#include "oracle/checker.h"
#include "runners/commands.h"
#include "runners/glob.h"
#include "runners/repro.h"
#include "runners/repro_check.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

struct Options {
  std::string filter = "*";
  size_t every = 1;
  std::string keep;
  bool kernel = false;
};

// What the reproducers of one fault, or one scenario, came to.
struct Finding {
  enum class Kind { kShown, kNoTrace, kRefused, kWrong } kind = Kind::kNoTrace;
  std::string text;
};

std::vector<const Scenario*> ScenariosFor(const std::string& mutant, const Specs& specs) {
  const std::string clause = mutant.substr(0, mutant.find('/'));
  const std::string family = clause.substr(0, clause.find('.') + 1);
  std::vector<const Scenario*> own, near;
  for (const Scenario* scenario : specs.AllScenarios()) {
    if (scenario->via == Path::kProgram) continue;
    if (scenario->clause == clause) own.push_back(scenario);
    if (scenario->clause != clause && scenario->clause.starts_with(family))
      near.push_back(scenario);
  }
  own.insert(own.end(), near.begin(), near.end());
  return own;
}

std::string Run(const std::string& source, const std::string& library, const std::string& mutant,
                int wanted) {
  ReproCheckOptions options;
  options.environment = {{"LD_PRELOAD", library}, {"USERMAPS_MUTANT", mutant}};
  const ReproCheck check = CheckReproducer(source, options);
  if (!check.compiled) return "does not compile:\n" + check.output;
  if (check.status == wanted) return "";
  // What the fault made of the order, no order of a hash without it can be.
  if (wanted == 0 && check.status == 2 &&
      check.output.find("the order of the trace did not come up") != std::string::npos) {
    return "";
  }
  return fmt::format("status {} instead of {} with {}:\n{}", check.status, wanted, library,
                     check.output);
}

Finding Show(const std::string& mutant, const Specs& specs, const Profile& profile,
             const Options& options) {
  setenv("USERMAPS_MUTANT", mutant.c_str(), 1);
  Finding finding;
  std::string error;
  bool usage = false;
  const std::unique_ptr<Backend> backend =
      MakeBackend(std::string("library:") + REPRO_MUTANT_LIBRARY, &error, &usage);
  const std::unique_ptr<Backend> unchanged =
      MakeBackend(std::string("library:") + REPRO_LIBRARY, &error, &usage);
  if (backend == nullptr || unchanged == nullptr) return {Finding::Kind::kWrong, error};
  for (const Scenario* scenario : ScenariosFor(mutant, specs)) {
    error.clear();
    Trace trace = Execute(*backend, ToScript(*scenario), &error);
    trace.profile = profile.name;
    if (!Judge(trace, profile).violation) continue;
    // What the library itself has not (its mmap is a function, XSKMAPs) is no fault.
    if (Judge(Execute(*unchanged, ToScript(*scenario), &error), profile).violation) continue;
    std::ostringstream source;
    std::string why_not;
    if (!WriteReproducer(trace, profile, source, &why_not)) {
      finding = {Finding::Kind::kRefused, scenario->id + ": " + why_not};
      continue;
    }
    if (!options.keep.empty()) {
      std::string name = mutant;
      std::replace(name.begin(), name.end(), '/', '+');
      std::ofstream(options.keep + "/" + name + ".c") << source.str();
    }
    std::string wrong = Run(source.str(), REPRO_MUTANT_LIBRARY, mutant, 1);
    if (wrong.empty()) wrong = Run(source.str(), REPRO_LIBRARY, "", 0);
    if (wrong.find("would prove nothing") != std::string::npos) {
      // The fault shows in an earlier, allowed answer too: the unchanged library does not get
      // there.
      finding = {Finding::Kind::kRefused, scenario->id + ": " + wrong};
      continue;
    }
    if (wrong.empty()) return {Finding::Kind::kShown, scenario->id};
    return {Finding::Kind::kWrong, scenario->id + ": " + wrong};
  }
  return finding;
}

// One outcome of a conforming trace, the last that it works for, made wrong.
bool MakeWrong(const Profile& profile, Trace* trace) {
  for (size_t i = trace->outcomes.size(); i-- > 0;) {
    const Outcome right = trace->outcomes[i];
    if (right.completion == Completion::kNotRun) continue;
    for (int way = 0; way < 2; ++way) {
      Outcome& outcome = trace->outcomes[i];
      if (auto* bytes = std::get_if<Bytes>(&outcome.output);
          way == 0 && bytes != nullptr && !bytes->empty() && right.ok()) {
        (*bytes)[0] = static_cast<uint8_t>((*bytes)[0] ^ 0x10);
      } else {
        outcome.error = right.error == Errno::kNone ? Errno::kEBUSY : Errno::kNone;
        outcome.completion = Completion::kReturned;
      }
      const Verdict verdict = Judge(*trace, profile);
      if (verdict.violation && verdict.index == i) return true;
      outcome = right;
    }
  }
  return false;
}

Finding OnKernel(const Scenario& scenario, Backend& backend, const Options& options) {
  std::string error;
  const Trace trace = Execute(backend, ToScript(scenario), &error);
  if (!error.empty()) return {Finding::Kind::kWrong, error};
  Finding finding;
  const auto show = [&](const Trace& judged, const Profile& profile, int wanted) {
    std::ostringstream source;
    std::string why_not;
    if (!WriteReproducer(judged, profile, source, &why_not)) {
      finding = {Finding::Kind::kRefused, why_not};
      return true;
    }
    if (!options.keep.empty()) {
      std::string name = scenario.id + (wanted == 0 ? "+right" : "+older");
      std::replace(name.begin(), name.end(), '/', '+');
      std::ofstream(options.keep + "/" + name + ".c") << source.str();
    }
    const std::string wrong = Run(source.str(), "", "", wanted);
    finding = {wrong.empty() ? Finding::Kind::kShown : Finding::Kind::kWrong, wrong};
    return wrong.empty();
  };
  const Profile& own = *FindProfile(backend.default_profile());
  Trace doctored = trace;
  if (MakeWrong(own, &doctored) && !show(doctored, own, 0)) return finding;
  for (const char* older : {"linux-5.10", "linux-6.1"}) {
    const Profile* profile = FindProfile(older);
    if (profile == nullptr || !Judge(trace, *profile).violation) continue;
    show(trace, *profile, 1);
    break;
  }
  return finding;
}

std::vector<std::string> Mutants() {
  std::vector<std::string> mutants;
  FILE* list = popen(REPRO_MUTANTS_COMMAND " --list", "r");
  char line[256];
  while (list != nullptr && std::fgets(line, sizeof(line), list) != nullptr) {
    std::string name = line;
    name.erase(name.find_last_not_of("\n ") + 1);
    if (!name.empty()) mutants.push_back(name);
  }
  if (list != nullptr) pclose(list);
  return mutants;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Reproducers of what is known to be wrong, compiled and run", "repro-trial");
  app.add_flag("--kernel", options.kernel,
               "Scenarios on the running kernel instead of the library's deliberate faults");
  app.add_option("--filter", options.filter, "Only mutants, or scenarios, whose names match");
  app.add_option("--every", options.every, "Only every Nth of them")->check(CLI::PositiveNumber);
  app.add_option("--keep", options.keep, "A directory for the programs")
      ->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  if (FindCCompiler().empty()) return UsageError("no C compiler");
  const Specs& specs = Specification(HostEnvironment("").possible_cpus).specs;
  const Profile& profile = NewestLinuxProfile();
  size_t number = 0, counts[4] = {};
  const auto tell = [&](const std::string& name, const Finding& finding) {
    ++counts[static_cast<size_t>(finding.kind)];
    constexpr const char* kWords[] = {"shown", "no trace", "refused", "WRONG"};
    fmt::print("{:<9} {}  {}\n", kWords[static_cast<size_t>(finding.kind)], name, finding.text);
    std::fflush(stdout);
  };
  const auto wanted = [&](const std::string& name) {
    return GlobMatches(options.filter, name) && number++ % options.every == 0;
  };
  if (options.kernel) {
    std::string error;
    bool usage = false;
    const std::unique_ptr<Backend> backend = MakeBackend("kernel", &error, &usage);
    if (backend == nullptr) {
      fmt::print("kernel: could not be used: {}\n", error);
      return 3;
    }
    for (const Scenario* scenario : specs.AllScenarios()) {
      if (wanted(scenario->id)) tell(scenario->id, OnKernel(*scenario, *backend, options));
    }
  } else {
    for (const std::string& mutant : Mutants()) {
      if (wanted(mutant)) tell(mutant, Show(mutant, specs, profile, options));
    }
  }
  fmt::print("{} shown, {} without a trace, {} refused, {} wrong\n", counts[0], counts[1],
             counts[2], counts[3]);
  return counts[3] == 0 && counts[0] != 0 ? 0 : 1;
}

}  // namespace
}  // namespace mapspec

int main(int argc, char** argv) { return mapspec::Main(argc, argv); }

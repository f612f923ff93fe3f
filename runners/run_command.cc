// SPDX-License-Identifier: MIT
#include "runners/run_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>

#include "backends/backend.h"
#include "backends/host_environment.h"
#include "backends/libbpf_api/scratch_directory.h"
#include "oracle/uapi.h"
#include "runners/commands.h"
#include "runners/deviation_list.h"
#include "runners/failure_report.h"
#include "runners/gtest_flags.h"
#include "runners/guest/guest_backend.h"
#include "runners/html_report.h"
#include "runners/kernels/kernel_matrix.h"
#include "runners/progress.h"
#include "runners/report.h"
#include "runners/run_plan.h"
#include "runners/signals.h"
#include "runners/worker.h"
#include "runners/worker_pool.h"

namespace mapspec {
namespace {

bool ParseNumber(std::string_view text, uint64_t* out) {
  const bool hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (hex) text.remove_prefix(2);
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), *out, hex ? 16 : 10);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool ParseShard(const std::string& text, RunOptions* run) {
  uint64_t shard = 0, shards = 0;
  const size_t slash = text.find('/');
  if (slash == std::string::npos || !ParseNumber(std::string_view(text).substr(0, slash), &shard) ||
      !ParseNumber(std::string_view(text).substr(slash + 1), &shards) || shard < 1 ||
      shard > shards || shards > 10'000) {
    return false;
  }
  run->shard = static_cast<unsigned>(shard);
  run->shards = static_cast<unsigned>(shards);
  return true;
}

// Turns words into values; 0, or 2 after saying what is wrong.
int Resolve(RunArguments* options) {
  RunOptions& run = options->run;
  if (run.backends.empty()) run.backends = {"userspace"};
  if (std::set<std::string>(run.backends.begin(), run.backends.end()).size() !=
      run.backends.size()) {
    return UsageError("a --backend is given twice");
  }
  if (!run.profile.empty() && FindProfileOrSay(run.profile) == nullptr) return 2;
  const std::optional<Effort> effort = ParseEffort(options->effort);
  if (!effort) {
    return UsageError(fmt::format("unknown effort `{}`{}", options->effort,
                                  DidYouMean(options->effort, {"quick", "normal", "thorough"})));
  }
  run.effort = *effort;
  if (!ParseShard(options->shard, &run)) {
    return UsageError(
        fmt::format("--shard {}: expected I/N with 1 <= I <= N, as in 1/4", options->shard));
  }
  if (options->seed.empty()) {
    std::random_device device;
    run.seed = (uint64_t{device()} << 32) | device();
  } else if (!ParseNumber(options->seed, &run.seed)) {
    return UsageError(fmt::format("--seed {}: expected a number below 2^64", options->seed));
  }
  const std::optional<Accelerator> accelerator = ParseAccelerator(options->accelerator);
  if (!accelerator) {
    return UsageError(fmt::format("unknown accelerator `{}`{}", options->accelerator,
                                  DidYouMean(options->accelerator, {"auto", "kvm", "tcg"})));
  }
  options->guest.machine.accelerator = *accelerator;
  options->guest.boot_timeout = std::chrono::seconds(options->boot_timeout);
  return CheckGtestFlags(run.gtest_flags, run.jobs > 1 || run.backends.size() > 1);
}

// The plan; every pattern has to select something. 0 or 2.
int Plan(const Specs& specs, const RunArguments& options, std::vector<PlannedTest>* plan) {
  const Filter filter(options.filter);
  const std::vector<std::string> ids = AllIds(specs);
  for (const std::string& pattern : filter.wanted()) {
    const bool matches = std::any_of(
        ids.begin(), ids.end(), [&](const std::string& id) { return GlobMatches(pattern, id); });
    if (matches) continue;
    std::string hint = DidYouMean(pattern, ids);
    if (hint.empty()) hint = "; see mapspec list clauses and mapspec list properties";
    return UsageError(
        fmt::format("--filter {}: no clause, scenario or property matches{}", pattern, hint));
  }
  *plan = MakePlan(specs, filter, options.run);
  if (!options.map_type.empty()) {
    std::vector<std::string> types;
    for (const SpecFile& file : specs.files) types.push_back(file.prefix);
    std::string wanted = options.map_type;
    if (const auto type = ParseMapType(wanted)) wanted = MapTypeName(*type).substr(13);
    std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::find(types.begin(), types.end(), wanted) == types.end()) {
      std::string hint = DidYouMean(wanted, types);
      if (hint.empty()) hint = "; see mapspec list map-types";
      return UsageError(fmt::format("unknown map type `{}`{}", options.map_type, hint));
    }
    std::erase_if(*plan,
                  [&](const PlannedTest& test) { return test.id.rfind(wanted + ".", 0) != 0; });
  }
  if (plan->empty() && options.run.shards == 1) {
    return UsageError(fmt::format("--filter {}: nothing is left to run", options.filter));
  }
  return 0;
}

// What is known of a backend before its tests run.
struct Target {
  HelloMessage hello;
  UnusableMessage unusable;
  std::optional<BootImage> image;  // Of a backend that is booted.
};

Target Probe(const std::string& backend, const GuestOptions& guest) {
  Target target;
  target.image = ParseGuestSelector(backend);
  if (target.image) {
    ProbeGuest(&*target.image, guest, &target.hello, &target.unusable);
  } else {
    ProbeBackend(backend, &target.hello, &target.unusable);
  }
  return target;
}

bool CheckWritable(const std::string& path) {
  if (path.empty() || std::ofstream(path, std::ios::app)) return true;
  UsageError(path + ": cannot be written");
  return false;
}

template <typename Write>
bool WriteReport(const std::string& path, const Write& write) {
  if (path.empty()) return true;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  write(out);
  out.flush();
  if (out) return true;
  UsageError(path + ": cannot be written");
  return false;
}

// What `mapspec report` makes of the results: one way to a page, whoever asks for it.
void WriteHtmlOfRun(const std::vector<BackendResults>& results, const Specs& specs,
                    std::ostream& out) {
  std::stringstream json;
  WriteJsonReport(results, json);
  ParseError error;
  const std::optional<std::vector<RecordedRun>> runs = ReadResults(json, "", &error);
  if (runs) {
    WriteHtmlReport(MakeMatrix(*runs, specs), out);
  } else {
    out.setstate(std::ios::failbit);
  }
}

bool WriteDeviationsOfRun(const std::vector<BackendResults>& results, const RunArguments& options) {
  const std::string& path = options.write_deviations;
  if (path.empty()) return true;
  const DeviationList list = DeviationsOf(results, options.run.deviations, options.run.shards == 1);
  if (!list.unnamed.empty()) {
    constexpr size_t kNamed = 5;
    std::string names;
    for (size_t i = 0; i < list.unnamed.size() && i < kNamed; ++i) {
      names += (i == 0 ? "" : ", ") + list.unnamed[i];
    }
    fmt::print(stderr, "mapspec: {}: without {} failure{} that no clause names: {}{}\n", path,
               list.unnamed.size(), list.unnamed.size() == 1 ? "" : "s", names,
               list.unnamed.size() > kNamed ? ", …" : "");
  }
  return WriteReport(path, [&](std::ostream& out) { WriteDeviations(list, results, out); });
}

// The tests for a number of CPUs: per-CPU values have other sizes on other machines.
struct Suite {
  std::optional<Specs> specs;
  std::vector<PlannedTest> plan;
};

// nullptr after saying why. Suites stay where they are.
const std::vector<PlannedTest>* SuiteFor(uint32_t cpus, const RunArguments& options,
                                         std::map<uint32_t, Suite>* suites) {
  Suite& suite = (*suites)[cpus];
  if (suite.specs) return &suite.plan;
  suite.specs = LoadSpecsOrSay(options.run.specs, cpus);
  if (!suite.specs || Plan(*suite.specs, options, &suite.plan) != 0) return nullptr;
  return &suite.plan;
}

BackendResults Unusable(const std::string& backend, const RunArguments& options,
                        const std::string& reason) {
  BackendResults failed;
  failed.backend = failed.environment.backend = backend;
  failed.profile = options.run.profile;
  failed.seed = options.run.seed;
  failed.effort = options.effort;
  failed.unusable = reason;
  return failed;
}

// The end of what a person reads: a verdict for each backend, or the kernels beside each other.
std::string Conclusion(const std::vector<BackendResults>& results, const RunArguments& options,
                       bool colour) {
  std::string text;
  if (options.guests_at_once != 0) {
    // The verdicts last: logs are read from their end.
    text = KernelDifferences(results) + "\n" + KernelTable(results, colour);
  } else {
    for (const BackendResults& backend : results) text += "\n" + VerdictText(backend, colour);
  }
  for (const std::string& path : {options.json, options.junit, options.html}) {
    if (!path.empty()) text += fmt::format("  report      {}\n", path);
  }
  if (!options.write_deviations.empty()) {
    text += fmt::format("  deviations  {}\n", options.write_deviations);
  }
  const bool failures =
      std::any_of(results.begin(), results.end(), [](const BackendResults& backend) {
        return std::any_of(backend.tests.begin(), backend.tests.end(),
                           [](const TestResult& test) { return !test.trace.empty(); });
      });
  if (failures) text += fmt::format("  failures    {}/\n", options.run.out);
  return text;
}

}  // namespace

int RunSuite(RunArguments* options) {
  if (const int status = Resolve(options); status != 0) return status;
  std::string no_scratch;  // Then each temporary directory stands alone.
  UseScratchDirectory(&no_scratch);
  RunOptions& run = options->run;
  const uint32_t host_cpus = HostEnvironment("").possible_cpus;
  std::map<uint32_t, Suite> suites;
  const std::vector<PlannedTest>* const plan = SuiteFor(host_cpus, *options, &suites);
  if (plan == nullptr) return 2;
  if (!options->deviations.empty()) {
    std::vector<std::string> errors;
    if (!LoadDeviations(options->deviations, ClauseIds(*suites[host_cpus].specs), &run.deviations,
                        &errors)) {
      for (const std::string& error : errors) UsageError(error);
      return 2;
    }
  }
  if (WantsGtestList(run.gtest_flags)) return ListGtests(*plan, run);
  const std::string reports[] = {options->json, options->junit, options->html,
                                 options->write_deviations};
  if (!std::all_of(std::begin(reports), std::end(reports), CheckWritable)) return 2;

  InstallStopSignals();
  // All backends are opened once before anything runs: a typing error in the last one should not
  // wait for the first one's results.
  std::vector<Target> targets;
  for (const std::string& backend : run.backends) {
    targets.push_back(Probe(backend, options->guest));
    const UnusableMessage& unusable = targets.back().unusable;
    if (!unusable.reason.empty() && unusable.usage) return UsageError(unusable.reason);
  }
  // With --ktap standard output carries that report and nothing else.
  std::FILE* const talk = options->ktap ? stderr : stdout;
  fmt::print(stderr, "mapspec {}: {} tests, effort {}, seed {}\n", kMapspecVersion, plan->size(),
             options->effort, run.seed);
  Progress progress(stderr, run.every_test);
  std::vector<BackendResults> results;
  std::vector<std::unique_ptr<GuestRun>> guests;
  for (size_t i = 0; i < run.backends.size(); ++i) {
    const auto& [hello, unusable, image] = targets[i];
    if (!unusable.reason.empty()) {
      results.push_back(Unusable(run.backends[i], *options, unusable.reason));
      continue;
    }
    const Profile* profile =
        FindProfileOrSay(run.profile.empty() ? hello.default_profile : run.profile);
    if (profile == nullptr) return 3;
    const auto* tests = SuiteFor(hello.environment.possible_cpus, *options, &suites);
    if (tests == nullptr) return 2;
    if (!image) {
      results.push_back(RunOnBackend(run.backends[i], hello, *profile, *tests, run, &progress));
    } else if (options->guests_at_once == 0) {
      results.push_back(RunInGuest(*image, options->guest, *profile, *tests, run, &progress));
    } else {
      guests.push_back(
          std::make_unique<GuestRun>(*image, options->guest, *profile, *tests, run, nullptr));
    }
  }
  if (!guests.empty()) {
    for (BackendResults& kernel : RunSideBySide(guests, options->guests_at_once, &progress)) {
      results.push_back(std::move(kernel));
    }
  }

  bool written =
      WriteReport(options->json, [&](std::ostream& out) { WriteJsonReport(results, out); });
  written &=
      WriteReport(options->junit, [&](std::ostream& out) { WriteJunitReport(results, out); });
  written &= WriteReport(options->html, [&](std::ostream& out) {
    WriteHtmlOfRun(results, *suites[host_cpus].specs, out);
  });
  written &= WriteDeviationsOfRun(results, *options);
  if (options->ktap) {
    WriteKtapReport(results, std::cout);
    std::cout.flush();
  }
  fmt::print(talk, "{}", Conclusion(results, *options, UseColour(talk)));
  std::fflush(talk);
  const int status = ExitStatus(results);
  return written || status != 0 ? status : 2;
}

void AddSuiteOptions(CLI::App* command, const std::shared_ptr<RunArguments>& options) {
  RunOptions& run = options->run;
  command->add_option("--profile", run.profile,
                      "What the backend claims to be, see mapspec list profiles; default: its own");
  command->add_option(
      "--filter", options->filter,
      "Tests to run: globs over ids (* and ?), joined by ':'; one that starts with '-' takes away");
  command->add_option("--map-type", options->map_type, "Only what concerns this map type");
  command->add_option("--seed", options->seed,
                      "Of everything random; default: a new one, which is printed");
  command->add_option("--effort", options->effort, "quick, normal or thorough")
      ->capture_default_str();
  command->add_option("--shard", options->shard, "I/N: the I-th of N parts of the suite")
      ->capture_default_str();
  command
      ->add_option("--specs", options->run.specs,
                   "YAML files or directories instead of the embedded specification")
      ->allow_extra_args(false);
  command->add_option("--deviations", options->deviations,
                      "YAML list of known violations: {clause: GLOB, backend: GLOB, profile: GLOB, "
                      "reason: …, link: …}");
  command->add_option(
      "--write-deviations", options->write_deviations,
      "Write such a list, with which this run would pass: each clause that was violated, on which "
      "backend, under which profile. Of --deviations, which may be the same file, it keeps what "
      "still happens and what this run cannot tell about, drops what vanished, and forgets "
      "comments. The exit status is the run's, as without it");
  command->add_option("--json", options->json,
                      "Write the results as JSON, one object for each backend");
  command->add_option("--junit", options->junit, "Write the results as JUnit XML");
  command->add_option("--html", options->html,
                      "Write the results as one page, see mapspec report --help");
  command->add_flag("--ktap", options->ktap,
                    "Print the results as KTAP, and nothing else, on standard output");
  command->add_option("--out", run.out, "Directory for scripts and traces of failures")
      ->capture_default_str();
  command->add_flag("!--no-shrink", run.shrink, "Report failing scripts as they were found");
  command->add_flag("-v,--verbose", run.every_test, "A line for each test");
  command
      ->add_option("--boot-timeout", options->boot_timeout,
                   "Seconds in which a guest (qemu:, uml:) has to come up")
      ->check(CLI::Range(1u, 86'400u))
      ->capture_default_str();
  command
      ->add_option("--accel", options->accelerator,
                   "Of qemu: kvm, tcg (translates, slower), or auto: KVM where it works")
      ->capture_default_str();
}

void AddRunCommand(CLI::App& app, const std::vector<std::string>& gtest_flags, int* status) {
  CLI::App* command =
      app.add_subcommand("run", "Run the conformance suite on one or more backends");
  auto options = std::make_shared<RunArguments>();
  RunOptions& run = options->run;
  command
      ->add_option(
          "-b,--backend", run.backends,
          "What answers; may be given several times; see mapspec list backends. Default: userspace")
      ->allow_extra_args(false);
  command
      ->add_option("-j,--jobs", run.jobs,
                   "Worker processes of each backend; default: 8 for kernel, where calls mostly "
                   "wait, else 1")
      ->check(CLI::Range(1u, 64u));
  AddSuiteOptions(command, options);
  command->footer(
      "Examples\n"
      "  mapspec run --backend kernel --effort normal --json k.json --junit k.xml\n"
      "  mapspec run --backend userspace --backend kernel --filter 'queue.*:-*random*'\n"
      "  mapspec run --backend library:./libmaps.so --profile documented --deviations "
      "known.yaml\n"
      "  mapspec run --backend kernel --write-deviations known.yaml                 a first list\n"
      "  mapspec run --backend qemu:arch/x86/boot/bzImage --effort quick --ktap     boots the "
      "kernel and runs\n"
      "                                                  inside it; no root, no KVM needed\n"
      "  mapspec run --backend uml:./linux --filter 'hash.*'                        User-Mode "
      "Linux\n\n"
      "Options of GoogleTest (--gtest_repeat=3, --gtest_shuffle, --gtest_fail_fast, "
      "--gtest_list_tests, …) are\n"
      "passed on; in --gtest_filter '-' takes away, so use --filter for ids.\n\n"
      "Exit status: 0 everything conforms, 1 a violation or a listed deviation that vanished, 2 "
      "bad usage or\n"
      "input, 3 a backend could not be used or died, 130 interrupted (reports are written; a "
      "second Ctrl-C\n"
      "ends at once).");
  command->callback([options, &gtest_flags, status] {
    options->run.gtest_flags = gtest_flags;
    *status = RunSuite(options.get());
  });
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <sstream>

#include "backends/backend.h"
#include "backends/libbpf_api/scratch_directory.h"
#include "runners/commands.h"
#include "runners/fuzz_engine.h"
#include "runners/fuzz_numbers.h"
#include "runners/fuzz_report.h"
#include "runners/repro.h"
#include "runners/repro_check.h"
#include "runners/signals.h"
#include "runners/text.h"

namespace mapspec {
namespace {

struct FuzzArguments {
  std::vector<std::string> backends;
  std::string profile, operations, time, seed, shrink_time = "10s";
  std::string out = "mapspec-fuzz";
  std::string json;
  unsigned jobs = 1;
  bool resume = false;
  bool shrink = true;
};

// Everything a run needs, from words.
struct Prepared {
  FuzzOptions fuzz;
  FuzzState start;
  std::vector<std::unique_ptr<Backend>> backends;
};

bool Exists(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0;
}

// Whether files can be made in the directory, which is made when it is missing.
bool CanWriteTo(const std::string& directory, std::string* why_not) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (code) {
    *why_not = fmt::format("{}: {}", directory, code.message());
    return false;
  }
  const std::string probe = fmt::format("{}/.probe-{}", directory, getpid());
  errno = 0;
  const bool written = static_cast<bool>(std::ofstream(probe) << "probe" << std::flush);
  if (!written) *why_not = fmt::format("{}: {}", directory, std::strerror(errno));
  unlink(probe.c_str());
  return written;
}

int ParseNumbers(const FuzzArguments& options, Prepared* prepared) {
  if (!options.operations.empty()) {
    prepared->fuzz.operations = ParseCount(options.operations);
    if (!prepared->fuzz.operations) {
      return UsageError(
          fmt::format("--ops {}: expected a number of operations, as in 5000, 1e6, 10M or 2.5G",
                      options.operations));
    }
  }
  if (!options.time.empty()) {
    prepared->fuzz.time = ParseDuration(options.time);
    if (!prepared->fuzz.time) {
      return UsageError(
          fmt::format("--time {}: expected a duration, as in 90 (seconds), 500ms, 60s, 5m or 1h30m",
                      options.time));
    }
  }
  const auto shrink_time = ParseDuration(options.shrink_time);
  if (!shrink_time) {
    return UsageError(
        fmt::format("--shrink-time {}: expected a duration, as in 10s or 2m", options.shrink_time));
  }
  prepared->fuzz.findings.shrink_time = *shrink_time;
  return 0;
}

// The seed, and with --resume what an earlier run left.
int ReadState(const FuzzArguments& options, FuzzState* state) {
  uint64_t seed = 0;
  if (!options.seed.empty()) {
    try {
      size_t used = 0;
      seed = std::stoull(options.seed, &used, 0);
      if (used != options.seed.size() || options.seed[0] == '-') throw std::out_of_range("");
    } catch (const std::exception&) {
      return UsageError(fmt::format("--seed {}: expected a number below 2^64", options.seed));
    }
  }
  const std::string file = StateFile(options.out);
  if (!options.resume) {
    if (Exists(file)) {
      return UsageError(
          fmt::format("{} is the state of an earlier run: go on with it by --resume, or keep it "
                      "and name another directory by --out",
                      file));
    }
    std::random_device device;
    state->seed = options.seed.empty() ? (uint64_t{device()} << 32) | device() : seed;
    return 0;
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return UsageError(
        fmt::format("{}: {}; --resume goes on with a run that was begun with the same --out", file,
                    std::strerror(errno)));
  }
  std::stringstream text;
  text << in.rdbuf();
  std::string error;
  std::optional<FuzzState> read = StateFromJson(text.str(), file, &error);
  if (!read) return UsageError(error);
  if (!options.seed.empty() && seed != read->seed) {
    return UsageError(fmt::format("--seed {}: {} is of a run with seed {}; leave --seed out",
                                  options.seed, file, read->seed));
  }
  *state = std::move(*read);
  return 0;
}

// Opens the backends once: typing errors and missing rights are told before anything runs.
int OpenBackends(const FuzzArguments& options, Prepared* prepared) {
  FuzzState& state = prepared->start;
  std::vector<std::string> selectors = options.backends;
  std::vector<std::string> before;
  for (const auto& [selector, profile] : state.backends) before.push_back(selector);
  if (selectors.empty()) selectors = before;
  if (selectors.empty()) selectors = {"userspace"};
  if (!before.empty() && selectors != before) {
    return UsageError(fmt::format("{} is of a run on {}; leave --backend out",
                                  StateFile(options.out), fmt::join(before, ", ")));
  }
  if (std::set<std::string>(selectors.begin(), selectors.end()).size() != selectors.size()) {
    return UsageError("a --backend is given twice");
  }
  if (!options.profile.empty() && FindProfileOrSay(options.profile) == nullptr) return 2;
  for (size_t i = 0; i < selectors.size(); ++i) {
    const std::string& selector = selectors[i];
    std::string error;
    bool usage = false;
    std::unique_ptr<Backend> backend = MakeBackend(selector, &error, &usage);
    if (backend == nullptr) {
      UsageError(error);
      return usage ? 2 : 3;
    }
    std::string name = options.profile;
    if (name.empty()) name = before.empty() ? backend->default_profile() : state.backends[i].second;
    const Profile* profile = FindProfileOrSay(name);
    if (profile == nullptr) return 2;
    if (!before.empty() && profile->name != state.backends[i].second) {
      return UsageError(fmt::format("--profile {}: {} is of a run with profile {}", name,
                                    StateFile(options.out), state.backends[i].second));
    }
    prepared->fuzz.backends.push_back({selector, profile, [selector](std::string* why) {
                                         bool ignored = false;
                                         return MakeBackend(selector, why, &ignored);
                                       }});
    prepared->backends.push_back(std::move(backend));
  }
  state.backends.clear();
  for (const FuzzBackend& backend : prepared->fuzz.backends) {
    state.backends.emplace_back(backend.selector, backend.profile->name);
  }
  return 0;
}

// What no script has because one of several backends cannot do it.
void SayWhatIsLeftOut(const std::vector<Backend*>& backends) {
  CapabilitySet any;
  for (const Backend* backend : backends) any |= backend->capabilities();
  for (const Backend* backend : backends) {
    std::vector<std::string_view> missing;
    for (size_t i = 0; i < any.size(); ++i) {
      if (any[i] && !backend->capabilities()[i]) {
        missing.push_back(CapabilityName(static_cast<Capability>(i)));
      }
    }
    if (missing.empty()) continue;
    fmt::print(stderr, "mapspec: {} lacks {}: no script has it\n", backend->name(),
               fmt::join(missing, ", "));
  }
}

// "" when the program shows the violation, else what it did instead.
std::string TryReproducer(const std::string& source, const std::string&) {
  const ReproCheck check = CheckReproducer(source);
  if (check.compiled && check.status == 1) return "";
  const std::string said = Shortened(check.output.substr(0, check.output.find('\n')));
  if (!check.compiled) return "it was not compiled: " + said;
  if (check.timed_out) return "it did not end in time";
  return fmt::format("exit status {}: {}", check.status, said);
}

int StatusOf(const FuzzResult& result) {
  if (!result.state.findings.empty()) return 1;
  if (!result.unusable.empty()) return 3;
  if (result.unwritten) return 2;
  return result.interrupted ? 130 : 0;
}

int Fuzz(const FuzzArguments& options) {
  std::string no_scratch;  // Then each temporary directory stands alone.
  UseScratchDirectory(&no_scratch);
  Prepared prepared;
  FuzzOptions& fuzz = prepared.fuzz;
  if (const int status = ParseNumbers(options, &prepared); status != 0) return status;
  if (const int status = ReadState(options, &prepared.start); status != 0) return status;
  if (const int status = OpenBackends(options, &prepared); status != 0) return status;
  if (!options.json.empty() && !std::ofstream(options.json, std::ios::app)) {
    return UsageError(fmt::format("{}: {}", options.json, std::strerror(errno)));
  }
  fuzz.jobs = options.jobs;
  fuzz.findings.directory = options.out;
  fuzz.findings.shrink = options.shrink;
  fuzz.findings.write_reproducer = WriteReproducer;
  fuzz.findings.check_reproducer = TryReproducer;
  std::string why_not;
  const bool writable = CanWriteTo(options.out, &why_not);
  if (!writable) {
    UsageError(why_not + "; scripts of findings will be printed on standard output");
    fuzz.save_state = false;
  }

  std::vector<Backend*> backends;
  FuzzReport report;
  for (const auto& backend : prepared.backends) {
    backends.push_back(backend.get());
    report.environments.push_back(backend->environment());
  }
  SayWhatIsLeftOut(backends);
  const ScriptShapes shapes(CommonGround(backends, prepared.start.seed));
  prepared.backends.clear();

  InstallStopSignals();
  fuzz.stop = &StopFlag();
  fmt::print(stderr, "mapspec {}: fuzzing, seed {}{}\n", MAPSPEC_VERSION, prepared.start.seed,
             fuzz.time || fuzz.operations ? "" : ", until Ctrl-C");
  FuzzProgressLine line(stderr);
  fuzz.progress = [&](const FuzzProgress& progress) { line.Show(progress); };
  fuzz.warn = [&](const std::string& text) {
    line.Erase();
    UsageError(text);
  };
  fuzz.found = [&](const Finding& finding) {
    line.Erase();
    fmt::print(stderr, "\nFINDING {}\n{}\n", finding.id, finding.text);
    if (finding.unwritten.empty()) return;
    UsageError(finding.unwritten + "; the script follows on standard output");
    fmt::print("{}", finding.script_text);
    std::fflush(stdout);
  };
  FuzzResult result = RunFuzz(fuzz, shapes, std::move(prepared.start));
  line.Erase();
  result.unwritten |= !writable;

  report.result = &result;
  report.jobs = options.jobs;
  report.directory = options.out;
  if (!options.json.empty()) {
    std::ofstream out(options.json, std::ios::binary | std::ios::trunc);
    WriteFuzzJson(report, out);
    out.flush();
    if (!out) {
      UsageError(options.json + ": cannot be written");
      result.unwritten = true;
    }
  }
  fmt::print("{}", SummaryText(report));
  std::fflush(stdout);
  return StatusOf(result);
}

}  // namespace

void AddFuzzCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand(
      "fuzz",
      "Random scripts on one or more backends, judged, compared, and shrunk when they fail");
  auto options = std::make_shared<FuzzArguments>();
  command
      ->add_option("-b,--backend", options->backends,
                   "What answers; may be given several times, then all carry out the same scripts; "
                   "see mapspec list backends. Default: userspace")
      ->allow_extra_args(false);
  command->add_option("--ops", options->operations,
                      "Operations to carry out, as in 5000, 1e6 or 10M; with --resume those of "
                      "all sessions together");
  command->add_option("--time", options->time,
                      "How long to go on, as in 90 (seconds), 60s, 5m or 1h30m");
  command->add_option("-j,--jobs", options->jobs, "Threads, each with backends of its own")
      ->check(CLI::Range(1u, 256u))
      ->capture_default_str();
  command->add_option("--seed", options->seed,
                      "Of all scripts; default: a new one, which is printed");
  command->add_option("--profile", options->profile,
                      "What the backends claim to be, see mapspec list profiles; default: what "
                      "each says itself");
  command->add_option("--out", options->out, "Directory for findings and the state of the run")
      ->capture_default_str();
  command->add_flag("--resume", options->resume,
                    "Go on with the run whose state lies in the directory");
  command->add_option("--json", options->json, "Write the results as a JSON object");
  command
      ->add_option("--shrink-time", options->shrink_time,
                   "How long to look for a smaller script, for each finding")
      ->capture_default_str();
  command->add_flag("!--no-shrink", options->shrink, "Report failing scripts as they were found");
  command->footer(
      "Without --ops and --time it goes on until Ctrl-C, which ends it with a summary; a second "
      "one "
      "ends it\nat once. The same --seed and --ops give the same scripts and findings, whatever "
      "--jobs is.\n\n"
      "Each finding is written to DIR/ID.txt (what was promised, the shortest script, what came), "
      ".script,\n.trace.jsonl and, where it can be shown with libbpf alone, .c; its ID is the "
      "clause and a number for\nthe shape of the script, and what has the same is told once. "
      "Where several backends conform and yet\nanswer differently, that is counted as "
      "implementation-defined, with examples: no finding.\n\n"
      "Examples\n"
      "  mapspec fuzz --backend kernel --backend userspace --time 60s --seed 1\n"
      "  mapspec fuzz --backend library:./libmaps.so --ops 10M --jobs 4 --out f\n"
      "  mapspec fuzz --resume --out f --ops 100M\n\n"
      "Exit status: 0 everything conforms, 1 findings (also after Ctrl-C, and those of the run "
      "that was\nresumed), 2 bad usage, or something could not be written, 3 a backend could not "
      "be used (any more),\n130 interrupted, without a finding.");
  command->callback([options, status] { *status = Fuzz(*options); });
}

}  // namespace mapspec

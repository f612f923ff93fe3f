// SPDX-License-Identifier: MIT
//
// Scripts on a library that is linked into this program, judged by the oracle. An input is a script
// in the bytes of properties/script_decoder.h. A violation prints the failure report and aborts.
// Environment, read once:
//   MAPSPEC_FUZZ_PROFILE     what to hold the library to; default: what its backend says
//   MAPSPEC_FUZZ_DEVIATIONS  a list of known deviations; an input that shows one ends there
//   MAPSPEC_FUZZ_OUT         a directory for trace, script and text of the violation
#include <cstdio>
#include <cstdlib>

#include "backends/offered_types.h"
#include "oracle/profile.h"
#include "properties/script_decoder.h"
#include "properties/script_runner.h"
#include "runners/deviations.h"
#include "runners/failure_report.h"
#include "runners/fuzz/fuzz_target.h"
#include "runners/fuzz/fuzzed_library.h"

namespace mapspec {
namespace {

constexpr std::string_view kFoundBy = "maps_fuzzer";

const char* Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

std::unique_ptr<Backend> MakeBackendOrDie() {
  RequireScratchDirectory();
  std::string error;
  auto backend = MakeFuzzedLibrary(&error);
  Require(backend != nullptr, "the library cannot be used: " + error);
  return backend;
}

const Profile& ProfileOf(const Backend& backend) {
  const char* const wanted = Variable("MAPSPEC_FUZZ_PROFILE");
  const Profile* const profile =
      FindProfile(wanted != nullptr ? wanted : backend.default_profile());
  Require(profile != nullptr, "MAPSPEC_FUZZ_PROFILE: there is no such profile");
  return *profile;
}

std::vector<Deviation> KnownDeviations() {
  std::vector<Deviation> deviations;
  const char* const path = Variable("MAPSPEC_FUZZ_DEVIATIONS");
  if (path == nullptr) return deviations;
  std::vector<std::string> clauses, errors;
  for (const Clause& clause : AllClauses()) clauses.emplace_back(clause.id);
  if (!LoadDeviations(path, clauses, &deviations, &errors)) Require(false, errors.front());
  return deviations;
}

GeneratorOptions OptionsFor(Backend& backend) {
  GeneratorOptions options;
  for (const MapKind& kind : MapKinds()) {
    if (!OffersMapType(backend, kind.type)) options.lacking.push_back(kind.type);
  }
  options.capabilities = backend.capabilities();
  options.page_size = backend.environment().page_size;
  options.possible_cpus = backend.environment().possible_cpus;
  return options;
}

class Target {
 public:
  Target()
      : backend_(MakeBackendOrDie()),
        profile_(ProfileOf(*backend_)),
        deviations_(KnownDeviations()),
        decoder_(OptionsFor(*backend_), ScriptLimits()),
        runner_(*backend_, profile_) {}

  void Run(std::span<const uint8_t> input) {
    decoder_.Decode(input, &operations_);
    const ScriptRunner::Last& last = runner_.Run(operations_);
    Require(last.end != ScriptRunner::End::kNoSession, last.error);
    if (last.end == ScriptRunner::End::kViolation) Report();
  }

 private:
  void Report() const {
    const Trace trace = runner_.TraceOf(std::string(kFoundBy), operations_);
    const Violation violation = ViolationOf(Judge(trace, profile_), trace, profile_.name, kFoundBy);
    TestResult test;
    test.status = Status::kFail;
    test.violated = violation.clauses;
    ApplyDeviations(deviations_, backend_->name(), profile_.name, &test);
    if (test.status == Status::kDeviation) return;
    std::string text, error;
    if (const char* const directory = Variable("MAPSPEC_FUZZ_OUT")) {
      WriteArtefacts(violation, directory, &text, &error);
      if (!error.empty()) std::fprintf(stderr, "%s\n", error.c_str());
    } else {
      text = FailureText(violation, {});
    }
    Require(false, text);
  }

  const std::unique_ptr<Backend> backend_;
  const Profile& profile_;
  const std::vector<Deviation> deviations_;
  ScriptDecoder decoder_;
  ScriptRunner runner_;
  std::vector<Operation> operations_;
};

}  // namespace
}  // namespace mapspec

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static mapspec::Target target;
  target.Run({data, size});
  return 0;
}

// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <iostream>

#include "oracle/trace_json.h"
#include "oracle/uapi.h"
#include "runners/commands.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

// Opens a file for reading and calls read(stream). Directories open on Linux but cannot be read, so
// they are told apart first.
template <typename Result, typename Read>
std::optional<Result> ReadOrSay(const std::string& path, const Read& read) {
  ParseError error;
  std::optional<Result> result;
  if (path == "-") {
    result = read(std::cin, "<stdin>", &error);
  } else {
    struct stat info = {};
    std::ifstream in(path, std::ios::binary);
    if (!in || (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))) {
      UsageError(fmt::format("{}: {}", path, in ? "is a directory" : "cannot be read"));
      return std::nullopt;
    }
    result = read(in, path, &error);
  }
  if (!result) fmt::print(stderr, "mapspec: {}\n", error.ToString());
  return result;
}

}  // namespace

int UsageError(std::string_view message) {
  fmt::print(stderr, "mapspec: {}\n", message);
  return 2;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = Nearest(word, known);
  return nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest);
}

const Profile* FindProfileOrSay(const std::string& name) {
  const Profile* profile = FindProfile(name);
  if (profile == nullptr) {
    std::vector<std::string> known;
    for (const Profile& p : AllProfiles()) known.push_back(p.name);
    std::string hint = DidYouMean(name, known);
    if (hint.empty()) hint = "; see mapspec list profiles";
    UsageError(fmt::format("unknown profile `{}`{}", name, hint));
  }
  return profile;
}

const Profile* ProfileOfTrace(const std::string& wanted, const Trace& trace) {
  if (!wanted.empty()) return FindProfileOrSay(wanted);
  if (!trace.profile.empty()) return FindProfileOrSay(trace.profile);
  if (!trace.environment.kernel_release.empty()) {
    return &ProfileForRelease(trace.environment.kernel_release);
  }
  if (trace.environment.backend == "userspace") return &NewestLinuxProfile();
  return FindProfile("documented");
}

std::optional<Specs> LoadSpecsOrSay(const std::vector<std::string>& paths, uint32_t possible_cpus) {
  if (paths.empty()) return Specification(possible_cpus).specs;
  LoadedSpecs loaded =
      LoadSpecPaths(paths, {.traits = TraitNames(), .possible_cpus = possible_cpus});
  if (!loaded.ok()) {
    for (const SpecError& error : loaded.errors)
      fmt::print(stderr, "mapspec: {}\n", error.ToString());
    return std::nullopt;
  }
  return std::move(loaded.specs);
}

std::optional<Trace> ReadTraceOrSay(const std::string& path) {
  return ReadOrSay<Trace>(path, [](std::istream& in, std::string_view file, ParseError* error) {
    return ReadTrace(in, file, error);
  });
}

std::optional<Script> ReadScriptOrSay(const std::string& path) {
  return ReadOrSay<Script>(path, [](std::istream& in, std::string_view file, ParseError* error) {
    return ReadScript(in, file, error);
  });
}

std::optional<std::vector<RecordedRun>> ReadResultsOrSay(const std::string& path) {
  return ReadOrSay<std::vector<RecordedRun>>(
      path, [](std::istream& in, std::string_view file, ParseError* error) {
        return ReadResults(in, file, error);
      });
}

}  // namespace mapspec

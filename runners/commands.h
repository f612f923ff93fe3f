// SPDX-License-Identifier: MIT
//
// The subcommands of `mapspec`. Each Add… function declares its options and, when the user calls
// it, sets *status to the exit status: 0 everything conforms, 1 a violation, 2 bad usage or bad
// input, 3 a backend could not be used, 130 interrupted. Errors of the user go to standard error as
// one line "mapspec: …" each, with file and line where there is a file.
#ifndef RUNNERS_COMMANDS_H_
#define RUNNERS_COMMANDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/profile.h"
#include "oracle/trace.h"
#include "runners/results_file.h"
#include "specs/spec.h"

namespace CLI {
class App;
}

namespace mapspec {

void AddListCommand(CLI::App& app, int* status);
// `gtest_flags`: what the user gave as --gtest_*; must outlive the app.
void AddRunCommand(CLI::App& app, const std::vector<std::string>& gtest_flags, int* status);
void AddFuzzCommand(CLI::App& app, int* status);
void AddCheckCommand(CLI::App& app, int* status);
void AddRecordCommand(CLI::App& app, int* status);
void AddShrinkCommand(CLI::App& app, int* status);
void AddReproCommand(CLI::App& app, int* status);
void AddReportCommand(CLI::App& app, int* status);
void AddCompareCommand(CLI::App& app, int* status);
void AddMeasureCommand(CLI::App& app, int* status);
void AddAgentCommand(CLI::App& app, int* status);
void AddKernelsCommand(CLI::App& app, int* status);
// What a booted kernel starts; hidden.
void AddGuestCommand(CLI::App& app, int* status);

// "mapspec: MESSAGE" on standard error; returns 2.
int UsageError(std::string_view message);
// "; did you mean `x`?", or "" when nothing is near.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& known);

// nullptr after saying why on standard error.
const Profile* FindProfileOrSay(const std::string& name);
// The profile to judge a recorded trace by: `wanted`, else the trace's, else what its backend
// claims.
const Profile* ProfileOfTrace(const std::string& wanted, const Trace& trace);
// The embedded specification, or the one in `paths`. nullopt after printing every problem.
std::optional<Specs> LoadSpecsOrSay(const std::vector<std::string>& paths,
                                    uint32_t possible_cpus = 2);
// "-" is standard input. nullopt after saying what is wrong.
std::optional<Trace> ReadTraceOrSay(const std::string& path);
std::optional<Script> ReadScriptOrSay(const std::string& path);
// What `mapspec run --json` wrote: at least one run.
std::optional<std::vector<RecordedRun>> ReadResultsOrSay(const std::string& path);

}  // namespace mapspec

#endif  // RUNNERS_COMMANDS_H_

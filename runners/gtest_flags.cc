// SPDX-License-Identifier: MIT
#include "runners/gtest_flags.h"

#include <fmt/format.h>

#include <algorithm>

#include "runners/commands.h"

namespace mapspec {
namespace {

// Source: GoogleTest's docs/advanced.md, "Running Test Programs: Advanced Options".
const std::vector<std::string>& KnownFlags() {
  static const std::vector<std::string> flags = {"--gtest_also_run_disabled_tests",
                                                 "--gtest_break_on_failure",
                                                 "--gtest_brief",
                                                 "--gtest_catch_exceptions",
                                                 "--gtest_color",
                                                 "--gtest_fail_fast",
                                                 "--gtest_filter",
                                                 "--gtest_list_tests",
                                                 "--gtest_output",
                                                 "--gtest_print_time",
                                                 "--gtest_print_utf8",
                                                 "--gtest_random_seed",
                                                 "--gtest_repeat",
                                                 "--gtest_shuffle",
                                                 "--gtest_stack_trace_depth",
                                                 "--gtest_stream_result_to",
                                                 "--gtest_throw_on_failure"};
  return flags;
}

std::string NameOf(const std::string& flag) { return flag.substr(0, flag.find('=')); }

}  // namespace

int CheckGtestFlags(const std::vector<std::string>& flags, bool several) {
  for (const std::string& flag : flags) {
    const std::string name = NameOf(flag);
    if (std::find(KnownFlags().begin(), KnownFlags().end(), name) == KnownFlags().end()) {
      return UsageError(fmt::format("unknown option {}{}", name, DidYouMean(name, KnownFlags())));
    }
    if (name == "--gtest_output" && several) {
      return UsageError("--gtest_output cannot be shared by several jobs or backends; use --junit");
    }
    if (name == "--gtest_repeat" && flag.find("=-") != std::string::npos) {
      return UsageError(
          "--gtest_repeat needs a number of rounds here: a run has to end to be reported");
    }
  }
  return 0;
}

bool WantsGtestList(const std::vector<std::string>& flags) {
  return std::any_of(flags.begin(), flags.end(), [](const std::string& flag) {
    return NameOf(flag) == "--gtest_list_tests" && flag.find("=0") == std::string::npos;
  });
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include "runners/deviations.h"

#include <gtest/gtest.h>

namespace mapspec {
namespace {

const std::vector<std::string> kClauses = {"queue.push.full", "stack.pop.empty"};

std::vector<std::string> ErrorsOf(std::string_view text) {
  std::vector<Deviation> deviations;
  std::vector<std::string> errors;
  const bool fine = ParseDeviations("d.yaml", text, kClauses, &deviations, &errors);
  EXPECT_EQ(fine, errors.empty());
  return errors;
}

std::vector<Deviation> Parsed(std::string_view text) {
  std::vector<Deviation> deviations;
  std::vector<std::string> errors;
  const bool fine = ParseDeviations("d.yaml", text, kClauses, &deviations, &errors);
  EXPECT_TRUE(fine) << (errors.empty() ? "" : errors[0]);
  return deviations;
}

BackendResults RunWith(Status status, std::vector<std::string> violated) {
  BackendResults results;
  results.backend = "library:./x.so";
  results.profile = "linux-6.18";
  TestResult test;
  test.id = test.clause = "queue.push.full";
  test.status = status;
  test.violated = std::move(violated);
  results.tests.push_back(test);
  return results;
}

TEST(Deviations, AListedViolationIsADeviationWithTheListsReason) {
  const auto list =
      Parsed("- {clause: queue.push.*, reason: known, link: 'https://example.org/1'}");
  BackendResults results = RunWith(Status::kFail, {"queue.push.full"});
  ApplyDeviations(list, results.backend, results.profile, &results.tests[0]);
  EXPECT_EQ(results.tests[0].status, Status::kDeviation);
  EXPECT_EQ(results.tests[0].reason, "known (https://example.org/1)");
  EXPECT_TRUE(VanishedDeviations(list, results).empty());
}

TEST(Deviations, AnEntryForAnotherBackendOrProfileDoesNotApply) {
  BackendResults results = RunWith(Status::kFail, {"queue.push.full"});
  for (const char* text : {"- {clause: queue.push.full, reason: known, backend: kernel}",
                           "- {clause: queue.push.full, reason: known, profile: documented}",
                           "- {clause: stack.pop.empty, reason: known}"}) {
    ApplyDeviations(Parsed(text), results.backend, results.profile, &results.tests[0]);
    EXPECT_EQ(results.tests[0].status, Status::kFail) << text;
  }
}

TEST(Deviations, ASymptomIsADeviationInRandomScriptsAndAFailureInAScenario) {
  const auto list = Parsed("- {clause: queue.push.full, symptoms: [stack.pop.*], reason: known}");
  BackendResults results = RunWith(Status::kFail, {"stack.pop.empty"});
  ApplyDeviations(list, results.backend, results.profile, &results.tests[0]);
  EXPECT_EQ(results.tests[0].status, Status::kFail);
  results.tests[0].clause = "";  // A property.
  ApplyDeviations(list, results.backend, results.profile, &results.tests[0]);
  EXPECT_EQ(results.tests[0].status, Status::kDeviation);
  EXPECT_EQ(results.tests[0].reason, "known");
}

TEST(Deviations, ASymptomThatNoRandomScriptMetHasNotVanishedAndKeepsNothingAlive) {
  const auto list =
      Parsed("- {clause: queue.push.full, symptoms: [stack.pop.empty], reason: known}");
  EXPECT_TRUE(VanishedDeviations(list, RunWith(Status::kDeviation, {"queue.push.full"})).empty());
  BackendResults mended = RunWith(Status::kPass, {});
  TestResult property;
  property.id = "queue.random-scripts";
  property.status = Status::kDeviation;
  property.violated = {"stack.pop.empty"};
  mended.tests.push_back(property);
  EXPECT_EQ(VanishedDeviations(list, mended).size(), 1u);
}

TEST(Deviations, OneThatNoLongerHappensIsTold) {
  const auto list = Parsed("- {clause: queue.push.full, reason: known}");
  const auto messages = VanishedDeviations(list, RunWith(Status::kPass, {}));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_NE(messages[0].find("d.yaml:1"), std::string::npos) << messages[0];
}

TEST(Deviations, OneWhoseClauseDidNotRunIsNotCalledVanished) {
  const auto list = Parsed("- {clause: queue.push.full, reason: known}");
  EXPECT_TRUE(VanishedDeviations(list, RunWith(Status::kSkip, {})).empty());
  EXPECT_TRUE(VanishedDeviations(list, RunWith(Status::kNotRun, {})).empty());
}

TEST(Deviations, APatternThatMatchesNoClauseNamesTheNearest) {
  const auto errors = ErrorsOf("- {clause: queue.push.ful, reason: known}");
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find("d.yaml:1:"), std::string::npos) << errors[0];
  EXPECT_NE(errors[0].find("queue.push.full"), std::string::npos) << errors[0];
  const auto of_symptom =
      ErrorsOf("- {clause: queue.push.full, symptoms: [stack.pop.empt], reason: known}");
  ASSERT_EQ(of_symptom.size(), 1u);
  EXPECT_NE(of_symptom[0].find("stack.pop.empty"), std::string::npos) << of_symptom[0];
}

TEST(Deviations, APatternThatMatchesNoBackendOrProfileIsRefusedWhereItStands) {
  const auto error_of = [](const std::string& field) {
    const auto errors = ErrorsOf("- clause: queue.push.full\n  reason: known\n  " + field);
    return errors.size() == 1 ? errors[0] : "not one error";
  };
  EXPECT_EQ(error_of("backend: kernl"),
            "d.yaml:3:12: no backend matches `kernl`; did you mean `kernel`?");
  EXPECT_EQ(error_of("backend: qemu"),
            "d.yaml:3:12: no backend matches `qemu`; did you mean `qemu:*`?");
  EXPECT_EQ(error_of("backend: libary:./x.so"),
            "d.yaml:3:12: no backend matches `libary:./x.so`; see mapspec list backends");
  EXPECT_EQ(error_of("backend: ''"),
            "d.yaml:3:12: no backend matches ``; see mapspec list backends");
  EXPECT_EQ(error_of("profile: linux-7.33"),
            "d.yaml:3:12: no profile matches `linux-7.33`; did you mean `linux-7.3`?");
  EXPECT_EQ(error_of("profile: 'windows*'"),
            "d.yaml:3:12: no profile matches `windows*`; see mapspec list profiles");
}

TEST(Deviations, BackendsOfAnotherMachineMayBeListed) {
  for (const char* backend :
       {"userspace", "kernel", "'*'", "'ker*'", "'library:*'", "'*/libmaps.so'", "vm", "'vm:jit'",
        "'vm:library:./x.so'", "'exec:ssh dut mapspec agent'", "qemu:arch/x86/boot/bzImage",
        "'qemu:*/vmlinuz-6.1*'", "'uml:./linux'", "'null:*'"}) {
    EXPECT_TRUE(ErrorsOf(std::string("- {clause: queue.push.full, reason: known, backend: ") +
                         backend + "}")
                    .empty())
        << backend;
  }
  EXPECT_TRUE(ErrorsOf("- {clause: queue.push.full, reason: known, profile: 'linux-6.*'}").empty());
}

TEST(Deviations, DamagedListsAreRefusedWithTheLine) {
  EXPECT_NE(ErrorsOf("- {clause: queue.push.full}")[0].find("d.yaml:1:"), std::string::npos);
  EXPECT_NE(ErrorsOf("\n- {reason: x}")[0].find("d.yaml:2:"), std::string::npos);
  EXPECT_NE(ErrorsOf("- {clause: queue.push.full, reason: a, because: b}")[0].find("because"),
            std::string::npos);
  EXPECT_NE(ErrorsOf("- {clause: queue.push.full, symptoms: queue.push.full, reason: a}")[0].find(
                "must be a list"),
            std::string::npos);
  EXPECT_EQ(ErrorsOf("- {clause: queue.push.full, symptoms: [[]], reason: a}").size(), 1u);
  EXPECT_EQ(ErrorsOf("clause: queue.push.full").size(), 1u);
  EXPECT_EQ(ErrorsOf("- [").size(), 1u);
}

TEST(Deviations, AnEmptyFileListsNothing) { EXPECT_TRUE(Parsed("").empty()); }

}  // namespace
}  // namespace mapspec

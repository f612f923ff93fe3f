// SPDX-License-Identifier: MIT
#include "runners/deviation_list.h"

#include <gtest/gtest.h>

#include <sstream>

namespace mapspec {
namespace {

const std::vector<std::string> kListedClauses = {"queue.pop.empty", "queue.push.full",
                                                 "stack.pop.empty"};

TestResult Tested(const std::string& id, Status status, std::vector<std::string> violated = {}) {
  TestResult test;
  test.id = test.clause = id;
  test.status = status;
  test.violated = std::move(violated);
  test.reason = "operation 3: expected EBUSY, got EPERM";
  return test;
}

BackendResults ResultsOf(const std::string& backend, std::vector<TestResult> tests) {
  BackendResults results;
  results.backend = backend;
  results.profile = "linux-6.18";
  results.tests = std::move(tests);
  return results;
}

std::string EntriesOf(const DeviationList& list) {
  std::string lines;
  for (const Deviation& entry : list.entries) {
    lines += entry.clause + " " + entry.backend + " " + entry.profile + " " + entry.reason +
             (entry.link.empty() ? "" : " <" + entry.link + ">") + "\n";
  }
  return lines;
}

std::string WrittenList(const DeviationList& list, const std::vector<BackendResults>& results) {
  std::ostringstream out;
  WriteDeviations(list, results, out);
  return out.str();
}

std::vector<Deviation> ParsedList(const std::string& text) {
  std::vector<Deviation> deviations;
  std::vector<std::string> errors;
  EXPECT_TRUE(ParseDeviations("d.yaml", text, kListedClauses, &deviations, &errors))
      << text << (errors.empty() ? "" : errors[0]);
  return deviations;
}

TEST(DeviationList, HasEachViolatedClauseOnceForEachBackendInOrder) {
  const std::vector<BackendResults> results = {
      ResultsOf("userspace", {Tested("stack.pop.empty", Status::kFail, {"stack.pop.empty"}),
                              Tested("queue.push.full", Status::kPass)}),
      ResultsOf("kernel", {Tested("queue.push.full", Status::kFail, {"queue.push.full"}),
                           Tested("queue.pop.empty", Status::kFail,
                                  {"queue.push.full", "queue.pop.empty"})})};
  const std::string reason =
      " linux-6.18 not yet looked into: operation 3: expected EBUSY, got "
      "EPERM\n";
  EXPECT_EQ(EntriesOf(DeviationsOf(results, {}, true)), "queue.pop.empty kernel" + reason +
                                                            "queue.push.full kernel" + reason +
                                                            "stack.pop.empty userspace" + reason);
}

TEST(DeviationList, SymptomsAreKept) {
  const std::vector<BackendResults> results = {
      ResultsOf("kernel", {Tested("queue.push.full", Status::kDeviation, {"queue.push.full"})})};
  Deviation known;
  known.clause = "queue.push.full";
  known.symptoms = {"stack.*", "queue.pop.empty"};
  known.reason = "a reason";
  const std::vector<Deviation> read =
      ParsedList(WrittenList(DeviationsOf(results, {known}, true), results));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].symptoms, known.symptoms);
}

TEST(DeviationList, WhatIsWrittenIsReadBackAndExcusesTheRun) {
  std::vector<BackendResults> results = {
      ResultsOf("exec:sh -c \"a: b # c\" 'd' \\",
                {Tested("queue.push.full", Status::kFail, {"queue.push.full"})})};
  results[0].tests[0].reason = "got \"x\": {a, [b]} # - \t'y' \x01\xff\n…";
  const std::string text = WrittenList(DeviationsOf(results, {}, true), results);
  const std::vector<Deviation> read = ParsedList(text);
  ASSERT_EQ(read.size(), 1u) << text;
  ApplyDeviations(read, results[0].backend, results[0].profile, &results[0].tests[0]);
  EXPECT_EQ(results[0].tests[0].status, Status::kDeviation) << text;
  EXPECT_TRUE(VanishedDeviations(read, results[0]).empty());
  // Given to the same run, and written by it again, it is the same file.
  EXPECT_EQ(WrittenList(DeviationsOf(results, read, true), results), text);
}

TEST(DeviationList, OfARunThatConformsIsEmptyAndStillAList) {
  const std::vector<BackendResults> results = {
      ResultsOf("kernel", {Tested("queue.push.full", Status::kPass)})};
  const std::string text = WrittenList(DeviationsOf(results, {}, true), results);
  EXPECT_NE(text.find("\n[]\n"), std::string::npos) << text;
  EXPECT_TRUE(ParsedList(text).empty());
}

TEST(DeviationList, KeepsWhatItWasGivenWithReasonAndLinkUnlessItVanished) {
  const auto known = ParsedList(
      "- {clause: 'queue.*', reason: \"our queues\\nare short\", link: 'https://e.org/1'}\n"
      "- {clause: stack.pop.empty, reason: gone}\n"
      "- {clause: stack.pop.empty, backend: kernel, reason: elsewhere}\n"
      "- {clause: queue.pop.empty, profile: linux-6.1, reason: another version}\n");
  const std::vector<BackendResults> results = {ResultsOf(
      "userspace",
      {// Excused by the first entry; what else that operation broke needs no entry.
       Tested("queue.push.full", Status::kDeviation, {"queue.push.full", "queue.pop.empty"}),
       Tested("stack.pop.empty", Status::kPass)})};
  EXPECT_EQ(EntriesOf(DeviationsOf(results, known, true)),
            "queue.* * * our queues\nare short <https://e.org/1>\n"
            "queue.pop.empty * linux-6.1 another version\n"
            "stack.pop.empty kernel * elsewhere\n");
  // A part of a run cannot tell that something vanished, nor can one that was not finished.
  EXPECT_EQ(DeviationsOf(results, known, false).entries.size(), 4u);
  std::vector<BackendResults> interrupted = results;
  interrupted[0].interrupted = true;
  EXPECT_EQ(DeviationsOf(interrupted, known, true).entries.size(), 4u);
}

TEST(DeviationList, AnEntryThatVanishedOnOneBackendIsKeptByNameForTheOther) {
  const auto known = ParsedList("- {clause: '*.pop.empty', reason: known, link: l}\n");
  const std::vector<BackendResults> results = {
      ResultsOf("userspace", {Tested("queue.pop.empty", Status::kPass)}),
      ResultsOf("kernel", {Tested("queue.pop.empty", Status::kDeviation, {"queue.pop.empty"}),
                           Tested("stack.pop.empty", Status::kPass)})};
  EXPECT_EQ(EntriesOf(DeviationsOf(results, known, true)),
            "queue.pop.empty kernel linux-6.18 known <l>\n");
}

TEST(DeviationList, NamesTheFailuresThatNoClauseNames) {
  std::vector<BackendResults> results = {
      ResultsOf("qemu:bzImage",
                {Tested("console.oops", Status::kFail), Tested("queue.pop.empty", Status::kDied),
                 Tested("queue.push.full", Status::kUndecided),
                 Tested("stack.pop.empty", Status::kPass)}),
      ResultsOf("library:./x.so", {})};
  results[1].unusable = "no such file";
  const DeviationList list = DeviationsOf(results, {}, true);
  EXPECT_TRUE(list.entries.empty());
  EXPECT_EQ(list.unnamed,
            (std::vector<std::string>{"qemu:bzImage: console.oops", "qemu:bzImage: queue.pop.empty",
                                      "library:./x.so"}));
}

}  // namespace
}  // namespace mapspec

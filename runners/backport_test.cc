// SPDX-License-Identifier: MIT
#include "runners/backport.h"

#include <gtest/gtest.h>

#include <sstream>

#include "oracle/trace_json.h"

namespace mapspec {
namespace {

// An array that is frozen twice, on a kernel of this release which answers the second time with
// `error`: up to 6.1 EBUSY, since then EPERM (trait freeze_again_eperm).
Trace FrozenTwice(const std::string& release, const std::string& error) {
  std::istringstream in(
      R"({"mapspec_trace":1,"name":"t","environment":{"backend":"kernel","implementation":"Linux",)"
      R"("kernel_release":")" +
      release + R"(","machine":"x86_64","possible_cpus":2,"page_size":4096,"numa_nodes":1,)" +
      R"("unprivileged_bpf_disabled":2}})"
      "\n"
      R"({"op":"BPF_MAP_CREATE","as":"m0","type":"ARRAY","key_size":4,"value_size":4,)"
      R"("max_entries":1,"outcome":{"error":"0"}})"
      "\n"
      R"({"op":"BPF_MAP_FREEZE","map":"m0","outcome":{"error":"0"}})"
      "\n"
      R"({"op":"BPF_MAP_FREEZE","map":"m0","outcome":{"error":")" +
      error + "\"}}\n");
  ParseError problem;
  const std::optional<Trace> trace = ReadTrace(in, "t", &problem);
  EXPECT_TRUE(trace) << problem.ToString();
  return trace.value_or(Trace());
}

std::string NoteOf(const Trace& trace, const char* profile) {
  return BackportNote(trace, 2, *FindProfile(profile));
}

TEST(BackportNote, NamesTheNearestVersionThatAgreesAndTheTraitThatMakesTheDifference) {
  EXPECT_EQ(NoteOf(FrozenTwice("6.1.0-57-cloud", "EPERM"), "linux-6.1"),
            "conforms to linux-6.12: the release, 6.1.0-57-cloud, says linux-6.1; perhaps "
            "backported (trait freeze_again_eperm)");
  EXPECT_EQ(NoteOf(FrozenTwice("5.10.3", "EPERM"), "linux-5.10"),
            "conforms to linux-6.12: the release, 5.10.3, says linux-5.10; perhaps backported "
            "(trait freeze_again_eperm)");
}

TEST(BackportNote, OlderVersionsAreTakenBackToAndTheNearestIsNamed) {
  EXPECT_EQ(NoteOf(FrozenTwice("7.0.13", "EBUSY"), "linux-7.0"),
            "conforms to linux-6.1: the release, 7.0.13, says linux-7.0; perhaps taken back (trait "
            "!freeze_again_eperm)");
}

TEST(BackportNote, AKernelHeldToAnotherVersionIsToldItsOwn) {
  EXPECT_EQ(NoteOf(FrozenTwice("7.0.13", "EPERM"), "linux-6.1"),
            "conforms to linux-7.0, as its release, 7.0.13, says (trait freeze_again_eperm)");
  EXPECT_EQ(NoteOf(FrozenTwice("7.0.13", "EBUSY"), "linux-6.12"),
            "conforms to linux-6.1 (trait !freeze_again_eperm)");
}

TEST(BackportNote, NothingIsSaidWhereNoVersionAgreesOrNoneIsPromised) {
  EXPECT_EQ(NoteOf(FrozenTwice("6.1.0", "ENOENT"), "linux-6.1"), "");
  EXPECT_EQ(NoteOf(FrozenTwice("6.1.0", "EPERM"), "documented"), "");
  // No kernel: no release.
  EXPECT_EQ(NoteOf(FrozenTwice("", "EPERM"), "linux-6.1"), "");
  // The other version agrees, but what else has to agree does not.
  EXPECT_EQ(BackportNote(FrozenTwice("6.1.0", "EPERM"), 2, *FindProfile("linux-6.1"),
                         [](const Profile&) { return false; }),
            "");
}

TEST(BackportNote, AnOutcomeThatNobodyJudgesIsNoAgreement) {
  Trace trace = FrozenTwice("6.1.0", "EPERM");
  trace.outcomes[2].completion = Completion::kNotRun;
  EXPECT_EQ(NoteOf(trace, "linux-6.1"), "");
  trace.outcomes.pop_back();
  EXPECT_EQ(NoteOf(trace, "linux-6.1"), "");
}

}  // namespace
}  // namespace mapspec

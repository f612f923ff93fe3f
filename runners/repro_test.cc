// SPDX-License-Identifier: MIT
#include "runners/repro.h"

#include <gtest/gtest.h>

#include <sstream>

#include "backends/backend.h"
#include "backends/embedded/userspace_backend.h"
#include "oracle/checker.h"
#include "oracle/profile.h"
#include "runners/repro_check.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

const Profile& Newest() { return NewestLinuxProfile(); }

// What the userspace library answers, as if a kernel had.
Trace Recorded(std::vector<Operation> operations) {
  std::string error;
  Trace trace = Execute(*MakeUserspaceBackend(), {"test", std::move(operations)}, &error);
  trace.environment.backend = "kernel";
  trace.environment.implementation = "Linux 6.18";
  return trace;
}

Operation Create(MapType type, uint32_t key_size = 4, uint32_t value_size = 4) {
  MapCreate create;
  create.result = Handle{0};
  create.type = type;
  create.key_size = key_size;
  create.value_size = value_size;
  create.max_entries = 4;
  return {create};
}
const Handle kMap{0};
InBuffer Buffer(std::initializer_list<uint8_t> bytes) { return {Pointer::kValid, Bytes(bytes)}; }

std::string Written(const Trace& trace, std::string* why_not = nullptr) {
  std::ostringstream text;
  std::string reason;
  WriteReproducer(trace, Newest(), text, why_not != nullptr ? why_not : &reason);
  EXPECT_TRUE(why_not != nullptr || reason.empty()) << reason;
  return text.str();
}

Trace WrongLookup() {
  Trace trace = Recorded({Create(MapType::HASH),
                          {Update{kMap, Buffer({1, 0, 0, 0}), Buffer({2, 0, 0, 0}), 0, kNoFd}},
                          {Lookup{kMap, Buffer({1, 0, 0, 0}), Pointer::kValid, 0}}});
  std::get<Bytes>(trace.outcomes[2].output)[0] = 3;
  return trace;
}

TEST(Reproducer, SaysOnTopWhichPromiseIsBrokenByWhomAndHowToRunIt) {
  const std::string text = Written(WrongLookup());
  const std::string comment = text.substr(0, text.find("*/"));
  for (const char* part : {"hash.lookup.", "claim", "source", "Linux 6.18", "cc -Wall", "-lbpf",
                           "0x02000000", "0x03000000"}) {
    EXPECT_NE(comment.find(part), std::string::npos) << part << " in\n" << comment;
  }
}

TEST(Reproducer, HasOneCallForEachOperationAndNoFunctionThatNothingCalls) {
  const std::string text = Written(WrongLookup());
  EXPECT_NE(text.find("bpf_map_create(BPF_MAP_TYPE_HASH, NULL, 4, 4, 4, NULL)"), std::string::npos);
  EXPECT_NE(
      text.find(R"(bpf_map_update_elem(m0, "\x01\x00\x00\x00", "\x02\x00\x00\x00", BPF_ANY))"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find(R"(equal(value, "\x02\x00\x00\x00", 4))"), std::string::npos) << text;
  for (const char* unused : {"run_program", "set_capabilities", "pin_path", "fork", "must_fail"}) {
    EXPECT_EQ(text.find(unused), std::string::npos) << unused;
  }
}

TEST(Reproducer, LongRunsOfOneByteBecomeMemset) {
  InBuffer value{Pointer::kValid, Bytes(4096, 0x77)};
  value.bytes[5] = 1;
  Trace trace = Recorded(
      {Create(MapType::ARRAY, 4, 4096), {Update{kMap, Buffer({9, 0, 0, 0}), value, 0, kNoFd}}});
  trace.outcomes[1].error = Errno::kEEXIST;
  const std::string text = Written(trace);
  EXPECT_NE(text.find("memset(value_in, 0x77, 4096);"), std::string::npos) << text;
  EXPECT_LT(text.size(), 6000u);
}

TEST(Reproducer, UnderTheDocumentedProfileAnyErrorIsAsGood) {
  Trace trace = Recorded({Create(MapType::QUEUE, 0),
                          {LookupAndDelete{kMap, {Pointer::kNull, {}}, Pointer::kValid, 0}}});
  trace.outcomes[1].error = Errno::kNone;
  std::ostringstream text;
  std::string why_not;
  ASSERT_TRUE(WriteReproducer(trace, *FindProfile("documented"), text, &why_not)) << why_not;
  EXPECT_NE(text.str().find("err != 0"), std::string::npos) << text.str();
}

TEST(Reproducer, IsRefusedWithTheReasonWhereThereIsNone) {
  std::string why_not;
  Trace conforming = Recorded({Create(MapType::HASH)});
  EXPECT_EQ(Written(conforming, &why_not), "");
  EXPECT_NE(why_not.find("conforms"), std::string::npos);
  Trace of_vm = WrongLookup();
  of_vm.environment.backend = "vm:jit";
  EXPECT_EQ(Written(of_vm, &why_not), "");
  EXPECT_NE(why_not.find("VM"), std::string::npos) << why_not;
  Trace programs = Recorded({Create(MapType::HASH)});
  programs.environment.backend = "userspace";
  programs.operations.push_back({HelperPeek{kMap}});
  programs.outcomes.emplace_back();
  EXPECT_EQ(Written(programs, &why_not), "");
  EXPECT_NE(why_not.find("programs"), std::string::npos) << why_not;
}

TEST(Reproducer, CompilesAndTellsWhereItCannotBeCarriedOut) {
  if (FindCCompiler().empty()) GTEST_SKIP() << "no C compiler";
  const ReproCheck bad = CheckReproducer("int main(void) { return nothing; }");
  EXPECT_FALSE(bad.compiled);
  EXPECT_NE(bad.output.find("nothing"), std::string::npos);
  const ReproCheck two = CheckReproducer("int main(void) { return 2; }");
  EXPECT_TRUE(two.compiled) << two.output;
  EXPECT_EQ(two.status, 2);
  const ReproCheck dead = CheckReproducer("int main(void) { __builtin_trap(); }");
  EXPECT_GE(dead.status, 128);
  ReproCheckOptions soon;
  soon.limit = std::chrono::milliseconds(1500);
  const ReproCheck hung = CheckReproducer("int main(void) { for (;;) ; }", soon);
  EXPECT_TRUE(hung.compiled) << hung.output;
  EXPECT_TRUE(hung.timed_out);
  const ReproCheck whole = CheckReproducer(Written(WrongLookup()));
  EXPECT_TRUE(whole.compiled) << whole.output;
}

}  // namespace
}  // namespace mapspec

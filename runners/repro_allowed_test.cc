// SPDX-License-Identifier: MIT
//
// oracle/allowed.h over every scenario of the specification, as the userspace library answers it:
// outcomes are made wrong on purpose, and what is found must take the right one and not the wrong
// one.
#include <gtest/gtest.h>

#include "backends/backend.h"
#include "backends/embedded/userspace_backend.h"
#include "oracle/allowed.h"
#include "oracle/trace_json.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

// The same outcome made wrong in several ways.
std::vector<Outcome> WrongOnes(const Outcome& right) {
  std::vector<Outcome> wrong;
  const auto add = [&](const auto& change) {
    Outcome outcome = right;
    change(&outcome);
    if (!(outcome == right)) wrong.push_back(std::move(outcome));
  };
  add([](Outcome* o) { o->error = static_cast<Errno>(5); });
  add([](Outcome* o) { o->error = Errno::kNone; });
  add([](Outcome* o) {
    if (auto* bytes = std::get_if<Bytes>(&o->output); bytes != nullptr && !bytes->empty()) {
      (*bytes)[0] = static_cast<uint8_t>((*bytes)[0] ^ 0x10);
    }
  });
  add([](Outcome* o) {
    if (auto* batch = std::get_if<Boxed<BatchOutput>>(&o->output)) ++(*batch)->count;
  });
  add([](Outcome* o) {
    auto* batch = std::get_if<Boxed<BatchOutput>>(&o->output);
    if (batch != nullptr && !(*batch)->values.empty()) (*batch)->values[0] ^= 0x10;
  });
  add([](Outcome* o) {
    if (auto* info = std::get_if<Boxed<MapInfo>>(&o->output)) ++(*info)->max_entries;
  });
  return wrong;
}

TEST(Allowed, TakesWhatIsRightAndNotWhatIsWrongInEveryScenario) {
  const std::unique_ptr<Backend> backend = MakeUserspaceBackend();
  const Profile& profile = NewestLinuxProfile();
  size_t wrong = 0, exact = 0;
  const Specs& specs = Specification(backend->environment().possible_cpus).specs;
  size_t number = 0;
  for (const Scenario* scenario : specs.AllScenarios()) {
    if (scenario->via == Path::kProgram || scenario->steps.size() > 40 || number++ % 4 != 0) {
      continue;
    }
    std::string error;
    const Trace trace = Execute(*backend, ToScript(*scenario), &error);
    Checker before(profile, trace.environment);
    uint32_t key_size = 0;
    size_t value_size = 0;
    for (size_t i = 0; i < trace.outcomes.size(); ++i) {
      const Outcome& right = trace.outcomes[i];
      // Types that the library lacks.
      if (Checker(before).Step(trace.operations[i], right).kind == Judgement::Kind::kViolation) {
        break;
      }
      if (const auto* create = std::get_if<MapCreate>(&trace.operations[i].call);
          create != nullptr && right.ok()) {
        key_size = create->key_size;
        value_size = create->value_size;
        if (IsPerCpu(create->type)) {
          value_size = PerCpuStride(value_size) * trace.environment.possible_cpus;
        }
      }
      for (const Outcome& seen : WrongOnes(right)) {
        Checker judge(before);
        if (judge.Step(trace.operations[i], seen).kind != Judgement::Kind::kViolation) continue;
        ++wrong;
        const AllowedOutcomes allowed =
            FindAllowed({before, trace.operations[i], seen, std::span(trace.operations).first(i),
                         std::span(trace.outcomes).first(i), key_size, value_size});
        if (!allowed.exact) continue;
        ++exact;
        EXPECT_FALSE(allowed.Takes(seen));
        EXPECT_TRUE(allowed.Takes(right)) << scenario->id << ", operation " << i << " "
                                          << OperationToJson(trace.operations[i]) << "\n"
                                          << DescribeOutcome(trace.operations[i], right);
      }
      before.Step(trace.operations[i], right);
    }
  }
  // What cannot be said in C is the exception.
  EXPECT_GT(wrong, 500u);
  EXPECT_GT(exact * 100, wrong * 95) << exact << " of " << wrong;
  RecordProperty("exact", std::to_string(exact) + " of " + std::to_string(wrong));
}

}  // namespace
}  // namespace mapspec

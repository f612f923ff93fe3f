// SPDX-License-Identifier: MIT
#include "backends/null/null_backend.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace mapspec {
namespace {

// Create, update, look up what is there, look up what is not, walk.
std::vector<Outcome> Answers(std::string_view kind) {
  const auto backend = MakeNullBackend(kind);
  std::string error;
  std::vector<Outcome> outcomes;
  LookupBatch batch;
  batch.count = 2;
  const std::vector<Operation> operations = {
      {MapCreate{}},
      {Update{{0}, {Pointer::kValid, {1}}, {Pointer::kValid, {9}}}},
      {Lookup{{0}, {Pointer::kValid, {1}}}},
      {Lookup{{0}, {Pointer::kValid, {2}}}},
      {batch},
      {GetInfo{}}};
  backend->NewSession(&error)->Run(operations, &outcomes);
  EXPECT_EQ(outcomes.size(), operations.size());
  return outcomes;
}

TEST(NullBackend, SuccessSucceedsAndWritesNothing) {
  const auto answers = Answers("success");
  for (const Outcome& answer : answers) EXPECT_TRUE(answer.ok());
  EXPECT_EQ(std::get<Bytes>(answers[3].output), Poison(4));
  EXPECT_EQ(std::get<Boxed<BatchOutput>>(answers[4].output)->count, 2u);
}

TEST(NullBackend, EinvalFailsAndWritesNothing) {
  const auto answers = Answers("einval");
  for (const Outcome& answer : answers) EXPECT_EQ(answer.error, Errno::kEINVAL);
  EXPECT_EQ(std::get<Bytes>(answers[2].output), Poison(4));
}

TEST(NullBackend, NoOutputHasTheRightErrorsAndWritesNothing) {
  const auto answers = Answers("no-output");
  EXPECT_TRUE(answers[2].ok());
  EXPECT_EQ(std::get<Bytes>(answers[2].output), Poison(4));
  EXPECT_EQ(answers[3].error, Errno::kENOENT);
  const BatchOutput& batch = *std::get<Boxed<BatchOutput>>(answers[4].output);
  EXPECT_TRUE(IsPoison(batch.keys));
  EXPECT_EQ(batch.keys.size(), 8u);
  EXPECT_EQ(std::get<Boxed<MapInfo>>(answers[5].output)->key_size, 0u);
}

TEST(NullBackend, PreviousAnswersWithTheAnswerBefore) {
  const auto answers = Answers("previous");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(answers[2].output)) << "that of the update";
  EXPECT_EQ(std::get<Bytes>(answers[3].output), Bytes({9, 0, 0, 0})) << "that of the first lookup";
  EXPECT_EQ(answers[4].error, Errno::kENOENT) << "that of the second lookup";
}

// The same on the program path; a walk at the end.
std::vector<Outcome> HelperAnswers(std::string_view kind) {
  const auto backend = MakeNullBackend(kind);
  std::string error;
  std::vector<Outcome> outcomes;
  const std::vector<Operation> operations = {{MapCreate{}},
                                             {HelperUpdate{{0}, {1}, {9}, 0}},
                                             {HelperLookup{{0}, {1}, true, {7}}},
                                             {HelperLookup{{0}, {1}, false, {}}},
                                             {HelperDelete{{0}, {2}}},
                                             {HelperForEach{{0}, 0, 0}}};
  backend->NewSession(&error)->Run(operations, &outcomes);
  EXPECT_EQ(outcomes.size(), operations.size());
  return outcomes;
}

TEST(NullBackend, HelpersSucceedOrFailAndNothingIsRead) {
  for (const auto& [kind, error] :
       {std::pair{"success", Errno::kNone}, {"einval", Errno::kEINVAL}}) {
    const auto answers = HelperAnswers(kind);
    for (const Outcome& answer : answers) {
      EXPECT_EQ(answer.completion, Completion::kReturned) << answer.detail;
      EXPECT_EQ(answer.error, error);
      EXPECT_EQ(answer.result, 0);
    }
    EXPECT_EQ(std::get<Bytes>(answers[2].output), Poison(4));
    EXPECT_EQ(std::get<Boxed<BatchOutput>>(answers[5].output)->count, 0u);
  }
}

TEST(NullBackend, WithoutOutputHelpersStillReturnWhatIsRight) {
  const auto answers = HelperAnswers("no-output");
  EXPECT_TRUE(answers[2].ok());
  EXPECT_EQ(std::get<Bytes>(answers[3].output), Poison(4));
  EXPECT_EQ(answers[4].error, Errno::kENOENT);
  EXPECT_EQ(answers[5].result, 1);
  EXPECT_EQ(std::get<Boxed<BatchOutput>>(answers[5].output)->count, 0u);
}

TEST(NullBackend, HelpersAnswerWithTheAnswerBefore) {
  const auto answers = HelperAnswers("previous");
  EXPECT_EQ(std::get<Bytes>(answers[3].output), Bytes({9, 0, 0, 0}));
  EXPECT_EQ(std::get<Bytes>(answers[4].output), Bytes({7, 0, 0, 0})) << "what was stored";
  EXPECT_EQ(answers[5].error, Errno::kENOENT);
}

TEST(NullBackend, OtherKindsDoNotExist) { EXPECT_EQ(MakeNullBackend("nothing"), nullptr); }

}  // namespace
}  // namespace mapspec

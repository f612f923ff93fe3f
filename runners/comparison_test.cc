// SPDX-License-Identifier: MIT
#include "runners/comparison.h"

#include <gtest/gtest.h>

#include "runners/text.h"

namespace mapspec {
namespace {

constexpr std::optional<Status> kAbsent;

RecordedRun RunOf(std::string backend, std::string profile,
                  std::vector<std::pair<const char*, Status>> clauses) {
  RecordedRun run;
  run.backend = std::move(backend);
  run.profile = std::move(profile);
  for (const auto& [id, status] : clauses) {
    RecordedResult& clause = run.clauses.emplace_back();
    clause.id = id;
    clause.status = status;
    if (status != Status::kPass) clause.reason = "reason of " + clause.id;
  }
  return run;
}

std::vector<std::string> Told(const Comparison& comparison) {
  std::vector<std::string> lines;
  for (const Change& change : comparison.changes) {
    const auto word = [](const std::optional<Status>& status) {
      return std::string(status ? StatusName(*status) : "absent");
    };
    const char* kinds[] = {"regression", "improvement", "other"};
    lines.push_back(std::string(kinds[static_cast<size_t>(change.kind)]) + " " + change.id + " " +
                    word(change.before) + " " + word(change.after));
  }
  return lines;
}

TEST(KindOfChange, IsARegressionWhereSomethingIsBrokenOrNoLongerKnownToHold) {
  const std::optional<Status> pass = Status::kPass, fail = Status::kFail,
                              deviation = Status::kDeviation, skip = Status::kSkip,
                              unknown = Status::kUndecided;
  const struct {
    std::optional<Status> before, after;
    ChangeKind kind;
  } cases[] = {
      {pass, fail, ChangeKind::kRegression},       {deviation, fail, ChangeKind::kRegression},
      {skip, fail, ChangeKind::kRegression},       {unknown, fail, ChangeKind::kRegression},
      {pass, unknown, ChangeKind::kRegression},    {pass, skip, ChangeKind::kRegression},
      {pass, kAbsent, ChangeKind::kRegression},    {fail, pass, ChangeKind::kImprovement},
      {deviation, pass, ChangeKind::kImprovement}, {skip, pass, ChangeKind::kImprovement},
      {unknown, pass, ChangeKind::kImprovement},   {pass, deviation, ChangeKind::kOther},
      {fail, deviation, ChangeKind::kOther},       {fail, skip, ChangeKind::kOther},
      {fail, unknown, ChangeKind::kOther},         {fail, kAbsent, ChangeKind::kOther},
      {skip, kAbsent, ChangeKind::kOther},         {skip, unknown, ChangeKind::kOther},
      {deviation, skip, ChangeKind::kOther},       {kAbsent, pass, ChangeKind::kOther},
      {kAbsent, fail, ChangeKind::kOther},         {pass, pass, ChangeKind::kOther},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(KindOfChange(c.before, c.after), c.kind)
        << (c.before ? StatusName(*c.before) : "absent") << " to "
        << (c.after ? StatusName(*c.after) : "absent");
  }
}

TEST(Compare, TellsOnlyWhatChangedTheWorstFirst) {
  const std::vector<RecordedRun> before = {RunOf("kernel", "linux-6.1",
                                                 {{"a.gone", Status::kPass},
                                                  {"a.mended", Status::kFail},
                                                  {"a.same", Status::kFail},
                                                  {"a.skipped", Status::kPass},
                                                  {"a.worse", Status::kPass}})};
  const std::vector<RecordedRun> after = {RunOf("kernel", "linux-6.1",
                                                {{"a.mended", Status::kPass},
                                                 {"a.new", Status::kPass},
                                                 {"a.same", Status::kFail},
                                                 {"a.skipped", Status::kSkip},
                                                 {"a.worse", Status::kFail}})};
  const std::optional<Comparison> comparison = Compare(before, after);
  ASSERT_TRUE(comparison);
  EXPECT_EQ(Told(*comparison), (std::vector<std::string>{
                                   "regression a.worse pass fail", "regression a.gone pass absent",
                                   "regression a.skipped pass skip",
                                   "improvement a.mended fail pass", "other a.new absent pass"}));
  EXPECT_EQ(comparison->clauses, 4u);
  EXPECT_EQ(comparison->Count(ChangeKind::kRegression), 3u);
  EXPECT_EQ(comparison->changes[0].reason, "reason of a.worse");
  EXPECT_EQ(comparison->changes[3].reason, "was: reason of a.mended");
}

TEST(Compare, PropertiesCountAsClausesDo) {
  std::vector<RecordedRun> before = {RunOf("kernel", "p", {{"a.b", Status::kPass}})};
  before[0].properties.emplace_back().id = "hash.random";
  before[0].properties[0].status = Status::kPass;
  std::vector<RecordedRun> after = before;
  after[0].properties[0].status = Status::kFail;
  const std::optional<Comparison> comparison = Compare(before, after);
  ASSERT_TRUE(comparison);
  EXPECT_EQ(Told(*comparison), std::vector<std::string>{"regression hash.random pass fail"});
  EXPECT_EQ(comparison->properties, 1u);
}

TEST(Compare, MatchesByBackendAndProfileAndSingleRunsWhateverTheyAre) {
  const RecordedRun old_kernel = RunOf("kernel", "linux-6.1", {{"a.b", Status::kPass}});
  const RecordedRun new_kernel = RunOf("kernel", "linux-6.12", {{"a.b", Status::kFail}});
  const RecordedRun library = RunOf("userspace", "linux-6.1", {{"a.b", Status::kPass}});
  const auto single = Compare({old_kernel}, {new_kernel});
  ASSERT_TRUE(single);
  EXPECT_EQ(Told(*single), std::vector<std::string>{"regression a.b pass fail"});

  // In another order, and the profile tells the kernels apart.
  const std::vector<RecordedRun> before = {library, old_kernel},
                                 after = {new_kernel, old_kernel, library};
  const auto several = Compare(before, after);
  ASSERT_TRUE(several);
  ASSERT_EQ(several->runs.size(), 3u);
  EXPECT_EQ(several->runs[0].after, &after[2]);
  EXPECT_EQ(several->runs[1].after, &after[1]);
  EXPECT_EQ(several->runs[2].before, nullptr);
  EXPECT_EQ(several->clauses, 2u);
  ASSERT_EQ(several->changes.size(), 1u);
  EXPECT_EQ(several->changes[0].kind, ChangeKind::kOther);
  EXPECT_NE(several->changes[0].reason.find("appeared"), std::string::npos);

  // Of several that are alike, the second is held against the second.
  const auto alike = Compare({library, library},
                             {library, RunOf("userspace", "linux-6.1", {{"a.b", Status::kSkip}})});
  ASSERT_TRUE(alike);
  ASSERT_EQ(alike->changes.size(), 1u);
  EXPECT_EQ(alike->changes[0].runs, 1u);

  EXPECT_FALSE(Compare({library, library}, {new_kernel}));
}

TEST(Compare, AWholeRunThatVanishedIsOneRegression) {
  const RecordedRun library =
      RunOf("userspace", "p", {{"a.b", Status::kPass}, {"a.c", Status::kSkip}});
  const RecordedRun kernel = RunOf("kernel", "p", {{"a.b", Status::kSkip}});
  const auto vanished = Compare({library, kernel}, {kernel, kernel});
  ASSERT_TRUE(vanished);
  ASSERT_EQ(vanished->Count(ChangeKind::kRegression), 1u);
  EXPECT_EQ(vanished->changes[0].id, "");
  EXPECT_NE(vanished->changes[0].reason.find("1 results that passed"), std::string::npos);
  // Nothing passed in it: nothing is lost.
  EXPECT_EQ(Compare({kernel, library}, {library})->Count(ChangeKind::kRegression), 0u);
  // A backend that could not be used leaves an object with nothing in it.
  RecordedRun unusable = RunOf("userspace", "p", {});
  unusable.errors = {"EPERM"};
  const auto unused = Compare({library}, {unusable});
  ASSERT_TRUE(unused);
  ASSERT_EQ(unused->changes.size(), 1u);
  EXPECT_EQ(unused->changes[0].kind, ChangeKind::kRegression);
  EXPECT_NE(unused->changes[0].reason.find("EPERM"), std::string::npos);
}

TEST(OneLine, LeavesNothingThatMovesACursorAndCutsNoCharacter) {
  EXPECT_EQ(OneLine("a\nb\x1b[31mc\x7f\xc2\x9b"
                    "d\xc3\xa9"),
            "a b [31mc   d\xc3\xa9");
  std::string text(159, 'x');
  for (int i = 0; i < 100; ++i) text += "\xc3\xa9";
  const std::string line = OneLine(text);
  EXPECT_EQ(line, std::string(159, 'x') + " … (200 characters more)");
}

}  // namespace
}  // namespace mapspec

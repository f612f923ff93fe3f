// SPDX-License-Identifier: MIT
#include "runners/fuzz_differences.h"

#include <gtest/gtest.h>

namespace mapspec {
namespace {

Outcome With(Output output) {
  Outcome outcome;
  outcome.output = std::move(output);
  return outcome;
}

TEST(Compare, TellsIdsFromContents) {
  const Outcome one = With(Bytes::LittleEndian(1, 4)), two = With(Bytes::LittleEndian(2, 4));
  EXPECT_EQ(Compare({Lookup{}}, false, one, one), Difference::kNone);
  EXPECT_EQ(Compare({Lookup{}}, false, one, two), Difference::kOutput);
  EXPECT_EQ(Compare({Lookup{}}, true, one, two), Difference::kIds);
  // The next key of a map of maps is a key.
  EXPECT_EQ(Compare({GetNextKey{}}, true, one, two), Difference::kOutput);
  EXPECT_EQ(Compare({GetNextId{}}, false, With(uint32_t{7}), With(uint32_t{9})), Difference::kIds);

  MapInfo info, other_id, other_size;
  other_id.id = 5;
  other_size.value_size = 8;
  const auto boxed = [](const MapInfo& value) { return With(Boxed<MapInfo>(value)); };
  EXPECT_EQ(Compare({GetInfo{}}, false, boxed(info), boxed(other_id)), Difference::kIds);
  EXPECT_EQ(Compare({GetInfo{}}, false, boxed(info), boxed(other_size)), Difference::kOutput);

  BatchOutput batch, other_values, other_keys;
  other_values.values = Bytes(4, 1);
  other_keys.keys = Bytes(4, 1);
  const auto boxed_batch = [](const BatchOutput& value) { return With(Boxed<BatchOutput>(value)); };
  EXPECT_EQ(Compare({LookupBatch{}}, true, boxed_batch(batch), boxed_batch(other_values)),
            Difference::kIds);
  EXPECT_EQ(Compare({LookupBatch{}}, true, boxed_batch(batch), boxed_batch(other_keys)),
            Difference::kOutput);

  Outcome failed;
  failed.error = Errno::kENOENT;
  EXPECT_EQ(Compare({GetNextId{}}, false, With(uint32_t{7}), failed), Difference::kError);
}

TEST(Differences, KeepTheFirstExamplesInWhateverOrderTheyAreBroughtTogether) {
  const std::vector<std::string> selectors{"a", "b"};
  Differences::Named forwards, backwards;
  std::vector<Differences::Named> parts;
  for (uint64_t script = 0; script < 6; ++script) {
    Differences part;
    part.Add({1, Cell{}, kNoClause, Difference::kError}, script, 2, {Lookup{}}, {}, {});
    parts.push_back(part.Names(selectors));
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    MergeDifferences(parts[i], &forwards);
    MergeDifferences(parts[parts.size() - 1 - i], &backwards);
  }
  ASSERT_EQ(forwards.size(), 1u);
  for (const auto& named : {forwards, backwards}) {
    const auto& [kind, count] = *named.begin();
    EXPECT_EQ(kind.between, "a | b");
    EXPECT_EQ(count.count, 6u);
    ASSERT_EQ(count.examples.size(), Differences::kExamples);
    for (uint64_t i = 0; i < Differences::kExamples; ++i) EXPECT_EQ(count.examples[i].script, i);
  }
}

}  // namespace
}  // namespace mapspec

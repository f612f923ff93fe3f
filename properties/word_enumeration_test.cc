// SPDX-License-Identifier: MIT
#include "properties/word_enumeration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "properties/alphabets.h"
#include "properties/map_kinds.h"

namespace mapspec {
namespace {

using Word = std::vector<int>;

std::vector<Word> Kept(std::span<const Letter> letters, bool interchangeable, size_t length) {
  std::vector<Word> words;
  ForEachWord(letters, interchangeable, length, [&](std::span<const uint8_t> word) {
    words.emplace_back(word.begin(), word.end());
    return true;
  });
  return words;
}

uint64_t Binomial(uint64_t n, uint64_t k) {
  if (k > n) return 0;
  uint64_t result = 1;
  for (uint64_t i = 0; i < k; ++i) result = result * (n - i) / (i + 1);
  return result;
}

// Words of `length` over `reads` letters that commute and `writes` that do not: a run of reads is a
// set, so the generating function is (1+x)^R / (1 - W x (1+x)^R).
uint64_t ByFormula(uint64_t reads, uint64_t writes, size_t length) {
  std::vector<uint64_t> count(length + 1);
  for (size_t n = 0; n <= length; ++n) {
    count[n] = Binomial(reads, n);
    for (size_t run = 0; run + 1 <= n; ++run)
      count[n] += writes * Binomial(reads, run) * count[n - 1 - run];
  }
  return count[length];
}

TEST(WordEnumeration, TheNumberOfWordsIsThatOfTheFormula) {
  for (size_t reads = 0; reads <= 3; ++reads) {
    for (size_t writes = 0; writes <= 3; ++writes) {
      std::vector<Letter> letters;
      for (size_t i = 0; i < reads + writes; ++i) letters.push_back({i < reads, -1});
      for (size_t length = 0; length <= 6; ++length) {
        EXPECT_EQ(Kept(letters, false, length).size(), ByFormula(reads, writes, length))
            << reads << " reads, " << writes << " writes, length " << length;
      }
    }
  }
}

TEST(WordEnumeration, OnlyWritesGiveEveryWord) {
  const std::vector<Letter> letters(4);
  EXPECT_EQ(Kept(letters, false, 5).size(), 1024u);
}

TEST(WordEnumeration, WritesOnTwoInterchangeableKeysAreHalved) {
  // Every word uses a key, and swapping the keys never gives the same word.
  const std::vector<Letter> letters = {{false, 0}, {false, 1}, {false, 0}, {false, 1}};
  EXPECT_EQ(Kept(letters, true, 4).size(), 256u / 2);
}

// What a word means: runs of reads as sets.
std::vector<std::set<int>> Meaning(std::span<const Letter> letters, const Word& word) {
  std::vector<std::set<int>> runs(1);
  for (const int letter : word) {
    if (letters[static_cast<size_t>(letter)].reads) {
      runs.back().insert(letter);
    } else {
      runs.push_back({letter});
      runs.emplace_back();
    }
  }
  return runs;
}

TEST(WordEnumeration, EveryWordHasAKeptOneOfTheSameMeaning) {
  // Lookup k0, lookup k1, next k0, next k1, first (reads); update k0, update k1, clear (writes).
  const std::vector<Letter> letters = {{true, 0},  {true, 1},  {true, 0},  {true, 1},
                                       {true, -1}, {false, 0}, {false, 1}, {false, -1}};
  const Word swapped = {1, 0, 3, 2, 4, 6, 5, 7};
  for (size_t length = 1; length <= 5; ++length) {
    std::set<std::vector<std::set<int>>> meanings;
    for (size_t shorter = 0; shorter <= length; ++shorter) {
      for (const Word& word : Kept(letters, true, shorter)) meanings.insert(Meaning(letters, word));
    }
    // Every word is a number in base 8.
    size_t words = 1;
    for (size_t i = 0; i < length; ++i) words *= letters.size();
    for (size_t number = 0; number < words; ++number) {
      Word word, other;
      size_t rest = number;
      for (size_t i = 0; i < length; ++i, rest /= letters.size()) {
        word.push_back(static_cast<int>(rest % letters.size()));
        other.push_back(swapped[static_cast<size_t>(word.back())]);
      }
      ASSERT_TRUE(meanings.contains(Meaning(letters, word)) ||
                  meanings.contains(Meaning(letters, other)));
    }
  }
}

TEST(WordEnumeration, EndsWhenTheVisitorSaysSo) {
  const std::vector<Letter> letters(3);
  size_t calls = 0;
  const uint64_t visited =
      ForEachWord(letters, false, 4, [&](std::span<const uint8_t>) { return ++calls < 10; });
  EXPECT_EQ(calls, 10u);
  EXPECT_EQ(visited, 10u);
}

TEST(Alphabets, EveryKindOfMapHasOneWithAMapAndItsOperationsOnIt) {
  for (const MapKind& kind : MapKinds()) {
    for (const Alphabet* alphabet : {FindAlphabet(kind.type), FindProgramAlphabet(kind.type)}) {
      ASSERT_NE(alphabet, nullptr) << kind.name;
      EXPECT_EQ(alphabet->letters.size(), alphabet->operations.size());
      EXPECT_FALSE(alphabet->maps.empty());
      EXPECT_GE(alphabet->Length(Effort::kQuick), 2u) << kind.name;
      EXPECT_LE(alphabet->Length(Effort::kQuick), alphabet->Length(Effort::kNormal)) << kind.name;
      // Not longer for every kind: where a word is costly, thorough runs draw more random scripts.
      EXPECT_LE(alphabet->Length(Effort::kNormal), alphabet->Length(Effort::kThorough))
          << kind.name;
    }
  }
}

TEST(Alphabets, LettersOnInterchangeableKeysComeInPairs) {
  for (const MapKind& kind : MapKinds()) {
    for (const Alphabet* alphabet : {FindAlphabet(kind.type), FindProgramAlphabet(kind.type)}) {
      if (!alphabet->keys_interchangeable) continue;
      const auto count = [&](int key) {
        return std::count_if(alphabet->letters.begin(), alphabet->letters.end(),
                             [&](const Letter& letter) { return letter.first_key == key; });
      };
      EXPECT_EQ(count(0), count(1)) << kind.name;
    }
  }
}

TEST(Alphabets, EachPlaceOfAWordStoresAValueOfItsOwn) {
  const Alphabet& alphabet = *FindAlphabet(MapType::HASH);
  std::set<std::string> values;
  size_t stored = 0;
  for (size_t place = 0; place < 6; ++place) {
    for (Operation operation : alphabet.operations) {
      SetValues(place, &operation);
      if (const auto* update = std::get_if<Update>(&operation.call);
          update != nullptr && update->flags == BPF_ANY) {
        values.insert(update->value.bytes.ToHex());
        ++stored;
        break;
      }
    }
  }
  EXPECT_EQ(values.size(), stored);
}

TEST(Alphabets, ThoseWithProgramsHaveLettersOfBothPathsThatOnlyTheKindAllows) {
  for (const MapKind& kind : MapKinds()) {
    const Alphabet& alphabet = *FindProgramAlphabet(kind.type);
    const auto programs =
        std::count_if(alphabet.operations.begin(), alphabet.operations.end(),
                      [](const Operation& operation) { return IsProgramPath(operation.call); });
    EXPECT_GE(programs, 3) << kind.name;
    EXPECT_LT(programs + 2, static_cast<ptrdiff_t>(alphabet.operations.size()));
    // Enough to empty the largest map, or to visit both keys.
    size_t elements = 2;
    for (const MapCreate& map : alphabet.maps) {
      elements = std::max<size_t>(elements, map.max_entries);
    }
    EXPECT_EQ(alphabet.reset.size(), elements);
    for (const Operation& operation : alphabet.operations) {
      if (std::holds_alternative<HelperForEach>(operation.call)) {
        EXPECT_TRUE(Allows(kind, Helper::kForEach));
      } else if (std::holds_alternative<HelperPush>(operation.call)) {
        EXPECT_TRUE(Allows(kind, Helper::kPush));
      } else if (std::holds_alternative<HelperUpdate>(operation.call)) {
        EXPECT_TRUE(Allows(kind, Helper::kUpdate));
      }
    }
  }
}

TEST(Alphabets, EachPlaceStoresAValueOfItsOwnByEitherPath) {
  for (const MapKind& kind : MapKinds()) {
    const Alphabet& alphabet = *FindProgramAlphabet(kind.type);
    for (Operation operation : alphabet.operations) {
      const Operation before = operation;
      SetValues(4, &operation);
      // A descriptor is a value already.
      const auto* update = std::get_if<Update>(&operation.call);
      const bool stores = (update != nullptr && update->value_fd == kNoFd) ||
                          std::holds_alternative<HelperUpdate>(operation.call) ||
                          std::holds_alternative<HelperPush>(operation.call) ||
                          (std::holds_alternative<HelperLookup>(operation.call) &&
                           std::get<HelperLookup>(operation.call).store) ||
                          (std::holds_alternative<HelperLookupInner>(operation.call) &&
                           std::get<HelperLookupInner>(operation.call).store);
      EXPECT_EQ(operation != before, stores) << OperationName(operation.call);
    }
  }
}

TEST(Alphabets, WithoutTheCapabilityToEmptyTheMapEachWordGetsItsOwn) {
  CapabilitySet capabilities = CapabilitySet().set();
  capabilities.reset(static_cast<size_t>(Capability::kMapDeleteElem));
  EXPECT_TRUE(FindProgramAlphabet(MapType::HASH)->Restricted(capabilities).reset.empty());
  EXPECT_FALSE(FindProgramAlphabet(MapType::ARRAY)->Restricted(capabilities).reset.empty());
}

TEST(Alphabets, WithoutACapabilityItsLettersAreLeftOut) {
  CapabilitySet capabilities = CapabilitySet().set();
  capabilities.reset(static_cast<size_t>(Capability::kMapDeleteBatch));
  const Alphabet whole = *FindAlphabet(MapType::HASH);
  const Alphabet rest = whole.Restricted(capabilities);
  EXPECT_EQ(rest.letters.size(), whole.letters.size() - 2);
  EXPECT_EQ(rest.operations.size(), rest.letters.size());
}

}  // namespace
}  // namespace mapspec

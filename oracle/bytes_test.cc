// SPDX-License-Identifier: MIT
#include "oracle/bytes.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace mapspec {
namespace {

// On both sides of every boundary: empty, within a word, the last inline size, the first on the
// heap.
const size_t kSizes[] = {0,   1, 7, 8, 9, Bytes::kInline - 1, Bytes::kInline, Bytes::kInline + 1,
                         4096};

Bytes Counting(size_t size) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i + 1);
  return bytes;
}

TEST(BytesTest, FillConstructorFillsEveryByte) {
  for (const size_t size : kSizes) {
    const Bytes bytes(size, 0xaa);
    ASSERT_EQ(bytes.size(), size);
    EXPECT_EQ(bytes.empty(), size == 0);
    for (const uint8_t byte : bytes) ASSERT_EQ(byte, 0xaa);
  }
}

TEST(BytesTest, CopyIsEqualAndIndependent) {
  for (const size_t size : kSizes) {
    const Bytes original = Counting(size);
    Bytes copy = original;
    EXPECT_EQ(copy, original);
    if (size == 0) continue;
    copy[size - 1] ^= 0xff;
    EXPECT_FALSE(copy == original);
    EXPECT_EQ(original, Counting(size));
  }
}

TEST(BytesTest, AssignmentBetweenAllPairsOfSizesKeepsTheSource) {
  for (const size_t from : kSizes) {
    for (const size_t to : kSizes) {
      const Bytes source = Counting(from);
      Bytes target(to, 0xee);
      target = source;
      EXPECT_EQ(target, source) << to << " <- " << from;
    }
  }
}

TEST(BytesTest, MoveTakesTheContentAndLeavesTheSourceEmpty) {
  for (const size_t from : kSizes) {
    for (const size_t to : kSizes) {
      Bytes source = Counting(from);
      Bytes target(to, 0xee);
      target = std::move(source);
      EXPECT_EQ(target, Counting(from)) << to << " <- " << from;
      EXPECT_TRUE(source.empty());
      const Bytes constructed(std::move(target));
      EXPECT_EQ(constructed, Counting(from));
    }
  }
}

TEST(BytesTest, SelfAssignmentChangesNothing) {
  for (const size_t size : kSizes) {
    Bytes bytes = Counting(size);
    Bytes& same = bytes;
    bytes = same;
    EXPECT_EQ(bytes, Counting(size));
    bytes = std::move(same);
    EXPECT_EQ(bytes, Counting(size));
  }
}

TEST(BytesTest, ResizeKeepsTheFrontAndGrowsWithZeros) {
  for (const size_t from : kSizes) {
    for (const size_t to : kSizes) {
      Bytes bytes = Counting(from);
      bytes.Resize(to);
      ASSERT_EQ(bytes.size(), to);
      for (size_t i = 0; i < to; ++i) {
        ASSERT_EQ(bytes[i], i < from ? static_cast<uint8_t>(i + 1) : 0) << from << " -> " << to;
      }
    }
  }
}

TEST(BytesTest, AppendAndSliceAreInverse) {
  for (const size_t front : kSizes) {
    for (const size_t back : kSizes) {
      Bytes bytes = Counting(front);
      bytes.Append(Bytes(back, 0x5c));
      ASSERT_EQ(bytes.size(), front + back);
      EXPECT_EQ(bytes.Slice(0, front), Counting(front));
      EXPECT_EQ(bytes.Slice(front, back), Bytes(back, 0x5c));
    }
  }
}

TEST(BytesTest, AppendTakesItself) {
  Bytes bytes = Counting(40);
  bytes.Append(bytes);
  ASSERT_EQ(bytes.size(), 80u);
  EXPECT_EQ(bytes.Slice(0, 40), Counting(40));
  EXPECT_EQ(bytes.Slice(40, 40), Counting(40));
}

TEST(BytesTest, ASizeBeyond32BitsIsRefusedAndNotCut) {
  EXPECT_THROW(Bytes((uint64_t{1} << 32) + 1), std::length_error);
  Bytes bytes = Counting(100);
  const uint8_t byte = 0;
  EXPECT_THROW(bytes.Assign(&byte, uint64_t{1} << 32), std::length_error);
  EXPECT_TRUE(bytes.empty());
}

TEST(BytesTest, EqualityLooksAtSizeAndEveryByte) {
  EXPECT_EQ(Bytes(), Bytes(size_t{0}));
  EXPECT_FALSE(Bytes(size_t{4}) == Bytes(size_t{5}));
  for (size_t i = 0; i < 100; ++i) {
    Bytes changed = Counting(100);
    changed[i] ^= 1;
    EXPECT_FALSE(changed == Counting(100)) << i;
  }
}

TEST(BytesTest, OrderIsThatOfUnsignedBytesWithPrefixesFirst) {
  const std::vector<Bytes> ordered = {Bytes(),           Bytes{0x00},       Bytes{0x00, 0x00},
                                      Bytes{0x01},       Bytes{0x7f, 0xff}, Bytes{0x80},
                                      Bytes{0xff, 0x00}, Bytes{0xff, 0x01}};
  for (size_t i = 0; i < ordered.size(); ++i) {
    for (size_t j = 0; j < ordered.size(); ++j) {
      EXPECT_EQ(ordered[i] < ordered[j], i < j) << i << " " << j;
    }
  }
}

TEST(BytesTest, LittleEndianPutsTheLowByteFirstAndPadsWithZeros) {
  EXPECT_EQ(Bytes::LittleEndian(0x01020304, 4), (Bytes{4, 3, 2, 1}));
  EXPECT_EQ(Bytes::LittleEndian(0x01020304, 2), (Bytes{4, 3}));
  EXPECT_EQ(Bytes::LittleEndian(0x0102030405060708, 9), (Bytes{8, 7, 6, 5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(Bytes::LittleEndian(5, 0), Bytes());
}

TEST(BytesTest, ToNumberReadsAtMostEightBytes) {
  EXPECT_EQ(Bytes().ToNumber(), 0u);
  EXPECT_EQ((Bytes{4, 3}).ToNumber(), 0x0304u);
  EXPECT_EQ((Bytes{1, 2, 3, 4, 5, 6, 7, 0x88, 9}).ToNumber(), 0x8807060504030201u);
}

TEST(BytesTest, HexIsInMemoryOrderAndReadsBack) {
  EXPECT_EQ(Bytes().ToHex(), "0x");
  EXPECT_EQ((Bytes{0x01, 0x00, 0xaf}).ToHex(), "0x0100af");
  for (const size_t size : kSizes) {
    Bytes read{0xdd};
    ASSERT_TRUE(Bytes::FromHex(Counting(size).ToHex(), &read));
    EXPECT_EQ(read, Counting(size));
  }
}

TEST(BytesTest, FromHexTakesCapitalDigits) {
  Bytes read;
  ASSERT_TRUE(Bytes::FromHex("0xAbCD", &read));
  EXPECT_EQ(read, (Bytes{0xab, 0xcd}));
}

TEST(BytesTest, FromHexRefusesAnythingElseAndLeavesTheTargetAlone) {
  for (const char* const text : {"", "0", "x", "00", "0X00", "0x0", "0x000", "0xg0", "0x0g", "0x 0",
                                 " 0x00", "0x00 ", "0x-1", "0x0x", "-0x00"}) {
    Bytes read{0xdd};
    EXPECT_FALSE(Bytes::FromHex(text, &read)) << text;
    EXPECT_EQ(read, Bytes{0xdd}) << text;
  }
}

TEST(BytesTest, PoisonIsRecognisedAndOneChangedByteIsNot) {
  for (const size_t size : kSizes) {
    Bytes poison = Poison(size);
    ASSERT_EQ(poison.size(), size);
    EXPECT_TRUE(IsPoison(poison));
    if (size == 0) continue;
    poison[size - 1] ^= 1;
    EXPECT_FALSE(IsPoison(poison));
  }
}

TEST(BytesTest, PoisonIsNeitherZeroNorConstantNorShifted) {
  EXPECT_FALSE(IsPoison(Bytes(size_t{1})));
  EXPECT_FALSE(IsPoison(Bytes(2, PoisonByte(0))));
  // A buffer shifted by one element must not look untouched.
  for (size_t shift = 1; shift < 64; ++shift) {
    EXPECT_FALSE(IsPoison(Poison(128).Slice(shift, 8))) << shift;
  }
}

}  // namespace
}  // namespace mapspec

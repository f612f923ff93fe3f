// SPDX-License-Identifier: MIT
#include "backends/libbpf_api/guarded_buffer.h"

#include <gtest/gtest.h>

#include "oracle/bytes.h"

namespace mapspec {
namespace {

TEST(GuardedBuffer, HoldsPoisonOfEveryLength) {
  GuardedBuffer buffer;
  for (const size_t size : {0, 1, 8, 64, 255, 256, 257, 513, 4096}) {
    const uint8_t* data = buffer.Poisoned(size);
    EXPECT_TRUE(IsPoison(data, size)) << size;
    EXPECT_EQ(buffer.size(), size);
    EXPECT_TRUE(buffer.Intact());
  }
}

TEST(GuardedBuffer, WritesInsideAreNoDamage) {
  GuardedBuffer buffer;
  uint8_t* data = buffer.Poisoned(3);
  data[0] = data[2] = 0;
  EXPECT_TRUE(buffer.Intact());
}

TEST(GuardedBuffer, EveryByteAroundItIsWatched) {
  for (const size_t size : {0, 1, 8, 300}) {
    for (size_t i = 0; i < GuardedBuffer::kGuard; ++i) {
      GuardedBuffer buffer;
      uint8_t* data = buffer.Poisoned(size);
      ++data[size + i];
      EXPECT_FALSE(buffer.Intact()) << size << " " << i;
      EXPECT_EQ(buffer.Damage(), "byte " + std::to_string(i) + " behind the buffer of " +
                                     std::to_string(size) + " bytes was changed");
      data = buffer.Poisoned(size);
      EXPECT_TRUE(buffer.Intact()) << "a new buffer has new guards";
      uint8_t* front = data - 1 - i;
      ++*front;
      EXPECT_FALSE(buffer.Intact()) << size << " " << i;
      EXPECT_EQ(buffer.Damage(), "byte " + std::to_string(i + 1) + " in front of the buffer of " +
                                     std::to_string(size) + " bytes was changed");
    }
  }
}

}  // namespace
}  // namespace mapspec

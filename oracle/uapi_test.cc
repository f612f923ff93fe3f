// SPDX-License-Identifier: MIT
#include "oracle/uapi.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <cerrno>
#include <random>
#include <set>
#include <vector>

namespace mapspec {
namespace {

// The kernel's own header, where it is installed, is the source; it may be older than our list.
TEST(UapiTest, MapTypesHaveTheNumbersOfTheKernelHeader) {
  EXPECT_EQ(static_cast<uint32_t>(MapType::HASH), ::BPF_MAP_TYPE_HASH);
  EXPECT_EQ(static_cast<uint32_t>(MapType::ARRAY), ::BPF_MAP_TYPE_ARRAY);
  EXPECT_EQ(static_cast<uint32_t>(MapType::LPM_TRIE), ::BPF_MAP_TYPE_LPM_TRIE);
  EXPECT_EQ(static_cast<uint32_t>(MapType::CGROUP_STORAGE), ::BPF_MAP_TYPE_CGROUP_STORAGE);
  EXPECT_EQ(static_cast<uint32_t>(MapType::PERCPU_CGROUP_STORAGE),
            ::BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE);
  EXPECT_EQ(static_cast<uint32_t>(MapType::QUEUE), ::BPF_MAP_TYPE_QUEUE);
  EXPECT_EQ(static_cast<uint32_t>(MapType::STACK), ::BPF_MAP_TYPE_STACK);
  EXPECT_EQ(static_cast<uint32_t>(MapType::STRUCT_OPS), ::BPF_MAP_TYPE_STRUCT_OPS);
  EXPECT_EQ(static_cast<uint32_t>(MapType::BLOOM_FILTER), ::BPF_MAP_TYPE_BLOOM_FILTER);
}

TEST(UapiTest, FlagsHaveTheValuesOfTheKernelHeader) {
  EXPECT_EQ(BPF_F_NO_PREALLOC, static_cast<uint32_t>(::BPF_F_NO_PREALLOC));
  EXPECT_EQ(BPF_F_NUMA_NODE, static_cast<uint32_t>(::BPF_F_NUMA_NODE));
  EXPECT_EQ(BPF_F_RDONLY, static_cast<uint32_t>(::BPF_F_RDONLY));
  EXPECT_EQ(BPF_F_WRONLY, static_cast<uint32_t>(::BPF_F_WRONLY));
  EXPECT_EQ(BPF_F_ZERO_SEED, static_cast<uint32_t>(::BPF_F_ZERO_SEED));
  EXPECT_EQ(BPF_F_RDONLY_PROG, static_cast<uint32_t>(::BPF_F_RDONLY_PROG));
  EXPECT_EQ(BPF_F_WRONLY_PROG, static_cast<uint32_t>(::BPF_F_WRONLY_PROG));
  EXPECT_EQ(BPF_F_MMAPABLE, static_cast<uint32_t>(::BPF_F_MMAPABLE));
  EXPECT_EQ(BPF_F_INNER_MAP, static_cast<uint32_t>(::BPF_F_INNER_MAP));
  EXPECT_EQ(BPF_NOEXIST, static_cast<uint64_t>(::BPF_NOEXIST));
  EXPECT_EQ(BPF_EXIST, static_cast<uint64_t>(::BPF_EXIST));
  EXPECT_EQ(BPF_F_LOCK, static_cast<uint64_t>(::BPF_F_LOCK));
  EXPECT_EQ(kObjNameLen, BPF_OBJ_NAME_LEN);
}

TEST(UapiTest, ErrnosHaveTheValuesOfTheKernelHeader) {
  EXPECT_EQ(ParseErrno("EPERM"), static_cast<Errno>(EPERM));
  EXPECT_EQ(ParseErrno("E2BIG"), static_cast<Errno>(E2BIG));
  EXPECT_EQ(ParseErrno("EBADF"), static_cast<Errno>(EBADF));
  EXPECT_EQ(ParseErrno("EEXIST"), static_cast<Errno>(EEXIST));
  EXPECT_EQ(ParseErrno("EDEADLK"), static_cast<Errno>(EDEADLK));
  EXPECT_EQ(ParseErrno("EOPNOTSUPP"), static_cast<Errno>(EOPNOTSUPP));
  EXPECT_EQ(ParseErrno("ETIMEDOUT"), static_cast<Errno>(ETIMEDOUT));
  EXPECT_EQ(ParseErrno("ENOTSUPP"), static_cast<Errno>(524));
}

TEST(UapiTest, EveryMapTypeNameIsUniqueAndReadsBackWithAndWithoutPrefix) {
  std::set<std::string> names;
  for (uint32_t i = 0; i <= kMaxMapType + 2; ++i) {
    const auto type = static_cast<MapType>(i);
    const std::string name = MapTypeName(type);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(ParseMapType(name), type);
    if (name.starts_with("BPF_MAP_TYPE_")) {
      EXPECT_EQ(ParseMapType(name.substr(13)), type);
    }
  }
  EXPECT_EQ(MapTypeName(MapType::HASH), "BPF_MAP_TYPE_HASH");
  EXPECT_EQ(MapTypeName(static_cast<MapType>(UINT32_MAX)), "4294967295");
}

TEST(UapiTest, ParseMapTypeRefusesWhatIsNoType) {
  for (const char* const text :
       {"", "HASHH", "hash", "BPF_MAP_TYPE_", "-1", "4294967296", "1 ", " 1", "0x"}) {
    EXPECT_EQ(ParseMapType(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseMapType("0x16"), MapType::QUEUE);
}

TEST(UapiTest, EveryErrnoNumberReadsBack) {
  for (int32_t number = -10; number < 600; ++number) {
    const auto error = static_cast<Errno>(number);
    EXPECT_EQ(ParseErrno(ErrnoName(error)), error) << number;
  }
  EXPECT_EQ(ErrnoName(Errno::kNone), "0");
  EXPECT_EQ(ErrnoName(Errno::kENOTSUPP), "ENOTSUPP");
  EXPECT_EQ(ErrnoName(static_cast<Errno>(1234)), "errno 1234");
}

TEST(UapiTest, ParseErrnoRefusesWhatIsNoErrno) {
  for (const char* const text :
       {"", "eperm", "EPERMX", "errno", "errno ", "errno 1x", "errno 2147483648", "17"}) {
    EXPECT_EQ(ParseErrno(text), std::nullopt) << text;
  }
}

TEST(UapiTest, FlagNamesAreUniqueAndDisjointBits) {
  for (const auto names : {MapCreateFlags(), ElemFlags()}) {
    std::set<std::string_view> seen;
    uint64_t bits = 0;
    for (const NamedFlag& flag : names) {
      EXPECT_TRUE(seen.insert(flag.name).second) << flag.name;
      EXPECT_EQ(bits & flag.value, 0u) << flag.name;
      bits |= flag.value;
    }
  }
}

TEST(UapiTest, FlagsReadAsTheyWereWritten) {
  EXPECT_EQ(FlagsToString(0, MapCreateFlags()), "0");
  EXPECT_EQ(FlagsToString(0, ElemFlags()), "BPF_ANY");
  EXPECT_EQ(FlagsToString(BPF_EXIST | BPF_F_LOCK, ElemFlags()), "BPF_EXIST|BPF_F_LOCK");
  EXPECT_EQ(FlagsToString(BPF_F_NO_PREALLOC | 0x80000000u, MapCreateFlags()),
            "BPF_F_NO_PREALLOC|0x80000000");
  std::mt19937_64 random(1);
  for (const auto names : {MapCreateFlags(), ElemFlags(), std::span<const NamedFlag>()}) {
    for (int i = 0; i < 2000; ++i) {
      // Few bits, all bits, and each number of bits between them.
      uint64_t flags = random();
      for (int j = 0; j < i % 6; ++j) flags &= random();
      EXPECT_EQ(ParseFlags(FlagsToString(flags, names), names), flags);
    }
    for (const uint64_t flags : {uint64_t{0}, uint64_t{1}, UINT64_MAX}) {
      EXPECT_EQ(ParseFlags(FlagsToString(flags, names), names), flags);
    }
  }
}

TEST(UapiTest, ParseFlagsTakesNumbersAndSpaces) {
  EXPECT_EQ(ParseFlags("BPF_NOEXIST | 4|0x10", ElemFlags()), 0x15u);
  EXPECT_EQ(ParseFlags("18446744073709551615", ElemFlags()), UINT64_MAX);
}

TEST(UapiTest, ParseFlagsNamesTheUnknownWord) {
  std::string unknown;
  EXPECT_EQ(ParseFlags("BPF_ANY|BPF_EXISTS", ElemFlags(), &unknown), std::nullopt);
  EXPECT_EQ(unknown, "BPF_EXISTS");
  for (const char* const text :
       {"", "|", "BPF_ANY|", "|BPF_ANY", "-1", "18446744073709551616", "0x", "BPF_ANY,BPF_EXIST"}) {
    EXPECT_EQ(ParseFlags(text, ElemFlags()), std::nullopt) << text;
  }
}

TEST(UapiTest, NearestFindsTheWordBehindATypo) {
  const std::vector<std::string> flags = {"BPF_ANY", "BPF_NOEXIST", "BPF_EXIST", "BPF_F_LOCK"};
  EXPECT_EQ(Nearest("BPF_EXITS", flags), "BPF_EXIST");
  EXPECT_EQ(Nearest("BPF_NO_EXIST", flags), "BPF_NOEXIST");
  EXPECT_EQ(Nearest("bpf_f_lock", flags), "BPF_F_LOCK");
  EXPECT_EQ(Nearest("EXIST", flags), "BPF_EXIST");
  EXPECT_EQ(Nearest("LOCK", flags), "BPF_F_LOCK");
  const std::vector<std::string> fields = {"op", "map", "key", "value"};
  EXPECT_EQ(Nearest("kye", fields), "key");
  EXPECT_EQ(Nearest("maps", fields), "map");
}

TEST(UapiTest, NearestFindsNothingForAStrangeWord) {
  const std::vector<std::string> fields = {"op", "map", "key", "value"};
  EXPECT_EQ(Nearest("colour", fields), "");
  EXPECT_EQ(Nearest("zz", fields), "");
  EXPECT_EQ(Nearest("", fields), "");
  EXPECT_EQ(Nearest("key", {}), "");
  EXPECT_EQ(Nearest(std::string(size_t{1} << 24, 'k'), fields), "");
}

}  // namespace
}  // namespace mapspec

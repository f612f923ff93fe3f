// SPDX-License-Identifier: MIT
//
// Descriptors, ids, pins, mappings: how long a map lives and who means which.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "backends/open_descriptors.h"
#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

TEST(Handle, ClosedDescriptorIsEbadfAndForeignOneEinval) {
  Fd map = MakeHash(4);
  const int number = map;
  map.Close();
  EXPECT_EQ(Put(number, 1, 1), -EBADF);
  EXPECT_EQ(Put(-1, 1, 1), -EBADF);
  const Fd null(open("/dev/null", O_RDWR));
  EXPECT_EQ(Put(null, 1, 1), -EINVAL);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  EXPECT_EQ(Put(reader, 1, 1), -EINVAL);
}

TEST(Handle, NumberThatIsUsedAgainMeansTheNewMap) {
  Fd first = MakeHash(4);
  Put(first, 1, 100);
  const int number = first;
  first.Close();
  const Fd second = MakeHash(4);
  ASSERT_EQ(int{second}, number);
  EXPECT_EQ(Get(second, 1), -ENOENT);
}

TEST(Handle, Dup2OntoAHandleReplacesIt) {
  const Fd one = MakeHash(4);
  const Fd two = MakeHash(4);
  Put(one, 1, 11);
  Put(two, 1, 22);
  ASSERT_EQ(dup2(one, two), int{two});
  EXPECT_EQ(Get(two, 1), 11);
}

TEST(Handle, SurvivesAsADuplicate) {
  Fd map = MakeHash(4);
  const uint32_t id = Info(map).id;
  Put(map, 1, 11);
  const Fd copy(dup(map));
  map.Close();
  EXPECT_EQ(Fd(usermaps_map_get_fd_by_id(id)) >= 0, true);
  EXPECT_EQ(Get(copy, 1), 11);
}

TEST(Handle, IsRecognisedAfterItsOffsetWasMoved) {
  const Fd map = MakeHash(4);
  Put(map, 1, 11);
  ASSERT_EQ(lseek(map, 5, SEEK_SET), 5);
  EXPECT_EQ(Get(map, 1), 11);
  EXPECT_NE(lseek(map, 0, SEEK_CUR), 5) << "mended";
  const Fd array = MakeArray(4, BPF_F_MMAPABLE);
  const Fd rdonly(usermaps_map_get_fd_by_id(Info(array).id));
  lseek(array, 0, SEEK_SET);
  EXPECT_EQ(Put(array, 1, 1), 0);
}

TEST(Handle, FileThatHappensToStandAtTheSameOffsetIsNotAMap) {
  const Fd map = MakeHash(4);
  const Fd other(memfd_create("other", MFD_CLOEXEC));
  lseek(other, lseek(map, 0, SEEK_CUR) ^ 1, SEEK_SET);
  EXPECT_EQ(Put(other, 1, 1), -EINVAL);
}

// As a session uses it: told of each close.
void CloseTold(int fd) { EXPECT_EQ(usermaps_close(fd), 0); }

int KeepHash() {
  const int fd = usermaps_map_create(BPF_MAP_TYPE_HASH, "", 4, 4, 4, nullptr);
  usermaps_keep_open(fd);
  return fd;
}

TEST(KeptOpen, ClosedDescriptorIsEbadfAndItsNumberMeansWhatItMeansNext) {
  const int fd = KeepHash();
  EXPECT_EQ(Put(fd, 1, 11), 0);
  CloseTold(fd);
  EXPECT_EQ(Put(fd, 1, 1), -EBADF);
  const Fd null(open("/dev/null", O_RDWR));
  ASSERT_EQ(dup2(null, fd), fd);
  const Fd same(fd);
  usermaps_keep_open(same);
  EXPECT_EQ(Put(same, 1, 1), -EINVAL);
  // The next map does not take what stood ready there for what it was.
  const int next = KeepHash();
  EXPECT_NE(next, fd);
  EXPECT_EQ(Put(next, 1, 11), 0);
  EXPECT_EQ(Put(same, 1, 1), -EINVAL);
  CloseTold(next);
}

TEST(KeptOpen, WhatStandsReadyForTheNextMapMakesRoomWhereDescriptorsRunOut) {
  const Fd array = MakeArray(4, BPF_F_MMAPABLE);
  const uint32_t id = Info(array).id;
  std::vector<int> maps;
  for (int i = 0; i < 8; ++i) maps.push_back(KeepHash());
  for (const int fd : maps) CloseTold(fd);
  rlimit old_limit{};
  getrlimit(RLIMIT_NOFILE, &old_limit);
  rlimit low = old_limit;
  const Fd lowest_free(open("/dev/null", O_RDWR));
  low.rlim_cur = static_cast<rlim_t>(lowest_free);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_LT(open("/dev/null", O_RDWR), 0) << "there is none left";
  // An array that can be mapped has a descriptor of its own kind.
  EXPECT_GE(int{Fd(usermaps_map_get_fd_by_id(id))}, 0);
  setrlimit(RLIMIT_NOFILE, &old_limit);
}

TEST(KeptOpen, IdsAreThoseOfMapsThatWereNotToldClosed) {
  const int fd = KeepHash();
  const uint32_t id = Info(fd).id;
  ASSERT_NE(id, 0u);
  EXPECT_GE(int{Fd(usermaps_map_get_fd_by_id(id))}, 0);
  EXPECT_GE(int{Fd(usermaps_map_get_fd_by_id(id))}, 0) << "the second descriptor was closed untold";
  CloseTold(fd);
  EXPECT_EQ(usermaps_map_get_fd_by_id(id), -ENOENT);
}

TEST(KeptOpen, NumberThatIsKeptAgainMeansTheNewMap) {
  const int first = KeepHash();
  Put(first, 1, 11);
  CloseTold(first);
  const int second = KeepHash();
  ASSERT_EQ(second, first);
  EXPECT_EQ(Get(second, 1), -ENOENT);
  CloseTold(second);
}

TEST(KeptOpen, OtherDescriptorsOfTheMapAreStillAskedAbout) {
  const int fd = KeepHash();
  Put(fd, 1, 11);
  Fd copy(dup(fd));
  usermaps_keep_open(copy);
  const int number = copy;
  copy.Close();
  EXPECT_EQ(Get(number, 1), -EBADF);
  copy = Fd(dup(fd));
  EXPECT_EQ(Get(copy, 1), 11);
  CloseTold(fd);
  EXPECT_EQ(Get(fd, 1), -EBADF);
  EXPECT_EQ(Get(copy, 1), -EBADF) << "a promise broken: the descriptor had a second number";
}

TEST(KeptOpen, IdMeansTheMapForAsLongAsAnyDescriptorDoes) {
  const int fd = KeepHash();
  const uint32_t id = Info(fd).id;
  const auto next = [id] {
    uint32_t found = 0;
    return usermaps_map_get_next_id(id - 1, &found) == 0 ? found : 0;
  };
  EXPECT_EQ(next(), id);
  Fd again(usermaps_map_get_fd_by_id(id));
  EXPECT_EQ(Info(again).id, id);
  CloseTold(fd);
  // Nothing was promised of this one.
  EXPECT_EQ(next(), id);
  EXPECT_EQ(Info(Fd(usermaps_map_get_fd_by_id(id))).id, id);
  again.Close();
  EXPECT_EQ(usermaps_map_get_fd_by_id(id), -ENOENT);
  EXPECT_EQ(next(), 0U);
}

TEST(KeptOpen, MapThatIsMappedOutlivesItsDescriptor) {
  bpf_map_create_opts opts{};
  opts.sz = sizeof opts;
  opts.map_flags = BPF_F_MMAPABLE;
  const int fd = usermaps_map_create(BPF_MAP_TYPE_ARRAY, "", 4, 8, 1, &opts);
  usermaps_keep_open(fd);
  const uint32_t id = Info(fd).id;
  void* view = usermaps_mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
  ASSERT_NE(view, MAP_FAILED);
  const int second = usermaps_map_get_fd_by_id(id);
  usermaps_keep_open(second);
  CloseTold(fd);
  CloseTold(second);
  EXPECT_GE(int{Fd(usermaps_map_get_fd_by_id(id))}, 0);
  munmap(view, 4096);
  EXPECT_EQ(usermaps_map_get_fd_by_id(id), -ENOENT);
}

TEST(KeptOpen, ClosingWhatIsNotOpenIsEbadf) {
  EXPECT_EQ(usermaps_close(-1), -EBADF);
  const int fd = KeepHash();
  CloseTold(fd);
  EXPECT_EQ(usermaps_close(fd), -EBADF);
}

TEST(KeptOpen, WhatWasClosedAgainstThePromiseIsForgottenWithItsMapWhenManyMoreAreMade) {
  const int fd = KeepHash();
  const uint32_t id = Info(fd).id;
  close(fd);
  // One of them takes the number, which ends the promise; the others would not be missed.
  std::vector<int> more;
  for (int i = 0; i < 200; ++i) more.push_back(KeepHash());
  EXPECT_EQ(usermaps_map_get_fd_by_id(id), -ENOENT);
  for (const int one : more) CloseTold(one);
}

TEST(KeptOpen, PromiseOfANewMapReplacesABrokenOne) {
  const int fd = KeepHash();
  Put(fd, 1, 11);
  close(fd);
  std::vector<int> more;  // The first ones may have descriptors that earlier maps left behind.
  do {
    more.push_back(KeepHash());
  } while (more.back() != fd && more.size() < 100);
  ASSERT_EQ(more.back(), fd);
  EXPECT_EQ(Get(fd, 1), -ENOENT);
  for (const int one : more) CloseTold(one);
}

TEST(KeptOpen, NumbersThatCannotBeKeptAreAskedAbout) {
  usermaps_keep_open(-1);
  const Fd map = MakeHash(4);
  Fd high(fcntl(map, F_DUPFD, 1 << 14));
  if (high < 0) GTEST_SKIP() << "RLIMIT_NOFILE is below 16385";
  usermaps_keep_open(high);
  EXPECT_EQ(Put(high, 1, 11), 0);
  const int number = high;
  high.Close();
  EXPECT_EQ(Put(number, 1, 11), -EBADF);
}

TEST(Handle, DescriptorsRunOutAsTheyDoInTheKernel) {
  const Fd map = MakeHash(4);
  const uint32_t id = Info(map).id;
  rlimit old_limit{};
  getrlimit(RLIMIT_NOFILE, &old_limit);
  rlimit low = old_limit;
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  std::vector<Fd> maps;
  int result = 0;
  while ((result = usermaps_map_create(BPF_MAP_TYPE_HASH, "", 4, 4, 1, nullptr)) >= 0)
    maps.emplace_back(result);
  EXPECT_EQ(result, -EMFILE);
  EXPECT_EQ(usermaps_map_get_fd_by_id(id), -EMFILE);
  EXPECT_EQ(Put(map, 1, 1), 0) << "what is open goes on working";
  const auto made = maps.size();
  maps.clear();
  for (size_t i = 0; i < made; ++i) {
    maps.push_back(MakeHash(1));
    ASSERT_GE(int{maps.back()}, 0) << i << " of " << made;
  }
  setrlimit(RLIMIT_NOFILE, &old_limit);
}

TEST(Handle, StaysOpenAboveALoweredLimit) {
  const Fd low = MakeHash(4);
  const Fd map(fcntl(low, F_DUPFD, 100));
  ASSERT_GE(int{map}, 100);
  const Fd other(fcntl(MakeHash(1), F_DUPFD, 101));
  const uint32_t id = Info(map).id;
  rlimit old_limit{};
  getrlimit(RLIMIT_NOFILE, &old_limit);
  rlimit lowered = old_limit;
  lowered.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lowered), 0);
  EXPECT_EQ(usermaps_map_get_fd_by_id(id), -EMFILE) << "which looks for what was closed";
  EXPECT_EQ(Put(other, 1, 1), 0);
  setrlimit(RLIMIT_NOFILE, &old_limit);
}

TEST(Lifetime, IdEndsWithTheLastDescriptor) {
  Fd map = MakeHash(4);
  const uint32_t id = Info(map).id;
  Fd second(usermaps_map_get_fd_by_id(id));
  ASSERT_GE(int{second}, 0);
  map.Close();
  EXPECT_EQ(Info(second).id, id);
  second.Close();
  EXPECT_EQ(usermaps_map_get_fd_by_id(id), -ENOENT);
}

uint64_t AddressSpacePages() {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages;
}

TEST(Lifetime, ClosedMapsDoNotPileUp) {
  const uint64_t before = AddressSpacePages();
  for (int i = 0; i < 4096; ++i) {
    const Fd map = MakeMap(BPF_MAP_TYPE_QUEUE, 0, 4U << 20, 1);
    ASSERT_GE(int{map}, 0) << i;
  }
  EXPECT_LT((AddressSpacePages() - before) * 4096, uint64_t{1} << 30)
      << "of the 16 GiB that were asked for";
}

// A run that never asks for an id. (A sanitizer's allocator tells nothing: then this says nothing.)
TEST(Lifetime, IdsOfClosedMapsDoNotPileUp) {
  const auto in_use = [] { return static_cast<int64_t>(mallinfo2().uordblks); };
  const auto make = [](int count) {
    for (int i = 0; i < count; ++i) ASSERT_GE(int{MakeHash(4)}, 0) << i;
  };
  make(200);
  const int64_t before = in_use();
  make(10'000);
  EXPECT_LT(in_use() - before, 1 << 19);
}

TEST(Lifetime, IdsAreWalkedInOrder) {
  const Fd one = MakeHash(4);
  const Fd two = MakeHash(4);
  uint32_t next = 0;
  EXPECT_EQ(usermaps_map_get_next_id(Info(one).id, &next), 0);
  EXPECT_EQ(next, Info(two).id);
  EXPECT_EQ(usermaps_map_get_next_id(Info(two).id, &next), -ENOENT);
  EXPECT_EQ(usermaps_map_get_next_id(INT32_MAX, &next), -EINVAL);
}

TEST(Access, IsAPropertyOfTheDescriptor) {
  const Fd rdonly = MakeHash(4, BPF_F_RDONLY);
  EXPECT_EQ(Put(rdonly, 1, 1), -EPERM);
  const Fd both(usermaps_map_get_fd_by_id(Info(rdonly).id));
  EXPECT_EQ(Put(both, 1, 1), 0);
  EXPECT_EQ(Get(rdonly, 1), 1);
  bpf_get_fd_by_id_opts opts{};
  opts.sz = sizeof opts;
  opts.open_flags = BPF_F_WRONLY;
  const Fd wronly(usermaps_map_get_fd_by_id_opts(Info(rdonly).id, &opts));
  EXPECT_EQ(Get(wronly, 1), -EPERM);
  EXPECT_EQ(Put(wronly, 1, 2), 0);
  EXPECT_EQ(Info(rdonly).map_flags, 0U);
}

TEST(Access, SurvivesTheLossOfAllHandlesThroughAPin) {
  const std::filesystem::path directory = ::testing::TempDir();
  const std::string path = directory / ("usermaps_pin_" + std::to_string(getpid()));
  std::filesystem::remove(path);
  Fd map = MakeArray(4, BPF_F_MMAPABLE);
  const uint32_t id = Info(map).id;
  Put(map, 1, 11);
  ASSERT_EQ(usermaps_obj_pin(map, path.c_str()), 0);
  EXPECT_EQ(usermaps_obj_pin(map, path.c_str()), -EEXIST);
  EXPECT_EQ(usermaps_obj_pin(map, (path + ".dot").c_str()), -EPERM);
  EXPECT_EQ(usermaps_obj_pin(map, (path + "/below").c_str()), -ENOTDIR);
  map.Close();
  Fd again(usermaps_obj_get(path.c_str()));
  EXPECT_EQ(Info(again).id, id);
  EXPECT_EQ(Get(again, 1), 11);
  again.Close();
  std::filesystem::rename(path, path + "_moved");
  EXPECT_EQ(usermaps_obj_get(path.c_str()), -ENOENT);
  again = Fd(usermaps_obj_get((path + "_moved").c_str()));
  EXPECT_EQ(Get(again, 1), 11);
  std::filesystem::remove(path + "_moved");
  EXPECT_EQ(Get(again, 1), 11);
  again.Close();
  EXPECT_EQ(usermaps_map_get_fd_by_id(id), -ENOENT);
  EXPECT_EQ(usermaps_obj_get("/dev/null"), -EACCES);
}

TEST(Access, PinsThatAreGoneDoNotPileUp) {
  const std::string path = ::testing::TempDir() + "usermaps_pins_" + std::to_string(getpid());
  const Fd map = MakeHash(4);
  const ptrdiff_t before = mapspec::OpenDescriptors();
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(usermaps_obj_pin(map, path.c_str()), 0);
    std::filesystem::remove(path);
  }
  EXPECT_LT(mapspec::OpenDescriptors(), before + 40);
}

// As a function of the same type: libc's is noexcept.
void* MapPlainly(void* address, size_t length, int protection, int flags, int fd, off_t offset) {
  return mmap(address, length, protection, flags, fd, offset);
}

TEST(Mmap, SharesTheDataOfAnArray) {
  const Fd map = MakeArray(4, BPF_F_MMAPABLE);
  // Through a plain mmap(2) of the handle as well as through ours.
  for (decltype(&usermaps_mmap) map_pages : {&MapPlainly, &usermaps_mmap}) {
    auto* words = static_cast<uint32_t*>(
        map_pages(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0));
    ASSERT_NE(words, MAP_FAILED);
    words[2] = 77;  // elements are 8 bytes apart
    EXPECT_EQ(Get(map, 1), 77);
    Put(map, 0, 55);
    EXPECT_EQ(words[0], 55U);
    EXPECT_EQ(usermaps_map_freeze(map), -EBUSY);
    munmap(words, 4096);
  }
  EXPECT_EQ(usermaps_map_freeze(map), 0);
  EXPECT_EQ(usermaps_map_freeze(map), -EPERM);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0), MAP_FAILED);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(usermaps_mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0), MAP_FAILED);
  EXPECT_EQ(errno, EPERM);
  void* readable = usermaps_mmap(nullptr, 4096, PROT_READ, MAP_SHARED, map, 0);
  ASSERT_NE(readable, MAP_FAILED);
  EXPECT_NE(mprotect(readable, 4096, PROT_READ | PROT_WRITE), 0);
  munmap(readable, 4096);
}

TEST(Mmap, FollowsTheKernelsRules) {
  const Fd array = MakeArray(4, BPF_F_MMAPABLE);
  const auto error = [](int fd, int protection, int flags, size_t length, off_t offset) {
    errno = 0;
    void* mapped = usermaps_mmap(nullptr, length, protection, flags, fd, offset);
    if (mapped != MAP_FAILED) munmap(mapped, length);
    return errno;
  };
  EXPECT_EQ(error(array, PROT_READ, MAP_SHARED, 4096, 0), 0);
  EXPECT_EQ(error(array, PROT_READ, MAP_PRIVATE, 4096, 0), EINVAL);
  EXPECT_EQ(error(array, PROT_READ, MAP_SHARED, 8192, 0), EINVAL);
  EXPECT_EQ(error(array, PROT_READ, MAP_SHARED, 4096, 4096), EINVAL);
  EXPECT_EQ(error(array, PROT_READ, MAP_SHARED, 0, 0), EINVAL);
  EXPECT_EQ(error(MakeArray(4), PROT_READ, MAP_SHARED, 4096, 0), EINVAL);
  EXPECT_EQ(error(MakeHash(4), PROT_READ, MAP_SHARED, 4096, 0), 524);
  EXPECT_EQ(
      error(MakeLockedMap(BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE), PROT_READ, MAP_SHARED, 4096, 0),
      524);
  const Fd rdonly = MakeArray(4, BPF_F_MMAPABLE | BPF_F_RDONLY);
  EXPECT_EQ(error(rdonly, PROT_READ, MAP_SHARED, 4096, 0), EINVAL);
  EXPECT_EQ(error(rdonly, PROT_READ | PROT_WRITE, MAP_SHARED, 4096, 0), EACCES);
  const Fd rdonly_prog = MakeArray(4, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
  EXPECT_EQ(error(rdonly_prog, PROT_READ | PROT_WRITE, MAP_SHARED, 4096, 0), EACCES);
  EXPECT_EQ(error(-1, PROT_READ, MAP_SHARED, 4096, 0), EBADF);
}

TEST(Mmap, KeepsTheMapAlive) {
  Fd map = MakeArray(4, BPF_F_MMAPABLE);
  const uint32_t id = Info(map).id;
  void* mapped = usermaps_mmap(nullptr, 4096, PROT_READ, MAP_SHARED, map, 0);
  map.Close();
  EXPECT_GE(int{Fd(usermaps_map_get_fd_by_id(id))}, 0);
  munmap(mapped, 4096);
  EXPECT_EQ(usermaps_map_get_fd_by_id(id), -ENOENT);
}

TEST(Mmap, MapsThatCannotBeMappedFailInsteadOfFaultingLater) {
  const Fd map = MakeHash(4);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, map, 0), MAP_FAILED);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, map, 0), MAP_FAILED);
  EXPECT_LT(write(map, "x", 1), 0);
}

TEST(Fork, TheChildWorksOnItsOwnCopy) {
  const Fd map = MakeHash(4);
  Put(map, 1, 11);
  const pid_t child = fork();
  if (child == 0) {
    const bool sees = Get(map, 1) == 11;
    Put(map, 1, 22);
    const Fd own = MakeHash(4);
    const uint32_t id = Info(map).id;
    _exit(sees && own >= 0 && usermaps_map_get_fd_by_id(id) >= 0 && Get(map, 1) == 22 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Get(map, 1), 11);
}

}  // namespace
}  // namespace usermaps::testing

// SPDX-License-Identifier: MIT
#include "backends/libbpf_api/scratch_directory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace mapspec {
namespace {

class ScratchDirectory : public testing::Test {
 protected:
  void SetUp() override {
    base_ = testing::TempDir() + "mapspec-test-XXXXXX";
    ASSERT_NE(mkdtemp(base_.data()), nullptr);
    setenv("MAPSPEC_SCRATCH", base_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("MAPSPEC_SCRATCH");
    std::filesystem::remove_all(base_);
  }

  bool Empty() const { return std::filesystem::is_empty(base_); }

  // A process that uses a scratch directory, has a file in it, tells through the pipe and calls
  // `then`.
  template <typename Function>
  pid_t Start(Function then) {
    int ends[2];
    if (pipe(ends) != 0) return -1;
    const pid_t pid = fork();
    if (pid == 0) {
      std::string error;
      const bool made = UseScratchDirectory(&error) && !MakeTemporaryDirectory(&error).empty();
      if (!made || write(ends[1], "x", 1) != 1) _exit(9);
      then();
      _exit(8);
    }
    close(ends[1]);
    char told = 0;
    EXPECT_EQ(read(ends[0], &told, 1), 1);
    close(ends[0]);
    return pid;
  }
  static int StatusOf(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return status;
  }

  std::string base_;
};

TEST_F(ScratchDirectory, IsGoneWhenItsProcessExits) {
  const int status = StatusOf(Start([] { std::exit(0); }));
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Empty());
}

TEST_F(ScratchDirectory, OfAProcessThatWasKilledTheNextOneRemovesAndOfALivingOneNobody) {
  const pid_t living = Start([] { pause(); });
  EXPECT_TRUE(WIFSIGNALED(StatusOf(Start([] { raise(SIGKILL); }))));
  const auto directories = [&] {
    const std::filesystem::directory_iterator all(base_);
    return std::distance(begin(all), end(all));
  };
  EXPECT_EQ(directories(), 2);
  EXPECT_EQ(StatusOf(Start([] { std::exit(0); })), 0);
  EXPECT_EQ(directories(), 1);
  kill(living, SIGKILL);
  StatusOf(living);
  EXPECT_EQ(StatusOf(Start([] { std::exit(0); })), 0);
  EXPECT_TRUE(Empty());
}

TEST_F(ScratchDirectory, HoldsWhatAKilledChildLeaves) {
  const int status = StatusOf(Start([] {
    const pid_t child = fork();
    if (child == 0) {
      std::string error;
      MakeTemporaryDirectory(&error);
      raise(SIGKILL);
    }
    StatusOf(child);
    std::exit(0);
  }));
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Empty());
}

TEST_F(ScratchDirectory, SaysWhereNoneCanBe) {
  setenv("MAPSPEC_SCRATCH", (base_ + "/missing").c_str(), 1);
  std::string error;
  EXPECT_FALSE(UseScratchDirectory(&error));
  EXPECT_NE(error.find("/missing: No such file"), std::string::npos) << error;
}

}  // namespace
}  // namespace mapspec

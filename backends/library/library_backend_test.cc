// SPDX-License-Identifier: MIT
//
// What libraries do to the process they run in becomes an outcome, and the run goes on.
#include "backends/library/library_backend.h"

#include <bpf/bpf.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "backends/agent/agent_backend.h"
#include "backends/open_descriptors.h"

namespace mapspec {
namespace {

const std::string kMisbehaving = MAPSPEC_TEST_MISBEHAVING_LIBRARY;
const std::string kEmpty = MAPSPEC_TEST_EMPTY_LIBRARY;

// Sets a variable of the environment for the life of the object.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~ScopedVariable() { unsetenv(name_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
};

bool HasChildren() { return waitpid(-1, nullptr, WNOHANG) >= 0; }

// With an empty scratch directory of its own, to see what is left in it.
class LibraryBackendTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string error;
    std::string path = testing::TempDir() + "mapspec-test-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    scratch_ = path;
    setenv("MAPSPEC_SCRATCH", path.c_str(), 1);
    descriptors_ = OpenDescriptors();
  }
  void TearDown() override {
    backend_.reset();
    EXPECT_TRUE(std::filesystem::is_empty(scratch_)) << "temporary files were left behind";
    std::filesystem::remove_all(scratch_);
    unsetenv("MAPSPEC_SCRATCH");
    EXPECT_EQ(OpenDescriptors(), descriptors_);
    EXPECT_FALSE(HasChildren());
  }

  // Time limits are short only where running into them is the test: the machine may be busy.
  void Make(const std::string& path = kMisbehaving, const char* milliseconds = "60000") {
    const ScopedVariable limit("MAPSPEC_OPERATION_TIMEOUT_MS", milliseconds);
    std::string error;
    bool usage = false;
    backend_ = MakeLibraryBackend(path, &error, &usage);
    ASSERT_NE(backend_, nullptr) << error;
  }
  std::string Unusable(const std::string& path, const char* milliseconds = "60000") {
    const ScopedVariable limit("MAPSPEC_OPERATION_TIMEOUT_MS", milliseconds);
    std::string error;
    bool usage = false;
    EXPECT_EQ(MakeLibraryBackend(path, &error, &usage), nullptr);
    EXPECT_FALSE(usage);
    return error;
  }
  std::vector<Outcome> Run(const std::vector<Operation>& operations) {
    std::string error;
    std::vector<Outcome> outcomes;
    const auto session = backend_->NewSession(&error);
    EXPECT_NE(session, nullptr) << error;
    if (session != nullptr) session->Run(operations, &outcomes);
    return outcomes;
  }
  static MapCreate EightByteMap() {
    MapCreate create;
    create.value_size = 8;
    return create;
  }
  // What an update that is told to do `letter` comes to, between operations that are fine.
  std::vector<Outcome> Misbehave(char letter) {
    return Run({{EightByteMap()},
                {Update{{0}, {}, {Pointer::kValid, {1}}}},
                {Update{{0}, {}, {}, static_cast<uint64_t>(letter)}},
                {Lookup{}}});
  }
  void ExpectDeath(char letter, const std::string& detail) {
    Make();
    const auto outcomes = Misbehave(letter);
    ASSERT_EQ(outcomes.size(), 3u) << "it stops at the operation that died";
    EXPECT_TRUE(outcomes[1].ok());
    EXPECT_EQ(outcomes[2].completion, Completion::kCrashed);
    EXPECT_EQ(outcomes[2].detail, detail);
    const auto next = Misbehave(0);
    ASSERT_EQ(next.size(), 4u) << "the next session is a new process";
    EXPECT_EQ(std::get<Bytes>(next[3].output), Bytes(8)) << "the last update wrote zeros";
  }

  std::unique_ptr<Backend> backend_;
  std::filesystem::path scratch_;
  ptrdiff_t descriptors_ = 0;
};

TEST_F(LibraryBackendTest, CanDoWhatTheLibraryHasFunctionsFor) {
  Make();
  EXPECT_TRUE(Has(backend_->capabilities(), Capability::kMapLookupElem));
  EXPECT_FALSE(Has(backend_->capabilities(), Capability::kMapDeleteElem));
  EXPECT_FALSE(Has(backend_->capabilities(), Capability::kMmap)) << "its handles cannot be mapped";
  EXPECT_FALSE(Has(backend_->capabilities(), Capability::kBadPointers));
  EXPECT_EQ(backend_->default_profile(), "documented");
  EXPECT_EQ(backend_->environment().backend, "library:" + kMisbehaving);
}

TEST_F(LibraryBackendTest, RunsAScriptAndSkipsWhatIsMissing) {
  Make();
  const auto outcomes = Run({{EightByteMap()},
                             {Lookup{}},
                             {Delete{}},
                             {Update{{0}, {}, {Pointer::kValid, {1, 2}}}},
                             {Lookup{}}});
  ASSERT_EQ(outcomes.size(), 5u);
  EXPECT_EQ(outcomes[1].error, Errno::kENOENT);
  EXPECT_EQ(outcomes[2].completion, Completion::kNotRun);
  EXPECT_EQ(outcomes[2].detail, "no bpf_map_delete_elem");
  EXPECT_EQ(std::get<Bytes>(outcomes[4].output), Bytes({1, 2, 0, 0, 0, 0, 0, 0}));
}

TEST_F(LibraryBackendTest, ACrashIsTheOutcomeOfItsOperation) {
  ExpectDeath('c', "signal 11 (SIGSEGV)");
}
TEST_F(LibraryBackendTest, AnAbortIsTheOutcomeOfItsOperation) {
  ExpectDeath('a', "signal 6 (SIGABRT)");
}
TEST_F(LibraryBackendTest, AnExitIsTheOutcomeOfItsOperation) { ExpectDeath('x', "exit status 7"); }
TEST_F(LibraryBackendTest, AnExitWithZeroIsNoSuccess) { ExpectDeath('e', "exit status 0"); }

TEST_F(LibraryBackendTest, ASmashedStackIsADeath) {
  Make();
  const auto outcomes = Misbehave('s');
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[2].completion, Completion::kCrashed);
}

TEST_F(LibraryBackendTest, WhatADyingLibraryHadStartedDiesWithIt) {
  ExpectDeath('f', "signal 6 (SIGABRT)");  // TearDown looks for what is left.
}

TEST_F(LibraryBackendTest, AnEndlessLoopIsCutShort) {
  Make(kMisbehaving, "3000");
  const auto outcomes = Misbehave('h');
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[2].completion, Completion::kHung);
  EXPECT_EQ(outcomes[2].detail, "no answer within 3 s");
  EXPECT_EQ(Misbehave(0).size(), 4u);
}

TEST_F(LibraryBackendTest, WritesAroundAnOutputAreSeen) {
  Make();
  const auto behind = Run({{EightByteMap()}, {Lookup{{0}, {}, Pointer::kValid, 'b'}}});
  ASSERT_EQ(behind.size(), 2u);
  EXPECT_EQ(behind[1].completion, Completion::kOverran);
  EXPECT_EQ(behind[1].detail, "byte 1 behind the buffer of 8 bytes was changed");
  const auto front = Run({{EightByteMap()}, {Lookup{{0}, {}, Pointer::kValid, 'f'}}});
  ASSERT_EQ(front.size(), 2u);
  EXPECT_EQ(front[1].completion, Completion::kOverran);
  EXPECT_EQ(front[1].detail, "byte 2 in front of the buffer of 8 bytes was changed");
}

TEST_F(LibraryBackendTest, NoiseOnStdoutDisturbsNothing) {
  Make();
  EXPECT_EQ(Misbehave('o').size(), 4u);
}

TEST_F(LibraryBackendTest, ClosingEverythingIsADeath) {
  Make();
  const auto outcomes = Misbehave('k');
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[2].completion, Completion::kCrashed);
}

TEST_F(LibraryBackendTest, GarbageInsteadOfAnOutcomeIsADeath) {
  Make();
  const auto outcomes = Misbehave('g');
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[2].completion, Completion::kCrashed);
  EXPECT_NE(outcomes[2].detail.find("no outcome"), std::string::npos) << outcomes[2].detail;
}

TEST_F(LibraryBackendTest, ErrorsInTheStyleOfOldLibbpfAreUnderstood) {
  Make();
  EXPECT_EQ(Misbehave('l').at(2).error, Errno::kENOSPC);
  EXPECT_FALSE(Misbehave('p').at(2).ok());
}

TEST_F(LibraryBackendTest, ASessionThatDiedSaysSoForEveryFurtherCall) {
  Make();
  std::string error;
  std::vector<Outcome> outcomes;
  const auto session = backend_->NewSession(&error);
  const std::vector<Operation> operations = {{Update{{0}, {}, {}, 'a'}}, {Lookup{}}};
  session->Run(operations, &outcomes);
  ASSERT_EQ(outcomes.size(), 1u);
  session->Run({operations.data() + 1, 1}, &outcomes);
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[1], outcomes[0]);
}

TEST_F(LibraryBackendTest, AHealthyProcessServesManySessions) {
  Make();
  // The value is the library's, not the session's: it is still there if the process is the same.
  Run({{EightByteMap()}, {Update{{0}, {}, {Pointer::kValid, {5}}}}});
  const auto outcomes = Run({{EightByteMap()}, {Lookup{}}});
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(std::get<Bytes>(outcomes[1].output)[0], 5);
  // And a slot of one session is none of the next.
  EXPECT_EQ(Run({{Close{{0}}}}).at(0).error, Errno::kEBADF);
}

TEST_F(LibraryBackendTest, LongScriptsFitThroughTheSocket) {
  Make();
  std::vector<Operation> operations = {{EightByteMap()}};
  for (int i = 0; i < 20'000; ++i) {
    operations.push_back({Update{{0}, {}, {Pointer::kValid, Bytes(500, 3)}}});
  }
  const auto outcomes = Run(operations);
  ASSERT_EQ(outcomes.size(), operations.size());
  EXPECT_TRUE(outcomes.back().ok());
}

TEST_F(LibraryBackendTest, ThreadsHaveProcessesOfTheirOwn) {
  Make();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      for (int round = 0; round < 20; ++round) {
        const auto outcomes = Run({{EightByteMap()},
                                   {Update{{0}, {}, {Pointer::kValid, {static_cast<uint8_t>(i)}}}},
                                   {Lookup{}}});
        ASSERT_EQ(outcomes.size(), 3u);
        EXPECT_EQ(std::get<Bytes>(outcomes[2].output)[0], i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(LibraryBackendTest, AFileThatIsNoSharedObjectIsUnusable) {
  const std::string path = testing::TempDir() + "mapspec-test-text.so";
  std::ofstream(path) << "not a library\n";
  EXPECT_NE(Unusable(path).find("cannot be loaded"), std::string::npos) << Unusable(path);
  std::filesystem::remove(path);
}

TEST_F(LibraryBackendTest, ALibraryWithoutAnyFunctionIsUnusable) {
  EXPECT_NE(Unusable(kEmpty).find("none of the functions"), std::string::npos) << Unusable(kEmpty);
}

TEST_F(LibraryBackendTest, ALibraryThatDoesNotLetItselfBeLoadedIsUnusable) {
  {
    const ScopedVariable at_load("MAPSPEC_TEST_AT_LOAD", "x");
    EXPECT_NE(Unusable(kMisbehaving).find("exit status 7"), std::string::npos);
  }
  const ScopedVariable at_load("MAPSPEC_TEST_AT_LOAD", "h");
  EXPECT_NE(Unusable(kMisbehaving, "500").find("did not get ready within 0.500 s"),
            std::string::npos);
}

TEST_F(LibraryBackendTest, ATimeLimitThatIsNoNumberIsRefused) {
  EXPECT_EQ(
      Unusable(kMisbehaving, "soon"),
      "MAPSPEC_OPERATION_TIMEOUT_MS is \"soon\"; it must be a positive number of milliseconds");
}

TEST_F(LibraryBackendTest, OurOwnLibraryAnswersLikeInProcess) {
  Make(MAPSPEC_TEST_USERMAPS_LIBRARY);
  EXPECT_TRUE(Has(backend_->capabilities(), Capability::kMmap));
  const auto outcomes = Run({{EightByteMap()},
                             {Update{{0}, {Pointer::kValid, {1}}, {Pointer::kValid, {2}}}},
                             {Lookup{{0}, {Pointer::kValid, {1}}}},
                             {Pin{{0}, "pin"}},
                             {ObjGet{{1}, "pin"}},
                             {Lookup{{1}, {Pointer::kValid, {1}}}}});
  ASSERT_EQ(outcomes.size(), 6u);
  EXPECT_EQ(std::get<Bytes>(outcomes[2].output)[0], 2);
  EXPECT_EQ(std::get<Bytes>(outcomes[5].output)[0], 2);
}

// libbpf itself is a library with this API; the kernel answers through it.
TEST_F(LibraryBackendTest, ALibraryThatNeedsABpffsForItsPinsGetsOne) {
  std::string reason;
  bool usage = false;
  const auto kernel = MakeBackend("kernel", &reason, &usage);
  if (kernel == nullptr) GTEST_SKIP() << reason;
  if (!Has(kernel->capabilities(), Capability::kBpffs)) GTEST_SKIP() << "no bpffs here";
  Dl_info libbpf{};
  ASSERT_NE(dladdr(reinterpret_cast<const void*>(&::bpf_map_create), &libbpf), 0);
  if (std::string(libbpf.dli_fname).find(".so") == std::string::npos) {
    GTEST_SKIP() << "libbpf is linked statically";
  }
  Make(libbpf.dli_fname);
  const auto outcomes = Run({{EightByteMap()}, {Pin{{0}, "pin"}}, {ObjGet{{1}, "pin"}}});
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_TRUE(outcomes[1].ok()) << ErrnoName(outcomes[1].error);
  EXPECT_TRUE(outcomes[2].ok()) << ErrnoName(outcomes[2].error);
}

TEST_F(LibraryBackendTest, AnyCommandThatSpeaksTheProtocolWillDo) {
  std::string error;
  bool usage = false;
  const std::string agent = FindLibraryAgent(&error);
  ASSERT_FALSE(agent.empty()) << error;
  backend_ = MakeBackend("exec:exec '" + agent + "' '" + kMisbehaving + "'", &error, &usage);
  ASSERT_NE(backend_, nullptr) << error;
  EXPECT_EQ(Misbehave(0).size(), 4u);
  EXPECT_EQ(Misbehave('a').size(), 3u);
}

TEST_F(LibraryBackendTest, ACommandThatDoesNotSpeakTheProtocolIsUnusable) {
  std::string error;
  bool usage = true;
  EXPECT_EQ(MakeBackend("exec:echo hello", &error, &usage), nullptr);
  EXPECT_FALSE(usage);
  EXPECT_NE(error.find("hello"), std::string::npos) << error;
  EXPECT_EQ(MakeBackend("exec:exit 3", &error, &usage), nullptr);
  EXPECT_NE(error.find("exit status 3"), std::string::npos) << error;
}

}  // namespace
}  // namespace mapspec

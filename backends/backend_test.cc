// SPDX-License-Identifier: MIT
#include "backends/backend.h"

#include <gtest/gtest.h>

#include <string>

namespace mapspec {
namespace {

std::string UsageError(std::string_view selector) {
  std::string error;
  bool usage = false;
  EXPECT_EQ(MakeBackend(selector, &error, &usage), nullptr);
  EXPECT_TRUE(usage);
  return error;
}

TEST(MakeBackend, NamesTheNearestSelectorForATypo) {
  EXPECT_EQ(UsageError("kernl"), "unknown backend \"kernl\"; did you mean \"kernel\"?");
  EXPECT_EQ(UsageError("libary:./x.so"),
            "unknown backend \"libary:./x.so\"; did you mean \"library:./x.so\"?");
  EXPECT_EQ(UsageError("library:"), "unknown backend \"library:\"; did you mean \"library:PATH\"?");
  EXPECT_EQ(UsageError("exec"), "unknown backend \"exec\"; did you mean \"exec:COMMAND\"?");
  EXPECT_EQ(UsageError("qwertzuiop"),
            "unknown backend \"qwertzuiop\"; known are userspace, kernel, library:PATH, vm, "
            "exec:COMMAND, qemu:IMAGE and uml:IMAGE");
  EXPECT_EQ(UsageError("qmeu:bzImage"),
            "unknown backend \"qmeu:bzImage\"; did you mean \"qemu:bzImage\"?");
}

TEST(MakeBackend, SaysWhoBootsKernels) {
  EXPECT_NE(UsageError("qemu:bzImage").find("mapspec run"), std::string::npos);
  EXPECT_NE(UsageError("uml:./linux").find("mapspec run"), std::string::npos);
}

TEST(MakeBackend, SaysThatALibraryIsNotThere) {
  EXPECT_EQ(UsageError("library:./no-such.so"), "library:./no-such.so: No such file or directory");
}

TEST(ListBackends, SaysOfEachWhetherItCanRunAndElseWhy) {
  const std::vector<BackendInfo> list = ListBackends();
  ASSERT_FALSE(list.empty());
  EXPECT_EQ(list.front().selector, "userspace");
  EXPECT_TRUE(list.front().available);
  for (const BackendInfo& info : list) {
    EXPECT_FALSE(info.description.empty()) << info.selector;
    EXPECT_EQ(info.available, info.reason.empty()) << info.selector << ": " << info.reason;
    EXPECT_EQ(info.selector.find("null"), std::string::npos);
  }
}

TEST(Execute, RecordsWhoAnsweredWhat) {
  std::string error;
  bool usage = false;
  const auto backend = MakeBackend("userspace", &error, &usage);
  ASSERT_NE(backend, nullptr) << error;
  Script script;
  script.name = "one value";
  script.operations = {{MapCreate{}},
                       {Update{{0}, {Pointer::kValid, {1}}, {Pointer::kValid, {2}}}},
                       {Lookup{{0}, {Pointer::kValid, {1}}}}};
  const Trace trace = Execute(*backend, script, &error);
  EXPECT_EQ(trace.name, "one value");
  EXPECT_EQ(trace.environment, backend->environment());
  EXPECT_EQ(trace.operations, script.operations);
  ASSERT_EQ(trace.outcomes.size(), 3u);
  EXPECT_EQ(std::get<Bytes>(trace.outcomes[2].output), Bytes({2, 0, 0, 0}));
}

}  // namespace
}  // namespace mapspec

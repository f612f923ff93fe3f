// SPDX-License-Identifier: MIT
//
// What a run makes of a guest, with a guest of our own invention: a program that is called as QEMU
// is, and writes what a test wants on the two lines.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "runners/cli_harness.h"
#include "runners/worker_protocol.h"

namespace mapspec {
namespace {

constexpr const char* kTest = "queue.pop.empty/new";
constexpr const char* kShortOops =
    "[    2.0] BUG: kernel NULL pointer dereference, address: 0000000000000010\n"
    "[    2.0] Oops: 0000 [#1] PREEMPT SMP NOPTI\n"
    "[    2.0] ---[ end trace 0000000000000000 ]---\n";

class Guest : public testing::Test {
 protected:
  Guest() {
    std::string image(0x1000, '\0');
    image.replace(0x1fe, 2, "\x55\xaa");
    image.replace(0x202, 4, "HdrS");
    image[0x20f] = 0x02;
    image.replace(0x400, 10, "6.1.0-test");
    image_ = directory_.Write("bzImage", image);
    std::filesystem::create_directories(directory_ / "bin");
  }

  void SayOnConsole(const std::string& text) {
    Append("cat >\"$console\" <<'END'\n" + text + "END\n");
  }
  void Say(const Message& message) {
    // Serial lines have noise on them now and then.
    Append("cat >\"$messages\" <<'END'\n{noise\n" + EncodeMessage(message) + "END\n");
  }
  void Append(const std::string& line) { script_ += line; }
  void SayHello() {
    SayOnConsole("[    0.0] Linux version 6.1.0-test\n");
    HelloMessage hello;
    hello.environment.backend = "qemu:" + image_;
    hello.environment.kernel_release = "6.1.0-test";
    hello.environment.implementation = "Linux 6.1.0-test";
    hello.environment.possible_cpus = 2;
    Say(hello);
  }
  void SayResult(Status status = Status::kPass) {
    TestResult test;
    test.id = kTest;
    test.clause = "queue.pop.empty";
    test.status = status;
    Say(StartMessage{kTest});
    Say(ResultMessage{test, {}});
  }

  CommandResult Run() {
    const std::string qemu =
        directory_.Write("bin/qemu-system-x86_64",
                         "#!/bin/sh\nPATH=/usr/bin:/bin\nfor word; do case $word in\n"
                         "file,id=console,*) console=${word##*path=} ;;\n"
                         "file,id=messages,*) messages=${word##*path=} ;;\nesac; done\n" +
                             script_);
    std::filesystem::permissions(qemu, std::filesystem::perms::owner_all);
    return Command({"/usr/bin/env", "PATH=" + (directory_ / "bin"), MAPSPEC_COMMAND, "run",
                    "--backend", "qemu:" + image_, "--accel", "tcg", "--filter", kTest, "--out",
                    Out(), "--json", directory_ / "r.json", "--boot-timeout", "5"})
        .Wait();
  }

  std::string Out() const { return directory_ / "out"; }
  nlohmann::json Json() const { return nlohmann::json::parse(ReadFile(directory_ / "r.json")); }
  // "" for a test that is not in the report.
  std::string StatusOf(const std::string& id) const {
    const nlohmann::json report = Json();
    for (const char* kind : {"scenarios", "properties"}) {
      for (const auto& test : report.at(kind)) {
        if (test.at("id") == id) return test.at("status");
      }
    }
    return "";
  }

  const Directory directory_;
  std::string image_, script_;
};

TEST_F(Guest, ThatKeepsItsPromisesConforms) {
  SayHello();
  SayResult();
  Say(EndMessage{});
  const CommandResult result = Run();
  EXPECT_EQ(result.status, 0) << result.err << result.out;
  EXPECT_EQ(StatusOf(kTest), "pass");
  EXPECT_EQ(Json().at("profile"), "linux-6.1");
  EXPECT_EQ(Json().at("environment").at("kernel_release"), "6.1.0-test");
  EXPECT_NE(ReadFile(Json().at("console")).find("Linux version"), std::string::npos);
}

TEST_F(Guest, ThatBreaksOneFails) {
  SayHello();
  SayResult(Status::kFail);
  Say(EndMessage{});
  EXPECT_EQ(Run().status, 1);
}

TEST_F(Guest, ThatEndsWithoutAnAnswerDoesNotConform) {
  SayHello();
  Say(EndMessage{});
  const CommandResult result = Run();
  EXPECT_EQ(result.status, 3) << result.err << result.out;
  EXPECT_EQ(StatusOf(kTest), "unknown");
}

TEST_F(Guest, WhoseConsoleReportsAnOopsFailsThoughEveryPromiseWasKept) {
  SayHello();
  SayResult();
  SayOnConsole(kShortOops);
  Say(EndMessage{});
  const CommandResult result = Run();
  EXPECT_EQ(result.status, 1) << result.err << result.out;
  EXPECT_EQ(StatusOf(kTest), "pass");
  EXPECT_EQ(StatusOf("console.oops"), "fail");
  EXPECT_NE(result.err.find("BUG: kernel NULL pointer"), std::string::npos) << result.err;
}

TEST_F(Guest, ThatPanicsLeavesItsTestUndecided) {
  SayHello();
  Say(StartMessage{kTest});
  SayOnConsole("[    2.0] Kernel panic - not syncing: Fatal exception\n");
  const CommandResult result = Run();
  EXPECT_EQ(result.status, 1) << result.err << result.out;
  EXPECT_EQ(StatusOf(kTest), "unknown");
  EXPECT_EQ(StatusOf("console.panic"), "fail");
  EXPECT_NE(result.out.find("did not get to the end"), std::string::npos) << result.out;
}

TEST_F(Guest, ThatNeverComesUpIsNoVerdictButSaysItsLastWords) {
  SayOnConsole("[    0.0] Linux version 6.1.0-test\n[    1.0] a last word\n");
  Append("exit 7\n");
  const CommandResult result = Run();
  EXPECT_EQ(result.status, 3) << result.err << result.out;
  EXPECT_NE(result.out.find("did not come up: its machine ended with exit status 7"),
            std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("a last word"), std::string::npos) << result.out;
}

TEST_F(Guest, ThatHangsIsKilled) {
  SayOnConsole("[    0.0] Linux version 6.1.0-test\n");
  Append("exec sleep 1000\n");
  const CommandResult result = Run();
  EXPECT_EQ(result.status, 3) << result.err << result.out;
  EXPECT_NE(result.out.find("did not start within 5 s"), std::string::npos) << result.out;
}

TEST_F(Guest, WritesItsFilesBelowOutAndNowhereElse) {
  SayHello();
  Say(FileMessage{Out() + "/qemu/a.script", "in"});
  Say(FileMessage{Out() + "/../outside.txt", "out"});
  Say(FileMessage{Out() + "/qemu/../../beside.txt", "out"});
  Say(FileMessage{directory_ / "absolute.txt", "out"});
  SayResult();
  Say(EndMessage{});
  EXPECT_EQ(Run().status, 0);
  EXPECT_EQ(ReadFile(Out() + "/qemu/a.script"), "in");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "outside.txt"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "beside.txt"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "absolute.txt"));
}

}  // namespace
}  // namespace mapspec

// SPDX-License-Identifier: MIT
//
// Booting kernels, as far as it can be seen without one: what is said where something is missing,
// and that nothing is left behind of a guest that never comes up.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "runners/cli_harness.h"

namespace mapspec {
namespace {

bool Says(const CommandResult& result, std::string_view part) {
  return (result.out + result.err).find(part) != std::string::npos;
}

// A file that passes for a kernel and does nothing: two bytes of a boot loader's code that wait.
std::string FakeImage() {
  std::string image(0x8000, '\0');
  image[0x1f1] = 4;  // Sectors of real-mode code.
  image.replace(0x1fe, 2, "\x55\xaa");
  image.replace(0x200, 2, "\xeb\xfe");
  image.replace(0x202, 4, "HdrS");
  image[0x206] = 0x0f;
  image[0x207] = 0x02;
  image[0x20f] = 0x04;
  image[0x211] = 1;                             // Loaded high.
  image.replace(0x22c, 4, "\xff\xff\xff\x37");  // As high as initramfs may lie.
  image.replace(0x600, 10, "6.1.0 (x) ");
  return image;
}

// The test's own machine with other variables: "env NAME=VALUE… mapspec …".
CommandResult MapspecWith(const std::string& variable, std::vector<std::string> words) {
  words.insert(words.begin(), {"/usr/bin/env", variable, MAPSPEC_COMMAND});
  return Command(words).Wait();
}

TEST(Guests, AnImageThatIsNoneIsTheUsersMistake) {
  const Directory directory;
  const std::string text = directory.Write("notes.txt", "no kernel");
  const CommandResult result = Mapspec({"run", "--backend", "qemu:" + text});
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(Says(result, text + ": is not an x86-64 kernel image")) << result.err;
  EXPECT_EQ(Mapspec({"run", "--backend", "qemu:/nonexistent"}).status, 2);
  EXPECT_TRUE(Says(Mapspec({"run", "--backend", "uml:/bin/true"}), "ARCH=um"));
  EXPECT_TRUE(Says(Mapspec({"run", "--backend", "qemu:" + text, "--accel", "kmv"}), "`kvm`"));
}

TEST(Guests, WithoutQemuTheReasonSaysWhatToInstall) {
  const Directory directory;
  const std::string image = directory.Write("bzImage", FakeImage());
  const CommandResult result =
      MapspecWith("PATH=/nonexistent", {"run", "--backend", "qemu:" + image, "--filter",
                                        "queue.pop.empty", "--out", directory / "out"});
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_TRUE(Says(result, "apt-get install --no-install-recommends qemu-system-x86"));
}

TEST(Guests, OneThatNeverComesUpIsKilledAndToldAndNothingIsLeft) {
  if (Command({"sh", "-c", "command -v qemu-system-x86_64"}).Wait().status != 0) {
    GTEST_SKIP() << "qemu-system-x86_64 is not installed";
  }
  const Directory directory;
  const std::string image = directory.Write("bzImage", FakeImage());
  Command command(MapspecArgv({"run", "--backend", "qemu:" + image, "--accel", "tcg",
                               "--boot-timeout", "3", "--filter", "queue.pop.empty", "--out",
                               directory / "out", "--junit", directory / "r.xml"}));
  const CommandResult result = command.Wait();
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_TRUE(Says(result, "the suite in it did not start within 3 s")) << result.out << result.err;
  EXPECT_NE(ReadFile(directory / "r.xml"), "");
  EXPECT_EQ(Command({"pgrep", "-f", image}).Wait().out, "");
}

TEST(Guests, DieWithTheCommandHoweverThatEnds) {
  if (Command({"sh", "-c", "command -v qemu-system-x86_64"}).Wait().status != 0) {
    GTEST_SKIP() << "qemu-system-x86_64 is not installed";
  }
  const Directory directory;
  const std::string image = directory.Write("bzImage", FakeImage());
  for (const int signal : {SIGINT, SIGKILL}) {
    Command command(MapspecArgv({"run", "--backend", "qemu:" + image, "--accel", "tcg", "--filter",
                                 "queue.pop.empty", "--out", directory / "out"}));
    ASSERT_TRUE(command.WaitForError("tests, effort"));
    std::string running;
    for (int i = 0; i < 1200 && running.empty(); ++i) {
      running = Command({"pgrep", "-f", "^qemu-system-x86_64 .*" + image}).Wait().out;
      Command({"sleep", "0.1"}).Wait();
    }
    EXPECT_NE(running, "");
    command.Signal(signal);
    const CommandResult result = command.Wait();
    EXPECT_EQ(result.status, signal == SIGINT ? 130 : 128 + SIGKILL) << result.err;
    for (int i = 0; i < 1200 && !running.empty(); ++i) {
      running = Command({"pgrep", "-f", "^qemu-system-x86_64 .*" + image}).Wait().out;
      Command({"sleep", "0.1"}).Wait();
    }
    EXPECT_EQ(running, "") << signal;
  }
}

TEST(Guests, OnlyRunBootsThem) {
  const Directory directory;
  const std::string script = directory.Write(
      "s.script",
      "{\"mapspec_script\":1,\"name\":\"x\"}\n"
      "{\"op\":\"BPF_MAP_CREATE\",\"as\":\"m0\",\"type\":\"QUEUE\",\"key_size\":0,\"value_size\":4,"
      "\"max_entries\":1}\n");
  const CommandResult result = Mapspec({"record", "--backend", "qemu:bzImage", script});
  EXPECT_NE(result.status, 0);
  EXPECT_TRUE(Says(result, "mapspec kernels run")) << result.err;
  EXPECT_EQ(Mapspec({"guest"}).status, 2);
}

TEST(Kernels, AnEmptyCacheIsSaidWithWhatFillsIt) {
  const Directory directory;
  const std::string cache = "XDG_CACHE_HOME=" + directory.path();
  const CommandResult list = MapspecWith(cache, {"kernels", "list"});
  EXPECT_EQ(list.status, 0);
  EXPECT_TRUE(Says(list, "mapspec kernels fetch")) << list.out;
  EXPECT_TRUE(Says(list, "linux-6.1")) << list.out;
  const CommandResult run = MapspecWith(cache, {"kernels", "run"});
  EXPECT_EQ(run.status, 2);
  EXPECT_TRUE(Says(run, "mapspec kernels fetch")) << run.err;
  const CommandResult unknown = MapspecWith(cache, {"kernels", "run", "9.9"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_TRUE(Says(unknown, "kernel 9.9 is not in the cache")) << unknown.err;
}

TEST(Kernels, HelpTeaches) {
  for (const char* word : {"list", "fetch", "run"}) {
    const CommandResult result = Mapspec({"kernels", word, "--help"});
    EXPECT_EQ(result.status, 0) << word;
    EXPECT_TRUE(Says(result, "Example")) << word;
  }
  EXPECT_EQ(Mapspec({"kernels"}).status, 2);
  EXPECT_EQ(Mapspec({"kernels", "fetch"}).status, 2);
}

TEST(Kernels, FetchWithoutAptSaysSo) {
  const Directory directory;
  const CommandResult result =
      Command({"/usr/bin/env", "PATH=/nonexistent", "XDG_CACHE_HOME=" + directory.path(),
               MAPSPEC_COMMAND, "kernels", "fetch", "6.1"})
          .Wait();
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_TRUE(Says(result, "mapspec kernels run --image")) << result.err;
  EXPECT_TRUE(Says(result, "6.1 is not in the cache")) << result.err;
}

// Whatever the machine's mirror is, this proxy leads nowhere.
TEST(Kernels, FetchWithoutAnArchiveIsToldApartFromDamage) {
  const Directory directory;
  const CommandResult result =
      Command({"/usr/bin/env", "http_proxy=http://127.0.0.1:1", "https_proxy=http://127.0.0.1:1",
               "no_proxy=", "XDG_CACHE_HOME=" + directory.path(), MAPSPEC_COMMAND, "kernels",
               "fetch", "6.1"})
          .Wait();
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_TRUE(Says(result, "6.1 is not in the cache")) << result.err;
}

}  // namespace
}  // namespace mapspec

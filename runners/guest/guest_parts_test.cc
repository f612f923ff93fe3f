// SPDX-License-Identifier: MIT
//
// The small parts of booting: images, jobs, modules, the command that starts a machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "runners/cli_harness.h"
#include "runners/guest/archive_reader.h"
#include "runners/guest/boot_image.h"
#include "runners/guest/guest_job.h"
#include "runners/guest/kernel_modules.h"
#include "runners/guest/machine.h"

namespace mapspec {
namespace {

using Strings = std::vector<std::string>;

// The head of a bzImage: flag, magic, and the version where the pointer says.
std::string FakeBzImage(const std::string& version) {
  std::string image(0x1000, '\0');
  image.replace(0x1fe, 2, "\x55\xaa");
  image.replace(0x202, 4, "HdrS");
  image[0x20e] = 0x40;
  image[0x20f] = 0x03;
  image.replace(0x540, version.size(), version);
  return image;
}

TEST(BootImage, TellsTheReleaseInABzImage) {
  EXPECT_EQ(ReleaseOfBzImage(FakeBzImage("6.1.0-57-cloud-amd64 (debian-kernel@x) #1 SMP")),
            "6.1.0-57-cloud-amd64");
  EXPECT_EQ(ReleaseOfBzImage(FakeBzImage("7.3.0-rc7+ (me@here) #12")), "7.3.0-rc7+");
}

TEST(BootImage, TakesNothingElse) {
  EXPECT_EQ(ReleaseOfBzImage(""), "");
  EXPECT_EQ(ReleaseOfBzImage(std::string(0x1000, '\0')), "");
  EXPECT_EQ(ReleaseOfBzImage(FakeBzImage("6.1.0 (x)").substr(0, 0x300)), "");
  EXPECT_EQ(ReleaseOfBzImage(FakeBzImage("no version")), "");
  std::string beyond = FakeBzImage("6.1.0 (x)");
  beyond[0x20f] = '\xff';
  EXPECT_EQ(ReleaseOfBzImage(beyond), "");
}

TEST(BootImage, TellsTheReleaseOfUserModeLinux) {
  EXPECT_EQ(ReleaseOfUml("\x7f"
                         "ELF…Linux version %s\n…Linux version 6.1.176 (buildd@x) (gcc)"),
            "6.1.176");
  EXPECT_EQ(ReleaseOfUml("Linux version 6.1.176 (no ELF file)"), "");
  EXPECT_EQ(ReleaseOfUml("\x7f"
                         "ELF, another program"),
            "");
}

TEST(BootImage, SaysWhatIsWrongWithAFile) {
  const Directory directory;
  BootImage image{GuestKind::kQemu,
                  directory.Write("vmlinux",
                                  "\x7f"
                                  "ELF"),
                  ""};
  std::string error;
  EXPECT_FALSE(InspectImage(&image, &error));
  EXPECT_NE(error.find("arch/x86/boot/bzImage"), std::string::npos) << error;
  EXPECT_NE(error.find("ELF"), std::string::npos) << error;
  image.path = directory / "none";
  EXPECT_FALSE(InspectImage(&image, &error));
  EXPECT_NE(error.find("none: No such file"), std::string::npos) << error;
  image = {GuestKind::kUml, "/bin/true", ""};
  EXPECT_FALSE(InspectImage(&image, &error));
  EXPECT_NE(error.find("ARCH=um"), std::string::npos) << error;
}

TEST(GuestSelector, HasAKindAndAPath) {
  const auto qemu = ParseGuestSelector("qemu:a:b");
  ASSERT_TRUE(qemu.has_value());
  EXPECT_EQ(qemu->path, "a:b");
  EXPECT_EQ(GuestSelector(*qemu), "qemu:a:b");
  EXPECT_EQ(ParseGuestSelector("uml:./linux")->kind, GuestKind::kUml);
  EXPECT_FALSE(ParseGuestSelector("qemu:").has_value());
  EXPECT_FALSE(ParseGuestSelector("kernel").has_value());
}

TEST(GuestJob, ComesOutAsItWentIn) {
  GuestJob job;
  job.selector = "qemu:/x y/\"bzImage\"";
  job.profile = "linux-6.1";
  job.tests = {"queue.pop.empty", "generic.freeze.again[HASH]"};
  job.seed = 0xffff'ffff'ffff'ffffu;
  job.effort = "quick";
  job.jobs = 8;
  job.out = "out";
  job.shrink = false;
  job.specs = {"my.yaml"};
  job.gtest_flags = {"--gtest_shuffle"};
  job.message_line = "/dev/ttyS1";
  job.modules = {"veth"};
  EXPECT_EQ(DecodeGuestJob(EncodeGuestJob(job)), job);
}

TEST(GuestJob, DamagedOnesAreNone) {
  const std::string text = EncodeGuestJob(GuestJob());
  EXPECT_TRUE(DecodeGuestJob(text).has_value());
  EXPECT_FALSE(DecodeGuestJob("").has_value());
  EXPECT_FALSE(DecodeGuestJob(text.substr(0, text.size() / 2)).has_value());
  EXPECT_FALSE(DecodeGuestJob("{\"seed\":\"x\"}").has_value());
}

TEST(Modules, AreKnownByFileName) {
  EXPECT_EQ(ModuleNameOf("/lib/modules/6.1/kernel/drivers/net/veth.ko"), "veth");
  EXPECT_EQ(ModuleNameOf("kernel/net/xsk-diag.ko.xz"), "xsk_diag");
  EXPECT_EQ(ModuleNameOf("a.ko.zst"), "a");
  EXPECT_EQ(ModuleNameOf("modules.dep"), "");
  EXPECT_EQ(ModuleNameOf("a.ko.txt"), "");
}

std::string FakeModule(const std::string& depends) {
  return std::string(
             "\x7f"
             "ELF") +
         std::string(60, '\0') + "license=GPL" + '\0' + "depends=" + depends + '\0' + "name=x" +
         '\0';
}

TEST(Modules, TellWhatTheyDependOn) {
  EXPECT_EQ(ModuleDependencies(FakeModule("a,b-c")), (Strings{"a", "b_c"}));
  EXPECT_EQ(ModuleDependencies(FakeModule("")), Strings{});
  EXPECT_EQ(ModuleDependencies("no module"), Strings{});
}

TEST(Modules, ComeAfterThoseTheyDependOnAndAreDecompressed) {
  const Directory directory;
  const std::string net = directory / "kernel/net";
  std::filesystem::create_directories(net);
  directory.Write("kernel/net/veth.ko", FakeModule("middle"));
  directory.Write("kernel/net/middle.ko", FakeModule("low"));
  directory.Write("kernel/net/low.ko", FakeModule(""));
  ASSERT_EQ(Command({"gzip", net + "/low.ko"}).Wait().status, 0);
  std::vector<KernelModule> modules;
  std::string error;
  ASSERT_TRUE(CollectModules(directory.path(), {"veth", "built_in"}, &modules, &error)) << error;
  Strings names;
  for (const KernelModule& module : modules) names.push_back(module.name);
  EXPECT_EQ(names, (Strings{"low", "middle", "veth"}));
  EXPECT_EQ(modules[0].content, FakeModule(""));
}

TEST(Modules, AreLookedForBesideTheImageAndInATree) {
  const Directory directory;
  std::filesystem::create_directories(directory / "modules/6.1.0");
  const std::string image = directory.Write("vmlinuz", "x");
  EXPECT_EQ(FindModuleDirectory(image, "6.1.0"),
            std::filesystem::canonical(directory / "modules/6.1.0"));
  EXPECT_EQ(FindModuleDirectory(image, "0.0.1-nowhere"), "");
  std::filesystem::create_directories(directory / "tree/arch/x86/boot");
  std::filesystem::create_directories(directory / "tree/drivers/net");
  directory.Write("tree/Kbuild", "");
  directory.Write("tree/drivers/net/veth.ko", FakeModule(""));
  const std::string own = directory.Write("tree/arch/x86/boot/bzImage", "x");
  const std::string found = FindModuleDirectory(own, "0.0.1-nowhere");
  EXPECT_EQ(found, std::filesystem::canonical(directory / "tree"));
  std::vector<KernelModule> modules;
  std::string error;
  EXPECT_TRUE(CollectModules(found, {"veth"}, &modules, &error));
  EXPECT_EQ(modules.size(), 1u);
}

TEST(Machine, IsTranslatedWithTheProcessorThatBootsEveryKernelUnlessThereIsKvm) {
  const BootImage image{GuestKind::kQemu, "/boot/vmlinuz", "6.1.0"};
  const MachineFiles files{7, 9, 5};
  MachineOptions options;
  options.cpus = 3;
  options.memory_mib = 512;
  const auto has = [](const Strings& command, const std::string& word) {
    return std::find(command.begin(), command.end(), word) != command.end();
  };
  const Strings translated = MachineCommand(image, options, false, files, "/lib");
  for (const char* word :
       {"qemu64", "3", "512M", "/boot/vmlinuz", "/proc/self/fd/5", "-no-reboot",
        "file,id=console,path=/proc/self/fd/7", "file,id=messages,path=/proc/self/fd/9"}) {
    EXPECT_TRUE(has(translated, word)) << word;
  }
  EXPECT_FALSE(has(translated, "kvm"));
  EXPECT_NE(translated.back().find("LD_LIBRARY_PATH=/lib"), std::string::npos);
  EXPECT_NE(translated.back().find(kEmulatedVariable), std::string::npos);
  EXPECT_TRUE(translated.back().ends_with(" -- guest"));
  const Strings kvm = MachineCommand(image, options, true, files, "/lib");
  EXPECT_TRUE(has(kvm, "kvm"));
  EXPECT_FALSE(has(kvm, "qemu64"));
  EXPECT_EQ(kvm.back().find(kEmulatedVariable), std::string::npos);
}

TEST(Machine, OfUserModeLinuxIsTheImageItself) {
  const Strings command =
      MachineCommand({GuestKind::kUml, "linux", "6.1"}, {}, false, {7, 9, 5}, "/lib");
  EXPECT_EQ(command[0], "./linux");
  EXPECT_NE(std::find(command.begin(), command.end(), "initrd=/proc/self/fd/5"), command.end());
  EXPECT_NE(std::find(command.begin(), command.end(), "con0=null,fd:7"), command.end());
  EXPECT_NE(std::find(command.begin(), command.end(), "ssl0=null,fd:9"), command.end());
  EXPECT_EQ(command.back(), "guest");
}

TEST(ArchiveReader, SaysWhichFileIsNoPackage) {
  const Directory directory;
  const std::string file = directory.Write("x.deb", "nothing of the kind");
  std::string error;
  EXPECT_FALSE(UnpackDebianPackage(
      file, [](std::string_view) { return ""; }, &error));
  EXPECT_NE(error.find(file), std::string::npos) << error;
}

}  // namespace
}  // namespace mapspec

// SPDX-License-Identifier: MIT
//
// Finding kernels in what apt prints, keeping them, and showing them beside each other.
#include <gtest/gtest.h>

#include <filesystem>

#include "runners/cli_harness.h"
#include "runners/kernels/apt_sources.h"
#include "runners/kernels/archive_kernels.h"
#include "runners/kernels/kernel_cache.h"
#include "runners/kernels/kernel_matrix.h"
#include "runners/kernels/package_archive.h"

namespace mapspec {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kMadison =
    "linux-image-6.1.0-9-cloud-amd64-unsigned | 6.1.27-1 | http://m.example/debian bookworm/main "
    "amd64 Packages\n"
    "linux-image-6.1.0-57-cloud-amd64 | 6.1.192-3 | http://m.example/debian-security "
    "bookworm-security/main amd64 Packages\n"
    "linux-image-6.1.0-57-cloud-amd64-unsigned | 6.1.192-3 | http://m.example/debian-security "
    "bookworm-security/main amd64 Packages\n"
    "linux-image-6.1-cloud-amd64 | 6.1.192-3 | http://m.example/debian-security "
    "bookworm-security/main amd64 Packages\n"
    "linux-image-6.12.118+deb13-cloud-amd64 | 6.12.118-1 | http://m.example/debian-security "
    "trixie-security/main amd64 Packages\n"
    "linux-image-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | http://m.example/debian "
    "trixie-backports/main amd64 Packages\n"
    "linux-binary-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | http://m.example/debian "
    "trixie-backports/main amd64 Packages\n"
    "linux-binary-unsigned-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | http://m.example/debian "
    "trixie-backports/main amd64 Packages\n"
    "linux-modules-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | http://m.example/debian "
    "trixie-backports/main amd64 Packages\n"
    "linux-binary-7.0.13+deb13-cloud-amd64 | 7.0.13-1~bpo13+1 | http://m.example/debian "
    "trixie-backports/main amd64 Packages\n"
    "linux-image-7.3-cloud-amd64 | 7.3~rc7-1~exp1 | http://m.example/debian experimental/main "
    "amd64 Packages\n"
    "user-mode-linux | 6.1um4+b13 | http://m.example/debian bookworm/main amd64 Packages\n"
    "     linux | 6.1.192-3 | http://m.example/debian bookworm/main Sources\n"
    "N: a line that is none\n";

const ArchiveKernel* Find(const std::vector<ArchiveKernel>& kernels, std::string_view release) {
  for (const ArchiveKernel& kernel : kernels) {
    if (kernel.release == release) return &kernel;
  }
  return nullptr;
}

TEST(Madison, LinesBecomePackagesAndTheRestIsLeftOut) {
  const std::vector<ArchivePackage> packages = ParseMadison(kMadison);
  ASSERT_EQ(packages.size(), 12u);
  EXPECT_EQ(packages[1],
            (ArchivePackage{"linux-image-6.1.0-57-cloud-amd64", "6.1.192-3", "bookworm-security"}));
}

TEST(Kernels, AreFoundNewestFirstWithThePackagesThatHoldThem) {
  const std::vector<ArchiveKernel> kernels = KernelsIn(ParseMadison(kMadison));
  Strings releases;
  for (const ArchiveKernel& kernel : kernels) releases.push_back(kernel.release);
  EXPECT_EQ(releases, (Strings{"7.3.4+deb13-cloud-amd64", "7.3-cloud-amd64",
                               "7.0.13+deb13-cloud-amd64", "6.12.118+deb13-cloud-amd64",
                               "6.1.0-57-cloud-amd64", "6.1.0-9-cloud-amd64", ""}));
  EXPECT_EQ(
      Find(kernels, "6.1.0-57-cloud-amd64")->images,
      (Strings{"linux-image-6.1.0-57-cloud-amd64-unsigned", "linux-image-6.1.0-57-cloud-amd64"}));
  const ArchiveKernel& split = *Find(kernels, "7.3.4+deb13-cloud-amd64");
  EXPECT_EQ(split.images, (Strings{"linux-binary-unsigned-7.3.4+deb13-cloud-amd64",
                                   "linux-binary-7.3.4+deb13-cloud-amd64"}));
  EXPECT_EQ(split.modules, "linux-modules-7.3.4+deb13-cloud-amd64");
  EXPECT_TRUE(split.complete);
  EXPECT_FALSE(Find(kernels, "7.0.13+deb13-cloud-amd64")->complete);
  EXPECT_EQ(kernels.back().kind, GuestKind::kUml);
}

TEST(Versions, AreInTheArchivesOrder) {
  const Strings ascending = {"5.10.262-1", "6.1um4",          "6.1.27-1",   "6.1.192-2",
                             "6.1.192-3",  "6.12.9-1",        "6.12.118-1", "7.3~rc7-1~exp1",
                             "7.3-1",      "7.3.4-1~bpo13+1", "7.3.4-1",    "7.3.10-1"};
  for (size_t i = 0; i < ascending.size(); ++i) {
    for (size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(CompareVersions(ascending[i], ascending[j]), i <=> j)
          << ascending[i] << " and " << ascending[j];
    }
  }
}

TEST(Wanted, AreSeriesVersionsAndReleases) {
  const auto wants = [](std::string_view word, std::string_view release, std::string_view version) {
    return IsWanted(ParseWanted(word), GuestKind::kQemu, release, version);
  };
  EXPECT_TRUE(wants("6.1", "6.1.0-57-cloud-amd64", "6.1.192-3"));
  EXPECT_TRUE(wants("6.1.192", "6.1.0-57-cloud-amd64", "6.1.192-3"));
  EXPECT_TRUE(wants("6.1.0-57-cloud-amd64", "6.1.0-57-cloud-amd64", "6.1.192-3"));
  EXPECT_FALSE(wants("6.1", "6.12.118+deb13-cloud-amd64", "6.12.118-1"));
  EXPECT_FALSE(wants("6.1.19", "6.1.0-57-cloud-amd64", "6.1.192-3"));
  EXPECT_FALSE(wants("", "6.1.0-57-cloud-amd64", "6.1.192-3"));
  EXPECT_FALSE(wants("uml-6.1", "6.1.0-57-cloud-amd64", "6.1.192-3"));
  EXPECT_TRUE(IsWanted(ParseWanted("uml-6.1"), GuestKind::kUml, "", "6.1um4+b13"));
  EXPECT_TRUE(IsWanted(ParseWanted("uml"), GuestKind::kUml, "", "6.1um4+b13"));
  EXPECT_EQ(SeriesOf("6.1.192-3"), "6.1");
  EXPECT_EQ(SeriesOf("6.1um4"), "6.1");
  EXPECT_EQ(SeriesOf("7.3~rc7"), "7.3");
}

TEST(AptSources, GiveTheMirrorsInEitherFormat) {
  AptMirrors mirrors;
  AddAptSources(
      "# deb http://no.example/debian x main\n"
      "deb https://packages.example/apt stable main\n"
      "deb [ arch=amd64 signed-by=/k.gpg ] http://a.example/debian/ bookworm main\n"
      "deb http://b.example/debian trixie main\n",
      false, &mirrors);
  EXPECT_EQ(mirrors.main, "http://a.example/debian");
  EXPECT_EQ(mirrors.security, "");
  AddAptSources("Types: deb\nURIs: http://s.example/debian-security\nSuites: x\n", true, &mirrors);
  EXPECT_EQ(mirrors.main, "http://a.example/debian");
  EXPECT_EQ(mirrors.security, "http://s.example/debian-security");
  const std::string sources = SourcesFor(mirrors, "/k.gpg");
  for (const char* line : {"http://a.example/debian bookworm main\n",
                           "http://a.example/debian trixie-backports main\n",
                           "http://s.example/debian-security bullseye-security main\n",
                           "http://a.example/debian sid main\n"}) {
    EXPECT_NE(sources.find(line), std::string::npos) << line;
  }
}

TEST(AptTrouble, IsWhatAptSaysLessTheSuitesThatDoNotExist) {
  EXPECT_EQ(AptTrouble("Ign:1 http://m.example/debian x InRelease\n"
                       "E: The repository 'http://m.example/debian x Release' does not have a "
                       "Release file.\n"),
            "");
  EXPECT_EQ(AptTrouble("Get:1 http://m.example/a\nE: Failed to fetch a  404  Not Found\n"),
            "Failed to fetch a  404  Not Found");
  EXPECT_NE(AptTrouble("Err:1 http://m.example/debian sid InRelease\n"
                       "  Could not resolve 'm.example'\n")
                .find("Could not resolve"),
            std::string::npos);
}

TEST(AptTrouble, IsOutOfReachOrDamage) {
  for (const char* absence :
       {"Failed to fetch http://m.example/a.deb  Could not connect to m.example:80 (192.0.2.1), "
        "connection timed out",
        "http://m.example/debian sid InRelease: Temporary failure resolving 'm.example'",
        "Failed to fetch http://m.example/a.deb  404  Not Found [IP: 192.0.2.1 80]",
        "http://m.example/debian sid InRelease: 503  Service Unavailable [IP: 192.0.2.1 80]",
        "Failed to fetch http://m.example/a.deb  Unable to connect to m.example:http:"}) {
    EXPECT_TRUE(IsOutOfReach(absence)) << absence;
  }
  for (const char* damage :
       {"Failed to fetch http://m.example/a.deb  Hash Sum mismatch",
        "Failed to fetch http://m.example/a.deb  File has unexpected size (3 != 4). Mirror sync in "
        "progress? [IP: 192.0.2.1 80]",
        "http://m.example/debian sid InRelease: The following signatures couldn't be verified "
        "because the public key is not available: NO_PUBKEY 0E98404D386FA1D9",
        "Write error - write (28: No space left on device)", ""}) {
    EXPECT_FALSE(IsOutOfReach(damage)) << damage;
  }
}

// ---- the cache

// A package as dpkg-deb makes it: an ar archive with data.tar.gz in it.
std::string Package(const std::vector<std::pair<std::string, std::string>>& files) {
  const Directory directory;
  for (const auto& [path, content] : files) {
    const std::filesystem::path place = directory.path() + "/root/" + path;
    std::filesystem::create_directories(place.parent_path());
    directory.Write("root/" + path, content);
  }
  directory.Write("debian-binary", "2.0\n");
  directory.Write("control.tar.gz", "whatever");
  const std::string tar = directory / "data.tar.gz", package = directory / "x.deb";
  EXPECT_EQ(Command({"tar", "-C", directory / "root", "-czf", tar, "."}).Wait().status, 0);
  EXPECT_EQ(
      Command({"ar", "rc", package, directory / "debian-binary", directory / "control.tar.gz", tar})
          .Wait()
          .status,
      0);
  return ReadFile(package);
}

std::string Image(const std::string& release) {
  std::string image(0x1000, '\0');
  image.replace(0x1fe, 2, "\x55\xaa");
  image.replace(0x202, 4, "HdrS");
  image[0x20f] = 0x02;
  image.replace(0x400, release.size(), release);
  return image;
}

ArchiveKernel Kernel61() {
  ArchiveKernel kernel;
  kernel.release = "6.1.0-57-cloud-amd64";
  kernel.version = "6.1.192-3";
  kernel.suite = "bookworm-security";
  return kernel;
}

TEST(KernelCache, KeepsImageAndModulesAndFindsThemAgain) {
  const Directory directory;
  const std::string modules = "./lib/modules/6.1.0-57-cloud-amd64/kernel/";
  const std::string package = directory.Write(
      "x.deb", Package({{"./boot/vmlinuz-6.1.0-57-cloud-amd64", Image("6.1.0-57-cloud-amd64 (x)")},
                        {"./boot/System.map-6.1.0", "not needed"},
                        {modules + "net/helper.ko", std::string("\0depends=\0", 10)},
                        {modules + "drivers/net/veth.ko", std::string("\0depends=helper\0", 16)},
                        {modules + "drivers/net/tun.ko", "not needed"}}));
  CachedKernel entry;
  std::string error;
  const std::string cache = directory / "kernels";
  ASSERT_TRUE(AddToCache(cache, Kernel61(), {package}, &entry, &error)) << error;
  const std::string place = cache + "/6.1.0-57-cloud-amd64";
  EXPECT_TRUE(std::filesystem::exists(place + "/vmlinuz"));
  const std::string kept = place + "/modules/6.1.0-57-cloud-amd64/kernel/";
  EXPECT_TRUE(std::filesystem::exists(kept + "drivers/net/veth.ko"));
  EXPECT_TRUE(std::filesystem::exists(kept + "net/helper.ko"));
  EXPECT_FALSE(std::filesystem::exists(kept + "drivers/net/tun.ko"));
  const auto found = FindCached(CachedKernels(cache), ParseWanted("6.1"));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->release, "6.1.0-57-cloud-amd64");
  EXPECT_EQ(found->suite, "bookworm-security");
  EXPECT_GT(found->bytes, 0x1000u);
  EXPECT_FALSE(FindCached(CachedKernels(cache), ParseWanted("6.12")).has_value());
}

TEST(KernelCache, ABrokenPackageLeavesNothing) {
  const Directory directory;
  const std::string cache = directory / "kernels";
  const std::string whole =
      Package({{"./boot/vmlinuz-6.1.0-57-cloud-amd64", Image("6.1.0-57-cloud-amd64 (x)")}});
  CachedKernel entry;
  std::string error;
  for (const std::string& content :
       {whole.substr(0, whole.size() / 2), Package({{"./boot/config", "no image"}}),
        Package({{"./boot/vmlinuz-6.1.0", "no bzImage"}})}) {
    const std::string package = directory.Write("x.deb", content);
    EXPECT_FALSE(AddToCache(cache, Kernel61(), {package}, &entry, &error));
    EXPECT_NE(error, "");
    EXPECT_TRUE(std::filesystem::is_empty(cache)) << error;
  }
}

// ---- the matrix

BackendResults Results(const std::string& release, Status first, Status second) {
  BackendResults results;
  results.backend = "qemu:x";
  results.environment.kernel_release = release;
  results.profile = "linux-6.1";
  TestResult test;
  test.id = test.clause = "queue.pop.empty";
  test.status = first;
  if (first == Status::kFail) test.violated = {test.clause};
  results.tests.push_back(test);
  test = {};
  test.id = test.clause = "hash.lookup.absent";
  test.status = second;
  results.tests.push_back(test);
  return results;
}

TEST(KernelMatrix, ShowsWhatDiffersAndNothingElse) {
  const std::string text =
      KernelDifferences({Results("6.1.0-57-cloud-amd64", Status::kPass, Status::kPass),
                         Results("6.12.1", Status::kFail, Status::kPass)});
  EXPECT_NE(text.find("queue.pop.empty"), std::string::npos) << text;
  EXPECT_NE(text.find("BROKEN"), std::string::npos) << text;
  EXPECT_NE(text.find("6.1.0-57"), std::string::npos) << text;
  EXPECT_EQ(text.find("hash.lookup.absent"), std::string::npos) << text;
}

TEST(KernelMatrix, SaysThatKernelsAgreeAndLeavesOutWhatDidNotRun) {
  const BackendResults good = Results("6.1", Status::kPass, Status::kPass);
  EXPECT_NE(KernelDifferences({good, good}).find("agree"), std::string::npos);
  BackendResults dead = Results("7.2", Status::kNotRun, Status::kNotRun);
  dead.unusable = "it panicked";
  EXPECT_EQ(KernelDifferences({good, dead}), "");
  EXPECT_EQ(KernelDifferences({good}), "");
}

TEST(KernelMatrix, TheTableHasAVerdictForEach) {
  BackendResults dead = Results("7.2.13", Status::kNotRun, Status::kNotRun);
  dead.unusable = "it panicked";
  const std::string text = KernelTable({Results("6.1.0", Status::kPass, Status::kSkip),
                                        Results("6.12.1", Status::kFail, Status::kPass), dead},
                                       false);
  EXPECT_NE(text.find("6.1.0   linux-6.1       CONFORMS"), std::string::npos) << text;
  EXPECT_NE(text.find("DOES NOT CONFORM"), std::string::npos) << text;
  EXPECT_NE(text.find("INCOMPLETE"), std::string::npos) << text;
  EXPECT_NE(text.find("7.2.13: it panicked"), std::string::npos) << text;
  EXPECT_NE(text.find("1/0/1"), std::string::npos) << text;
}

}  // namespace
}  // namespace mapspec

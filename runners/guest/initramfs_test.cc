// SPDX-License-Identifier: MIT
#include "runners/guest/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include "runners/guest/program_files.h"

namespace mapspec {
namespace {

struct Read {
  std::string path;
  unsigned type = 0, mode = 0, major = 0, minor = 0;
  std::string content;
};

// What libarchive finds in the archive, which it has to take for a cpio archive of the kind newc.
std::vector<Read> ReadBack(const std::string& bytes) {
  std::vector<Read> entries;
  ::archive* const reader = archive_read_new();
  archive_read_support_format_cpio(reader);
  EXPECT_EQ(archive_read_open_memory(reader, bytes.data(), bytes.size()), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
    EXPECT_EQ(archive_format(reader), ARCHIVE_FORMAT_CPIO_SVR4_NOCRC);
    Read read{archive_entry_pathname(entry),
              archive_entry_filetype(entry),
              archive_entry_perm(entry),
              static_cast<unsigned>(archive_entry_rdevmajor(entry)),
              static_cast<unsigned>(archive_entry_rdevminor(entry)),
              ""};
    read.content.resize(static_cast<size_t>(archive_entry_size(entry)));
    archive_read_data(reader, read.content.data(), read.content.size());
    entries.push_back(std::move(read));
  }
  archive_read_free(reader);
  return entries;
}

TEST(Initramfs, HoldsWhatWasPutInParentsFirst) {
  Initramfs initramfs;
  initramfs.AddFile("/mapspec/deep/job.json", "{}");
  initramfs.AddFile("/init",
                    std::string("\x7f"
                                "ELF\0x",
                                6),
                    0755);
  initramfs.AddDevice("/dev/ttyS1", 4, 65);
  const std::vector<Read> entries = ReadBack(initramfs.Finish());
  std::vector<std::string> paths;
  for (const Read& entry : entries) paths.push_back(entry.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"mapspec", "mapspec/deep", "mapspec/deep/job.json",
                                             "init", "dev", "dev/ttyS1"}));
  EXPECT_EQ(entries[0].type, unsigned{AE_IFDIR});
  EXPECT_EQ(entries[2].content, "{}");
  EXPECT_EQ(entries[2].mode, 0644u);
  EXPECT_EQ(entries[3].content, std::string("\x7f"
                                            "ELF\0x",
                                            6));
  EXPECT_EQ(entries[3].mode, 0755u);
  EXPECT_EQ(entries[5].type, unsigned{AE_IFCHR});
  EXPECT_EQ(entries[5].major, 4u);
  EXPECT_EQ(entries[5].minor, 65u);
}

TEST(Initramfs, BeginsAsTheKernelWantsIt) {
  Initramfs initramfs;
  initramfs.AddFile("/a", "b");
  EXPECT_EQ(initramfs.Finish().substr(0, 6), "070701");
}

TEST(Initramfs, TakesEachPathOnce) {
  Initramfs initramfs;
  initramfs.AddFile("/a/b", "first");
  initramfs.AddFile("/a/b", "second");
  initramfs.AddFile("/a/c", "");
  const std::vector<Read> entries = ReadBack(initramfs.Finish());
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[1].content, "first");
}

TEST(Initramfs, SaysWhichFileOfTheHostCannotBeRead) {
  Initramfs initramfs;
  std::string error;
  EXPECT_FALSE(initramfs.AddHostFile("/a", "/nonexistent/file", 0644, &error));
  EXPECT_EQ(error, "/nonexistent/file: No such file or directory");
  EXPECT_FALSE(initramfs.AddHostFile("/a", "/", 0644, &error));
  EXPECT_EQ(error, "/: is a directory");
}

TEST(ProgramFiles, AreTheProgramItsLoaderAndItsLibraries) {
  Initramfs initramfs;
  std::string library_path, error;
  ASSERT_TRUE(AddRunningProgram("/init", &initramfs, &library_path, &error)) << error;
  bool loader = false, libc = false, init = false;
  for (const Read& entry : ReadBack(initramfs.Finish())) {
    init |= entry.path == "init" && entry.mode == 0755 &&
            entry.content.starts_with(
                "\x7f"
                "ELF");
    loader |= entry.path.find("ld-linux") != std::string::npos && entry.content.size() > 1000;
    if (entry.path.find("libc.so") == std::string::npos) continue;
    libc = true;
    const std::string directory = "/" + entry.path.substr(0, entry.path.rfind('/'));
    EXPECT_NE((":" + library_path + ":").find(":" + directory + ":"), std::string::npos)
        << library_path;
  }
  EXPECT_TRUE(init && loader && libc);
}

}  // namespace
}  // namespace mapspec

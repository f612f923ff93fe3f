// SPDX-License-Identifier: MIT
#include "runners/guest/boot_image.h"

#include <cctype>
#include <cstdint>

#include "runners/guest/initramfs.h"

namespace mapspec {
namespace {

constexpr std::string_view kQemu = "qemu:";
constexpr std::string_view kUml = "uml:";

// Offsets of the boot protocol.
constexpr size_t kBootFlag = 0x1fe;
constexpr size_t kHeaderMagic = 0x202;
constexpr size_t kKernelVersion = 0x20e;  // Where the version stands, less 0x200.

std::string FirstWord(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && end < 128 && std::isgraph(static_cast<unsigned char>(text[end]))) {
    ++end;
  }
  const std::string word(text.substr(0, end));
  return !word.empty() && std::isdigit(static_cast<unsigned char>(word[0])) ? word : "";
}

}  // namespace

std::optional<BootImage> ParseGuestSelector(std::string_view selector) {
  for (const auto& [prefix, kind] : {std::pair(kQemu, GuestKind::kQemu), {kUml, GuestKind::kUml}}) {
    if (selector.starts_with(prefix) && selector.size() > prefix.size()) {
      return BootImage{kind, std::string(selector.substr(prefix.size())), ""};
    }
  }
  return std::nullopt;
}

std::string GuestSelector(const BootImage& image) {
  return std::string(image.kind == GuestKind::kQemu ? kQemu : kUml) + image.path;
}

std::string ReleaseOfBzImage(std::string_view content) {
  if (content.size() < 0x400 || content.substr(kHeaderMagic, 4) != "HdrS" ||
      content.substr(kBootFlag, 2) != "\x55\xaa") {
    return "";
  }
  const auto byte = [&](size_t at) {
    return static_cast<size_t>(static_cast<uint8_t>(content[at]));
  };
  const size_t at = 0x200 + (byte(kKernelVersion) | byte(kKernelVersion + 1) << 8);
  return at < content.size() ? FirstWord(content.substr(at)) : "";
}

std::string ReleaseOfUml(std::string_view content) {
  if (!content.starts_with("\x7f"
                           "ELF"))
    return "";
  constexpr std::string_view kBanner = "Linux version ";
  for (size_t at = content.find(kBanner); at != std::string_view::npos;
       at = content.find(kBanner, at + 1)) {
    std::string release = FirstWord(content.substr(at + kBanner.size()));
    if (!release.empty()) return release;
  }
  return "";
}

bool InspectImage(BootImage* image, std::string* error) {
  std::string content;
  if (!ReadHostFile(image->path, &content, error)) return false;
  const bool qemu = image->kind == GuestKind::kQemu;
  image->release = qemu ? ReleaseOfBzImage(content) : ReleaseOfUml(content);
  if (!image->release.empty()) return true;
  *error = image->path + ": ";
  if (qemu) {
    *error += content.starts_with(
                  "\x7f"
                  "ELF")
                  ? "is an ELF file (vmlinux?); qemu: takes the compressed image, as in "
                    "arch/x86/boot/bzImage or /boot/vmlinuz-RELEASE"
                  : "is not an x86-64 kernel image (bzImage), as in arch/x86/boot/bzImage or "
                    "/boot/vmlinuz-RELEASE";
  } else {
    *error +=
        "is not a User-Mode Linux program, as the file `linux` of a kernel tree built with "
        "ARCH=um";
  }
  return false;
}

}  // namespace mapspec

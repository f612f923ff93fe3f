// SPDX-License-Identifier: MIT
//
// What is known of a kernel image before it is booted: that it is one, and which release it holds.
// For x86-64 a bzImage (Documentation/arch/x86/boot.rst: the header at 0x1f1); for User-Mode Linux
// an ELF program with Linux's banner in it.
#ifndef RUNNERS_GUEST_BOOT_IMAGE_H_
#define RUNNERS_GUEST_BOOT_IMAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mapspec {

enum class GuestKind : uint8_t { kQemu, kUml };

struct BootImage {
  GuestKind kind = GuestKind::kQemu;
  std::string path;
  std::string release;  // "6.1.0-57-cloud-amd64"
};

// "qemu:PATH" and "uml:PATH": kind and path are filled. nullopt for other selectors.
std::optional<BootImage> ParseGuestSelector(std::string_view selector);
std::string GuestSelector(const BootImage& image);

// Fills image->release from the file. False after filling *error ("PATH: why").
bool InspectImage(BootImage* image, std::string* error);

// The same of content, for tests and for packages. "" where it is no such image.
std::string ReleaseOfBzImage(std::string_view content);
std::string ReleaseOfUml(std::string_view content);

}  // namespace mapspec

#endif  // RUNNERS_GUEST_BOOT_IMAGE_H_

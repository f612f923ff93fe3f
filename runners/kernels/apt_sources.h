// SPDX-License-Identifier: MIT
//
// Where the distribution's archive is, by what apt on this machine was told: the mirrors in
// sources.list(5), of either format, and the suites that may have kernels.
#ifndef RUNNERS_KERNELS_APT_SOURCES_H_
#define RUNNERS_KERNELS_APT_SOURCES_H_

#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

struct AptMirrors {
  std::string main;      // "http://HOST/debian", "" where apt knows no Debian mirror.
  std::string security;  // "http://HOST/debian-security"
};

// Adds what one file says; the first mirror of each kind counts. `deb822`: a file *.sources.
void AddAptSources(std::string_view text, bool deb822, AptMirrors* mirrors);
// Everything below /etc/apt. Security updates lie beside the main archive where apt names no place.
AptMirrors ReadAptMirrors();

// A sources.list(5) with every suite that may hold kernels. Suites that the archive does not have
// are left to apt to find out.
std::string SourcesFor(const AptMirrors& mirrors, const std::string& keyring);

}  // namespace mapspec

#endif  // RUNNERS_KERNELS_APT_SOURCES_H_

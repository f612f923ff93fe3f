// SPDX-License-Identifier: MIT
#include "runners/kernels/archive_kernels.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <sstream>

namespace mapspec {
namespace {

constexpr std::string_view kFlavour = "-cloud-amd64";
constexpr std::string_view kUnsigned = "-unsigned";
constexpr std::string_view kUmlPackage = "user-mode-linux";

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The release in a package's name, "" for another package. *rank: how good a source of the image it
// is (0 is best), -1 for a package of modules.
std::string ReleaseInName(std::string_view name, int* rank) {
  constexpr std::pair<std::string_view, int> kPrefixes[] = {{"linux-binary-unsigned-", 1},
                                                            {"linux-binary-", 2},
                                                            {"linux-modules-", -1},
                                                            {"linux-image-", 3}};
  for (const auto& [prefix, its_rank] : kPrefixes) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    *rank = its_rank;
    if (its_rank == 3 && name.ends_with(kUnsigned)) {
      name.remove_suffix(kUnsigned.size());
      *rank = 0;
    }
    // Not "linux-image-6.1-cloud-amd64" and the like: they only depend on others.
    const bool release = !name.empty() && IsDigit(name[0]) && name.ends_with(kFlavour);
    return release ? std::string(name) : "";
  }
  return "";
}

// Letters before all else, '~' before the end.
int Weight(std::string_view text, size_t at) {
  if (at >= text.size() || IsDigit(text[at])) return 0;
  const auto c = static_cast<unsigned char>(text[at]);
  if (c == '~') return -1;
  return std::isalpha(c) != 0 ? c : c + 256;
}

struct Found {
  ArchiveKernel kernel;
  std::map<int, std::string> images;
};

}  // namespace

std::vector<ArchivePackage> ParseMadison(std::string_view text) {
  std::vector<ArchivePackage> packages;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find('|');
    const size_t second = first == std::string::npos ? first : line.find('|', first + 1);
    if (second == std::string::npos || !line.ends_with(" Packages")) continue;
    const std::string_view whole = line;
    std::istringstream place{std::string(whole.substr(second + 1))};
    std::string uri, suite;
    place >> uri >> suite;
    packages.push_back({std::string(Trimmed(whole.substr(0, first))),
                        std::string(Trimmed(whole.substr(first + 1, second - first - 1))),
                        suite.substr(0, suite.find('/'))});
  }
  return packages;
}

bool IsKernelPackage(std::string_view name) {
  int rank = 0;
  return name == kUmlPackage || !ReleaseInName(name, &rank).empty();
}

std::vector<ArchiveKernel> KernelsIn(const std::vector<ArchivePackage>& packages) {
  std::map<std::pair<std::string, std::string>, Found> found;
  for (const ArchivePackage& package : packages) {
    int rank = 0;
    const bool uml = package.name == kUmlPackage;
    const std::string release = uml ? "" : ReleaseInName(package.name, &rank);
    if (!uml && release.empty()) continue;
    Found& kernel = found[{release, package.version}];
    kernel.kernel.kind = uml ? GuestKind::kUml : GuestKind::kQemu;
    kernel.kernel.release = release;
    kernel.kernel.version = package.version;
    kernel.kernel.suite = package.suite;
    if (rank == -1) {
      kernel.kernel.modules = package.name;
    } else {
      kernel.images[rank] = package.name;
    }
  }
  std::vector<ArchiveKernel> kernels;
  for (auto& [key, entry] : found) {
    const bool split = entry.images.count(1) != 0 || entry.images.count(2) != 0;
    // Where the image is a package of its own, linux-image-… is empty.
    if (split) entry.images.erase(3);
    for (const auto& [rank, name] : entry.images) entry.kernel.images.push_back(name);
    entry.kernel.complete = !split || !entry.kernel.modules.empty();
    if (!entry.kernel.images.empty()) kernels.push_back(std::move(entry.kernel));
  }
  // A package that only depends on the newest kernel of its series has that one's version.
  std::erase_if(kernels, [&](const ArchiveKernel& kernel) {
    return kernel.kind == GuestKind::kQemu &&
           std::count(kernel.release.begin(), kernel.release.end(), '.') < 2 &&
           std::any_of(kernels.begin(), kernels.end(), [&](const ArchiveKernel& other) {
             return other.version == kernel.version && other.release.size() > kernel.release.size();
           });
  });
  std::stable_sort(kernels.begin(), kernels.end(), [](const auto& a, const auto& b) {
    return CompareVersions(a.version, b.version) > 0;
  });
  return kernels;
}

std::strong_ordering CompareVersions(std::string_view a, std::string_view b) {
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    while ((i < a.size() && !IsDigit(a[i])) || (j < b.size() && !IsDigit(b[j]))) {
      const int left = Weight(a, i), right = Weight(b, j);
      if (left != right) return left <=> right;
      ++i;
      ++j;
    }
    const auto number = [](std::string_view text, size_t* at) {
      while (*at < text.size() && text[*at] == '0') ++*at;
      const size_t begin = *at;
      while (*at < text.size() && IsDigit(text[*at])) ++*at;
      return text.substr(begin, *at - begin);
    };
    const std::string_view left = number(a, &i), right = number(b, &j);
    if (left.size() != right.size()) return left.size() <=> right.size();
    if (left != right) return left.compare(right) <=> 0;
  }
  return std::strong_ordering::equal;
}

WantedKernel ParseWanted(std::string_view word) {
  if (word == "uml") return {GuestKind::kUml, ""};
  if (word.starts_with("uml-")) return {GuestKind::kUml, std::string(word.substr(4))};
  return {GuestKind::kQemu, std::string(word)};
}

bool IsWanted(const WantedKernel& wanted, GuestKind kind, std::string_view release,
              std::string_view version) {
  if (wanted.kind != kind) return false;
  if (wanted.version.empty()) return kind == GuestKind::kUml;
  if (release == wanted.version) return true;
  if (!version.starts_with(wanted.version)) return false;
  const std::string_view rest = version.substr(wanted.version.size());
  return rest.empty() || !IsDigit(rest[0]);
}

std::string SeriesOf(std::string_view version) {
  size_t dots = 0, end = 0;
  while (end < version.size() && (IsDigit(version[end]) || (version[end] == '.' && ++dots < 2))) {
    ++end;
  }
  return std::string(version.substr(0, end));
}

}  // namespace mapspec

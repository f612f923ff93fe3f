// SPDX-License-Identifier: MIT
#include "runners/kernels/apt_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "runners/guest/initramfs.h"

namespace mapspec {
namespace {

void AddUri(std::string uri, AptMirrors* mirrors) {
  while (uri.ends_with('/')) uri.pop_back();
  const std::string_view last = std::string_view(uri).substr(uri.rfind('/') + 1);
  if (last == "debian-security" && mirrors->security.empty()) mirrors->security = uri;
  if (last == "debian" && mirrors->main.empty()) mirrors->main = uri;
}

// "deb [ … ] URI SUITE COMPONENT…"
void AddOneLine(std::string_view line, AptMirrors* mirrors) {
  std::istringstream words{std::string(line)};
  std::string word;
  if (!(words >> word) || word != "deb" || !(words >> word)) return;
  if (word.starts_with('[')) {
    while (!word.ends_with(']') && words >> word) {
    }
    if (!(words >> word)) return;
  }
  AddUri(word, mirrors);
}

// "URIs: URI…"
void AddField(std::string_view line, AptMirrors* mirrors) {
  constexpr std::string_view kField = "uris:";
  std::string name(line.substr(0, kField.size()));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name != kField) return;
  std::istringstream words{std::string(line.substr(kField.size()))};
  for (std::string word; words >> word;) AddUri(word, mirrors);
}

}  // namespace

void AddAptSources(std::string_view text, bool deb822, AptMirrors* mirrors) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    (deb822 ? AddField : AddOneLine)(line, mirrors);
  }
}

AptMirrors ReadAptMirrors() {
  namespace fs = std::filesystem;
  std::vector<fs::path> files = {"/etc/apt/sources.list"};
  std::error_code code;
  for (fs::directory_iterator at("/etc/apt/sources.list.d", code), end; !code && at != end;
       at.increment(code)) {
    files.push_back(at->path());
  }
  std::sort(files.begin() + 1, files.end());
  AptMirrors mirrors;
  for (const fs::path& file : files) {
    std::string text, error;
    const bool deb822 = file.extension() == ".sources";
    if (!deb822 && file.extension() != ".list") continue;
    if (ReadHostFile(file, &text, &error)) AddAptSources(text, deb822, &mirrors);
  }
  if (mirrors.security.empty() && !mirrors.main.empty()) {
    mirrors.security = mirrors.main + "-security";
  }
  return mirrors;
}

std::string SourcesFor(const AptMirrors& mirrors, const std::string& keyring) {
  std::string text;
  const auto add = [&](const std::string& mirror, const std::string& suite) {
    text += fmt::format("deb [arch=amd64 signed-by={}] {} {} main\n", keyring, mirror, suite);
  };
  for (const char* release : {"bullseye", "bookworm", "trixie", "forky"}) {
    for (const char* ending : {"", "-proposed-updates", "-backports"}) {
      add(mirrors.main, std::string(release) + ending);
    }
    add(mirrors.security, std::string(release) + "-security");
  }
  for (const char* suite : {"sid", "experimental"}) add(mirrors.main, suite);
  return text;
}

}  // namespace mapspec

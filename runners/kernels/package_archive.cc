// SPDX-License-Identifier: MIT
#include "runners/kernels/package_archive.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "runners/kernels/apt_sources.h"
#include "runners/kernels/subprocess.h"
#include "runners/signals.h"

namespace mapspec {
namespace {

namespace fs = std::filesystem;

// Of the package debian-archive-keyring.
std::string FindKeyring() {
  std::error_code code;
  for (const char* name : {"debian-archive-keyring.pgp", "debian-archive-keyring.gpg"}) {
    const fs::path path = fs::path("/usr/share/keyrings") / name;
    if (fs::exists(path, code)) return path;
  }
  return "";
}

// Hooks of the machine's own configuration have no business with ours.
std::string Configuration(const std::string& directory) {
  return fmt::format(
      "#clear APT::Update::Pre-Invoke;\n"
      "#clear APT::Update::Post-Invoke;\n"
      "#clear APT::Update::Post-Invoke-Success;\n"
      "#clear DPkg::Post-Invoke;\n"
      "#clear Acquire::IndexTargets;\n"
      "Acquire::IndexTargets::deb::Packages {{\n"
      "  MetaKey \"$(COMPONENT)/binary-$(ARCHITECTURE)/Packages\";\n"
      "  ShortDescription \"Packages\";\n"
      "  Description \"$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages\";\n"
      "}};\n"
      "Dir::State \"{0}/state\";\n"
      "Dir::State::lists \"lists/\";\n"
      "Dir::State::status \"{0}/status\";\n"
      "Dir::Cache \"{0}/cache\";\n"
      "Dir::Etc::sourcelist \"{0}/sources.list\";\n"
      "Dir::Etc::sourceparts \"/dev/null\";\n"
      "Dir::Etc::preferences \"/dev/null\";\n"
      "Dir::Etc::preferencesparts \"/dev/null\";\n"
      "APT::Architecture \"amd64\";\n"
      "APT::Architectures {{ \"amd64\"; }};\n"
      "APT::Sandbox::User \"root\";\n"
      "Acquire::Languages \"none\";\n"
      "Acquire::GzipIndexes \"true\";\n"
      "Acquire::Retries \"1\";\n"
      "Acquire::http::Timeout \"20\";\n"
      "Acquire::https::Timeout \"20\";\n",
      directory);
}

bool WriteText(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc);
  out << text;
  out.flush();
  return out.good();
}

}  // namespace

std::string AptTrouble(const std::string& output) {
  std::istringstream lines(output);
  std::string trouble;
  size_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    // A suite that the archive does not have is none.
    if (!line.starts_with("E: ") && !line.starts_with("W: ") && !line.starts_with("Err:")) continue;
    if (line.find("does not have a Release file") != std::string::npos) continue;
    if (line.starts_with("Err:")) {
      const size_t space = line.find(' ');
      std::string reason;
      std::getline(lines, reason);
      line = line.substr(space + 1) + ": " +
             reason.substr(std::min(reason.find_first_not_of(' '), reason.size()));
    } else {
      line = line.substr(3);
    }
    if (++count <= 2) trouble += (trouble.empty() ? "" : "; ") + line;
  }
  return trouble;
}

bool IsOutOfReach(std::string_view trouble) {
  const auto has = [&](std::string_view part) {
    return trouble.find(part) != std::string_view::npos;
  };
  for (const std::string_view damage :
       {"Hash Sum mismatch", "Hashes of", "unexpected size", "size mismatch", "ignature",
        "NO_PUBKEY", "EXPKEYSIG", "is not signed"}) {
    if (has(damage)) return false;
  }
  // As apt words them; what a server answers is followed by two spaces.
  for (const std::string_view absence :
       {"resolv", "onnection", "onnect to", "timed out", "unreachable", "Proxy", "proxy", "403  ",
        "404  ", "429  ", "500  ", "502  ", "503  ", "504  "}) {
    if (has(absence)) return true;
  }
  return false;
}

std::vector<std::string> PackageArchive::Apt(std::vector<std::string> words) const {
  words.insert(words.begin() + 1, {"-c", directory_ + "/apt.conf", "-q"});
  return words;
}

bool PackageArchive::WriteConfiguration(std::string* error) {
  const AptMirrors mirrors = ReadAptMirrors();
  if (mirrors.main.empty()) {
    *error =
        "apt knows no mirror of Debian here (no URI that ends with /debian in "
        "/etc/apt/sources.list "
        "or sources.list.d); kernels of your own: mapspec kernels run --image PATH";
    return false;
  }
  const std::string keyring = FindKeyring();
  if (keyring.empty()) {
    *error = "Debian's keys are missing: apt-get install debian-archive-keyring";
    return false;
  }
  std::error_code code;
  for (const char* part : {"state/lists/partial", "cache/archives/partial", "packages"}) {
    fs::create_directories(fs::path(directory_) / part, code);
  }
  if (WriteText(directory_ + "/apt.conf", Configuration(directory_)) &&
      WriteText(directory_ + "/sources.list", SourcesFor(mirrors, keyring)) &&
      WriteText(directory_ + "/status", "")) {
    return true;
  }
  *error = directory_ + ": cannot be written";
  return false;
}

bool PackageArchive::Update(std::string* error) {
  if (!WriteConfiguration(error)) return false;
  const ProgramResult result = RunProgram(Apt({"apt-get", "update"}));
  if (result.status == 127) {
    *error =
        "apt-get is not here: only Debian's archive is known; kernels of your own: mapspec "
        "kernels run --image PATH";
    return false;
  }
  if (StopFlag().load()) {
    *error = "interrupted";
    return false;
  }
  trouble_ = AptTrouble(result.output + result.errors);
  damaged_ = !trouble_.empty() && !IsOutOfReach(trouble_);
  // Suites that do not exist make apt fail, and what is kept from last time hides that nothing
  // came: what counts is whether any suite answered.
  if (result.output.find("Hit:") != std::string::npos ||
      result.output.find("Get:") != std::string::npos) {
    return true;
  }
  *error = fmt::format(
      "the package archive {}: {}", damaged_ ? "cannot be used" : "is out of reach",
      trouble_.empty() ? fmt::format("apt-get update ended with {}", result.status) : trouble_);
  return false;
}

std::vector<ArchiveKernel> PackageArchive::Kernels(std::string* error) {
  const ProgramResult all = RunProgram(Apt({"apt-cache", "pkgnames"}));
  std::vector<std::string> words = {"apt-cache", "madison"};
  std::istringstream names(all.output);
  for (std::string name; std::getline(names, name);) {
    if (IsKernelPackage(name)) words.push_back(name);
  }
  if (words.size() > 2) return KernelsIn(ParseMadison(RunProgram(Apt(words)).output));
  *error = "the package archive answers, and no list of it has a kernel";
  if (!trouble_.empty()) *error += ": " + trouble_;
  return {};
}

bool PackageArchive::DownloadOne(const std::string& package, const std::string& version,
                                 std::string* file, std::string* error) {
  const std::string place = directory_ + "/packages/" + package;
  std::error_code code;
  fs::remove_all(place, code);
  fs::create_directories(place, code);
  const ProgramResult result =
      RunProgram(Apt({"apt-get", "download", package + "=" + version}), place);
  for (fs::directory_iterator at(place, code), end; !code && at != end; at.increment(code)) {
    if (at->path().extension() == ".deb") *file = at->path();
  }
  if (result.status == 0 && !file->empty()) return true;
  const std::string trouble = AptTrouble(result.output + result.errors);
  damaged_ |= !StopFlag().load() && !IsOutOfReach(trouble);
  *error = package + ": " + trouble;
  return false;
}

bool PackageArchive::Download(const ArchiveKernel& kernel, std::vector<std::string>* files,
                              std::string* error) {
  files->clear();
  damaged_ = false;
  // An index may be newer or older than what lies beside it: then one of the others will do.
  for (const std::string& image : kernel.images) {
    std::string file;
    if (StopFlag().load() || !DownloadOne(image, kernel.version, &file, error)) continue;
    files->push_back(file);
    break;
  }
  if (files->empty()) return false;
  if (kernel.modules.empty()) return true;
  files->emplace_back();
  return DownloadOne(kernel.modules, kernel.version, &files->back(), error);
}

void PackageArchive::RemovePackages() {
  std::error_code code;
  fs::remove_all(directory_ + "/packages", code);
  // What apt makes of the lists, larger than they are.
  fs::remove_all(directory_ + "/cache", code);
}

}  // namespace mapspec

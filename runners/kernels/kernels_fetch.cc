// SPDX-License-Identifier: MIT
#include "runners/kernels/kernels_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "oracle/profile.h"
#include "runners/commands.h"
#include "runners/kernels/kernel_cache.h"
#include "runners/kernels/package_archive.h"
#include "runners/signals.h"

namespace mapspec {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// "5.10, 6.1, …, uml-6.1"
std::string KnownSeries(const std::vector<ArchiveKernel>& kernels) {
  std::vector<std::pair<std::string, GuestKind>> series;
  for (const ArchiveKernel& kernel : kernels) {
    const std::pair entry(SeriesOf(kernel.version), kernel.kind);
    if (std::find(series.begin(), series.end(), entry) == series.end()) series.push_back(entry);
  }
  std::sort(series.begin(), series.end(), [](const auto& a, const auto& b) {
    if (a.second != b.second) return a.second < b.second;
    return CompareVersions(a.first, b.first) < 0;
  });
  std::string text;
  for (const auto& [version, kind] : series) {
    text +=
        (text.empty() ? "" : ", ") + std::string(kind == GuestKind::kUml ? "uml-" : "") + version;
  }
  return text;
}

// Those that are wanted, the best one first: with modules before without, newer before older.
std::vector<ArchiveKernel> Candidates(const std::vector<ArchiveKernel>& kernels,
                                      const WantedKernel& wanted) {
  std::vector<ArchiveKernel> found;
  for (const ArchiveKernel& kernel : kernels) {
    if (IsWanted(wanted, kernel.kind, kernel.release, kernel.version)) found.push_back(kernel);
  }
  std::stable_partition(found.begin(), found.end(),
                        [](const ArchiveKernel& kernel) { return kernel.complete; });
  return found;
}

bool IsCached(const std::vector<CachedKernel>& cached, const ArchiveKernel& kernel) {
  return std::any_of(cached.begin(), cached.end(), [&](const CachedKernel& entry) {
    return entry.kind == kernel.kind && entry.version == kernel.version &&
           (kernel.release.empty() || entry.release == kernel.release);
  });
}

// Exit statuses of what cannot be fetched.
constexpr int kDamaged = 1, kUnreachable = 3;

// Damage is told whatever else went wrong.
int WorseOf(int a, int b) { return a == kDamaged || b == kDamaged ? kDamaged : std::max(a, b); }

// One attempt: 0 when the kernel is in the cache.
int FetchOne(const std::string& cache, const ArchiveKernel& kernel, PackageArchive* archive,
             std::string* error) {
  const Clock::time_point start = Clock::now();
  fmt::print("  {} from {}: downloading {}\n", kernel.version, kernel.suite, kernel.images[0]);
  std::fflush(stdout);
  std::vector<std::string> files;
  CachedKernel entry;
  if (!archive->Download(kernel, &files, error)) {
    return archive->damaged() ? kDamaged : kUnreachable;
  }
  fmt::print("  downloaded in {:.1f} s, unpacking\n", SecondsSince(start));
  std::fflush(stdout);
  if (!AddToCache(cache, kernel, files, &entry, error)) return kDamaged;
  fmt::print("  {}: {} in {}\n", entry.release, SizeText(entry.bytes), entry.directory);
  if (!kernel.complete) {
    fmt::print("  its modules are not in the archive any more: tests that need veth are skipped\n");
  }
  return 0;
}

int FetchWanted(const std::string& word, const std::string& cache,
                const std::vector<ArchiveKernel>& kernels, PackageArchive* archive) {
  const std::vector<ArchiveKernel> candidates = Candidates(kernels, ParseWanted(word));
  if (candidates.empty()) {
    return UsageError(
        fmt::format("no kernel {} in the archive; there are {}", word, KnownSeries(kernels)));
  }
  fmt::print("{}\n", word);
  std::string error;
  int status = 0;
  for (size_t i = 0; i < candidates.size() && i < 3 && !StopFlag().load(); ++i) {
    if (IsCached(CachedKernels(cache), candidates[i])) {
      fmt::print("  {} from {}: is there\n", candidates[i].version, candidates[i].suite);
      return 0;
    }
    const int its = FetchOne(cache, candidates[i], archive, &error);
    if (its == 0) return 0;
    status = WorseOf(status, its);
    fmt::print(stderr, "mapspec: {}\n", error);
  }
  return StopFlag().load() ? 130 : status;
}

// Where the archive cannot be asked, what is cached has to do.
int FetchOffline(const std::vector<std::string>& versions, const std::string& cache,
                 const std::string& error, int not_cached) {
  fmt::print(stderr, "mapspec: {}\n", error);
  int status = 0;
  for (const std::string& word : versions) {
    const auto cached = FindCached(CachedKernels(cache), ParseWanted(word));
    if (cached) {
      fmt::print("{}\n  {}: is in the cache\n", word, cached->release);
    } else {
      fmt::print(stderr, "mapspec: {} is not in the cache\n", word);
      status = not_cached;
    }
  }
  return status;
}

}  // namespace

std::string SizeText(unsigned long long bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

int ListKernels() {
  const std::string cache = KernelCacheDirectory();
  const std::vector<CachedKernel> cached = CachedKernels(cache);
  fmt::print("Profiles (a kernel is held to the newest one that is not newer than it is)\n  ");
  for (const Profile& profile : AllProfiles()) {
    if (profile.observed) fmt::print(" {}", profile.name);
  }
  fmt::print("\n\nCached in {}\n",
             cache.empty() ? "nothing: neither HOME nor XDG_CACHE_HOME is set" : cache);
  if (cached.empty()) fmt::print("  none: mapspec kernels fetch 6.1 6.12\n");
  for (const CachedKernel& kernel : cached) {
    fmt::print("  {:<32} {:<20} {:<20} {:>9}  profile {:<15} {}\n", kernel.Name(), kernel.version,
               kernel.suite, SizeText(kernel.bytes), ProfileForRelease(kernel.release).name,
               kernel.ImagePath());
  }
  return 0;
}

int FetchKernels(const std::vector<std::string>& versions) {
  const std::string cache = KernelCacheDirectory();
  if (cache.empty())
    return UsageError("neither HOME nor XDG_CACHE_HOME is set: no place to keep kernels");
  InstallStopSignals();
  PackageArchive archive(cache + "/.apt");
  fmt::print("Package lists: asking the archive\n");
  std::fflush(stdout);
  const Clock::time_point start = Clock::now();
  std::string error;
  std::vector<ArchiveKernel> kernels;
  if (archive.Update(&error)) kernels = archive.Kernels(&error);
  if (kernels.empty()) {
    return FetchOffline(versions, cache, error, archive.damaged() ? kDamaged : kUnreachable);
  }
  fmt::print("  {} kernels in {:.1f} s\n", kernels.size(), SecondsSince(start));
  int status = 0;
  for (const std::string& word : versions) {
    if (StopFlag().load()) return 130;
    status = WorseOf(status, FetchWanted(word, cache, kernels, &archive));
  }
  archive.RemovePackages();
  return status;
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
//
// `mapspec kernels`: kernels of several versions, from the distribution's archive or of one's own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <thread>

#include "runners/commands.h"
#include "runners/kernels/kernel_cache.h"
#include "runners/kernels/kernels_fetch.h"
#include "runners/run_command.h"

namespace mapspec {
namespace {

struct KernelsArguments {
  std::vector<std::string> versions, images;
};

std::string Selector(const CachedKernel& kernel) {
  return GuestSelector({kernel.kind, kernel.ImagePath(), kernel.release});
}

// What is to be booted, as selectors; 0, or 2 after saying what is wrong.
int Selectors(const KernelsArguments& wanted, std::vector<std::string>* selectors) {
  const std::vector<CachedKernel> cached = CachedKernels(KernelCacheDirectory());
  std::vector<std::string> names;
  for (const CachedKernel& kernel : cached) names.push_back(kernel.Name());
  for (const std::string& version : wanted.versions) {
    const auto kernel = FindCached(cached, ParseWanted(version));
    if (!kernel) {
      return UsageError(fmt::format("kernel {} is not in the cache{}; mapspec kernels fetch {}",
                                    version, DidYouMean(version, names), version));
    }
    selectors->push_back(Selector(*kernel));
  }
  for (const std::string& image : wanted.images) {
    selectors->push_back(ParseGuestSelector(image) ? image : "qemu:" + image);
  }
  if (selectors->empty()) {
    for (const CachedKernel& kernel : cached) selectors->push_back(Selector(kernel));
  }
  if (selectors->empty()) {
    return UsageError(
        "no kernel to run: name an --image, or fetch some: mapspec kernels fetch 6.1 6.12");
  }
  // A version and its series may be one kernel; the first of the two stays.
  std::vector<std::string> once;
  for (const std::string& selector : *selectors) {
    if (std::find(once.begin(), once.end(), selector) == once.end()) once.push_back(selector);
  }
  *selectors = std::move(once);
  return 0;
}

void AddList(CLI::App& kernels, int* status) {
  CLI::App* command = kernels.add_subcommand("list", "What is known, and what is in the cache");
  command->footer("Example\n  mapspec kernels list");
  command->callback([status] { *status = ListKernels(); });
}

void AddFetch(CLI::App& kernels, int* status) {
  CLI::App* command =
      kernels.add_subcommand("fetch", "Get kernels from the distribution's package archive");
  auto versions = std::make_shared<std::vector<std::string>>();
  command
      ->add_option("VERSION", *versions,
                   "6.1 (the newest of that series), 6.12.118, or a whole release; uml-6.1 and uml "
                   "for User-Mode Linux")
      ->required();
  command->footer(
      "Debian's cloud kernels for amd64 are found through apt, from the mirror that this machine's "
      "apt is set up\nfor, in whichever suite has them; apt verifies them. Nothing is installed; "
      "image and modules go to\n$XDG_CACHE_HOME/mapspec/kernels (~/.cache). No root is needed.\n\n"
      "Examples\n"
      "  mapspec kernels fetch 5.10 6.1 6.12 7.3\n"
      "  mapspec kernels fetch 6.12.118+deb13-cloud-amd64 uml-6.1\n\n"
      "Exit status: 0 all of them are there, 1 what came is damaged (a checksum or a signature "
      "that "
      "does not\nfit, a package that cannot be unpacked), 2 no such kernel, 3 the archive is out "
      "of "
      "reach.");
  command->callback([versions, status] { *status = FetchKernels(*versions); });
}

void AddRun(CLI::App& kernels, int* status) {
  CLI::App* command =
      kernels.add_subcommand("run", "Boot kernels and run the suite inside each of them");
  auto wanted = std::make_shared<KernelsArguments>();
  auto options = std::make_shared<RunArguments>();
  options->guests_at_once = std::max(1u, std::thread::hardware_concurrency() / 2);
  command->add_option("VERSION", wanted->versions,
                      "Kernels in the cache, as in `fetch`; default: all that are there");
  command
      ->add_option("--image", wanted->images,
                   "A kernel of your own (bzImage), or uml:PATH; may be given several times")
      ->allow_extra_args(false);
  command
      ->add_option("-j,--jobs", options->guests_at_once,
                   "Guests at the same time; each has two CPUs and 1 GiB of memory")
      ->check(CLI::Range(1u, 64u))
      ->capture_default_str();
  AddSuiteOptions(command, options);
  command->footer(
      "Each kernel is held to the profile of its version, unless --profile names another one.\n\n"
      "Examples\n"
      "  mapspec kernels run 5.10 6.1 6.12 --effort quick --json kernels.json\n"
      "  mapspec kernels run --image arch/x86/boot/bzImage 6.12 --filter 'hash.*'\n"
      "  mapspec kernels run --image uml:./linux --junit uml.xml\n\n"
      "Exit status: that of mapspec run; the worst kernel decides. What a console has to say "
      "against its kernel\n(a panic, an oops, a stall, a report of lockdep, KASAN, …) is a failed "
      "test console.*.");
  command->callback([wanted, options, status] {
    *status = Selectors(*wanted, &options->run.backends);
    if (*status == 0) *status = RunSuite(options.get());
  });
}

}  // namespace

void AddKernelsCommand(CLI::App& app, int* status) {
  CLI::App* command =
      app.add_subcommand("kernels", "Boot kernels of several versions and run inside them");
  command->require_subcommand(1);
  AddList(*command, status);
  AddFetch(*command, status);
  AddRun(*command, status);
  command->footer(
      "Examples\n"
      "  mapspec kernels fetch 5.10 6.1 6.12 && mapspec kernels run --effort quick\n"
      "  mapspec kernels list\n"
      "  mapspec kernels run --help");
}

}  // namespace mapspec

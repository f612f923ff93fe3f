// SPDX-License-Identifier: MIT
#include "runners/guest/guest_backend.h"

namespace mapspec {

bool ProbeGuest(BootImage* image, const GuestOptions& options, HelloMessage* hello,
                UnusableMessage* unusable) {
  *unusable = {};
  if (!InspectImage(image, &unusable->reason)) {
    unusable->usage = true;
    return false;
  }
  unusable->reason = WhyNoMachine(image->kind);
  if (!unusable->reason.empty()) return false;
  hello->environment = Environment();
  hello->environment.backend = GuestSelector(*image);
  hello->environment.kernel_release = image->release;
  hello->environment.possible_cpus = CpusOf(image->kind, options.machine);
  hello->default_profile = ProfileForRelease(image->release).name;
  return true;
}

BackendResults RunInGuest(const BootImage& image, const GuestOptions& guest, const Profile& profile,
                          const std::vector<PlannedTest>& plan, const RunOptions& options,
                          Progress* progress) {
  std::vector<std::unique_ptr<GuestRun>> runs;
  runs.push_back(std::make_unique<GuestRun>(image, guest, profile, plan, options, progress));
  RunGuests(runs, 1);
  return runs[0]->TakeResults();
}

}  // namespace mapspec

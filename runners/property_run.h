// SPDX-License-Identifier: MIT
//
// One property on one backend, as a test of a run; and the shrinking of a script that broke a
// clause. Thread-safety: as the backend's; no state.
#ifndef RUNNERS_PROPERTY_RUN_H_
#define RUNNERS_PROPERTY_RUN_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "backends/backend.h"
#include "oracle/profile.h"
#include "properties/property.h"
#include "runners/failure_report.h"
#include "runners/results.h"
#include "runners/run_plan.h"

namespace mapspec {

struct PropertyRun {
  TestResult result;
  std::optional<Violation> violation;
  std::map<std::string, uint64_t> coverage;
};

// `alive` is called now and then.
PropertyRun RunPropertyTest(const PlannedTest& test, const Profile& profile,
                            const RunOptions& options, Backend& backend,
                            const std::atomic<bool>& stop, const std::function<void()>& alive);

// The shortest script found, starting from the violation's, that still breaks the same clause on
// the backend; the violation itself when nothing shorter does.
Violation ShrinkViolation(const Violation& violation, const Profile& profile, Backend& backend,
                          const std::atomic<bool>& stop);

}  // namespace mapspec

#endif  // RUNNERS_PROPERTY_RUN_H_

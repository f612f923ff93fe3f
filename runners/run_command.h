// SPDX-License-Identifier: MIT
//
// What `mapspec run` and `mapspec kernels run` have in common: the same options, the same suite,
// the same reports. They differ in how backends are named, and in what is printed at the end.
#ifndef RUNNERS_RUN_COMMAND_H_
#define RUNNERS_RUN_COMMAND_H_

#include <memory>
#include <string>

#include "runners/guest/guest_run.h"
#include "runners/run_plan.h"

namespace CLI {
class App;
}

namespace mapspec {

struct RunArguments {
  RunOptions run;
  std::string filter, effort = "normal", shard = "1/1", seed, map_type;
  std::string deviations, write_deviations;
  std::string json, junit, html;
  bool ktap = false;
  GuestOptions guest;
  unsigned boot_timeout = 300;
  std::string accelerator = "auto";
  // Backends are kernels to compare: so many are booted at the same time, and a table is printed at
  // the end. 0: one backend after the other, and a verdict for each.
  unsigned guests_at_once = 0;
};

// The options that both commands have; their callbacks refer to *arguments.
void AddSuiteOptions(CLI::App* command, const std::shared_ptr<RunArguments>& arguments);
// Runs everything and writes every report. The exit status.
int RunSuite(RunArguments* arguments);

}  // namespace mapspec

#endif  // RUNNERS_RUN_COMMAND_H_

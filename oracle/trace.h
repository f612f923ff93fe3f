// SPDX-License-Identifier: MIT
//
// A trace: a script with its outcomes and the environment in which they came about. It is all the
// oracle gets to see, so everything a judgement depends on (page size, possible CPUs, the sysctl
// that lets ordinary users create maps) stands in its header.
#ifndef ORACLE_TRACE_H_
#define ORACLE_TRACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "oracle/operation.h"
#include "oracle/outcome.h"

namespace mapspec {

struct Environment {
  std::string backend;         // The selector as the user typed it: "kernel", "library:./x.so".
  std::string implementation;  // Who answered: "Linux 6.18.44", "usermaps 0.1".
  std::string kernel_release;  // uname -r where the kernel answered, else "".
  std::string machine;         // uname -m.
  uint32_t possible_cpus = 1;
  uint32_t page_size = 4096;
  uint32_t numa_nodes = 1;                 // Online nodes are 0 … numa_nodes - 1.
  uint32_t unprivileged_bpf_disabled = 2;  // kernel.unprivileged_bpf_disabled.
  friend bool operator==(const Environment&, const Environment&) = default;
};

// operations[i] had outcomes[i]. There may be fewer outcomes than operations: the backend died or
// was interrupted, and what follows was never executed.
struct Trace {
  std::string name;
  std::string profile;  // The profile it was recorded for; "" leaves the choice to the reader.
  Environment environment;
  std::vector<Operation> operations;
  std::vector<Outcome> outcomes;
  friend bool operator==(const Trace&, const Trace&) = default;
};

}  // namespace mapspec

#endif  // ORACLE_TRACE_H_

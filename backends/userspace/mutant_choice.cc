// SPDX-License-Identifier: MIT
//
// Part of libusermaps_mutant.so alone: the fault is chosen by the environment variable
// USERMAPS_MUTANT when the library is loaded (without one it has none), and a name that no fault
// has ends the process with one message and status 2, since a library that is not what was asked
// for must not answer.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "backends/userspace/usermaps.h"

namespace {

// Static initialisers run in the order of the link: the others have registered their faults.
[[gnu::constructor]] void Choose() {
  const char* name = std::getenv("USERMAPS_MUTANT");
  if (name == nullptr || usermaps_set_mutant(name) == 0) return;
  std::fprintf(stderr,
               "libusermaps_mutant.so: USERMAPS_MUTANT=%s names no mutant; mapspec-mutants --list "
               "prints them all\n",
               name);
  _exit(2);
}

}  // namespace

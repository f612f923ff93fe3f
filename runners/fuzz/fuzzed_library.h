// SPDX-License-Identifier: MIT
//
// The library under maps_fuzzer, in this process, with programs on the plain interpreter. Two files
// define it: own_library.cc (the userspace library, or its mutants) and linked_library.cc (whatever
// MAPSPEC_FUZZ_LIBRARY names).
#ifndef RUNNERS_FUZZ_FUZZED_LIBRARY_H_
#define RUNNERS_FUZZ_FUZZED_LIBRARY_H_

#include <memory>
#include <string>

#include "backends/backend.h"

namespace mapspec {

// nullptr after filling *error.
std::unique_ptr<Backend> MakeFuzzedLibrary(std::string* error);

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_FUZZED_LIBRARY_H_

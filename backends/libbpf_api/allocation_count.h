// SPDX-License-Identifier: MIT
//
// How often operator new was called, in test programs that link allocation_count.cc. Thread-safe.
#ifndef BACKENDS_LIBBPF_API_ALLOCATION_COUNT_H_
#define BACKENDS_LIBBPF_API_ALLOCATION_COUNT_H_

#include <cstdint>

namespace mapspec {

uint64_t AllocationCount();

}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_ALLOCATION_COUNT_H_

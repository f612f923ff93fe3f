// SPDX-License-Identifier: MIT
//
// Replaces the global operators new and delete by counting ones. In a file of its own: inlined into
// other code they look like mismatched pairs to the compiler.
#include "backends/libbpf_api/allocation_count.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
// A sanitizer has one of its own, whose memory must not come to the operators below.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace mapspec {

uint64_t AllocationCount() { return allocations.load(std::memory_order_relaxed); }

}  // namespace mapspec

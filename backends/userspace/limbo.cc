// SPDX-License-Identifier: MIT
#include "backends/userspace/limbo.h"

#include <cstdlib>
#include <mutex>
#include <utility>

#include "backends/userspace/epoch.h"

namespace usermaps {
namespace {

// Between two looks at what all threads are doing.
constexpr uint32_t kBlocksBetweenLooks = 64;

}  // namespace

Limbo::~Limbo() {
  FreeAll(open_);
  FreeAll(closed_);
}

void Limbo::FreeAll(Block* block) {
  while (block != nullptr) std::free(std::exchange(block, block->next));
}

void Limbo::Add(std::byte* memory) {
  auto* block = reinterpret_cast<Block*>(memory);
  Block* passed = nullptr;
  {
    std::lock_guard lock(lock_);
    block->next = open_;
    open_ = block;
    if (++open_count_ % kBlocksBetweenLooks != 0) return;
    if (closed_ != nullptr && !Epoch::ProgramsHavePassed(closed_in_)) return;
    passed = std::exchange(closed_, std::exchange(open_, nullptr));
    open_count_ = 0;
    closed_in_ = Epoch::Advance();
  }
  FreeAll(passed);
}

}  // namespace usermaps

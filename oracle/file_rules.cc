// SPDX-License-Identifier: MIT
//
// The operations on a map's descriptor as a file: mmap(2) with loads and stores through the
// mapping, and poll(2), read(2), write(2).
#include "oracle/checker_state.h"

namespace mapspec {
namespace {

using A = clause::array;
using G = clause::generic;
using Settled = Checker::State::Settled;

constexpr uint32_t kPollErr = 8;  // POLLERR.
// Lengths and offsets beyond this are refused for reasons of the address space, not of the map.
constexpr uint64_t kAddressable = uint64_t{1} << 40;

}  // namespace

void Checker::State::On(const Mmap& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const uint64_t page = environment.page_size;
  const auto expect = [&]() -> Expectation {
    if (op.length > kAddressable || op.offset > kAddressable) return Expectation::Anything();
    if (op.offset % page != 0) return Expectation::Fails(Errno::kEINVAL, G::mmap_bad_range);
    if (handle.kind == HandleState::Kind::kClosed) {
      return Expectation::Fails(Errno::kEBADF, G::mmap_bad_descriptor);
    }
    if (op.length == 0) return Expectation::Fails(Errno::kEINVAL, G::mmap_bad_range);
    if (map == nullptr) return Expectation::Anything();
    if (!handle.can_read || (!handle.can_write && op.shared && op.prot_write)) {
      return Expectation::Fails(Errno::kEACCES, G::mmap_descriptor_access);
    }
    auto* array = std::get_if<ArrayModel>(&map->model);
    if (array == nullptr || map->attributes.per_cpu()) {
      if (std::holds_alternative<std::monostate>(map->model)) return Expectation::Anything();
      return Expectation::Fails(Errno::kENOTSUPP, G::mmap_unsupported);
    }
    if (map->attributes.has_lock()) return Expectation::Fails(Errno::kENOTSUPP, A::mmap_spin_lock);
    if (!op.shared) return Expectation::Fails(Errno::kEINVAL, A::mmap_private);
    // The kernel takes a shared mapping of a descriptor that cannot write for a private one.
    if (!handle.can_write) return Expectation::Fails(Errno::kEINVAL, A::mmap_rdonly_descriptor);
    if (op.prot_write && map->frozen)
      return Expectation::Fails(Errno::kEPERM, A::mmap_after_freeze);
    if (op.prot_write && (map->attributes.map_flags & BPF_F_RDONLY_PROG) != 0) {
      return Expectation::Fails(Errno::kEACCES, A::mmap_read_only_for_programs);
    }
    if ((map->attributes.map_flags & BPF_F_MMAPABLE) == 0) {
      return Expectation::Fails(Errno::kEINVAL, A::mmap_not_mmapable);
    }
    if (op.offset + (op.length + page - 1) / page * page > array->mapped_size()) {
      return Expectation::Fails(Errno::kEINVAL, A::mmap_beyond_data);
    }
    return Expectation::Succeeds(A::mmap_shared)
        .Also(A::mmap_after_freeze_readable, map->frozen)
        .Also(A::mmap_read_only_for_programs, (map->attributes.map_flags & BPF_F_RDONLY_PROG) != 0);
  };
  const Expectation expected = expect();
  // A mapping of which nothing is promised says nothing of the map's elements unless it came about.
  Settle(expected, outcome, expected.anything && !outcome.ok() ? nullptr : map);
  if (outcome.completion == Completion::kNotRun) return;
  if (!outcome.ok() || map == nullptr) return world.FillView(op.result, std::nullopt);
  View view;
  view.mapped = true;
  view.map = handle.map;
  view.readable = op.prot_read || op.prot_write;
  view.writable = op.prot_write;
  view.offset = op.offset;
  view.length = op.length;
  world.FillView(op.result, view);
}

void Checker::State::On(const MemRead& op, const Outcome& outcome) {
  const View& view = world.ViewAt(op.view);
  MapState* map = view.mapped ? &world.map(view.map) : nullptr;
  const bool inside = view.mapped && view.readable && op.offset <= view.length &&
                      op.length <= view.length - op.offset;
  if (!inside) {
    Settle(Expectation::Fails(Errno::kEFAULT, G::call_returns), outcome, nullptr);
    return;
  }
  auto* array = std::get_if<ArrayModel>(&map->model);
  if (array == nullptr) return Unjudged(map);
  const Bytes wanted = array->Load(view.offset + op.offset, op.length);
  const Expectation expected =
      Expectation::SucceedsWith(A::mmap_shared, wanted).Also(A::mmap_layout);
  if (Settle(expected, outcome, map) == Settled::kSucceeded) CompareOutput(expected, outcome, map);
}

void Checker::State::On(const MemWrite& op, const Outcome& outcome) {
  const View& view = world.ViewAt(op.view);
  MapState* map = view.mapped ? &world.map(view.map) : nullptr;
  const bool inside = view.mapped && view.writable && op.offset <= view.length &&
                      op.bytes.size() <= view.length - op.offset;
  if (!inside) {
    Settle(Expectation::Fails(Errno::kEFAULT, G::call_returns), outcome, nullptr);
    return;
  }
  if (Settle(Expectation::Succeeds(A::mmap_shared), outcome, map) != Settled::kSucceeded) return;
  if (auto* array = std::get_if<ArrayModel>(&map->model))
    array->Store(view.offset + op.offset, op.bytes);
}

void Checker::State::On(const Munmap& op, const Outcome& outcome) {
  const bool mapped = world.ViewAt(op.view).mapped;
  Settle(mapped ? Expectation::Succeeds(G::call_returns)
                : Expectation::Fails(Errno::kEINVAL, G::call_returns),
         outcome, nullptr);
  if (outcome.ok()) world.FillView(op.view, std::nullopt);
}

void Checker::State::On(const Poll& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const bool modelled = map != nullptr && !std::holds_alternative<std::monostate>(map->model);
  if (handle.kind != HandleState::Kind::kClosed && !modelled) return Unjudged(nullptr);
  const bool open = handle.kind == HandleState::Kind::kMap;
  const ClauseId clause = open ? G::poll_pollerr : G::poll_pollerr;
  if (Settle(Expectation::Succeeds(clause), outcome, nullptr) != Settled::kSucceeded) return;
  const uint32_t wanted = open ? kPollErr : 0;
  const auto* events = std::get_if<uint32_t>(&outcome.output);
  if (events != nullptr && *events == wanted) return;
  Compare({clause, "revents " + std::to_string(wanted),
           events == nullptr ? "none" : "revents " + std::to_string(*events)},
          nullptr);
}

void Checker::State::On(const FdRead& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  if (handle.kind == HandleState::Kind::kOther) return Unjudged(nullptr);
  const bool readable = handle.kind == HandleState::Kind::kMap && handle.can_read;
  Settle(readable ? Expectation::Fails(Errno::kEINVAL, G::read_refused)
                  : Expectation::Fails(Errno::kEBADF, G::read_refused),
         outcome, nullptr);
}

void Checker::State::On(const FdWrite& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  if (handle.kind == HandleState::Kind::kOther) return Unjudged(nullptr);
  const bool writable = handle.kind == HandleState::Kind::kMap && handle.can_write;
  Settle(writable ? Expectation::Fails(Errno::kEINVAL, G::write_refused)
                  : Expectation::Fails(Errno::kEBADF, G::write_refused),
         outcome, nullptr);
}

}  // namespace mapspec

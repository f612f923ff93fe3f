// SPDX-License-Identifier: MIT
#include "properties/coverage.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "properties/cell_space.h"
#include "properties/flag_class.h"

namespace mapspec {

// Follows descriptors through one script: which type of map each slot holds.
struct CellFinder::Tracker {
  // The type on which a call acted, before Learn() of it.
  template <typename T>
  uint16_t TypeOf(const T& call) const {
    return Of(call);
  }
  // What follows from it for the slots.
  template <typename T>
  void Learn(const T&, const Outcome&) {}
  void Learn(const MapCreate& op, const Outcome& outcome) {
    Put(op.result, outcome.ok() ? DenseType(op.type) : uint8_t{0});
  }
  void Learn(const GetInfo& op, const Outcome& outcome) {
    if (outcome.ok() && op.map.slot < kMaxSlots) ids_[op.map.slot] = slots_[op.map.slot];
  }
  void Learn(const GetFdById& op, const Outcome& outcome) {
    Put(op.result, outcome.ok() ? static_cast<uint8_t>(Of(op)) : uint8_t{0});
  }
  void Learn(const ObjGet& op, const Outcome& outcome) {
    Put(op.result, outcome.ok() ? PinnedAt(op.path) : uint8_t{0});
  }
  void Learn(const Pin& op, const Outcome& outcome) {
    if (outcome.ok()) pins_.push_back({op.path, At(op.map)});
  }
  void Learn(const Unlink& op, const Outcome& outcome) {
    if (outcome.ok())
      std::erase_if(pins_, [&](const PinnedType& pin) { return pin.path == op.path; });
  }
  void Learn(const Close& op, const Outcome&) { Put(op.map, 0); }
  void Learn(const Mmap& op, const Outcome& outcome) {
    views_[op.result % kMaxSlots] = outcome.ok() ? At(op.map) : uint8_t{0};
  }
  void Learn(const Munmap& op, const Outcome&) { views_[op.view % kMaxSlots] = 0; }

 private:
  struct PinnedType {
    std::string_view path;
    uint8_t type;
  };

  uint8_t At(Handle handle) const {
    return handle.slot < kMaxSlots ? slots_[handle.slot] : uint8_t{0};
  }
  void Put(Handle handle, uint8_t type) {
    if (handle.slot < kMaxSlots) slots_[handle.slot] = type;
  }
  uint8_t PinnedAt(std::string_view path) const {
    for (const PinnedType& pin : pins_) {
      if (pin.path == path) return pin.type;
    }
    return 0;
  }

  template <typename T>
  uint16_t Of(const T& op) const {
    if constexpr (requires { op.map; }) {
      return At(op.map);
    } else {
      return 0;
    }
  }
  uint16_t Of(const MapCreate& op) const { return DenseType(op.type); }
  uint16_t Of(const GetFdById& op) const { return op.of.slot < kMaxSlots ? ids_[op.of.slot] : 0; }
  uint16_t Of(const GetNextId& op) const { return op.of.slot < kMaxSlots ? ids_[op.of.slot] : 0; }
  uint16_t Of(const ObjGet& op) const { return PinnedAt(op.path); }
  uint16_t Of(const Unlink& op) const { return PinnedAt(op.path); }
  uint16_t Of(const MemRead& op) const { return views_[op.view % kMaxSlots]; }
  uint16_t Of(const MemWrite& op) const { return views_[op.view % kMaxSlots]; }
  uint16_t Of(const Munmap& op) const { return views_[op.view % kMaxSlots]; }

  std::array<uint8_t, kMaxSlots> slots_{};
  std::array<uint8_t, kMaxSlots> ids_{};  // Of the map whose id GET_INFO last told for the slot.
  std::array<uint8_t, kMaxSlots> views_{};
  std::vector<PinnedType> pins_;
};

CellFinder::CellFinder() : tracker_(std::make_unique<Tracker>()) {}
CellFinder::~CellFinder() = default;
CellFinder::CellFinder(CellFinder&&) noexcept = default;
CellFinder& CellFinder::operator=(CellFinder&&) noexcept = default;

void CellFinder::Restart() { *tracker_ = Tracker(); }

Cell CellFinder::Next(const Operation& operation, const Outcome& outcome) {
  Cell cell{0, OperationNumber(operation.call), 0, OutcomeNumber(outcome)};
  std::visit(
      [&](const auto& call) {
        cell.type = tracker_->TypeOf(call);
        cell.flags = FlagClass(operation.caller, call);
        tracker_->Learn(call, outcome);
      },
      operation.call);
  return cell;
}

namespace {

size_t PlaceOf(const Cell& cell) {
  return ((size_t{cell.type} * kCellOperations + cell.operation) * kFlagClasses + cell.flags) *
             kCellOutcomes +
         cell.outcome;
}

template <typename Visit>
void ForEachCell(std::span<const Operation> operations, std::span<const Outcome> outcomes,
                 const Visit& visit) {
  CellFinder finder;
  const size_t size = std::min(operations.size(), outcomes.size());
  for (size_t i = 0; i < size; ++i) {
    if (outcomes[i].completion == Completion::kNotRun) continue;
    visit(i, finder.Next(operations[i], outcomes[i]));
  }
}

Cell CellAt(size_t place) {
  Cell cell;
  cell.outcome = static_cast<uint16_t>(place % kCellOutcomes);
  place /= kCellOutcomes;
  cell.flags = static_cast<uint16_t>(place % kFlagClasses);
  place /= kFlagClasses;
  cell.operation = static_cast<uint16_t>(place % kCellOperations);
  cell.type = static_cast<uint16_t>(place / kCellOperations);
  return cell;
}

size_t Places() { return CellTypes() * kCellOperations * kFlagClasses * kCellOutcomes; }

}  // namespace

std::map<std::string, Cell> CellsByName() {
  std::map<std::string, Cell> cells;
  for (size_t place = 0; place < Places(); ++place) {
    const Cell cell = CellAt(place);
    cells.try_emplace(CellName(cell), cell);
  }
  return cells;
}

std::vector<std::optional<Cell>> CellsOf(std::span<const Operation> operations,
                                         std::span<const Outcome> outcomes) {
  std::vector<std::optional<Cell>> cells(std::min(operations.size(), outcomes.size()));
  ForEachCell(operations, outcomes, [&](size_t i, const Cell& cell) { cells[i] = cell; });
  return cells;
}

Coverage::Coverage() : counts_(Places()) {}

void Coverage::Add(const Cell& cell, uint64_t count) {
  uint64_t& place = counts_[PlaceOf(cell)];
  cells_ += place == 0;
  place += count;
  operations_ += count;
}

void Coverage::Add(std::span<const Operation> operations, std::span<const Outcome> outcomes) {
  ForEachCell(operations, outcomes, [&](size_t, const Cell& cell) { Add(cell); });
}

void Coverage::Merge(const Coverage& other) {
  for (size_t i = 0; i < counts_.size(); ++i) {
    cells_ += counts_[i] == 0 && other.counts_[i] != 0;
    counts_[i] += other.counts_[i];
  }
  operations_ += other.operations_;
}

void Coverage::Clear() {
  std::fill(counts_.begin(), counts_.end(), 0);
  cells_ = operations_ = 0;
}

uint64_t Coverage::Count(const Cell& cell) const { return counts_[PlaceOf(cell)]; }

std::map<std::string, uint64_t> Coverage::Counts() const {
  std::map<std::string, uint64_t> named;
  for (size_t place = 0; place < counts_.size(); ++place) {
    if (counts_[place] != 0) named[CellName(CellAt(place))] += counts_[place];
  }
  return named;
}

}  // namespace mapspec

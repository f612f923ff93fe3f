// SPDX-License-Identifier: MIT
#include "properties/cell_space.h"

#include <array>
#include <span>
#include <string_view>

#include "properties/coverage.h"
#include "properties/map_kinds.h"

namespace mapspec {
namespace {

constexpr uint16_t kUnprivileged = kFlagClasses - 1;

constexpr std::string_view kElementClasses[] = {"BPF_ANY",
                                                "BPF_NOEXIST",
                                                "BPF_EXIST",
                                                "BPF_NOEXIST|BPF_EXIST",
                                                "BPF_F_LOCK",
                                                "BPF_F_LOCK|BPF_NOEXIST",
                                                "BPF_F_LOCK|BPF_EXIST",
                                                "BPF_F_LOCK|BPF_NOEXIST|BPF_EXIST",
                                                "cpu-flags",
                                                "other-low-bits",
                                                "high-bits",
                                                "batch-flags",
                                                "hold"};
constexpr std::string_view kCreateClasses[] = {"0",
                                               "BPF_F_NO_PREALLOC",
                                               "BPF_F_NUMA_NODE",
                                               "BPF_F_RDONLY",
                                               "BPF_F_WRONLY",
                                               "BPF_F_ZERO_SEED",
                                               "BPF_F_RDONLY_PROG",
                                               "BPF_F_WRONLY_PROG",
                                               "BPF_F_MMAPABLE",
                                               "BPF_F_INNER_MAP",
                                               "several",
                                               "other-bits",
                                               "btf"};
constexpr uint32_t kCreateFlags[] = {0,
                                     BPF_F_NO_PREALLOC,
                                     BPF_F_NUMA_NODE,
                                     BPF_F_RDONLY,
                                     BPF_F_WRONLY,
                                     BPF_F_ZERO_SEED,
                                     BPF_F_RDONLY_PROG,
                                     BPF_F_WRONLY_PROG,
                                     BPF_F_MMAPABLE,
                                     BPF_F_INNER_MAP};
constexpr std::string_view kAccessClasses[] = {"0", "BPF_F_RDONLY", "BPF_F_WRONLY",
                                               "BPF_F_RDONLY|BPF_F_WRONLY", "other-bits"};
constexpr std::string_view kKeyClasses[] = {"key", "key=NULL", "key=bad"};
constexpr std::string_view kMmapClasses[] = {
    "r",         "rw",       "private-r", "private-rw", "no-access", "w", "private-no-access",
    "private-w", "r-offset", "rw-offset"};
constexpr std::string_view kHelperLookupClasses[] = {"read", "store", "lock-read", "lock-store"};
constexpr std::string_view kHelperDeleteClasses[] = {"-", "hold"};
constexpr std::string_view kPercpuClasses[] = {"cpu-0", "cpu", "cpu-far"};
constexpr std::string_view kForEachClasses[] = {"0", "limit", "flags"};
constexpr std::string_view kSocketClasses[] = {"udp", "tcp", "xdp-bare", "xdp-unbound", "xdp"};
constexpr std::string_view kRedirectClasses[] = {"aborted", "drop", "pass", "tx", "other"};
constexpr std::string_view kNoClasses[] = {"-"};

uint16_t ElementClass(uint64_t flags) {
  if (flags < 8) return static_cast<uint16_t>(flags);
  if (flags >> 32 != 0) return 10;
  return (flags & ~uint64_t{BPF_F_CPU | BPF_F_ALL_CPUS | 7}) == 0 ? 8 : 9;
}

uint16_t AccessClass(uint32_t flags) {
  if (flags == 0) return 0;
  if (flags == BPF_F_RDONLY) return 1;
  if (flags == BPF_F_WRONLY) return 2;
  return flags == (BPF_F_RDONLY | BPF_F_WRONLY) ? 3 : 4;
}

uint16_t CreateClass(const MapCreate& op) {
  if (op.btf != kNoBtf) return 12;
  uint32_t known = 0;
  for (uint16_t i = 0; i < std::size(kCreateFlags); ++i) {
    if (op.map_flags == kCreateFlags[i]) return i;
    known |= kCreateFlags[i];
  }
  return (op.map_flags & ~known) == 0 ? 10 : 11;
}

constexpr uint16_t kHold = 12;  // Of kElementClasses.

// The action for a miss, and what is beyond it.
uint16_t RedirectClass(uint64_t flags) { return static_cast<uint16_t>(flags < 4 ? flags : 4); }

uint16_t KeyClass(const InBuffer& key) { return static_cast<uint16_t>(key.pointer); }

struct Classify {
  uint16_t operator()(const MapCreate& op) const { return CreateClass(op); }
  uint16_t operator()(const Lookup& op) const { return ElementClass(op.flags); }
  uint16_t operator()(const LookupAndDelete& op) const { return ElementClass(op.flags); }
  uint16_t operator()(const Update& op) const { return ElementClass(op.flags); }
  uint16_t operator()(const Delete& op) const { return KeyClass(op.key); }
  uint16_t operator()(const GetNextKey& op) const { return KeyClass(op.key); }
  uint16_t operator()(const LookupBatch& op) const {
    return op.flags != 0 ? 11 : ElementClass(op.elem_flags);
  }
  uint16_t operator()(const UpdateBatch& op) const {
    return op.flags != 0 ? 11 : ElementClass(op.elem_flags);
  }
  uint16_t operator()(const DeleteBatch& op) const {
    return op.flags != 0 ? 11 : ElementClass(op.elem_flags);
  }
  uint16_t operator()(const GetFdById& op) const { return AccessClass(op.open_flags); }
  uint16_t operator()(const Pin& op) const { return AccessClass(op.file_flags); }
  uint16_t operator()(const ObjGet& op) const { return AccessClass(op.file_flags); }
  uint16_t operator()(const HelperLookup& op) const {
    return static_cast<uint16_t>((op.store ? 1 : 0) + (op.lock ? 2 : 0));
  }
  uint16_t operator()(const HelperUpdate& op) const {
    return op.hold ? kHold : ElementClass(op.flags);
  }
  uint16_t operator()(const HelperDelete& op) const { return op.hold ? 1 : 0; }
  uint16_t operator()(const HelperPush& op) const { return ElementClass(op.flags); }
  uint16_t operator()(const HelperLookupPercpu& op) const {
    // More CPUs than any machine has; which of the others exist, the trace's header says.
    return op.of_cpu == 0 ? 0 : op.of_cpu < (1u << 16) ? 1 : 2;
  }
  uint16_t operator()(const HelperForEach& op) const {
    return op.flags != 0 ? 2 : op.limit != 0 ? 1 : 0;
  }
  uint16_t operator()(const SocketOpen& op) const { return static_cast<uint16_t>(op.kind); }
  uint16_t operator()(const SendFrames& op) const { return RedirectClass(op.flags); }
  uint16_t operator()(const HelperLookupInner& op) const { return op.store ? 1 : 0; }
  uint16_t operator()(const HelperRedirectMap& op) const { return RedirectClass(op.flags); }
  uint16_t operator()(const Mmap& op) const {
    if (op.offset != 0 && op.shared && op.prot_read) return op.prot_write ? 9 : 8;
    return static_cast<uint16_t>((op.prot_write ? 1 : 0) + (op.shared ? 0 : 2) +
                                 (op.prot_read ? 0 : 4));
  }
  template <typename T>
  uint16_t operator()(const T&) const {
    return 0;
  }
};

template <size_t I>
std::string_view WordOf() {
  return OperationName(Call(std::in_place_index<I>));
}

struct OperationRow {
  std::string_view name;
  std::span<const std::string_view> classes;
};

template <typename T>
std::span<const std::string_view> ClassesOf() {
  if constexpr (std::is_same_v<T, MapCreate>) {
    return kCreateClasses;
  } else if constexpr (std::is_same_v<T, Delete> || std::is_same_v<T, GetNextKey>) {
    return kKeyClasses;
  } else if constexpr (std::is_same_v<T, GetFdById> || std::is_same_v<T, Pin> ||
                       std::is_same_v<T, ObjGet>) {
    return kAccessClasses;
  } else if constexpr (std::is_same_v<T, Mmap>) {
    return kMmapClasses;
  } else if constexpr (std::is_same_v<T, HelperLookup>) {
    return kHelperLookupClasses;
  } else if constexpr (std::is_same_v<T, HelperDelete>) {
    return kHelperDeleteClasses;
  } else if constexpr (std::is_same_v<T, HelperLookupPercpu>) {
    return kPercpuClasses;
  } else if constexpr (std::is_same_v<T, HelperForEach>) {
    return kForEachClasses;
  } else if constexpr (std::is_same_v<T, HelperLookupInner>) {
    return std::span(kHelperLookupClasses).first(2);
  } else if constexpr (std::is_same_v<T, SocketOpen>) {
    return kSocketClasses;
  } else if constexpr (std::is_same_v<T, SendFrames> || std::is_same_v<T, HelperRedirectMap>) {
    return kRedirectClasses;
  } else if constexpr (std::is_same_v<T, Lookup> || std::is_same_v<T, LookupAndDelete> ||
                       std::is_same_v<T, Update> || std::is_same_v<T, LookupBatch> ||
                       std::is_same_v<T, UpdateBatch> || std::is_same_v<T, DeleteBatch> ||
                       std::is_same_v<T, HelperUpdate> || std::is_same_v<T, HelperPush>) {
    return kElementClasses;
  } else {
    return kNoClasses;
  }
}

const std::array<OperationRow, kCellOperations>& OperationRows() {
  static const auto rows = [] {
    std::array<OperationRow, kCellOperations> made;
    [&]<size_t... I>(std::index_sequence<I...>) {
      ((made[I] = {WordOf<I>(), ClassesOf<std::variant_alternative_t<I, Call>>()}), ...);
    }
    (std::make_index_sequence<std::variant_size_v<Call>>());
    LookupBatch taking;
    taking.and_delete = true;
    made.back() = {OperationName(Call(taking)), kElementClasses};
    return made;
  }();
  return rows;
}

constexpr Errno kErrnos[] = {
    Errno::kNone,   Errno::kEPERM,      Errno::kENOENT,    Errno::kEINTR,    Errno::kENXIO,
    Errno::kE2BIG,  Errno::kEBADF,      Errno::kEAGAIN,    Errno::kENOMEM,   Errno::kEACCES,
    Errno::kEFAULT, Errno::kEBUSY,      Errno::kEEXIST,    Errno::kENODEV,   Errno::kEINVAL,
    Errno::kEMFILE, Errno::kENOSPC,     Errno::kERANGE,    Errno::kEDEADLK,  Errno::kENOSYS,
    Errno::kEBADFD, Errno::kEOPNOTSUPP, Errno::kETIMEDOUT, Errno::kENOTSUPP, Errno::kENOTSOCK,
    Errno::kENOBUFS};
constexpr uint16_t kOtherErrno =
    kCellOutcomes - 5;  // Then one for each Completion that is not a return.
// With which BPF_PROG_LOAD refuses programs; they follow those of the calls.
constexpr Errno kLoadErrnos[] = {Errno::kEPERM,      Errno::kENOENT,  Errno::kE2BIG,
                                 Errno::kEBADF,      Errno::kENOMEM,  Errno::kEACCES,
                                 Errno::kEFAULT,     Errno::kEINVAL,  Errno::kENOSPC,
                                 Errno::kEOPNOTSUPP, Errno::kENOTSUPP};
static_assert(std::size(kErrnos) + std::size(kLoadErrnos) <= kOtherErrno);

// Errno value → number, for those below 1024.
constexpr auto kErrnoNumbers = [] {
  std::array<uint8_t, 1024> numbers{};
  for (uint8_t& number : numbers) number = kOtherErrno;
  for (size_t i = 0; i < std::size(kErrnos); ++i) {
    numbers[static_cast<size_t>(kErrnos[i])] = static_cast<uint8_t>(i);
  }
  return numbers;
}();

std::string OutcomeWord(uint16_t outcome) {
  if (outcome < std::size(kErrnos)) return ErrnoName(kErrnos[outcome]);
  if (outcome < std::size(kErrnos) + std::size(kLoadErrnos)) {
    return "refused-" + ErrnoName(kLoadErrnos[outcome - std::size(kErrnos)]);
  }
  if (outcome < kOtherErrno) return "none";  // Numbers that are to spare.
  static constexpr std::string_view kOthers[] = {"other-errno", "overran", "crashed", "hung",
                                                 "refused"};
  return std::string(kOthers[outcome - kOtherErrno]);
}

}  // namespace

uint8_t DenseType(MapType type) {
  const std::span<const MapKind> kinds = MapKinds();
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i].type == type) return static_cast<uint8_t>(i + 1);
  }
  return 0;
}

size_t CellTypes() { return MapKinds().size() + 1; }

uint16_t OperationNumber(const Call& call) {
  const auto* batch = std::get_if<LookupBatch>(&call);
  return batch != nullptr && batch->and_delete ? uint16_t{kCellOperations - 1}
                                               : static_cast<uint16_t>(call.index());
}

uint16_t FlagClass(const Operation& operation) {
  if (operation.caller == Caller::kUnprivileged) return kUnprivileged;
  return std::visit(Classify{}, operation.call);
}

uint16_t OutcomeNumber(const Outcome& outcome) {
  switch (outcome.completion) {
    case Completion::kReturned: {
      const auto error = static_cast<uint32_t>(outcome.error);
      return error < kErrnoNumbers.size() ? kErrnoNumbers[error] : kOtherErrno;
    }
    case Completion::kOverran:
      return kOtherErrno + 1;
    case Completion::kCrashed:
      return kOtherErrno + 2;
    case Completion::kHung:
      return kOtherErrno + 3;
    case Completion::kRefused:
      for (size_t i = 0; i < std::size(kLoadErrnos); ++i) {
        if (outcome.error == kLoadErrnos[i]) return static_cast<uint16_t>(std::size(kErrnos) + i);
      }
      return kOtherErrno + 4;
    case Completion::kNotRun:
      break;
  }
  return kOtherErrno;
}

std::string CellName(const Cell& cell) {
  const OperationRow& row = OperationRows()[cell.operation];
  std::string name(cell.type == 0 ? "NONE"
                                  : MapTypeName(MapKinds()[cell.type - 1u].type).substr(13));
  name += ' ';
  name += row.name;
  name += ' ';
  if (cell.flags == kUnprivileged) {
    name += "unprivileged";
  } else {
    name += cell.flags < row.classes.size() ? row.classes[cell.flags] : "-";
  }
  name += ' ';
  name += OutcomeWord(cell.outcome);
  return name;
}

}  // namespace mapspec

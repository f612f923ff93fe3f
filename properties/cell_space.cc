// SPDX-License-Identifier: MIT
#include "properties/cell_space.h"

#include <array>
#include <span>
#include <string_view>

#include "properties/coverage.h"
#include "properties/flag_class.h"
#include "properties/map_kinds.h"

namespace mapspec {
namespace {

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

// SPDX-License-Identifier: MIT
//
// A BPF program that calls one helper on one map, as instructions that the kernel and a VM both
// take: what differs between them (how a map is named in an instruction, what number a helper has)
// stands beside the instructions, for the engine to fill in. Made by helper_program.h.
//
// The subset: 64-bit ALU, loads and stores of 1, 2, 4 and 8 bytes, LDDW, calls, forward jumps; no
// 32-bit jumps, no loops; pointers given to helpers point into the control block or into the map,
// or to whole initialised 8-byte words of the stack.
//
// Arguments and results stand in the control block: the value of element 0 of an array map, whose
// memory the session shares with the program (control_block.h says how it is laid out).
// Ownership: plain values. Thread-safety: that of plain values. Units: sizes in bytes.
// Source: Documentation/bpf/standardization/instruction-set.rst; uapi/linux/bpf.h.
#ifndef BACKENDS_PROGRAM_PROGRAM_H_
#define BACKENDS_PROGRAM_PROGRAM_H_

#include <linux/bpf.h>

#include <cstdint>
#include <string>
#include <vector>

#include "oracle/uapi.h"

namespace mapspec {

// Helpers by the number that the uapi gives them (enum bpf_func_id).
enum class HelperId : int32_t {
  kMapLookupElem = 1,
  kMapUpdateElem = 2,
  kMapDeleteElem = 3,
  kMapPushElem = 87,
  kMapPopElem = 88,
  kMapPeekElem = 89,
  kSpinLock = 93,
  kSpinUnlock = 94,
  kForEachMapElem = 164,
  kMapLookupPercpuElem = 195,
};

// What of a map the instructions depend on.
struct MapShape {
  MapType type = MapType::UNSPEC;
  uint32_t key_size = 0;
  uint32_t value_size = 0;   // As given to BPF_MAP_CREATE.
  int32_t lock_offset = -1;  // Of the struct bpf_spin_lock in the value; -1: there is none.
  uint32_t access = 0;       // BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG.
  // Of a map of maps: of the map that it was created with. UNSPEC: there is none, or not known.
  MapType inner_type = MapType::UNSPEC;
  uint32_t inner_key_size = 0;
  uint32_t inner_value_size = 0;
  int32_t inner_lock_offset = -1;
  uint32_t inner_access = 0;

  void SetInner(const MapShape& inner) {
    inner_type = inner.type;
    inner_key_size = inner.key_size;
    inner_value_size = inner.value_size;
    inner_lock_offset = inner.lock_offset;
    inner_access = inner.access;
  }
  MapShape Inner() const {
    MapShape inner;
    inner.type = inner_type;
    inner.key_size = inner_key_size;
    inner.value_size = inner_value_size;
    inner.lock_offset = inner_lock_offset;
    inner.access = inner_access;
    return inner;
  }
  friend bool operator==(const MapShape&, const MapShape&) = default;
};

// What the records of a control block have room for (control_block.h).
enum class RecordForm : uint8_t {
  kElement,  // An element of the subject.
  kWalk,     // Notes of many of them.
  kInner,    // An element of a map that is in the subject.
};

// Which map an instruction names.
enum class MapRole : uint8_t {
  kSubject,  // The map under test.
  kInner,    // The map that a lookup in the subject gave; no instruction names it.
  kControl,  // The array that holds the control block.
};

// An LDDW whose immediate stands for a map.
struct MapReference {
  uint32_t instruction = 0;  // Index of its first half.
  MapRole role = MapRole::kSubject;
};

// A call whose immediate stands for a helper.
struct HelperCallSite {
  uint32_t instruction = 0;
  HelperId helper = HelperId::kMapLookupElem;
  MapRole map = MapRole::kSubject;  // The map that is its first argument, or holds the lock.
};

struct Program {
  std::vector<bpf_insn> instructions;
  std::vector<MapReference> maps;
  std::vector<HelperCallSite> calls;
  // First instruction of the callback of bpf_for_each_map_elem(); 0: there is none.
  uint32_t callback = 0;
  // The LDDW that loads the callback's address (BPF_PSEUDO_FUNC); meaningless without one.
  uint32_t callback_reference = 0;
  MapShape subject;
  RecordForm form = RecordForm::kElement;
  // The control block: what the program needs of the control map's value, at least, and how many
  // records of what size stand in it (control_block.h).
  uint32_t control_size = 0;
  uint32_t record_stride = 0;
  uint32_t record_count = 0;
};

}  // namespace mapspec

#endif  // BACKENDS_PROGRAM_PROGRAM_H_

// SPDX-License-Identifier: MIT
//
// The control block: memory that a program and its session share (ProgramEngine's ControlMap).
// A header, and then records of equal size, one for each call; every run of the program takes the
// next record, so that one BPF_PROG_TEST_RUN with `repeat` makes many calls. A record is
//
//   ControlRecord | key | key of the inner map | value | output | guard
//
// each part from a multiple of eight bytes on; only where an inner map is looked up in is there a
// key of it, and value and output are those of its element. Helpers are given pointers into the record, which
// makes keys and values of any size possible. The output is poisoned and so is the guard behind
// it: a helper that writes too much is seen. The output of bpf_for_each_map_elem() is a row of
// notes, each the key and then the value of an element, both padded to eight bytes.
//
// Pure. Units: bytes; offsets in a record unless said otherwise. Errors: sizes above kMaxKey or
// kMaxValue have no layout; ask first.
#ifndef BACKENDS_PROGRAM_CONTROL_BLOCK_H_
#define BACKENDS_PROGRAM_CONTROL_BLOCK_H_

#include <cstdint>
#include <span>

#include "backends/program/program.h"

namespace mapspec {

struct ControlHeader {
  uint64_t next = 0;  // Index of the record that the next run takes.
};

// Words as both sides read them.
struct ControlRecord {
  uint64_t action = 0;    // HelperAction, for programs that can do several.
  uint64_t flags = 0;     // Argument of the helper.
  uint64_t argument = 0;  // The CPU of a lookup, the limit of a walk.
  int64_t result = 0;     // What the helper returned; of lookups 1 for a pointer and 0 for NULL.
  uint64_t visited = 0;   // Calls of the callback.
  uint64_t done = 0;      // 1 when the run came to its end.
};

struct ControlLayout {
  uint32_t key = 0, inner_key = 0, value = 0, output = 0;
  uint32_t output_size = 0;
  uint32_t note_stride = 0, note_count = 0;  // Of a walk: size of a note, and room for how many.
  uint32_t stride = 0;                       // Of the records.
  uint32_t records = 0;
  uint32_t control_size = 0;  // Header and records.

  // The record's place in the control block.
  uint32_t OffsetOf(uint32_t record) const {
    return static_cast<uint32_t>(sizeof(ControlHeader)) + record * stride;
  }
};

inline constexpr uint32_t kMaxKey = 64 << 10;
inline constexpr uint32_t kMaxValue = 64 << 10;
inline constexpr uint32_t kGuardSize = 32;
// Control blocks have this size, unless one record needs more.
inline constexpr uint32_t kUsualControlSize = 64 << 10;
inline constexpr uint32_t kMaxRecords = 128;
// Room for notes; large elements are noted only as far as they fit.
inline constexpr uint32_t kMaxNotesSize = 1 << 20;

ControlLayout LayOut(const MapShape& shape, RecordForm form);

constexpr uint32_t RoundUpTo8(uint32_t size) { return (size + 7) & ~uint32_t{7}; }

// Poisons the output of a record and its guard; whether the guard is still as it was laid.
void PoisonOutput(const ControlLayout& layout, uint8_t* record);
bool GuardIntact(const ControlLayout& layout, const uint8_t* record);

}  // namespace mapspec

#endif  // BACKENDS_PROGRAM_CONTROL_BLOCK_H_

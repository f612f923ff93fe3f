// SPDX-License-Identifier: MIT
#include "backends/program/control_block.h"

#include <algorithm>
#include <bit>

#include "backends/libbpf_api/guarded_buffer.h"
#include "oracle/bytes.h"
#include "oracle/operation.h"

namespace mapspec {
namespace {

// From the end of the output to the end of the record.
uint32_t GuardBytes(const ControlLayout& layout) {
  return layout.stride - layout.output - layout.output_size;
}

}  // namespace

ControlLayout LayOut(const MapShape& shape, RecordForm form) {
  const bool walk = form == RecordForm::kWalk;
  const bool inner = form == RecordForm::kInner;
  const uint32_t value_size = inner ? shape.inner_value_size : shape.value_size;
  ControlLayout layout;
  layout.key = sizeof(ControlRecord);
  layout.inner_key = layout.key + RoundUpTo8(shape.key_size);
  layout.value = layout.inner_key + (inner ? RoundUpTo8(shape.inner_key_size) : 0);
  layout.output = layout.value + RoundUpTo8(value_size);
  layout.output_size = value_size;
  if (walk) {
    layout.note_stride = std::max(8u, RoundUpTo8(shape.key_size) + RoundUpTo8(shape.value_size));
    layout.note_count = std::min(kMaxForEachNoted, kMaxNotesSize / layout.note_stride);
    layout.output_size = layout.note_stride * layout.note_count;
  }
  layout.stride = layout.output + RoundUpTo8(layout.output_size) + kGuardSize;
  constexpr auto kRoom = kUsualControlSize - static_cast<uint32_t>(sizeof(ControlHeader));
  // A power of two, so that a mask bounds an index (helper_program.cc).
  layout.records = walk ? 1 : std::bit_floor(std::clamp(kRoom / layout.stride, 1u, kMaxRecords));
  layout.control_size = layout.OffsetOf(layout.records);
  return layout;
}

void PoisonOutput(const ControlLayout& layout, uint8_t* record) {
  FillPoison(record + layout.output, layout.output_size + GuardBytes(layout));
}

bool GuardIntact(const ControlLayout& layout, const uint8_t* record) {
  const uint8_t* output = record + layout.output;
  for (uint32_t i = 0; i < GuardBytes(layout); ++i) {
    if (output[layout.output_size + i] != PoisonByte(layout.output_size + i)) return false;
  }
  return true;
}

}  // namespace mapspec

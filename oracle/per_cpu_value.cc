// SPDX-License-Identifier: MIT
#include "oracle/per_cpu_value.h"

#include <algorithm>
#include <cstring>

namespace mapspec {

void PutOfCpu(const MapAttributes& map, uint32_t cpu, const Bytes& slot, Bytes* value) {
  std::memcpy(value->data() + PerCpuStride(map.value_size) * cpu, slot.data(), map.value_size);
}

void CopyPadding(const MapAttributes& map, const Bytes& from, Bytes* to) {
  const uint64_t stride = PerCpuStride(map.value_size);
  const uint64_t end = std::min(from.size(), to->size());
  for (uint64_t at = 0; at + stride <= end; at += stride) {
    std::memcpy(to->data() + at + map.value_size, from.data() + at + map.value_size,
                stride - map.value_size);
  }
}

void ClearPadding(const MapAttributes& map, Bytes* value) {
  if (HasPadding(map)) CopyPadding(map, Bytes(value->size()), value);
}

bool OnlyPaddingDiffers(const MapAttributes& map, const Bytes& a, const Bytes& b) {
  if (!HasPadding(map) || a.size() != b.size() || a == b) return false;
  Bytes padded = a;
  CopyPadding(map, b, &padded);
  return padded == b;
}

void OpenBytes::Open(uint32_t element, const MapAttributes& map, uint64_t offset, uint64_t length) {
  Bytes& mask = open_[element];
  if (mask.empty()) mask = Bytes(map.buffer_size());
  std::memset(mask.data() + offset, 1, length);
}

void OpenBytes::OpenPadding(uint32_t element, const MapAttributes& map, uint32_t cpu) {
  if (!HasPadding(map)) return;
  const uint64_t stride = PerCpuStride(map.value_size);
  Open(element, map, stride * cpu + map.value_size, stride - map.value_size);
}

void OpenBytes::Learn(uint32_t element, uint64_t offset, const Bytes& got, Bytes* value) {
  const auto found = open_.find(element);
  if (found == open_.end()) return;
  Bytes& mask = found->second;
  for (uint64_t i = 0; i < got.size() && offset + i < mask.size(); ++i) {
    if (mask[offset + i] == 0) continue;
    (*value)[offset + i] = got[i];
    mask[offset + i] = 0;
  }
  if (std::find(mask.begin(), mask.end(), 1) == mask.end()) open_.erase(found);
}

}  // namespace mapspec

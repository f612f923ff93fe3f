// SPDX-License-Identifier: MIT
#include "backends/vm/vm_faults.h"

#include <sched.h>

#include <algorithm>
#include <cstring>

#include "oracle/inner_map.h"

namespace mapspec {
namespace {

using enum HelperId;
using U = uint64_t;

template <HelperId kHelper>
U Real(U a, U b, U c, U d, U e) {
  return VmHelper(kHelper)(a, b, c, d, e);
}

// ---- Arguments: (map, key, value, flags), (map, key), (map, value, flags), (map, value).

U UpdateWithoutFlags(U map, U key, U value, U, U e) {
  return Real<kMapUpdateElem>(map, key, value, 0, e);
}
U PushWithoutFlags(U map, U value, U, U d, U e) { return Real<kMapPushElem>(map, value, 0, d, e); }
U UpdateWithNarrowFlags(U map, U key, U value, U flags, U e) {
  return Real<kMapUpdateElem>(map, key, value, flags & UINT32_MAX, e);
}
U PushWithNarrowFlags(U map, U value, U flags, U d, U e) {
  return Real<kMapPushElem>(map, value, flags & UINT32_MAX, d, e);
}
// Records are padded: behind a key or a value there is memory.
template <HelperId kHelper>
U SecondOneOff(U a, U b, U c, U d, U e) {
  return Real<kHelper>(a, b + 1, c, d, e);
}
U UpdateValueOneOff(U map, U key, U value, U flags, U e) {
  return Real<kMapUpdateElem>(map, key, value + 1, flags, e);
}

// ---- Results

template <HelperId kHelper>
U Narrow(U a, U b, U c, U d, U e) {
  return Real<kHelper>(a, b, c, d, e) & UINT32_MAX;
}
template <HelperId kHelper>
U Zero(U a, U b, U c, U d, U e) {
  Real<kHelper>(a, b, c, d, e);
  return 0;
}

// ---- Which element

// The key with another first byte.
class OtherKey {
 public:
  OtherKey(U map, U key) : bytes_(VmShape(map).key_size) {
    std::memcpy(bytes_.data(), reinterpret_cast<const void*>(key), bytes_.size());
    bytes_[0] ^= 1;
  }
  U address() const { return reinterpret_cast<U>(bytes_.data()); }

 private:
  std::vector<uint8_t> bytes_;
};
U InnerMapOfOtherKey(U map, U key, U c, U d, U e) {
  if (!IsMapOfMaps(VmShape(map).type)) return Real<kMapLookupElem>(map, key, c, d, e);
  return Real<kMapLookupElem>(map, OtherKey(map, key).address(), c, d, e);
}
U InnerElementOfOtherKey(U map, U key, U c, U d, U e) {
  if (!VmIsInner(map)) return Real<kMapLookupElem>(map, key, c, d, e);
  return Real<kMapLookupElem>(map, OtherKey(map, key).address(), c, d, e);
}
U LookupOfOtherCpu(U map, U key, U c, U d, U e) {
  if (!IsPerCpu(VmShape(map).type)) return Real<kMapLookupElem>(map, key, c, d, e);
  return Real<kMapLookupPercpuElem>(map, key, sched_getcpu() == 0 ? 1 : 0, d, e);
}
U LookupPercpuOfNextCpu(U map, U key, U cpu, U d, U e) {
  return Real<kMapLookupPercpuElem>(map, key, cpu + 1, d, e);
}

// ---- Memory

U LookupNothing(U, U, U, U, U) { return 0; }
U LookupCopy(U map, U key, U c, U d, U e) {
  const U value = Real<kMapLookupElem>(map, key, c, d, e);
  if (value == 0 || IsMapOfMaps(VmShape(map).type)) return value;
  size_t size = 0;
  void* const copy = VmScratch(map, &size);
  std::memcpy(copy, reinterpret_cast<const void*>(value), size);
  return reinterpret_cast<U>(copy);
}
template <HelperId kHelper>
U ToNowhere(U map, U, U c, U d, U e) {
  size_t size = 0;
  return Real<kHelper>(map, reinterpret_cast<U>(VmScratch(map, &size)), c, d, e);
}

// ---- Calls

template <HelperId kHelper>
U Twice(U a, U b, U c, U d, U e) {
  Real<kHelper>(a, b, c, d, e);
  return Real<kHelper>(a, b, c, d, e);
}
U Crash(U, U, U, U, U) { __builtin_trap(); }

}  // namespace

const std::vector<VmFault>& VmFaults() {
  static const std::vector<VmFault> faults = {
      {"drops-flags",
       "the flags argument is always 0",
       {{kMapUpdateElem, &UpdateWithoutFlags}, {kMapPushElem, &PushWithoutFlags}}},
      {"narrow-flags",
       "the flags argument has 32 bits",
       {{kMapUpdateElem, &UpdateWithNarrowFlags}, {kMapPushElem, &PushWithNarrowFlags}}},
      {"narrow-result",
       "a result has 32 bits",
       {{kMapUpdateElem, &Narrow<kMapUpdateElem>},
        {kMapDeleteElem, &Narrow<kMapDeleteElem>},
        {kMapPushElem, &Narrow<kMapPushElem>},
        {kMapPopElem, &Narrow<kMapPopElem>},
        {kMapPeekElem, &Narrow<kMapPeekElem>}}},
      {"no-result",
       "a result is always 0",
       {{kMapUpdateElem, &Zero<kMapUpdateElem>},
        {kMapDeleteElem, &Zero<kMapDeleteElem>},
        {kMapPushElem, &Zero<kMapPushElem>},
        {kMapPopElem, &Zero<kMapPopElem>},
        {kMapPeekElem, &Zero<kMapPeekElem>}}},
      {"copies-value",
       "a lookup gives a copy instead of the map's memory",
       {{kMapLookupElem, &LookupCopy}}},
      {"finds-nothing", "a lookup gives NULL", {{kMapLookupElem, &LookupNothing}}},
      {"key-one-off",
       "the pointer to the key is one byte too high",
       {{kMapLookupElem, &SecondOneOff<kMapLookupElem>},
        {kMapUpdateElem, &SecondOneOff<kMapUpdateElem>},
        {kMapDeleteElem, &SecondOneOff<kMapDeleteElem>}}},
      {"inner-map-of-other-key",
       "a lookup in a map of maps gives the map at another key",
       {{kMapLookupElem, &InnerMapOfOtherKey}}},
      {"inner-element-of-other-key",
       "a lookup in an inner map gives the element at another key",
       {{kMapLookupElem, &InnerElementOfOtherKey}}},
      {"value-of-other-cpu",
       "a lookup in a per-CPU map gives another CPU's value",
       {{kMapLookupElem, &LookupOfOtherCpu}}},
      {"cpu-one-off",
       "the CPU of a lookup is one too high",
       {{kMapLookupPercpuElem, &LookupPercpuOfNextCpu}}},
      {"value-one-off",
       "the pointer to the value is one byte too high",
       {{kMapUpdateElem, &UpdateValueOneOff}, {kMapPushElem, &SecondOneOff<kMapPushElem>}}},
      {"loses-output",
       "what a pop or a peek writes does not arrive",
       {{kMapPopElem, &ToNowhere<kMapPopElem>}, {kMapPeekElem, &ToNowhere<kMapPeekElem>}}},
      {"calls-twice",
       "update, delete and push are called twice",
       {{kMapUpdateElem, &Twice<kMapUpdateElem>},
        {kMapDeleteElem, &Twice<kMapDeleteElem>},
        {kMapPushElem, &Twice<kMapPushElem>}}},
      {"crashes",
       "an update or a push kills the process",
       {{kMapUpdateElem, &Crash}, {kMapPushElem, &Crash}}},
  };
  return faults;
}

const VmFault* FindVmFault(std::string_view name) {
  const auto& faults = VmFaults();
  const auto found = std::find_if(faults.begin(), faults.end(),
                                  [name](const VmFault& fault) { return fault.name == name; });
  return found == faults.end() ? nullptr : &*found;
}

}  // namespace mapspec

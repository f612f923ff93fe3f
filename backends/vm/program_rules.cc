// SPDX-License-Identifier: MIT
#include "backends/vm/program_rules.h"

#include <bitset>
#include <vector>

#include "oracle/inner_map.h"

namespace mapspec {
namespace {

bool TypeHas(MapType type, HelperId helper) {
  const bool is_queue = type == MapType::QUEUE || type == MapType::STACK;
  const bool has_elements = type == MapType::HASH || type == MapType::ARRAY ||
                            type == MapType::LRU_HASH || IsPerCpu(type);
  switch (helper) {
    case HelperId::kMapPushElem:
    case HelperId::kMapPopElem:
    case HelperId::kMapPeekElem:
      return is_queue;
    case HelperId::kMapLookupElem:
      return has_elements || IsMapOfMaps(type);
    case HelperId::kMapUpdateElem:
    case HelperId::kMapDeleteElem:
    case HelperId::kForEachMapElem:
      return has_elements;
    case HelperId::kMapLookupPercpuElem:
      return IsPerCpu(type);
    case HelperId::kSpinLock:
    case HelperId::kSpinUnlock:
      return true;  // Whether the value has a lock, its shape says.
  }
  return false;
}

bool Changes(HelperId helper) {
  return helper == HelperId::kMapUpdateElem || helper == HelperId::kMapDeleteElem ||
         helper == HelperId::kMapPushElem || helper == HelperId::kMapPopElem;
}

struct ValueUse {
  bool read = false;
  bool written = false;
};

// Which registers point into a value of the map.
using Registers = std::bitset<16>;

// What an instruction makes of them.
void Step(const Program& program, MapRole map, uint32_t index, Registers* to_value) {
  const bpf_insn& in = program.instructions[index];
  switch (BPF_CLASS(in.code)) {
    case BPF_LD:
    case BPF_LDX:
      to_value->reset(in.dst_reg);
      return;
    case BPF_ALU64:
      if (BPF_OP(in.code) != BPF_MOV) return;
      (*to_value)[in.dst_reg] = BPF_SRC(in.code) == BPF_X && (*to_value)[in.src_reg];
      return;
    default:
      break;
  }
  if (in.code != (BPF_JMP | BPF_CALL)) return;
  for (size_t r = BPF_REG_0; r <= BPF_REG_5; ++r) to_value->reset(r);
  for (const HelperCallSite& site : program.calls) {
    const bool lookup =
        site.helper == HelperId::kMapLookupElem || site.helper == HelperId::kMapLookupPercpuElem;
    if (site.instruction == index && site.map == map && lookup) to_value->set(BPF_REG_0);
  }
}

// What the program does to values of the map through pointers. Jumps go forward, so one pass sees
// every way to an instruction before the instruction itself.
ValueUse UseOfValues(const Program& program, MapRole map) {
  ValueUse use;
  const size_t size = program.instructions.size();
  std::vector<Registers> at(size + 1);  // Joined over all ways there.
  if (program.callback != 0) at[program.callback].set(BPF_REG_3);
  for (uint32_t i = 0; i < size; ++i) {
    const bpf_insn& in = program.instructions[i];
    const uint8_t kind = BPF_CLASS(in.code);
    Registers to_value = at[i];
    if (kind == BPF_LDX) use.read |= to_value[in.src_reg];
    if (kind == BPF_ST || kind == BPF_STX) use.written |= to_value[in.dst_reg];
    Step(program, map, i, &to_value);
    if (in.code == (BPF_JMP | BPF_EXIT)) continue;
    const bool jumps = kind == BPF_JMP && BPF_OP(in.code) != BPF_CALL;
    if (jumps) at[i + 1 + static_cast<uint32_t>(in.off)] |= to_value;
    if (in.code == (BPF_JMP | BPF_JA)) continue;
    if (kind == BPF_LD) ++i;  // The second half.
    at[i + 1] |= to_value;
  }
  return use;
}

std::string WhyRefusesInner(const Program& program) {
  if (!IsMapOfMaps(program.subject.type)) return "a lookup in what is no map";
  const MapShape inner = program.subject.Inner();
  for (const HelperCallSite& site : program.calls) {
    if (site.map == MapRole::kInner && !TypeHas(inner.type, site.helper)) {
      return HelperName(site.helper) + " on an inner map of type " + MapTypeName(inner.type);
    }
  }
  const ValueUse use = UseOfValues(program, MapRole::kInner);
  if (use.written && (inner.access & BPF_F_RDONLY_PROG) != 0) {
    return "a store to a value of an inner map with BPF_F_RDONLY_PROG";
  }
  if (use.read && (inner.access & BPF_F_WRONLY_PROG) != 0) {
    return "a load from a value of an inner map with BPF_F_WRONLY_PROG";
  }
  return {};
}

}  // namespace

std::string HelperName(HelperId helper) {
  switch (helper) {
    case HelperId::kMapLookupElem:
      return "bpf_map_lookup_elem()";
    case HelperId::kMapUpdateElem:
      return "bpf_map_update_elem()";
    case HelperId::kMapDeleteElem:
      return "bpf_map_delete_elem()";
    case HelperId::kMapPushElem:
      return "bpf_map_push_elem()";
    case HelperId::kMapPopElem:
      return "bpf_map_pop_elem()";
    case HelperId::kMapPeekElem:
      return "bpf_map_peek_elem()";
    case HelperId::kSpinLock:
      return "bpf_spin_lock()";
    case HelperId::kSpinUnlock:
      return "bpf_spin_unlock()";
    case HelperId::kForEachMapElem:
      return "bpf_for_each_map_elem()";
    case HelperId::kMapLookupPercpuElem:
      return "bpf_map_lookup_percpu_elem()";
  }
  return "helper " + std::to_string(static_cast<int32_t>(helper));
}

std::string WhyLinuxRefuses(const Program& program, const VmMapFacts& map) {
  if (program.form == RecordForm::kInner) {
    const std::string reason = WhyRefusesInner(program);
    if (!reason.empty()) return reason;
  }
  const bool read_only = (map.flags & BPF_F_RDONLY_PROG) != 0;
  const bool write_only = (map.flags & BPF_F_WRONLY_PROG) != 0;
  for (const HelperCallSite& site : program.calls) {
    if (site.map != MapRole::kSubject) continue;
    if (!TypeHas(program.subject.type, site.helper)) {
      return HelperName(site.helper) + " on a map of type " + MapTypeName(program.subject.type);
    }
    const bool locks = site.helper == HelperId::kSpinLock || site.helper == HelperId::kSpinUnlock;
    if (locks && program.subject.lock_offset < 0) {
      return HelperName(site.helper) + " on a value without a lock";
    }
    if (read_only && Changes(site.helper)) {
      return HelperName(site.helper) + " on a map with BPF_F_RDONLY_PROG";
    }
  }
  const ValueUse use = UseOfValues(program, MapRole::kSubject);
  if (read_only && use.written) {
    return "a store to a value of a map with BPF_F_RDONLY_PROG";
  }
  if (write_only && use.read) return "a load from a value of a map with BPF_F_WRONLY_PROG";
  // The verifier takes the values of such a map for constants, and of an array of several elements
  // it cannot say which.
  if (read_only && use.read && map.may_be_frozen && program.subject.type == MapType::ARRAY &&
      map.max_entries > 1) {
    return "a load from a value of a frozen array with BPF_F_RDONLY_PROG";
  }
  return {};
}

}  // namespace mapspec

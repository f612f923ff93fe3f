// SPDX-License-Identifier: MIT
#include "oracle/creation.h"

#include <algorithm>

#include "oracle/clauses.gen.h"
#include "oracle/limits.h"
#include "oracle/map_of_maps.h"

namespace mapspec {
namespace {

using G = clause::generic;

constexpr uint32_t kBtfUnnamedTypeIds = 16;  // No object of this vocabulary has as many types.

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// Whatever the locale, the letters are those of ISO 8859-1 (its blocks A to Z, a to z, and 0xC0 to
// 0xFF but for the two signs).
bool IsNameCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (!IsAscii(c)) return byte >= 0xc0 && byte != 0xd7 && byte != 0xf7;
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

bool NameIsLegal(const std::string& name) {
  return name.size() < kObjNameLen && std::all_of(name.begin(), name.end(), IsNameCharacter);
}

// The type's own rules; nullopt for types without a model.
std::optional<Expectation> ExpectTypeAttributes(const MapCreate& create, const Traits& traits,
                                                uint32_t possible_cpus) {
  switch (create.type) {
    case MapType::HASH:
    case MapType::LRU_HASH:
    case MapType::LRU_PERCPU_HASH:
    case MapType::PERCPU_HASH:
      return HashModel::ExpectCreate(create, traits, possible_cpus);
    case MapType::ARRAY:
    case MapType::PERCPU_ARRAY:
      return ArrayModel::ExpectCreate(create, traits, possible_cpus);
    case MapType::ARRAY_OF_MAPS:
      return ArrayOfMapsModel::ExpectCreate(create);
    case MapType::HASH_OF_MAPS:
      if (create.value_size != 4) {
        return Expectation::Fails(Errno::kEINVAL,
                                  MapOfMapsClausesOf(create.type).create_value_size);
      }
      return HashModel::ExpectCreate(create, traits, possible_cpus);
    case MapType::QUEUE:
      return QueueModel::ExpectCreate(create, traits);
    case MapType::STACK:
      return StackModel::ExpectCreate(create, traits);
    case MapType::XSKMAP:
      return XskMapModel::ExpectCreate(create);
    default:
      return std::nullopt;
  }
}

// Types that anybody may create where kernel.unprivileged_bpf_disabled is 0.
bool UnprivilegedType(MapType type) {
  switch (type) {
    case MapType::ARRAY:
    case MapType::PERCPU_ARRAY:
    case MapType::PROG_ARRAY:
    case MapType::PERF_EVENT_ARRAY:
    case MapType::CGROUP_ARRAY:
    case MapType::ARRAY_OF_MAPS:
    case MapType::HASH:
    case MapType::PERCPU_HASH:
    case MapType::HASH_OF_MAPS:
    case MapType::RINGBUF:
    case MapType::USER_RINGBUF:
    case MapType::CGROUP_STORAGE:
    case MapType::PERCPU_CGROUP_STORAGE:
      return true;
    default:
      return false;
  }
}

bool IsHash(MapType type) {
  return type == MapType::HASH || type == MapType::PERCPU_HASH || type == MapType::LRU_HASH ||
         type == MapType::LRU_PERCPU_HASH;
}

// Whether a hash is asked not to be random.
bool SeedsWithZero(const MapCreate& create) {
  // Of a map of maps the size of values is looked at before.
  const bool outer = create.type == MapType::HASH_OF_MAPS && create.value_size == 4;
  return (IsHash(create.type) || outer) && (create.map_flags & BPF_F_ZERO_SEED) != 0;
}

// The size of a type of a loaded BTF object; 0 for an id that has none.
uint32_t SizeOfType(const BtfLoad& btf, uint32_t type_id) {
  switch (type_id) {
    case kBtfIntTypeId:
      return 4;
    case kBtfKeyTypeId:
      return btf.key_size;
    case kBtfValueTypeId:
      return btf.value_size;
    case kBtfLockTypeId:
      return btf.lock_offset >= 0 ? 4 : 0;
    default:
      return 0;
  }
}
bool HasType(const BtfLoad& btf, uint32_t type_id) {
  return type_id >= kBtfIntTypeId &&
         type_id <= (btf.lock_offset >= 0 ? kBtfLockTypeId : kBtfValueTypeId);
}
// Key types of these sizes are integers (oracle/operation.h).
bool IsInt(const BtfLoad& btf, uint32_t type_id) {
  const uint32_t size = btf.key_size;
  const bool key_is_int = size == 1 || size == 2 || size == 4 || size == 8 || size == 16;
  return type_id == kBtfIntTypeId || (type_id == kBtfKeyTypeId && key_is_int);
}
bool IsStruct(const BtfLoad& btf, uint32_t type_id) {
  return type_id == kBtfValueTypeId || (type_id == kBtfLockTypeId && btf.lock_offset >= 0);
}
// Whether a value of this type holds a struct bpf_spin_lock.
bool HoldsLock(const BtfLoad& btf, uint32_t type_id) {
  return btf.lock_offset >= 0 && type_id == kBtfValueTypeId;
}

// The type ids of BTF; Succeeds when there is nothing to object to.
Expectation ExpectBtf(const MapCreate& create, const World& world, const Traits& traits) {
  if (create.btf_key_type_id == 0 && create.btf_value_type_id == 0) {
    return Expectation::Succeeds(create.btf == kNoBtf ? kNoClause : G::create_btf_without_ids);
  }
  // Without btf_fd the attribute is 0: whatever the caller has open there.
  if (create.btf == kNoBtf) {
    return Expectation::Fails(Errno::kEINVAL, G::create_btf_bad_descriptor)
        .OrFails(Errno::kEBADF, G::create_btf_bad_descriptor);
  }
  const std::optional<BtfLoad>& btf = world.BtfAt(create.btf);
  if (!btf.has_value()) return Expectation::Fails(Errno::kEBADF, G::create_btf_bad_descriptor);
  if (btf->lock_offset == kUnknownLock) return Expectation::Anything();

  const bool array = create.type == MapType::ARRAY;
  const bool percpu_array = create.type == MapType::PERCPU_ARRAY;
  const bool queue = create.type == MapType::QUEUE;
  const bool keyless = queue || create.type == MapType::STACK;
  const auto refuse = [&](ClauseId clause) {
    if (keyless) clause = queue ? clause::queue::create_btf : clause::stack::create_btf;
    return Expectation::Fails(Errno::kEINVAL, clause);
  };
  for (const uint32_t type_id : {create.btf_key_type_id, create.btf_value_type_id}) {
    if (type_id == 0 || HasType(*btf, type_id)) continue;
    // Behind the named types there may be others that these are made of.
    if (type_id < kBtfUnnamedTypeIds) return Expectation::Anything();
    return refuse(G::create_btf_types);
  }
  const bool xskmap = create.type == MapType::XSKMAP;
  const bool no_key = create.btf_key_type_id == 0;
  const bool of_maps = IsMapOfMaps(create.type);
  const bool keyless_hash = no_key && IsHash(create.type);
  if (keyless_hash && traits.hash_btf_needs_key) return refuse(G::create_btf_value_without_key);
  if (no_key ? !array && !percpu_array && !of_maps && !xskmap && !keyless_hash
             : SizeOfType(*btf, create.btf_key_type_id) != create.key_size) {
    return refuse(G::create_btf_types);
  }
  if (SizeOfType(*btf, create.btf_value_type_id) != create.value_size) {
    return refuse(G::create_btf_types);
  }
  const bool lock = HoldsLock(*btf, create.btf_value_type_id);
  if (lock) {
    if ((create.map_flags & BPF_F_RDONLY_PROG) != 0) {
      return Expectation::Fails(Errno::kEACCES, G::create_lock_program_access);
    }
    if ((create.map_flags & BPF_F_WRONLY_PROG) != 0 && traits.lock_refuses_wronly_prog) {
      return Expectation::Fails(Errno::kEACCES, G::create_lock_wronly_prog);
    }
    if (!array && create.type != MapType::HASH) {
      return traits.lock_refused_eopnotsupp
                 ? Expectation::Fails(Errno::kEOPNOTSUPP, G::create_lock_refused)
                 : Expectation::Fails(Errno::kENOTSUPP, G::create_lock_refused_enotsupp);
    }
  }
  if (of_maps) {
    return Expectation::Fails(Errno::kENOTSUPP, MapOfMapsClausesOf(create.type).create_btf_refused);
  }
  if (xskmap) return Expectation::Fails(Errno::kENOTSUPP, clause::xskmap::create_btf);
  // A map without a key type is for the data sections of programs, which this vocabulary cannot
  // make.
  if (no_key && !keyless_hash) return refuse(G::create_btf_types);
  if ((array || percpu_array) && !IsInt(*btf, create.btf_key_type_id)) {
    return Expectation::Fails(Errno::kEINVAL, ArrayClausesOf(create.type).create_btf_key);
  }
  return Expectation::Succeeds(lock && !array ? clause::hash::create_spin_lock
                                              : G::create_btf_accepted)
      .Also(G::create_btf_value_alone, keyless_hash)
      .Also(G::create_lock_wronly_prog_allowed,
            lock && (create.map_flags & BPF_F_WRONLY_PROG) != 0);
}

// What is refused whatever the type is; nullopt when nothing.
std::optional<Expectation> RefusedForEveryType(const MapCreate& create,
                                               const Environment& environment,
                                               const Traits& traits) {
  if (create.btf_key_type_id != 0 && create.btf_value_type_id == 0) {
    return Expectation::Fails(Errno::kEINVAL, G::create_btf_key_without_value);
  }
  if (create.map_extra != 0 && create.type != MapType::BLOOM_FILTER &&
      create.type != MapType::ARENA && create.type != MapType::RHASH) {
    return Expectation::Fails(Errno::kEINVAL, G::create_map_extra);
  }
  if (BothDescriptorFlags(create.map_flags) && traits.access_flags_first) {
    return Expectation::Fails(Errno::kEINVAL, G::create_rdonly_wronly)
        .Also(G::create_rdonly_wronly_first);
  }
  if ((create.map_flags & BPF_F_NUMA_NODE) != 0 && create.numa_node != kNumaNoNode &&
      create.numa_node >= environment.numa_nodes) {
    return Expectation::Fails(Errno::kEINVAL, G::create_numa_node_invalid);
  }
  if (create.type == MapType::UNSPEC || static_cast<uint32_t>(create.type) > kMaxMapType) {
    return Expectation::Fails(Errno::kEINVAL, G::create_unknown_type);
  }
  return std::nullopt;
}

// The attributes as a kernel sees them that is given only `size` bytes of union bpf_attr: the rest
// is zero.
MapCreate Cut(const MapCreate& create, uint32_t size) {
  MapCreate cut = create;
  const auto keep = [size](uint32_t value, uint32_t offset) -> uint32_t {
    if (size >= offset + 4) return value;
    if (size <= offset) return 0;
    return value & ((1u << (8 * (size - offset))) - 1);
  };
  cut.type = static_cast<MapType>(keep(static_cast<uint32_t>(create.type), 0));
  cut.key_size = keep(create.key_size, 4);
  cut.value_size = keep(create.value_size, 8);
  cut.max_entries = keep(create.max_entries, 12);
  cut.map_flags = keep(create.map_flags, 16);
  cut.numa_node = keep(create.numa_node, 24);
  cut.name = create.name.substr(0, size <= 28 ? 0 : size - 28);
  if (size < 52) cut.btf = kNoBtf;
  cut.btf_key_type_id = keep(create.btf_key_type_id, 52);
  cut.btf_value_type_id = keep(create.btf_value_type_id, 56);
  cut.map_extra = keep(static_cast<uint32_t>(create.map_extra), 64) |
                  uint64_t{keep(static_cast<uint32_t>(create.map_extra >> 32), 68)} << 32;
  if (size < 24) cut.inner_map = kBadFd;
  cut.attr_size = 0;
  return cut;
}

}  // namespace

Expectation ExpectCreate(const MapCreate& create, Caller caller, const World& world,
                         const Environment& environment, const Profile& profile) {
  const Traits& traits = profile.traits;
  const bool unprivileged = caller == Caller::kUnprivileged;
  const bool forbidden = environment.unprivileged_bpf_disabled != 0;
  const bool privileged_type = !UnprivilegedType(create.type);
  const std::optional<Expectation> type =
      ExpectTypeAttributes(create, traits, environment.possible_cpus);
  const bool type_refuses = type.has_value() && !type->AllowsSuccess();
  const ClauseId privilege = forbidden ? G::create_unprivileged : G::create_unprivileged_type;

  // Before 6.4 the sysctl comes first of all, and a type's own capability before its attributes.
  if (unprivileged && forbidden && !traits.unprivileged_after_attributes) {
    return Expectation::Fails(Errno::kEPERM, privilege)
        .Also(G::create_unprivileged_before_attributes, type_refuses)
        .Also(G::create_unprivileged_type, privileged_type)
        .Also(HashClausesOf(create.type).create_zero_seed_unprivileged, SeedsWithZero(create))
        .Also(clause::xskmap::create_capability, create.type == MapType::XSKMAP);
  }

  if (create.attr_size > environment.page_size) {
    return Expectation::Fails(Errno::kE2BIG, G::create_attr_size_too_large);
  }
  if (create.attr_size != 0) {
    return ExpectCreate(Cut(create, create.attr_size), caller, world, environment, profile)
        .Also(G::create_attr_size_cut);
  }
  // From 6.9 on the flag announces a file descriptor that this vocabulary does not have.
  if ((create.map_flags & BPF_F_TOKEN_FD) != 0) return Expectation::Anything();
  const bool lacks_privilege = unprivileged && (forbidden || privileged_type);
  if (std::optional<Expectation> common = RefusedForEveryType(create, environment, traits)) {
    return common->Also(G::create_order, type_refuses)
        .Also(G::create_unprivileged_after_attributes, lacks_privilege);
  }
  if (unprivileged && privileged_type && !traits.unprivileged_after_attributes) {
    return Expectation::Fails(Errno::kEPERM, privilege)
        .Also(G::create_unprivileged_before_attributes, type_refuses)
        .Also(HashClausesOf(create.type).create_zero_seed_unprivileged, SeedsWithZero(create))
        .Also(clause::xskmap::create_capability, create.type == MapType::XSKMAP);
  }
  if (unprivileged && SeedsWithZero(create)) {
    return Expectation::Fails(Errno::kEPERM,
                              HashClausesOf(create.type).create_zero_seed_unprivileged);
  }
  const bool of_maps = IsMapOfMaps(create.type);
  const Expectation inner =
      of_maps ? ExpectTemplate(create, world, traits) : Expectation::Succeeds(kNoClause);
  const bool inner_refused = !inner.AllowsSuccess();
  const bool bad_name = !NameIsLegal(create.name);
  const bool beyond_ascii = !std::all_of(create.name.begin(), create.name.end(), IsAscii);
  const Expectation btf = ExpectBtf(create, world, traits);
  // What shows only when memory is asked for comes after the capability.
  const bool at_allocation =
      type_refuses &&
      (type->alternatives[0].error == Errno::kENOMEM ||
       type->alternatives[0].clause == HashClausesOf(create.type).create_too_many_entries);
  // The attributes of an XSKMAP are looked at after that, too.
  const bool xskmap = create.type == MapType::XSKMAP;
  if (type_refuses && !(at_allocation && (lacks_privilege || inner_refused)) &&
      !(xskmap && lacks_privilege)) {
    return Expectation(*type)
        .Also(MapOfMapsClausesOf(create.type).create_attributes_first, inner_refused)
        .Also(G::create_order, bad_name || !btf.AllowsSuccess())
        .Also(G::create_rdonly_wronly_last, BothDescriptorFlags(create.map_flags))
        .Also(G::create_unprivileged_after_attributes, lacks_privilege);
  }
  if (lacks_privilege) {
    Expectation expected = Expectation::Fails(Errno::kEPERM, privilege)
                               .Also(G::create_unprivileged_type, privileged_type)
                               .Also(clause::xskmap::create_capability, xskmap);
    // Of types without a model it is not known whether their attributes are refused first.
    if (!type.has_value())
      expected.OrFails(Errno::kEINVAL, G::create_unprivileged_after_attributes);
    return expected;
  }
  if (!type.has_value()) return Expectation::Anything();

  if (inner_refused) {
    return Expectation(inner).Also(G::create_order, bad_name || !btf.AllowsSuccess());
  }
  if (inner.anything) return inner;
  if (bad_name || !btf.AllowsSuccess()) {
    Expectation refused = bad_name ? Expectation::Fails(Errno::kEINVAL, G::create_name_invalid)
                                         .Also(G::create_name_latin_1, beyond_ascii)
                                         .Also(G::create_order, !btf.AllowsSuccess())
                                   : btf;
    // Memory is asked for before the name and BTF are looked at.
    for (uint8_t i = 0; i < type->count; ++i) {
      const Expectation::Alternative& alternative = type->alternatives[i];
      if (alternative.error != Errno::kNone) refused.OrFails(alternative.error, alternative.clause);
    }
    return refused.Also(G::create_rdonly_wronly_last, BothDescriptorFlags(create.map_flags));
  }
  if (btf.anything) return btf;

  if (BothDescriptorFlags(create.map_flags)) {
    Expectation refused = Expectation::Fails(Errno::kEINVAL, G::create_rdonly_wronly);
    for (uint8_t i = 0; i < type->count; ++i) {
      const Expectation::Alternative& alternative = type->alternatives[i];
      if (alternative.error != Errno::kNone) refused.OrFails(alternative.error, alternative.clause);
    }
    return refused.Also(G::create_rdonly_wronly_last);
  }

  Expectation expected = *type;
  if (of_maps) {
    expected.Also(inner.alternatives[0].clause);
    for (const ClauseId clause : inner.also) expected.Also(clause);
  }
  expected.Also(btf.alternatives[0].clause);
  for (const ClauseId clause : btf.also) expected.Also(clause);
  // What only programs with a capability can use, only callers with one may ask for.
  if (unprivileged && create.btf_value_type_id != 0 &&
      HoldsLock(*world.BtfAt(create.btf), create.btf_value_type_id)) {
    expected.OrFails(Errno::kEPERM, G::create_unprivileged);
  }
  const bool numa = (create.map_flags & BPF_F_NUMA_NODE) != 0;
  expected.Also(G::create_numa_node_accepted, numa || create.numa_node != 0)
      .Also(G::create_inner_map_ignored, !of_maps && !(create.inner_map == kBadFd))
      .Also(G::create_name_valid, !create.name.empty())
      .Also(G::create_name_latin_1, beyond_ascii)
      .Also(G::create_returns_descriptor);
  return expected;
}

MapAttributes AttributesOf(const MapCreate& create, const World& world,
                           const Environment& environment, const Profile& profile) {
  if (create.attr_size != 0) {
    return AttributesOf(Cut(create, create.attr_size), world, environment, profile);
  }
  MapAttributes attributes;
  attributes.type = create.type;
  attributes.key_size = create.key_size;
  attributes.value_size = create.value_size;
  attributes.max_entries = create.max_entries;
  attributes.map_flags = create.map_flags;
  attributes.name = create.name;
  attributes.map_extra = create.map_extra;
  attributes.page_size = environment.page_size;
  attributes.possible_cpus = environment.possible_cpus;
  if (IsMapOfMaps(create.type) && world.At(create.inner_map).kind == HandleState::Kind::kMap) {
    attributes.inner = ShapeOf(&world.MapOf(world.At(create.inner_map)));
  }
  if ((create.map_flags & BPF_F_NO_COMMON_LRU) != 0) {  // Every CPU gets as many elements.
    attributes.max_entries += environment.possible_cpus - 1;
    attributes.max_entries -= attributes.max_entries % environment.possible_cpus;
  }
  attributes.traits = profile.traits;
  attributes.observed = profile.observed;
  if (create.btf_key_type_id != 0 || create.btf_value_type_id != 0) {
    attributes.has_btf = true;
    attributes.btf_key_type_id = create.btf_key_type_id;
    attributes.btf_value_type_id = create.btf_value_type_id;
    const std::optional<BtfLoad>& btf = world.BtfAt(create.btf);
    if (btf.has_value()) {
      attributes.struct_value = IsStruct(*btf, create.btf_value_type_id);
      if (HoldsLock(*btf, create.btf_value_type_id)) attributes.lock_offset = btf->lock_offset;
    }
  }
  return attributes;
}

}  // namespace mapspec

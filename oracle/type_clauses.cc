// SPDX-License-Identifier: MIT
#include "oracle/type_clauses.h"

#include "oracle/clauses.gen.h"

namespace mapspec {
namespace {

// `C` is the scope of a type's clauses, such as clause::hash.
#define MAPSPEC_ENTRY(name)              \
  if constexpr (requires { C::name; }) { \
    clauses.name = C::name;              \
  }

template <typename C>
constexpr HashClauses MakeHashClauses() {
  HashClauses clauses;
  MAPSPEC_HASH_CLAUSES(MAPSPEC_ENTRY)
  MAPSPEC_LRU_CLAUSES(MAPSPEC_ENTRY)
  return clauses;
}

template <typename C>
constexpr ArrayClauses MakeArrayClauses() {
  ArrayClauses clauses;
  MAPSPEC_ARRAY_CLAUSES(MAPSPEC_ENTRY)
  return clauses;
}

#undef MAPSPEC_ENTRY

}  // namespace

const HashClauses& HashClausesOf(MapType type) {
  static constexpr HashClauses kHash = MakeHashClauses<clause::hash>();
  static constexpr HashClauses kPercpu = MakeHashClauses<clause::percpu_hash>();
  static constexpr HashClauses kLru = MakeHashClauses<clause::lru_hash>();
  static constexpr HashClauses kLruPercpu = MakeHashClauses<clause::lru_percpu_hash>();
  static constexpr HashClauses kOfMaps = MakeHashClauses<clause::hash_of_maps>();
  switch (type) {
    case MapType::HASH_OF_MAPS:
      return kOfMaps;
    case MapType::LRU_HASH:
      return kLru;
    case MapType::LRU_PERCPU_HASH:
      return kLruPercpu;
    case MapType::PERCPU_HASH:
      return kPercpu;
    default:
      return kHash;
  }
}

const ArrayClauses& ArrayClausesOf(MapType type) {
  static constexpr ArrayClauses kArray = MakeArrayClauses<clause::array>();
  static constexpr ArrayClauses kPercpu = MakeArrayClauses<clause::percpu_array>();
  switch (type) {
    case MapType::PERCPU_ARRAY:
      return kPercpu;
    default:
      return kArray;
  }
}

}  // namespace mapspec

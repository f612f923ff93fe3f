// SPDX-License-Identifier: MIT
//
// Mutants: deliberate faults, one of which may be switched on at run time, to test that a test
// suite notices.
//
// Purpose: `if (MUTANT("hash.update.full/wrong-errno")) …` names a fault. The part before '/' is
//   the id of the clause that the fault breaks, the part after it says what is broken. Adding one
//   is that one line. In the normal build the macro is the constant false and leaves no trace. With
//   -DUSERMAPS_MUTANTS every name is registered before main() runs, whether or not its line is ever
//   executed, and usermaps_set_mutant() or the environment variable USERMAPS_MUTANT chooses the
//   active one.
//   Types that share code have a clause each for what it does: TYPE_MUTANT(type, types,
//   "update.full/…") is a fault of each of the types named, under the name that begins with that
//   type's clauses, and on for maps of that type only.
// Thread-safety: choosing a mutant while operations run is safe; they notice at their next look.
#ifndef BACKENDS_USERSPACE_MUTANT_H_
#define BACKENDS_USERSPACE_MUTANT_H_

#include <linux/bpf.h>

#include <cstddef>
#include <cstdint>

#ifdef USERMAPS_MUTANTS
#include <atomic>
#endif

namespace usermaps {

// Sets of types, for TYPE_MUTANT.
inline constexpr unsigned kOfHash = 1;
inline constexpr unsigned kOfPerCpuHash = 2;
inline constexpr unsigned kOfLruHash = 4;
inline constexpr unsigned kOfLruPerCpuHash = 8;
inline constexpr unsigned kOfHashOfMaps = 16;
inline constexpr unsigned kOfArray = 32;
inline constexpr unsigned kOfPerCpuArray = 64;
inline constexpr unsigned kOfArrayOfMaps = 128;
inline constexpr unsigned kOfLru = kOfLruHash | kOfLruPerCpuHash;
inline constexpr unsigned kOfPerCpu = kOfPerCpuHash | kOfLruPerCpuHash | kOfPerCpuArray;
inline constexpr unsigned kOfMaps = kOfHashOfMaps | kOfArrayOfMaps;
inline constexpr unsigned kOfValueHashes = kOfHash | kOfPerCpuHash | kOfLruHash | kOfLruPerCpuHash;
inline constexpr unsigned kOfPlainHashes = kOfHash | kOfPerCpuHash | kOfHashOfMaps;
inline constexpr unsigned kOfHashes = kOfValueHashes | kOfHashOfMaps;
inline constexpr unsigned kOfValueArrays = kOfArray | kOfPerCpuArray;
inline constexpr unsigned kOfArrays = kOfValueArrays | kOfArrayOfMaps;
inline constexpr unsigned kOfValues = kOfValueHashes | kOfValueArrays;
inline constexpr unsigned kOfKeyed = kOfHashes | kOfArrays;

#ifdef USERMAPS_MUTANTS

// A string literal as a template argument.
template <size_t kSize>
struct MutantName {
  // NOLINTNEXTLINE(google-explicit-constructor): a literal is what the macro passes.
  consteval MutantName(const char (&literal)[kSize]) {
    for (size_t i = 0; i < kSize; ++i) text[i] = literal[i];
  }
  consteval MutantName() = default;
  char text[kSize] = {};
};
template <size_t kLeft, size_t kRight>
consteval MutantName<kLeft + kRight - 1> operator+(const MutantName<kLeft>& left,
                                                   const MutantName<kRight>& right) {
  MutantName<kLeft + kRight - 1> joined;
  for (size_t i = 0; i + 1 < kLeft; ++i) joined.text[i] = left.text[i];
  for (size_t i = 0; i < kRight; ++i) joined.text[kLeft - 1 + i] = right.text[i];
  return joined;
}

inline constexpr int kNoMutant = -1;
extern std::atomic<int> g_active_mutant;
int RegisterMutant(const char* name);

template <MutantName kName>
struct MutantSite {
  static inline const int id = RegisterMutant(kName.text);
  static bool Active() { return g_active_mutant.load(std::memory_order_relaxed) == id; }
};

template <unsigned kTypes, unsigned kType, MutantName kPrefix, MutantName kSuffix>
bool MutantOfTypeActive() {
  if constexpr ((kTypes & kType) != 0) return MutantSite<kPrefix + kSuffix>::Active();
  return false;
}

template <unsigned kTypes, MutantName kSuffix>
bool TypeMutantActive(uint32_t type) {
  switch (type) {
    case BPF_MAP_TYPE_HASH:
      return MutantOfTypeActive<kTypes, kOfHash, "hash.", kSuffix>();
    case BPF_MAP_TYPE_PERCPU_HASH:
      return MutantOfTypeActive<kTypes, kOfPerCpuHash, "percpu_hash.", kSuffix>();
    case BPF_MAP_TYPE_LRU_HASH:
      return MutantOfTypeActive<kTypes, kOfLruHash, "lru_hash.", kSuffix>();
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
      return MutantOfTypeActive<kTypes, kOfLruPerCpuHash, "lru_percpu_hash.", kSuffix>();
    case BPF_MAP_TYPE_HASH_OF_MAPS:
      return MutantOfTypeActive<kTypes, kOfHashOfMaps, "hash_of_maps.", kSuffix>();
    case BPF_MAP_TYPE_ARRAY:
      return MutantOfTypeActive<kTypes, kOfArray, "array.", kSuffix>();
    case BPF_MAP_TYPE_PERCPU_ARRAY:
      return MutantOfTypeActive<kTypes, kOfPerCpuArray, "percpu_array.", kSuffix>();
    case BPF_MAP_TYPE_ARRAY_OF_MAPS:
      return MutantOfTypeActive<kTypes, kOfArrayOfMaps, "array_of_maps.", kSuffix>();
    default:
      return false;
  }
}
#endif

}  // namespace usermaps

// For what only mutants need, in `if constexpr`.
#ifdef USERMAPS_MUTANTS
inline constexpr bool kUsermapsMutants = true;
#else
inline constexpr bool kUsermapsMutants = false;
#endif

#ifdef USERMAPS_MUTANTS
#define MUTANT(name) (::usermaps::MutantSite<name>::Active())
#define TYPE_MUTANT(type, types, suffix) (::usermaps::TypeMutantActive<types, suffix>(type))
#else
#define MUTANT(name) (false)
#define TYPE_MUTANT(type, types, suffix) (static_cast<void>(type), false)
#endif

// In a member function of a map: of its type.
#define OWN_MUTANT(types, suffix) TYPE_MUTANT(spec().type, types, suffix)

// QUEUE and STACK share their code but have a clause each for everything: "queue." or "stack." goes
// before the suffix.
#define FAMILY_MUTANT(is_stack, suffix) \
  ((is_stack) ? MUTANT("stack." suffix) : MUTANT("queue." suffix))

#endif  // BACKENDS_USERSPACE_MUTANT_H_

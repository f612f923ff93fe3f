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
// Thread-safety: choosing a mutant while operations run is safe; they notice at their next look.
#ifndef BACKENDS_USERSPACE_MUTANT_H_
#define BACKENDS_USERSPACE_MUTANT_H_

#ifdef USERMAPS_MUTANTS

#include <atomic>
#include <cstddef>

namespace usermaps {

// A string literal as a template argument.
template <size_t kSize>
struct MutantName {
  // NOLINTNEXTLINE(google-explicit-constructor): a literal is what the macro passes.
  consteval MutantName(const char (&literal)[kSize]) {
    for (size_t i = 0; i < kSize; ++i) text[i] = literal[i];
  }
  char text[kSize];
};

inline constexpr int kNoMutant = -1;
extern std::atomic<int> g_active_mutant;
int RegisterMutant(const char* name);

template <MutantName kName>
struct MutantSite {
  static inline const int id = RegisterMutant(kName.text);
  static bool Active() { return g_active_mutant.load(std::memory_order_relaxed) == id; }
};

}  // namespace usermaps

#define MUTANT(name) (::usermaps::MutantSite<name>::Active())
#else
#define MUTANT(name) (false)
#endif

// QUEUE and STACK share their code but have a clause each for everything: "queue." or "stack." goes
// before the suffix.
#define FAMILY_MUTANT(is_stack, suffix) \
  ((is_stack) ? MUTANT("stack." suffix) : MUTANT("queue." suffix))

#endif  // BACKENDS_USERSPACE_MUTANT_H_

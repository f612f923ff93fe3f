// SPDX-License-Identifier: MIT
//
// Clauses: the numbered promises every judgement cites. They are written in specs/*.yaml; the build
// turns each id into a constant (oracle/clauses.gen.h: `hash.update.noexist-existing-key` becomes
// clause::hash::update_noexist_existing_key), so that citing one that does not exist does not
// compile. All of this is constant data: any thread may read it.
#ifndef ORACLE_CLAUSE_H_
#define ORACLE_CLAUSE_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace mapspec {

// Index into AllClauses(). kNoClause is "no clause".
enum class ClauseId : uint16_t {};
inline constexpr ClauseId kNoClause{0xffff};

enum class Level : uint8_t {
  kDocumented,  // The kernel's documentation says so.
  kObserved,    // What Linux does beyond it.
};

// Which way of calling a clause speaks of.
enum class Path : uint8_t { kSyscall, kProgram, kBoth };

struct Clause {
  std::string_view id;  // "hash.update.noexist-existing-key"
  Level level;
  Path path;
  std::string_view claim;     // In our words.
  std::string_view document;  // "map_hash.rst", "uapi/linux/bpf.h", "kernel/bpf/hashtab.c"
  std::string_view section;   // A heading of the document, or the function.
  std::string_view since;     // First kernel release with this behaviour, "" for always.
  std::string_view until;     // Last kernel release with it, "" for still.
  // The trait (oracle/profile.h) on which it hangs: "name" or "!name"; "" for none.
  std::string_view trait;
};

std::span<const Clause> AllClauses();
inline const Clause& GetClause(ClauseId id) { return AllClauses()[static_cast<uint16_t>(id)]; }
// kNoClause when there is none of that name.
ClauseId FindClause(std::string_view id);
std::string_view LevelName(Level level);
std::string_view PathName(Path path);

}  // namespace mapspec

#endif  // ORACLE_CLAUSE_H_

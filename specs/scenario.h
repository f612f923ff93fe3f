// SPDX-License-Identifier: MIT
//
// Scenarios: short scripts with the outcomes a clause promises. An expectation is the set of
// outcomes that the scenario allows for one step: those which match any of its alternatives. What
// an alternative does not state, it allows. A scenario comes in two variants when what it says
// holds on both paths: its element steps made by system calls, and made by helpers. Ownership:
// plain values. Thread-safety: that of plain values. Units: sizes and counts as in the uapi.
// Source: specs/README.md describes the YAML form.
#ifndef SPECS_SCENARIO_H_
#define SPECS_SCENARIO_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oracle/clause.h"
#include "oracle/operation.h"
#include "oracle/outcome.h"
#include "specs/yaml_tree.h"

namespace mapspec {

// What struct bpf_map_info must hold; fields that are not set may hold anything.
struct StatedInfo {
  std::optional<uint32_t> type;
  std::optional<uint32_t> key_size;
  std::optional<uint32_t> value_size;
  std::optional<uint32_t> max_entries;
  std::optional<uint32_t> map_flags;
  std::optional<std::string> name;
  std::optional<bool> has_btf;
  std::optional<uint32_t> btf_key_type_id;
  std::optional<uint32_t> btf_value_type_id;
  std::optional<uint64_t> map_extra;
  std::optional<uint32_t> info_len;
  friend bool operator==(const StatedInfo&, const StatedInfo&) = default;
};

// Output buffers that must still hold the poison after the call; of a batch's buffers for which
// something is stated, what lies behind that.
struct Untouched {
  bool output = false;  // The value of a lookup or pop, the next_key of GET_NEXT_KEY.
  bool keys = false;
  bool values = false;
  bool out_batch = false;
  friend bool operator==(const Untouched&, const Untouched&) = default;
};

// One alternative.
struct StatedOutcome {
  enum class Result : uint8_t { kOk, kErrno, kAnyError };
  Result result = Result::kOk;
  Errno error = Errno::kNone;       // For kErrno.
  bool refused = false;             // The error is that of loading the program.
  std::optional<int64_t> returned;  // What the helper returned, all 64 bits of it.
  std::optional<Bytes> output;      // The value of lookups and loads, the key of GET_NEXT_KEY.
  std::optional<uint32_t> count;    // Of a batch, after the call; of the elements a program noted.
  std::optional<Bytes> out_batch;   // The first bytes of it.
  // The first elements of a batch's buffers.
  std::optional<std::vector<Bytes>> keys;
  std::optional<std::vector<Bytes>> values;
  bool any_order = false;  // keys and values are a set of (key, value) pairs.
  Untouched untouched;
  std::optional<uint32_t> number;  // The id of GET_NEXT_ID, the revents of poll.
  bool nonzero_id = false;         // The id, whatever it is, is not 0 (GET_NEXT_ID, info).
  StatedInfo info;
  friend bool operator==(const StatedOutcome&, const StatedOutcome&) = default;

  // Whether it says anything but how the call ends.
  bool StatesOutputs() const;
};

// How many bytes of a batch's buffer they take.
size_t StatedSize(const std::optional<std::vector<Bytes>>& elements);

struct StatedOutcomes {
  std::vector<StatedOutcome> alternatives;  // At least one.
  friend bool operator==(const StatedOutcomes&, const StatedOutcomes&) = default;
};

struct Step {
  Operation operation;
  StatedOutcomes expected;
  Position position;      // In the file; that of `map` for the implicit creation of m0.
  bool implicit = false;  // The creation of m0 that `map` stands for.
};

struct Scenario {
  // Stable and unique: "CLAUSE" or "CLAUSE/NAME", with "[TYPE]" behind it for one type of a list,
  // and with "[program]" behind all that for the variant of the program path.
  std::string id;
  std::string clause;  // The id of the clause that it exercises.
  // kProgram: what the scenario does to elements, helpers do, where a step does not say otherwise.
  Path via = Path::kSyscall;
  std::string trait;  // The clause's trait ("name" or "!name"), "" for none.
  std::optional<MapType>
      map_type;  // The type of the file's maps, or of this one of a list of types.
  std::string file;
  Position position;
  std::vector<Step> steps;
};

// The operations, named by the scenario's id. operations[i] belongs to scenario.steps[i].
Script ToScript(const Scenario& scenario);

// The errno of a helper's answer, also where a program gets only the low 32 bits of a negative
// number (Linux before 6.4 with JIT). Which of the two it must be, clauses of their own say, and
// expectations that state the number.
Errno HelperError(const Outcome& outcome);
// The number that the helper returned.
int64_t ReturnedNumber(const Outcome& outcome);
// Whether any step is made by a program.
bool HasProgramStep(const Scenario& scenario);

struct MatchResult {
  bool matches = false;
  // When it does not: what was stated and what came, each on one line.
  std::string expected;
  std::string got;
  // "expected EEXIST, got success"
  std::string ToString() const { return "expected " + expected + ", got " + got; }
};
MatchResult Match(const StatedOutcomes& stated, const Operation& operation, const Outcome& outcome);
// Whether an outcome is what one alternative allows.
bool Matches(const StatedOutcome& stated, const Operation& operation, const Outcome& outcome);
// "EEXIST", "success with value 0x01000000": one line.
std::string Describe(const StatedOutcome& stated, const Operation& operation);
std::string Describe(const StatedOutcomes& stated, const Operation& operation);
std::string DescribeOutcome(const Operation& operation, const Outcome& outcome);

}  // namespace mapspec

#endif  // SPECS_SCENARIO_H_

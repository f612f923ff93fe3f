// SPDX-License-Identifier: MIT
//
// The inside of Checker: one On() for each operation. Each reads from top to bottom as the order in
// which refusals win: the descriptor, its permissions, flags, pointers, and then the map type's
// model. The rules of elements stand in element_rules.cc and batch_rules.cc, those of helpers
// in program_rules.cc, those of descriptors, ids, pins and mappings in object_rules.cc.
#ifndef ORACLE_CHECKER_STATE_H_
#define ORACLE_CHECKER_STATE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "oracle/checker.h"
#include "oracle/clauses.gen.h"
#include "oracle/expectation.h"
#include "oracle/world.h"

namespace mapspec {

// What a program does with the map of its helper.
struct ProgramUse {
  enum class Helper : uint8_t {
    kKeyed,
    kQueue,
    kPercpu,
    kForEach,
    kInner,
    kRedirect
  } helper = Helper::kKeyed;
  bool changes = false;  // The helper changes the map.
  bool takes_lock = false;
  bool reads = false;   // A value is read through a pointer.
  bool writes = false;  // A value is written through a pointer.
};

struct Checker::State {
  State(const Profile& for_profile, const Environment& in_environment)
      : profile(for_profile), environment(in_environment) {}

  Profile profile;
  Environment environment;
  World world;
  Judgement judgement;
  Caller caller = Caller::kPrivileged;
  uint16_t cpu = kAnyCpu;
  // A key or value of the size that the map wants, where the script's is shorter or longer.
  Bytes key_scratch;
  Bytes value_scratch;
  Outcome translated;  // See TranslateIds.
  // See NoteInner: the call's key, nullptr where nothing is noted, and what was there.
  const Bytes* noted_key = nullptr;
  std::optional<uint32_t> noted_inner;

  void On(const MapCreate& op, const Outcome& outcome);
  void On(const Lookup& op, const Outcome& outcome);
  void On(const LookupAndDelete& op, const Outcome& outcome);
  void On(const Update& op, const Outcome& outcome);
  void On(const Delete& op, const Outcome& outcome);
  void On(const GetNextKey& op, const Outcome& outcome);
  void On(const LookupBatch& op, const Outcome& outcome);
  void On(const UpdateBatch& op, const Outcome& outcome);
  void On(const DeleteBatch& op, const Outcome& outcome);
  void On(const Freeze& op, const Outcome& outcome);
  void On(const GetInfo& op, const Outcome& outcome);
  void On(const GetFdById& op, const Outcome& outcome);
  void On(const GetNextId& op, const Outcome& outcome);
  void On(const Pin& op, const Outcome& outcome);
  void On(const ObjGet& op, const Outcome& outcome);
  void On(const Unlink& op, const Outcome& outcome);
  void On(const Close& op, const Outcome& outcome);
  void On(const Mmap& op, const Outcome& outcome);
  void On(const MemRead& op, const Outcome& outcome);
  void On(const MemWrite& op, const Outcome& outcome);
  void On(const Munmap& op, const Outcome& outcome);
  void On(const Poll& op, const Outcome& outcome);
  void On(const FdRead& op, const Outcome& outcome);
  void On(const FdWrite& op, const Outcome& outcome);
  void On(const BtfLoad& op, const Outcome& outcome);
  void On(const SocketOpen& op, const Outcome& outcome);
  void On(const SendFrames& op, const Outcome& outcome);
  void On(const ReceiveFrames& op, const Outcome& outcome);
  void On(const HelperLookup& op, const Outcome& outcome);
  void On(const HelperUpdate& op, const Outcome& outcome);
  void On(const HelperDelete& op, const Outcome& outcome);
  void On(const HelperPush& op, const Outcome& outcome);
  void On(const HelperPop& op, const Outcome& outcome);
  void On(const HelperPeek& op, const Outcome& outcome);
  void On(const HelperLookupPercpu& op, const Outcome& outcome);
  void On(const HelperForEach& op, const Outcome& outcome);
  void On(const HelperLookupInner& op, const Outcome& outcome);
  void On(const HelperRedirectMap& op, const Outcome& outcome);

  // ---- What the rules are made of (checker.cc)

  // How an outcome stands to what was expected.
  enum class Settled : uint8_t {
    kSucceeded,  // As allowed: the effects happened.
    kFailed,     // As allowed: nothing happened.
    kStop,       // A violation, or nothing can be said; *judgement tells.
  };
  // Holds the outcome against the expectation and writes the judgement. Where the profile does not
  // enforce the broken clause, the judgement is kUnjudged, and `map` (when given) is unspecified
  // from then on.
  Settled Settle(const Expectation& expected, const Outcome& outcome, MapState* map);
  // Judges the outputs: nothing when they match, else a violation (or unjudged, as above).
  void Compare(const Mismatch& mismatch, MapState* map);
  // The value or key that came back against what the expectation says.
  void CompareOutput(const Expectation& expected, const Outcome& outcome, MapState* map);
  // Whether an update that ended so had looked for its key.
  static bool FoundOut(Errno error) {
    return error == Errno::kNone || error == Errno::kEEXIST || error == Errno::kENOENT;
  }
  // A system call shows a value; what nothing promised of it is settled by that.
  void LearnValue(MapState* map, const Bytes& key, uint64_t flags, const Outcome& outcome);
  // BPF_F_CPU and BPF_F_ALL_CPUS of updates: whether there are any, and then their effect. What a
  // lookup with BPF_F_CPU gives.
  bool ApplyCpuFlags(MapState* map, const Bytes& key, const Bytes& value, uint64_t flags);
  Expectation OfOneCpu(const Lookup& op, MapState* map);
  // A failed call must not have written its output.
  void CompareUntouched(const Outcome& outcome, MapState* map);
  void CompareCount(ClauseId clause, uint32_t count, const BatchOutput& output, MapState* map);
  void Violation(ClauseId clause, std::string expected, std::string got);
  void Unjudged(MapState* map);
  void Cite(ClauseId clause);
  // True, and judged, where a kernel refuses every bpf(2) command to a caller without capabilities.
  bool RefusedToUnprivileged(const Call& call, const Outcome& outcome);
  // True, and judged, for outcomes that are no answer: not run, crashed, hung, overran.
  bool NoAnswer(const Outcome& outcome);

  // The refusals of a descriptor; Succeeds where there is nothing to object to. `more_wrong`:
  // something that is told later is wrong as well.
  Expectation ExpectMapFd(const HandleState& handle, bool more_wrong) const;
  // The refusal of a write that MayWrite does not allow.
  Expectation RefusedWrite(const HandleState& handle, bool more_wrong);
  static Expectation RefusedFrozen(bool more_wrong);
  // What a batch is refused for before its type's rules; Succeeds where there is nothing to object
  // to.
  Expectation ExpectBatch(const HandleState& handle, bool reads, bool writes, bool more_wrong,
                          bool supported);
  // Judges a batch that goes element by element and stops at the first that fails: `expect` says
  // what the single call may answer now, `apply` has its effect.
  void JudgeElements(uint32_t count, const Bytes& keys, ClauseId applies, ClauseId stops,
                     const Outcome& outcome, const BatchOutput& output, MapState* map,
                     const std::function<Expectation(const Bytes&)>& expect,
                     const std::function<void(uint32_t, const Bytes&)>& apply);
  static Bytes ElementOf(const Bytes& elements, uint64_t n, size_t size);
  // Judges whether the program should have been loaded; true where it should and may have been run,
  // so that the helper's answer is to be judged.
  bool SettleLoad(Handle slot, const ProgramUse& use, const Outcome& outcome);
  // Settle for what a helper returned.
  Settled SettleHelper(const Expectation& expected, const Outcome& outcome, MapState* map);
  // Judges what a lookup gave to a program that was loaded, and what it stored.
  void AccessElement(const HelperLookup& op, MapState* map, const Outcome& outcome);

  // ---- Maps of maps (map_of_maps_rules.cc)

  // Puts indices in the World in the place of the ids that an outcome shows, in `translated`; false
  // where it shows none.
  bool TranslateIds(const Call& call, const Outcome& outcome);
  // The index of the map that has this id, learned where only `expected` (an index) can be meant.
  uint32_t MapWithId(const Bytes& id_bytes, const Bytes* expected);
  // The reverse, in what is told of a violation.
  void NameId(const Outcome& outcome);
  // Before a call on one element of a map of maps, and after each that may have changed which maps
  // one holds.
  void NoteInner(const Call& call);
  void FollowInnerMaps(const Call& call, const Outcome& outcome);
  // The index of the map that an element holds.
  std::optional<uint32_t> InnerAt(MapState& outer, const Bytes& key);
  // Nothing can be said of this map any more.
  void Lose(MapState* map);
  // The element that an outer map has when this descriptor was put into it.
  Bytes InnerValue(Handle value_fd) const;
  Expectation ExpectUpdateOfOuter(MapState& outer, const Bytes& key, uint64_t flags,
                                  Handle value_fd);
  static Expectation ExpectLoadForOuter(const MapState& outer, const ProgramUse& use);
  // bpf_map_lookup_elem() in an outer map alone.
  void LookupInOuter(const HelperLookup& op, const Outcome& outcome);

  // The errno of it, also where the kernel gives programs only half of it.
  Errno HelperError(const Outcome& outcome) const;
  // The output of a lookup by a program, of what CPU `of_cpu` has of the element.
  void CompareOfCpu(const Bytes& key, uint32_t of_cpu, Expectation expected, const Outcome& outcome,
                    MapState* map);
  void CiteOwnSlot(MapState* map);
  // What was read through a pointer that was held over the call; `value` is nullptr where there was
  // no element.
  void CompareHeld(const Bytes* value, ClauseId clause, const Outcome& outcome, MapState* map);
  // Judges a pop or peek; true when it succeeded.
  template <typename C>
  bool TakeHead(const Expectation& expected, C clauses, const Outcome& outcome, MapState* map);
  // The clauses that a successful read or write confirms about its descriptor.
  void CiteRead(const HandleState& handle, const MapState& map);
  void CiteWrite(const HandleState& handle);
  // What the value of an update of an XSKMAP names.
  XskDescriptor DescriptorOf(const Update& op) const;
  bool MayRead(const HandleState& handle) const { return handle.can_read; }
  bool MayWrite(const HandleState& handle) {
    return handle.can_write && !world.MapOf(handle).frozen;
  }

  // `bytes` with exactly `size` bytes, in `scratch` where they have to be padded or cut.
  static const Bytes& Fit(const Bytes& bytes, size_t size, Bytes* scratch) {
    if (bytes.size() == size) return bytes;
    *scratch = bytes;
    scratch->Resize(size);
    return *scratch;
  }
};

// The output of an outcome as bytes; an empty constant where there is none (damaged traces).
const Bytes& OutputBytes(const Outcome& outcome);
const BatchOutput& OutputBatch(const Outcome& outcome);

}  // namespace mapspec

#endif  // ORACLE_CHECKER_STATE_H_

// SPDX-License-Identifier: MIT
//
// The inside of runners/repro.h: follows the trace, knows for every operation what each slot is
// (which the program makes sure of), and writes one call for each. Errors: Refuse.
#ifndef RUNNERS_REPRO_WRITER_H_
#define RUNNERS_REPRO_WRITER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "backends/program/program.h"
#include "oracle/allowed.h"
#include "oracle/checker.h"
#include "oracle/trace.h"
#include "runners/repro_source.h"

namespace mapspec {

// Why there is no program.
struct Refuse {
  std::string why;
};

// Who is to answer.
struct ReproTarget {
  // The shared object to load in front of libbpf; "" for the kernel.
  std::string library;
  bool embedded = false;  // The library that comes with mapspec, whose mmap() is a function.
};
// Throws Refuse where libbpf alone cannot ask it.
ReproTarget TargetOf(const Trace& trace);

class ReproWriter {
 public:
  // `verdict`: a violation.
  ReproWriter(const Trace& trace, const Profile& profile, const Verdict& verdict,
              const ReproTarget& target);
  // Throws Refuse.
  std::string Write();

 private:
  struct Record {  // A map, as far as buffers go.
    uint32_t key_size = 0;
    size_t value_size = 0;
    uint32_t max_entries = 0;
    uint32_t id = 0;  // In the trace; 0 while unknown.
    MapShape shape;
    bool ordered = true;  // Not a hash: its walks are the same everywhere.
  };
  struct Slot {
    bool open = false;
    int record = -1;
    uint32_t told_id = 0;  // In the trace.
  };
  struct View {
    bool mapped = false;
    uint64_t length = 0;
    bool readable = false, writable = false;
  };
  // One operation as C.
  struct Step {
    std::vector<std::string> before;  // Statements.
    std::string call;                 // An expression for 0 or the errno; "" for nothing to call.
    std::vector<std::string> after;   // Statements for when it ended as in the trace.
    // The output buffer: an expression for its first byte.
    std::string output;
    size_t output_size = 0;
    bool declares = false;  // `before` has declarations.
  };

  void WriteOperation(size_t i);
  // Each call; system calls on elements (repro_elements.cc), on objects (repro_objects.cc), and
  // helpers (repro_programs.cc).
  void On(const MapCreate& op, Step* step);
  void On(const Lookup& op, Step* step);
  void On(const LookupAndDelete& op, Step* step);
  void On(const Update& op, Step* step);
  void On(const Delete& op, Step* step);
  void On(const GetNextKey& op, Step* step);
  void On(const LookupBatch& op, Step* step);
  void On(const UpdateBatch& op, Step* step);
  void On(const DeleteBatch& op, Step* step);
  void On(const Freeze& op, Step* step);
  void On(const GetInfo& op, Step* step);
  void On(const GetFdById& op, Step* step);
  void On(const GetNextId& op, Step* step);
  void On(const Pin& op, Step* step);
  void On(const ObjGet& op, Step* step);
  void On(const Unlink& op, Step* step);
  void On(const struct Close& op, Step* step);
  void On(const Mmap& op, Step* step);
  void On(const MemRead& op, Step* step);
  void On(const MemWrite& op, Step* step);
  void On(const Munmap& op, Step* step);
  void On(const Poll& op, Step* step);
  void On(const FdRead& op, Step* step);
  void On(const FdWrite& op, Step* step);
  void On(const BtfLoad& op, Step* step);
  void On(const SocketOpen& op, Step* step);
  void On(const SendFrames& op, Step* step);
  void On(const ReceiveFrames& op, Step* step);
  void On(const HelperRedirectMap& op, Step* step);
  template <typename Helper>
  void On(const Helper& op, Step* step) {
    OnHelper(Call(op), op.map, step);
  }
  void OnHelper(const Call& call, Handle map, Step* step);

  // Objects.
  const Record& RecordOf(Handle handle) const;
  Slot& SlotOf(Handle handle) { return slots_[handle.slot]; }
  bool IsOpen(Handle handle) const;
  // An expression for the descriptor.
  std::string Fd(Handle handle, Step* step);
  // A new descriptor, or none, goes into the slot.
  void Fill(Handle handle, const std::string& fd_call, int record, Step* step);
  std::string Id(Handle of, uint32_t id, Step* step) const;
  std::string Path(const std::string& path, Step* step);
  bool Succeeded() const { return outcome_->ok(); }

  // Buffers.
  std::string In(const InBuffer& buffer, size_t wanted, const std::string& name, Step* step);
  std::string Padded(const Bytes& bytes, size_t wanted, const std::string& name, Step* step);
  std::string Out(Pointer pointer, size_t size, const std::string& name, Step* step);
  std::string Descriptors(std::span<const Handle> handles, size_t stride, size_t wanted,
                          Step* step);
  std::string BatchOptions(uint64_t elem_flags, uint64_t flags, Step* step);
  // What the walk of a map gave has to be what it gave in the trace.
  void SameOrder(const std::string& got, const Bytes& wanted, Step* step);

  // The violating operation (repro_verdict.cc).
  AllowedOutcomes Allowed() const;
  void Judge(const Step& step);
  std::string Condition(const AllowedOutcome& allowed, const Step& step,
                        std::vector<std::string>* before);
  std::string OutcomeIs(const Outcome& outcome, const Step& step, std::vector<std::string>* before);
  std::string ClauseName() const;
  std::string Comment() const;
  std::string Main() const;

  const Trace& trace_;
  const Profile& profile_;
  const Verdict& verdict_;
  const ReproTarget& target_;
  CSource source_;
  std::vector<Record> records_;
  std::map<uint16_t, Slot> slots_;
  std::map<uint16_t, View> views_;
  std::map<uint16_t, std::pair<bool, int32_t>> btfs_;  // Loaded, offset of its lock.
  std::map<std::string, int> pins_;                    // Path → record.
  std::map<std::string, std::string> programs_;        // Text → name.
  // Elements of maps of maps: (record, key) → the record of the map that is there.
  std::map<std::pair<int, Bytes>, int> inner_;
  std::set<int> named_by_id_;  // Records of which the program keeps the id.
  const Operation* operation_ = nullptr;
  const Outcome* outcome_ = nullptr;
  size_t index_ = 0;
  uint16_t cpu_ = kAnyCpu;
  bool not_a_map_open_ = false;
  bool walks_ = false;  // The program depends on the order of a hash.
  bool pins_used_ = false;
  bool exact_ = true;
  size_t written_ = 0;  // Bytes of all values that the script writes: what a checker may hold.
};

}  // namespace mapspec

#endif  // RUNNERS_REPRO_WRITER_H_

// SPDX-License-Identifier: MIT
#include "backends/program/helper_program.h"

#include <algorithm>
#include <cstddef>
#include <variant>

#include "backends/program/assembler.h"

namespace mapspec {
namespace {

#define MAPSPEC_FIELD(name) static_cast<int32_t>(offsetof(ControlRecord, name))

// Registers: r6 the record, for the whole program; r7 to r9 as each action says.
class Writer {
 public:
  Writer(const MapShape& shape, RecordForm form)
      : shape_(shape), form_(form), layout_(LayOut(shape, form)) {}

  Program Write(std::span<const HelperAction> actions) {
    TakeRecord();
    for (size_t i = 0; i < actions.size(); ++i) {
      const bool last = i + 1 == actions.size();
      // Every action ends in an exit of its own: the paths are as many as the actions, not two to
      // the power of that (the validator of librte_bpf walks each of them). A record that names
      // none of them gets the last.
      uint32_t other = 0;
      if (!last) {
        a_.Load(8, kR1, kR6, MAPSPEC_FIELD(action));
        other = a_.JumpIf(BPF_JNE, kR1, static_cast<uint32_t>(actions[i]));
      }
      Do(actions[i]);
      if (!last) a_.Bind(other);
    }
    if (walk()) Callback();
    Program& program = a_.program();
    program.subject = shape_;
    program.form = form_;
    program.control_size = layout_.control_size;
    program.record_stride = layout_.stride;
    program.record_count = layout_.records;
    return a_.Take();
  }

 private:
  bool walk() const { return form_ == RecordForm::kWalk; }

  // The next record of the control block, into r6.
  void TakeRecord() {
    a_.StoreImmediate(8, kFrame, -8, 0);  // The key: element 0. Whole words only (program.h).
    a_.LoadMap(kR1, MapRole::kControl);
    a_.Move(kR2, kFrame);
    a_.AddImmediate(kR2, static_cast<uint32_t>(-8));
    a_.Call(HelperId::kMapLookupElem, MapRole::kControl);
    const uint32_t found = a_.JumpIf(BPF_JNE, kR0, 0);
    Leave();
    a_.Bind(found);
    a_.Move(kR6, kR0);
    a_.Load(8, kR1, kR6, offsetof(ControlHeader, next));
    const uint32_t in_range = a_.JumpIf(BPF_JLT, kR1, layout_.records);
    Leave();
    a_.Bind(in_range);
    a_.Move(kR2, kR1);
    a_.AddImmediate(kR2, 1);
    a_.Store(8, kR6, offsetof(ControlHeader, next), kR2);
    // Changes nothing: the validator of librte_bpf learns of the signed bounds only so.
    a_.AndImmediate(kR1, layout_.records - 1);
    a_.MultiplyImmediate(kR1, layout_.stride);
    a_.Add(kR6, kR1);
    a_.AddImmediate(kR6, sizeof(ControlHeader));
  }

  void Leave() {
    a_.MoveImmediate(kR0, 0);
    a_.Exit();
  }
  void Done() {
    a_.StoreImmediate(8, kR6, MAPSPEC_FIELD(done), 1);
    Leave();
  }
  void Result() { a_.Store(8, kR6, MAPSPEC_FIELD(result), kR0); }
  void Part(Register to, uint32_t offset) {
    a_.Move(to, kR6);
    a_.AddImmediate(to, offset);
  }
  void MapAndKey() {
    a_.LoadMap(kR1, MapRole::kSubject);
    Part(kR2, layout_.key);
  }
  void Call(HelperId helper) { a_.Call(helper, MapRole::kSubject); }

  // Copies `size` bytes through r1, in the largest words that their offsets allow; both pointers
  // move on where an offset would not fit into an instruction. Returns how far they moved. The word
  // of a lock, which no program may touch, is left out; `zero_lock` stores zeros in its place.
  uint32_t Copy(Register to, Register from, uint32_t size, int32_t lock_offset, bool zero_lock) {
    constexpr uint32_t kWindow = 16 << 10;
    uint32_t moved = 0;
    for (uint32_t offset = 0; offset < size;) {
      if (offset - moved >= kWindow) {
        a_.AddImmediate(to, kWindow);
        a_.AddImmediate(from, kWindow);
        moved += kWindow;
      }
      const auto here = static_cast<int32_t>(offset - moved);
      const uint32_t lock = lock_offset < 0 ? size : static_cast<uint32_t>(lock_offset);
      if (offset == lock) {
        if (zero_lock) a_.StoreImmediate(4, to, here, 0);
        offset += 4;
        continue;
      }
      const uint32_t end = offset < lock ? std::min(size, lock) : size;
      uint32_t width = 8;
      while (offset % width != 0 || offset + width > end) width /= 2;
      a_.Load(width, kR1, from, here);
      a_.Store(width, to, here, kR1);
      offset += width;
    }
    return moved;
  }
  // The map whose elements are read and written.
  uint32_t value_size() const {
    return form_ == RecordForm::kInner ? shape_.inner_value_size : shape_.value_size;
  }
  int32_t lock_offset() const {
    return form_ == RecordForm::kInner ? shape_.inner_lock_offset : shape_.lock_offset;
  }
  // The value behind r9, which stays, into the output.
  void ReadValue() {
    a_.Move(kR7, kR9);
    Part(kR8, layout_.output);
    Copy(kR8, kR7, value_size(), lock_offset(), true);
  }
  void StoreValue() {
    a_.Move(kR7, kR9);
    Part(kR8, layout_.value);
    Copy(kR7, kR8, value_size(), lock_offset(), false);
  }
  void SpinLock(HelperId helper) {
    a_.Move(kR1, kR9);
    // In a map without a lock its place does not matter: the verifier refuses.
    if (shape_.lock_offset > 0) a_.AddImmediate(kR1, static_cast<uint32_t>(shape_.lock_offset));
    Call(helper);
  }

  // r0 is what a lookup returned.
  void Access(bool store, bool lock) {
    const uint32_t found = a_.JumpIf(BPF_JNE, kR0, 0);
    a_.StoreImmediate(8, kR6, MAPSPEC_FIELD(result), 0);
    Done();
    a_.Bind(found);
    a_.StoreImmediate(8, kR6, MAPSPEC_FIELD(result), 1);
    a_.Move(kR9, kR0);
    if (lock) SpinLock(HelperId::kSpinLock);
    ReadValue();
    if (store) StoreValue();
    if (lock) SpinLock(HelperId::kSpinUnlock);
    Done();
  }
  void Lookup(bool store, bool lock) {
    MapAndKey();
    Call(HelperId::kMapLookupElem);
    Access(store, lock);
  }
  void LookupInner(bool store) {
    MapAndKey();
    Call(HelperId::kMapLookupElem);
    const uint32_t found = a_.JumpIf(BPF_JNE, kR0, 0);
    a_.StoreImmediate(8, kR6, MAPSPEC_FIELD(result), 0);
    Done();
    a_.Bind(found);
    a_.Move(kR1, kR0);
    Part(kR2, layout_.inner_key);
    a_.Call(HelperId::kMapLookupElem, MapRole::kInner);
    Access(store, false);
  }
  void LookupPercpu() {
    MapAndKey();
    a_.Load(8, kR3, kR6, MAPSPEC_FIELD(argument));
    Call(HelperId::kMapLookupPercpuElem);
    Access(false, false);
  }
  // A call with a pointer to the element kept over it, in r9, and read afterwards.
  void Change(HelperId helper, bool hold) {
    if (hold) {
      MapAndKey();
      Call(HelperId::kMapLookupElem);
      a_.Move(kR9, kR0);
    }
    MapAndKey();
    if (helper == HelperId::kMapUpdateElem) {
      Part(kR3, layout_.value);
      a_.Load(8, kR4, kR6, MAPSPEC_FIELD(flags));
    }
    Call(helper);
    Result();
    if (hold) {
      const uint32_t held = a_.JumpIf(BPF_JNE, kR9, 0);
      Done();
      a_.Bind(held);
      ReadValue();
    }
    Done();
  }
  void Push() {
    a_.LoadMap(kR1, MapRole::kSubject);
    Part(kR2, layout_.value);
    a_.Load(8, kR3, kR6, MAPSPEC_FIELD(flags));
    Call(HelperId::kMapPushElem);
    Result();
    Done();
  }
  void PopOrPeek(HelperId helper) {
    a_.LoadMap(kR1, MapRole::kSubject);
    Part(kR2, layout_.output);
    Call(helper);
    Result();
    Done();
  }
  void ForEach() {
    // The callback gets the record through the caller's stack: of what may be passed to it, the
    // verifiers of all versions take a pointer to the stack only.
    a_.Store(8, kFrame, -16, kR6);
    a_.LoadMap(kR1, MapRole::kSubject);
    a_.LoadCallback(kR2);
    a_.Move(kR3, kFrame);
    a_.AddImmediate(kR3, static_cast<uint32_t>(-16));
    a_.Load(8, kR4, kR6, MAPSPEC_FIELD(flags));
    Call(HelperId::kForEachMapElem);
    Result();
    Done();
  }

  // r1 the map, r2 the key, r3 the value, r4 what ForEach passed.
  void Callback() {
    a_.program().callback = a_.Here();
    a_.Load(8, kR6, kR4, 0);
    a_.Move(kR7, kR2);
    a_.Move(kR8, kR3);
    a_.Load(8, kR1, kR6, MAPSPEC_FIELD(visited));
    a_.Move(kR2, kR1);
    a_.AddImmediate(kR2, 1);
    a_.Store(8, kR6, MAPSPEC_FIELD(visited), kR2);
    const uint32_t note = a_.JumpIf(BPF_JLT, kR1, layout_.note_count);
    StopAtLimit();
    a_.Bind(note);
    a_.MultiplyImmediate(kR1, layout_.note_stride);
    Part(kR9, layout_.output);
    a_.Add(kR9, kR1);
    const uint32_t moved = Copy(kR9, kR7, shape_.key_size, -1, false);
    a_.AddImmediate(kR9, RoundUpTo8(shape_.key_size) - moved);
    Copy(kR9, kR8, shape_.value_size, shape_.lock_offset, true);
    StopAtLimit();
  }
  void StopAtLimit() {
    a_.Load(8, kR1, kR6, MAPSPEC_FIELD(visited));
    a_.Load(8, kR2, kR6, MAPSPEC_FIELD(argument));
    a_.MoveImmediate(kR0, 0);
    const uint32_t go_on = a_.JumpIfRegisters(BPF_JNE, kR1, kR2);
    a_.MoveImmediate(kR0, 1);
    a_.Bind(go_on);
    a_.Exit();
  }

  void Do(HelperAction action) {
    switch (action) {
      case HelperAction::kLookup:
        return Lookup(false, false);
      case HelperAction::kLookupStore:
        return Lookup(true, false);
      case HelperAction::kLookupLock:
        return Lookup(false, true);
      case HelperAction::kLookupStoreLock:
        return Lookup(true, true);
      case HelperAction::kUpdate:
        return Change(HelperId::kMapUpdateElem, false);
      case HelperAction::kUpdateHold:
        return Change(HelperId::kMapUpdateElem, true);
      case HelperAction::kDelete:
        return Change(HelperId::kMapDeleteElem, false);
      case HelperAction::kDeleteHold:
        return Change(HelperId::kMapDeleteElem, true);
      case HelperAction::kPush:
        return Push();
      case HelperAction::kPop:
        return PopOrPeek(HelperId::kMapPopElem);
      case HelperAction::kPeek:
        return PopOrPeek(HelperId::kMapPeekElem);
      case HelperAction::kLookupPercpu:
        return LookupPercpu();
      case HelperAction::kForEach:
        return ForEach();
      case HelperAction::kLookupInner:
        return LookupInner(false);
      case HelperAction::kLookupInnerStore:
        return LookupInner(true);
      case HelperAction::kCount:
        return;
    }
  }

  const MapShape shape_;
  const RecordForm form_;
  const ControlLayout layout_;
  Assembler a_;
};

struct ToAction {
  using Action = std::optional<HelperAction>;
  Action operator()(const HelperLookup& op) const {
    if (op.lock) return op.store ? HelperAction::kLookupStoreLock : HelperAction::kLookupLock;
    return op.store ? HelperAction::kLookupStore : HelperAction::kLookup;
  }
  Action operator()(const HelperUpdate& op) const {
    return op.hold ? HelperAction::kUpdateHold : HelperAction::kUpdate;
  }
  Action operator()(const HelperDelete& op) const {
    return op.hold ? HelperAction::kDeleteHold : HelperAction::kDelete;
  }
  Action operator()(const HelperPush&) const { return HelperAction::kPush; }
  Action operator()(const HelperPop&) const { return HelperAction::kPop; }
  Action operator()(const HelperPeek&) const { return HelperAction::kPeek; }
  Action operator()(const HelperLookupPercpu&) const { return HelperAction::kLookupPercpu; }
  Action operator()(const HelperForEach&) const { return HelperAction::kForEach; }
  Action operator()(const HelperLookupInner& op) const {
    return op.store ? HelperAction::kLookupInnerStore : HelperAction::kLookupInner;
  }
  template <typename SystemCall>
  Action operator()(const SystemCall&) const {
    return std::nullopt;
  }
};

#undef MAPSPEC_FIELD

}  // namespace

std::optional<HelperAction> ActionOf(const Call& call) { return std::visit(ToAction{}, call); }

RecordForm FormOf(HelperAction action) {
  switch (action) {
    case HelperAction::kForEach:
      return RecordForm::kWalk;
    case HelperAction::kLookupInner:
    case HelperAction::kLookupInnerStore:
      return RecordForm::kInner;
    default:
      return RecordForm::kElement;
  }
}

Program MakeHelperProgram(const MapShape& shape, std::span<const HelperAction> actions) {
  return Writer(shape, FormOf(actions.front())).Write(actions);
}

}  // namespace mapspec

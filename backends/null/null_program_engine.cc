// SPDX-License-Identifier: MIT
#include "backends/null/null_program_engine.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include "backends/program/helper_program.h"
#include "backends/userspace/usermaps_prog.h"
#include "oracle/inner_map.h"

namespace mapspec {
namespace {

class HeapControlMap : public ControlMap {
 public:
  explicit HeapControlMap(uint32_t size) : memory_(size) {}
  std::span<uint8_t> memory() override { return memory_; }

 private:
  std::vector<uint8_t> memory_;
};

// Walks the records of the control block as a program does.
class HostProgram : public LoadedProgram {
 public:
  HostProgram(const Program& program, ControlMap& control)
      : shape_(program.subject),
        layout_(LayOut(program.subject, program.form)),
        memory_(control.memory().data()) {}

  bool Run(uint32_t repeat, std::string*) override {
    ControlHeader header;
    std::memcpy(&header, memory_, sizeof(header));
    for (; repeat > 0 && header.next < layout_.records; --repeat) {
      uint8_t* record = memory_ + layout_.OffsetOf(static_cast<uint32_t>(header.next++));
      ControlRecord words;
      std::memcpy(&words, record, sizeof(words));
      Call(record, &words);
      words.done = 1;
      std::memcpy(record, &words, sizeof(words));
    }
    std::memcpy(memory_, &header, sizeof(header));
    return true;
  }

 protected:
  virtual void Call(uint8_t* /*record*/, ControlRecord* words) { words->result = 0; }

  const MapShape shape_;
  const ControlLayout layout_;

 private:
  uint8_t* memory_;
};

class DirectProgram : public HostProgram {
 public:
  DirectProgram(const Program& program, ControlMap& control, usermaps_prog_map* map)
      : HostProgram(program, control), map_(map) {}
  ~DirectProgram() override { usermaps_prog_map_put(map_); }

 protected:
  void Call(uint8_t* record, ControlRecord* words) override {
    usermaps_prog_enter();
    words->result = Result(static_cast<HelperAction>(words->action), record, words);
    usermaps_prog_exit();
  }

 private:
  struct Walk {
    DirectProgram* self;
    uint8_t* record;
    ControlRecord* words;
  };

  // A copy of a value without the word of a lock.
  static void Copy(const MapShape& shape, void* to, const void* from) {
    const auto size = static_cast<size_t>(shape.value_size);
    const size_t lock = shape.lock_offset < 0 ? size : static_cast<size_t>(shape.lock_offset);
    std::memcpy(to, from, lock);
    if (lock >= size) return;
    std::memcpy(static_cast<uint8_t*>(to) + lock + 4, static_cast<const uint8_t*>(from) + lock + 4,
                size - lock - 4);
  }
  static void Read(const MapShape& shape, uint8_t* to, const void* value) {
    std::memset(to, 0, shape.value_size);
    Copy(shape, to, value);
  }
  int64_t Access(const MapShape& shape, void* value, uint8_t* record, bool store, bool lock) const {
    if (value == nullptr) return 0;
    void* word = static_cast<uint8_t*>(value) + (shape.lock_offset < 0 ? 0 : shape.lock_offset);
    lock = lock && shape.lock_offset >= 0;
    if (lock) usermaps_prog_spin_lock(word);
    Read(shape, record + layout_.output, value);
    if (store) Copy(shape, value, record + layout_.value);
    if (lock) usermaps_prog_spin_unlock(word);
    return 1;
  }
  int64_t AccessInner(uint8_t* record, bool store) const {
    if (!IsMapOfMaps(shape_.type)) return -EINVAL;
    auto* const inner =
        static_cast<usermaps_prog_map*>(usermaps_prog_map_lookup_elem(map_, record + layout_.key));
    if (inner == nullptr) return 0;
    return Access(shape_.Inner(), usermaps_prog_map_lookup_elem(inner, record + layout_.inner_key),
                  record, store, false);
  }

  int64_t Result(HelperAction action, uint8_t* record, ControlRecord* words) {
    const uint8_t* key = record + layout_.key;
    const uint8_t* value = record + layout_.value;
    uint8_t* output = record + layout_.output;
    const bool hold = action == HelperAction::kUpdateHold || action == HelperAction::kDeleteHold;
    const bool holds = hold && !IsMapOfMaps(shape_.type);
    const void* held = holds ? usermaps_prog_map_lookup_elem(map_, key) : nullptr;
    int64_t result = 0;
    switch (action) {
      case HelperAction::kLookup:
      case HelperAction::kLookupStore:
      case HelperAction::kLookupLock:
      case HelperAction::kLookupStoreLock:
        if (IsMapOfMaps(shape_.type)) return -EINVAL;  // A map is no value.
        return Access(
            shape_, usermaps_prog_map_lookup_elem(map_, key), record,
            action == HelperAction::kLookupStore || action == HelperAction::kLookupStoreLock,
            action == HelperAction::kLookupLock || action == HelperAction::kLookupStoreLock);
      case HelperAction::kUpdate:
      case HelperAction::kUpdateHold:
        result = usermaps_prog_map_update_elem(map_, key, value, words->flags);
        break;
      case HelperAction::kDelete:
      case HelperAction::kDeleteHold:
        result = usermaps_prog_map_delete_elem(map_, key);
        break;
      case HelperAction::kPush:
        return usermaps_prog_map_push_elem(map_, value, words->flags);
      case HelperAction::kPop:
        return usermaps_prog_map_pop_elem(map_, output);
      case HelperAction::kPeek:
        return usermaps_prog_map_peek_elem(map_, output);
      case HelperAction::kLookupPercpu:
        return Access(
            shape_,
            usermaps_prog_map_lookup_percpu_elem(map_, key, static_cast<uint32_t>(words->argument)),
            record, false, false);
      case HelperAction::kForEach: {
        Walk walk{this, record, words};
        return usermaps_prog_for_each_map_elem(map_, &Note, &walk, words->flags);
      }
      case HelperAction::kLookupInner:
      case HelperAction::kLookupInnerStore:
        return AccessInner(record, action == HelperAction::kLookupInnerStore);
      case HelperAction::kCount:
        return -EINVAL;
    }
    if (held != nullptr) Read(shape_, output, held);
    return result;
  }

  static long Note(usermaps_prog_map*, void* key, void* value, void* context) {
    const auto& [self, record, words] = *static_cast<Walk*>(context);
    const uint64_t index = words->visited++;
    if (index < self->layout_.note_count) {
      uint8_t* note = record + self->layout_.output + index * self->layout_.note_stride;
      std::memcpy(note, key, self->shape_.key_size);
      Read(self->shape_, note + RoundUpTo8(self->shape_.key_size), value);
    }
    return words->visited == words->argument;
  }

  usermaps_prog_map* map_;
};

class HostEngine : public ProgramEngine {
 public:
  std::unique_ptr<ControlMap> MakeControlMap(uint32_t size, std::string*) override {
    return std::make_unique<HeapControlMap>(size);
  }
  LoadResult Load(const Program& program, int, ControlMap& control) override {
    return {std::make_unique<HostProgram>(program, control), Errno::kNone, {}};
  }
};

class DirectEngine : public HostEngine {
 public:
  LoadResult Load(const Program& program, int map_fd, ControlMap& control) override {
    usermaps_prog_map* map = usermaps_prog_map_get(map_fd);
    if (map == nullptr) return {nullptr, static_cast<Errno>(errno), "no map"};
    return {std::make_unique<DirectProgram>(program, control, map), Errno::kNone, {}};
  }
};

}  // namespace

std::unique_ptr<ProgramEngine> MakeIdleProgramEngine() { return std::make_unique<HostEngine>(); }
std::unique_ptr<ProgramEngine> MakeDirectProgramEngine() {
  return std::make_unique<DirectEngine>();
}

}  // namespace mapspec

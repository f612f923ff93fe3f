// SPDX-License-Identifier: MIT
#include "backends/vm/vm_program_engine.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "oracle/inner_map.h"

namespace mapspec {
namespace {

constexpr uint32_t kControlKeySize = 4;

// What a first argument of a helper points to, with what the helpers here need of it.
struct MapHandle {
  VmMap* map = nullptr;
  MapShape shape;
  bool is_inner = false;  // It was found in a map of maps.
};

// The run of this thread: VMs call plain functions that know nothing of it.
struct Run {
  VmProgram* program = nullptr;
  VmStore* store = nullptr;
  std::span<uint8_t> control;
  struct Memory {
    uint64_t address;
    uint64_t size;
  };
  std::vector<Memory> values;  // That lookups and walks gave to the program.
  std::vector<std::unique_ptr<uint64_t[]>> scratch;
  // Maps that lookups in maps of maps gave.
  struct Inner {
    std::unique_ptr<VmMap> map;
    MapHandle handle;
  };
  std::deque<Inner> inner;

  void Give(const void* address, uint64_t size) {
    if (address != nullptr) values.push_back({reinterpret_cast<uint64_t>(address), size});
  }
};
thread_local Run* current = nullptr;

bool IsInside(uint64_t address, uint64_t size, uint64_t begin, uint64_t length) {
  return address >= begin && size <= length && address - begin <= length - size;
}

bool MayAccess(uint64_t address, uint64_t size) {
  const Run& run = *current;
  const auto control = reinterpret_cast<uint64_t>(run.control.data());
  if (IsInside(address, size, control, run.control.size())) return true;
  return std::any_of(run.values.rbegin(), run.values.rend(), [&](const Run::Memory& value) {
    return IsInside(address, size, value.address, value.size);
  });
}

const MapHandle& HandleAt(uint64_t address) { return *reinterpret_cast<const MapHandle*>(address); }
VmMap& MapAt(uint64_t address) { return *HandleAt(address).map; }
void* PointerAt(uint64_t address) { return reinterpret_cast<void*>(address); }
uint64_t Number(int64_t result) { return static_cast<uint64_t>(result); }

uint64_t Value(const MapHandle& handle, void* value) {
  current->Give(value, handle.shape.value_size);
  return reinterpret_cast<uint64_t>(value);
}
// What stands for the map is a first argument of helpers from then on; the program cannot look
// into it.
uint64_t InnerMap(const MapHandle& outer, std::unique_ptr<VmMap> map) {
  if (map == nullptr) return 0;
  const MapHandle handle{map.get(), outer.shape.Inner(), true};
  current->inner.push_back({std::move(map), handle});
  return reinterpret_cast<uint64_t>(&current->inner.back().handle);
}
MAPSPEC_VM_FUNCTION Lookup(uint64_t map, uint64_t key, uint64_t, uint64_t, uint64_t) {
  const MapHandle& handle = HandleAt(map);
  if (IsMapOfMaps(handle.shape.type)) {
    return InnerMap(handle, handle.map->LookupMap(PointerAt(key)));
  }
  return Value(handle, handle.map->Lookup(PointerAt(key)));
}
MAPSPEC_VM_FUNCTION LookupPercpu(uint64_t map, uint64_t key, uint64_t cpu, uint64_t, uint64_t) {
  return Value(HandleAt(map), MapAt(map).LookupPercpu(PointerAt(key), static_cast<uint32_t>(cpu)));
}
MAPSPEC_VM_FUNCTION Update(uint64_t map, uint64_t key, uint64_t value, uint64_t flags, uint64_t) {
  return Number(MapAt(map).Update(PointerAt(key), PointerAt(value), flags));
}
MAPSPEC_VM_FUNCTION Delete(uint64_t map, uint64_t key, uint64_t, uint64_t, uint64_t) {
  return Number(MapAt(map).Delete(PointerAt(key)));
}
MAPSPEC_VM_FUNCTION Push(uint64_t map, uint64_t value, uint64_t flags, uint64_t, uint64_t) {
  return Number(MapAt(map).Push(PointerAt(value), flags));
}
MAPSPEC_VM_FUNCTION Pop(uint64_t map, uint64_t value, uint64_t, uint64_t, uint64_t) {
  return Number(MapAt(map).Pop(PointerAt(value)));
}
MAPSPEC_VM_FUNCTION Peek(uint64_t map, uint64_t value, uint64_t, uint64_t, uint64_t) {
  return Number(MapAt(map).Peek(PointerAt(value)));
}
MAPSPEC_VM_FUNCTION SpinLock(uint64_t lock, uint64_t, uint64_t, uint64_t, uint64_t) {
  current->store->SpinLock(PointerAt(lock));
  return 0;
}
MAPSPEC_VM_FUNCTION SpinUnlock(uint64_t lock, uint64_t, uint64_t, uint64_t, uint64_t) {
  current->store->SpinUnlock(PointerAt(lock));
  return 0;
}
MAPSPEC_VM_FUNCTION ForEach(uint64_t map, uint64_t /*callback*/, uint64_t context, uint64_t flags,
                            uint64_t) {
  // What the callback is given beside values: the key, and the stack of its caller.
  const MapHandle& handle = HandleAt(map);
  current->Give(PointerAt(context), sizeof(uint64_t));
  const VmMap::Visit visit = [&](void* key, void* value) -> int64_t {
    current->Give(key, handle.shape.key_size);
    current->Give(value, handle.shape.value_size);
    const uint64_t result = current->program->CallBack(
        {map, reinterpret_cast<uint64_t>(key), reinterpret_cast<uint64_t>(value), context, 0});
    current->values.resize(current->values.size() - 2);
    return static_cast<int64_t>(result);
  };
  return Number(handle.map->ForEach(visit, flags));
}

// The helper as a VM is told of it, for a map of this shape.
VmCall CallOf(HelperId helper, const MapShape& shape) {
  const VmType map = VmType::Number();
  const VmType key = VmType::Pointer(shape.key_size);
  const VmType value = VmType::Pointer(shape.value_size);
  const VmType number = VmType::Number();
  switch (helper) {
    case HelperId::kMapLookupElem:
      return {&Lookup, {map, key}, IsMapOfMaps(shape.type) ? map : value};
    case HelperId::kMapLookupPercpuElem:
      return {&LookupPercpu, {map, key, number}, value};
    case HelperId::kMapUpdateElem:
      return {&Update, {map, key, value, number}, number};
    case HelperId::kMapDeleteElem:
      return {&Delete, {map, key}, number};
    case HelperId::kMapPushElem:
      return {&Push, {map, value, number}, number};
    case HelperId::kMapPopElem:
      return {&Pop, {map, value}, number};
    case HelperId::kMapPeekElem:
      return {&Peek, {map, value}, number};
    case HelperId::kSpinLock:
      return {&SpinLock, {VmType::Pointer(4)}, number};
    case HelperId::kSpinUnlock:
      return {&SpinUnlock, {VmType::Pointer(4)}, number};
    case HelperId::kForEachMapElem:
      return {&ForEach, {map, number, VmType::Pointer(8), number}, number};
  }
  return {};
}

class VmControlMap : public ControlMap, public VmMap {
 public:
  explicit VmControlMap(uint32_t size) : words_((size + 7) / 8) {}
  std::span<uint8_t> memory() override {
    return {reinterpret_cast<uint8_t*>(words_.data()), words_.size() * sizeof(uint64_t)};
  }
  void* Lookup(const void*) override { return words_.data(); }

 private:
  std::vector<uint64_t> words_;
};

class VmLoadedProgram : public LoadedProgram {
 public:
  VmLoadedProgram(std::shared_ptr<const VmSetup> setup, std::unique_ptr<VmMap> subject,
                  const Program& program, VmControlMap& control)
      : setup_(std::move(setup)),
        subject_(std::move(subject)),
        subject_handle_{subject_.get(), program.subject},
        control_handle_{&control, {MapType::ARRAY, kControlKeySize, program.control_size}},
        control_(control.memory()) {}

  // Makes what the VM gets of it. False after filling *error.
  bool Load(const Program& program, std::string* error) {
    VmCode code;
    code.instructions = program.instructions;
    for (const MapReference& map : program.maps) {
      const bool subject = map.role == MapRole::kSubject;
      const auto address =
          reinterpret_cast<uint64_t>(subject ? &subject_handle_ : &control_handle_);
      code.instructions[map.instruction].imm = static_cast<int32_t>(address);
      code.instructions[map.instruction + 1].imm = static_cast<int32_t>(address >> 32);
    }
    for (const HelperCallSite& site : program.calls) {
      VmCall call = CallOf(site.helper, ShapeOf(site.map));
      for (const auto& [helper, function] : setup_->instead) {
        if (site.map != MapRole::kControl && helper == site.helper) call.function = function;
      }
      code.instructions[site.instruction].imm = static_cast<int32_t>(code.calls.size());
      code.calls.push_back(call);
    }
    code.callback = program.callback;
    code.callback_reference = program.callback_reference;
    code.may_access = &MayAccess;
    program_ = setup_->engine->Load(code, error);
    return program_ != nullptr;
  }

  bool Run(uint32_t repeat, std::string* problem) override {
    mapspec::Run run;
    run.program = program_.get();
    run.store = setup_->store.get();
    run.control = control_;
    mapspec::Run* const before = std::exchange(current, &run);
    bool ended = true;
    for (uint32_t i = 0; i < repeat && ended; ++i) {
      run.values.clear();
      run.scratch.clear();
      run.inner.clear();
      uint64_t result = 0;
      setup_->store->Enter();
      ended = program_->Run(&result, problem);
      setup_->store->Exit();
    }
    current = before;
    return ended;
  }

 private:
  MapShape ShapeOf(MapRole role) const {
    switch (role) {
      case MapRole::kSubject:
        return subject_handle_.shape;
      case MapRole::kInner:
        return subject_handle_.shape.Inner();
      case MapRole::kControl:
        break;
    }
    return control_handle_.shape;
  }

  const std::shared_ptr<const VmSetup> setup_;
  const std::unique_ptr<VmMap> subject_;
  const MapHandle subject_handle_;
  const MapHandle control_handle_;
  const std::span<uint8_t> control_;
  std::unique_ptr<VmProgram> program_;
};

class VmProgramEngine : public ProgramEngine {
 public:
  explicit VmProgramEngine(std::shared_ptr<const VmSetup> setup) : setup_(std::move(setup)) {}

  std::unique_ptr<ControlMap> MakeControlMap(uint32_t size, std::string*) override {
    return std::make_unique<VmControlMap>(size);
  }

  LoadResult Load(const Program& program, int map_fd, ControlMap& control) override {
    LoadResult result;
    std::unique_ptr<VmMap> subject = setup_->store->Open(map_fd, &result.log);
    if (subject == nullptr) {
      result.log += "; nothing verifies programs here";
      return result;
    }
    const std::string refused = WhyLinuxRefuses(program, setup_->facts_of(map_fd));
    if (!refused.empty()) {
      result.log = "nothing verifies programs here, and Linux does not load " + refused;
      return result;
    }
    if (IsMapOfMaps(program.subject.type) && program.form == RecordForm::kElement) {
      result.log = "what stands behind the pointer to an inner map is the kernel's own affair";
      return result;
    }
    auto loaded = std::make_unique<VmLoadedProgram>(setup_, std::move(subject), program,
                                                    static_cast<VmControlMap&>(control));
    if (loaded->Load(program, &result.log)) result.program = std::move(loaded);
    return result;
  }

 private:
  const std::shared_ptr<const VmSetup> setup_;
};

}  // namespace

CapabilitySet HelpersOf(const VmSetup& setup) {
  CapabilitySet helpers = setup.store->helpers();
  if (!setup.engine->has_callbacks()) {
    helpers.reset(static_cast<size_t>(Capability::kHelperForEachElem));
  }
  return helpers;
}

VmFunction VmHelper(HelperId helper) { return CallOf(helper, {}).function; }
const MapShape& VmShape(uint64_t map) { return HandleAt(map).shape; }
bool VmIsInner(uint64_t map) { return HandleAt(map).is_inner; }

void* VmScratch(uint64_t map, size_t* size) {
  *size = HandleAt(map).shape.value_size;
  auto& memory = current->scratch.emplace_back(std::make_unique<uint64_t[]>((*size + 7) / 8));
  current->Give(memory.get(), *size);
  return memory.get();
}

std::unique_ptr<ProgramEngine> MakeVmProgramEngine(std::shared_ptr<const VmSetup> setup) {
  return std::make_unique<VmProgramEngine>(std::move(setup));
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
//
// Programs of the program path on a VM: relocation, and the way from the VM's calls to the maps of
// a store. A program for the kernel becomes one for a VM by putting, in place of a map's
// descriptor, the address of what stands for the map, and in place of a helper's number an entry
// in a table that also says how large the memory behind every pointer is.
//
// Ownership: shares its VM and store with other sessions. Thread-safety: that of ProgramEngine.
// Errors: nothing verifies programs here, so nothing is refused: what Linux would refuse, and what
// the VM does not take, cannot be loaded at all.
#ifndef BACKENDS_VM_VM_PROGRAM_ENGINE_H_
#define BACKENDS_VM_VM_PROGRAM_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "backends/program/program_engine.h"
#include "backends/vm/program_rules.h"
#include "backends/vm/vm_engine.h"
#include "backends/vm/vm_store.h"

namespace mapspec {

// What all sessions of a VM's backend share.
struct VmSetup {
  std::shared_ptr<VmEngine> engine;
  std::shared_ptr<VmStore> store;
  std::function<VmMapFacts(int map_fd)> facts_of;
  // For faulty VMs: what is called instead of helpers on the map under test.
  std::vector<std::pair<HelperId, VmFunction>> instead;
};

// The helpers that the VM can call and the store answers.
CapabilitySet HelpersOf(const VmSetup& setup);

std::unique_ptr<ProgramEngine> MakeVmProgramEngine(std::shared_ptr<const VmSetup> setup);

// For what is called instead: the helper itself; what the map is that is a helper's first argument,
// and whether it was found in another; and memory of the size of a value of it, which is the
// running program's until its run is over.
VmFunction VmHelper(HelperId helper);
const MapShape& VmShape(uint64_t map);
bool VmIsInner(uint64_t map);
void* VmScratch(uint64_t map, size_t* size);

}  // namespace mapspec

#endif  // BACKENDS_VM_VM_PROGRAM_ENGINE_H_

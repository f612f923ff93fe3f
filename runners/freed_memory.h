// SPDX-License-Identifier: MIT
//
// Values of megabytes come and go with the scripts. Handing their memory back to the system and
// getting it again costs a page fault for every four kilobytes, more than all that is done with it.
#ifndef RUNNERS_FREED_MEMORY_H_
#define RUNNERS_FREED_MEMORY_H_

#include <malloc.h>

namespace mapspec {

// What is freed stays with the process, up to half a gigabyte of each arena. Of glibc; elsewhere
// without effect. To be called first thing in main().
inline void KeepFreedMemory() {
#ifdef M_TRIM_THRESHOLD
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
}

}  // namespace mapspec

#endif  // RUNNERS_FREED_MEMORY_H_

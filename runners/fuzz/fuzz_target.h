// SPDX-License-Identifier: MIT
//
// What the fuzz targets share. A target is one function, LLVMFuzzerTestOneInput(), that an engine
// (libFuzzer, AFL++, any that OSS-Fuzz has) or replay_main.cc calls with one input after the other,
// in one thread. It returns 0 for every input; what must not be ends the process.
#ifndef RUNNERS_FUZZ_FUZZ_TARGET_H_
#define RUNNERS_FUZZ_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace mapspec {

inline std::string_view AsText(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Says what went wrong and aborts, unless `holds`.
void Require(bool holds, std::string_view what);

// UseScratchDirectory (scratch_directory.h): an engine ends its targets in ways that run no
// destructor.
void RequireScratchDirectory();

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_FUZZ_TARGET_H_

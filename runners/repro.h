// SPDX-License-Identifier: MIT
//
// Reproducers: a trace that breaks a promise as a stand-alone C program (C11, libc and libbpf) that
// performs the script's operations, prints what was expected against what came for the violating
// one, and exits with 1 when the violation is there, 0 when it is not, 2 when it could not be
// carried out.
//
// What decides is the oracle: which outcomes of that operation it would have taken
// (oracle/allowed.h). Earlier operations have to end as they did in the trace; where one does not,
// nothing follows, and the program ends with 2. Ids, descriptors and what batches leave in
// out_batch are variables of the program.
//
// Pure but for the stream. Thread-safe.
#ifndef RUNNERS_REPRO_H_
#define RUNNERS_REPRO_H_

#include <ostream>
#include <string>

#include "oracle/profile.h"
#include "oracle/trace.h"

namespace mapspec {

// Scripts of more operations are refused: straight-line code is to be read, and shrunk before.
inline constexpr size_t kMaxReproducerOperations = 20'000;

// False after filling *why_not: the trace breaks nothing under the profile, or there is no way to
// show it with libbpf alone (frames, a VM's programs). Writes nothing then.
bool WriteReproducer(const Trace& trace, const Profile& profile, std::ostream& out,
                     std::string* why_not);

}  // namespace mapspec

#endif  // RUNNERS_REPRO_H_

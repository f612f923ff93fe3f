// SPDX-License-Identifier: MIT
//
// Where temporary files go: pins of scripts, and whatever a library under test makes.
#ifndef BACKENDS_LIBBPF_API_SCRATCH_DIRECTORY_H_
#define BACKENDS_LIBBPF_API_SCRATCH_DIRECTORY_H_

#include <string>

namespace mapspec {

// A fresh directory under $MAPSPEC_SCRATCH, else $TMPDIR, else /dev/shm (in memory: many scripts
// want one), else /tmp. Empty after filling *error. Thread-safe.
std::string MakeTemporaryDirectory(std::string* error);
void RemoveTree(const std::string& directory);

// Has this process, and the children it starts from now on, make their temporary directories in one
// of its own: what a child that was killed leaves behind is gone with it. It is removed when this
// process calls exit(3); what earlier processes that were killed have left is removed now (a lock
// tells them from those that live). False after filling *error: nothing is changed then.
// Not thread-safe; once per process.
bool UseScratchDirectory(std::string* error);
// For an end that is not exit(3). Without effect where there is none.
void RemoveScratchDirectory();

}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_SCRATCH_DIRECTORY_H_

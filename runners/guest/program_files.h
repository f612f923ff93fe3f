// SPDX-License-Identifier: MIT
//
// What has to be in a guest for this very program to start there: the program itself, the shared
// libraries it was started with, and the dynamic loader, at the paths where they lie here.
#ifndef RUNNERS_GUEST_PROGRAM_FILES_H_
#define RUNNERS_GUEST_PROGRAM_FILES_H_

#include <string>
#include <vector>

#include "runners/guest/initramfs.h"

namespace mapspec {

// Of the libraries this process has loaded, as the dynamic loader itself names them, those that are
// files; the loader that the program asks for (PT_INTERP) is the first one. Empty for a program
// that is linked statically.
std::vector<std::string> LoadedFiles();

// Adds the running program as `path` and what it needs. False after filling *error.
// *library_path: what LD_LIBRARY_PATH has to be, as the guest has no cache of the loader.
bool AddRunningProgram(const std::string& path, Initramfs* initramfs, std::string* library_path,
                       std::string* error);

}  // namespace mapspec

#endif  // RUNNERS_GUEST_PROGRAM_FILES_H_

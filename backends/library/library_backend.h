// SPDX-License-Identifier: MIT
//
// Shared objects with libbpf's low-level API. `library:PATH` runs them in a child process
// (mapspec-library-agent, which speaks the agent protocol), so that what they do to their process
// is an outcome; `in-process-library:PATH` loads them here and is what that child does.
#ifndef BACKENDS_LIBRARY_LIBRARY_BACKEND_H_
#define BACKENDS_LIBRARY_LIBRARY_BACKEND_H_

#include <memory>
#include <string>

#include "backends/backend.h"
#include "backends/libbpf_api/api_session.h"

namespace mapspec {

// Loads a shared object and finds its functions. nullptr after filling *error: no shared object, or
// none of the functions in it. The object stays loaded; *library is its handle of dlopen(3). The
// path "" stands for this program, with a library linked into it whose functions it exports.
std::shared_ptr<ApiSetup> LoadLibrarySetup(const std::string& path, void** library,
                                           std::string* error);

// The same as a backend.
std::unique_ptr<Backend> MakeInProcessLibraryBackend(const std::string& path, std::string* error);

// nullptr after filling *error. *usage: there is no such file.
std::unique_ptr<Backend> MakeLibraryBackend(const std::string& path, std::string* error,
                                            bool* usage);

// The program that loads libraries: $MAPSPEC_LIBRARY_AGENT, else mapspec-library-agent beside the
// running program or in ../libexec/mapspec. "" after filling *error.
std::string FindLibraryAgent(std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_LIBRARY_LIBRARY_BACKEND_H_

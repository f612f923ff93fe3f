// SPDX-License-Identifier: MIT
//
// Where the pins of one script live: a directory that belongs to the script alone and is gone, with
// all that lies in it, when the object is destroyed. Thread-safety: one thread at a time.
#ifndef BACKENDS_LIBBPF_API_PIN_DIRECTORY_H_
#define BACKENDS_LIBBPF_API_PIN_DIRECTORY_H_

#include <memory>
#include <string>
#include <string_view>

namespace mapspec {

class PinDirectory {
 public:
  virtual ~PinDirectory() = default;
  // The path to give to the implementation for a path of the script.
  virtual std::string Resolve(std::string_view path) = 0;
};

// Whether a script's path stays inside its directory: it is relative and climbs nowhere.
bool StaysInside(std::string_view path);

// A fresh directory (scratch_directory.h). nullptr after filling *error.
std::unique_ptr<PinDirectory> MakeTemporaryPinDirectory(std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_PIN_DIRECTORY_H_

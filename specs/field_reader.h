// SPDX-License-Identifier: MIT
//
// Typed fields out of YAML mappings. Every reader leaves *out alone when the field is absent and
// returns true; when the field is there but wrong it returns false after noting a problem that says
// where, what was found, and what would have been right. Ownership: a Problems outlives its
// readers. Thread-safety: one thread at a time for each object.
#ifndef SPECS_FIELD_READER_H_
#define SPECS_FIELD_READER_H_

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/bytes.h"
#include "oracle/uapi.h"
#include "specs/yaml_tree.h"

namespace mapspec {

// The problems of one file.
class Problems {
 public:
  // A file that is wrong everywhere ends with one line more that says so.
  static constexpr size_t kMax = 50;

  explicit Problems(std::string file) : file_(std::move(file)) {}
  // Always false, so that readers can return it.
  bool Add(Position position, std::string message);
  const std::string& file() const { return file_; }
  const std::vector<SpecError>& errors() const { return errors_; }

 private:
  std::string file_;
  std::vector<SpecError> errors_;
};

// The word between backquotes.
inline std::string Quoted(std::string_view word) { return "`" + std::string(word) + "`"; }
// "; did you mean `hash`?", or "; known are a, b, c" when none is near.
std::string Suggest(std::string_view word, std::span<const std::string> known);
// Whether `node` is a mapping that has no fields but the known ones. `what` is "a clause",
// "lookup".
bool CheckFields(const YamlNode& node, std::string_view what, std::span<const std::string> known,
                 Problems* problems);

bool ReadText(const YamlNode& mapping, std::string_view name, std::string* out, Problems* problems);
bool ReadBool(const YamlNode& mapping, std::string_view name, bool* out, Problems* problems);
// One of `words`; *out is its index.
bool ReadWord(const YamlNode& mapping, std::string_view name, std::span<const std::string> words,
              size_t* out, Problems* problems);

// A number as YAML writes it: decimal or 0x, without quotes, at most `max`.
bool ParseUnsigned(const YamlNode& node, std::string_view name, uint64_t max, uint64_t* out,
                   Problems* problems);
template <typename T>
bool ReadNumber(const YamlNode& mapping, std::string_view name, T* out, Problems* problems) {
  const YamlNode* node = mapping.Find(name);
  if (node == nullptr) return true;
  uint64_t number = 0;
  if (!ParseUnsigned(*node, name, std::numeric_limits<T>::max(), &number, problems)) return false;
  *out = static_cast<T>(number);
  return true;
}
// Names and numbers joined by '|'.
bool ParseFlagsNode(const YamlNode& node, std::string_view name, std::span<const NamedFlag> names,
                    uint64_t max, uint64_t* out, Problems* problems);
template <typename T>
bool ReadFlags(const YamlNode& mapping, std::string_view name, std::span<const NamedFlag> names,
               T* out, Problems* problems) {
  const YamlNode* node = mapping.Find(name);
  if (node == nullptr) return true;
  uint64_t flags = 0;
  if (!ParseFlagsNode(*node, name, names, std::numeric_limits<T>::max(), &flags, problems)) {
    return false;
  }
  *out = static_cast<T>(flags);
  return true;
}

// Bytes as the YAML form writes them: a number (little endian, `size` bytes), "0x0102" (memory
// order, its own size), {fill: 0xAA} (`size` bytes).
bool ParseBytes(const YamlNode& node, std::string_view name, size_t size, Bytes* out,
                Problems* problems);

// The same for a value of `size` bytes that each of `cpus` CPUs has, as system calls see it: a
// number and {fill: ...} stand for every CPU's, {cpus: [1, 2]} for those of CPU 0 and 1, with zeros
// for the rest; padding is zero. With `cpus` 0 it is ParseBytes.
bool ParseValueBytes(const YamlNode& node, std::string_view name, size_t size, uint32_t cpus,
                     Bytes* out, Problems* problems);

bool ParseMapTypeNode(const YamlNode& node, MapType* out, Problems* problems);

// Every name that can be written, for messages and for the schema's test.
std::vector<std::string> MapTypeNames();
std::vector<std::string> ErrnoNames();
std::vector<std::string> FlagNames(std::span<const NamedFlag> flags);

}  // namespace mapspec

#endif  // SPECS_FIELD_READER_H_

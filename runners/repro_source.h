// SPDX-License-Identifier: MIT
//
// The text of a reproducer: its parts, and the short C functions of which it gets those that it
// calls. Pure.
#ifndef RUNNERS_REPRO_SOURCE_H_
#define RUNNERS_REPRO_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/bytes.h"

namespace mapspec {

class CSource {
 public:
  // A variable or type at file scope, once.
  void Global(const std::string& declaration);
  // `static unsigned char NAME[SIZE];`, as large as its largest use.
  void Buffer(const std::string& name, size_t size);
  // A function at file scope, before script().
  void Function(const std::string& text) { functions_.push_back(text); }
  // A statement of script(), or several lines of it; indented here.
  void Line(std::string_view text);

  // The whole file: `comment` on top, `main_text` at the end, in between what either needs.
  std::string Finish(std::string_view comment, std::string_view main_text) const;

 private:
  std::vector<std::string> globals_;
  std::vector<std::pair<std::string, size_t>> buffers_;
  std::vector<std::string> functions_;
  std::string body_;
};

// "\x01\x02": the bytes as a C string literal, in pieces of 16 where they are many.
std::string CLiteral(const Bytes& bytes);
// The same for text.
std::string CString(std::string_view text);
// An expression for a pointer to the bytes. Beyond 64 of them they are laid out in the buffer
// `name` by the statements that are appended to *before.
std::string CBytes(const Bytes& bytes, const std::string& name, CSource* source,
                   std::vector<std::string>* before);
// "0x5", as unsigned long long where it needs to be.
std::string CNumber(uint64_t number);

}  // namespace mapspec

#endif  // RUNNERS_REPRO_SOURCE_H_

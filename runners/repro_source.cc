// SPDX-License-Identifier: MIT
#include "runners/repro_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "runners/repro_helpers.h"

namespace mapspec {
namespace {

constexpr size_t kLongest = 64;  // Bytes of a literal that stands in a call.
constexpr size_t kRun = 16;      // Equal bytes that are worth a memset().

void AppendIndented(std::string_view text, std::string* to) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end != 0) *to += "\t";
    *to += text.substr(0, end);
    *to += "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

size_t RunAt(const Bytes& bytes, size_t from) {
  size_t end = from + 1;
  while (end < bytes.size() && bytes[end] == bytes[from]) ++end;
  return end - from;
}

// Code without what stands in strings and comments: there, words mean nothing.
std::string Bare(std::string_view code) {
  std::string bare;
  for (size_t i = 0; i < code.size(); ++i) {
    if (code.substr(i, 2) == "/*") {
      i = std::min(code.find("*/", i), code.size() - 2) + 1;
      continue;
    }
    if (code[i] == '"') {
      for (++i; i < code.size() && code[i] != '"'; ++i) {
        if (code[i] == '\\') ++i;
      }
      continue;
    }
    bare += code[i];
  }
  return bare;
}

// What a declaration declares: the last word in front of its end.
std::string_view Declared(std::string_view declaration) {
  std::string_view text = declaration.substr(0, declaration.rfind('}') == std::string_view::npos
                                                    ? declaration.find_first_of("=;[")
                                                    : declaration.rfind(';'));
  while (text.ends_with(' ')) text.remove_suffix(1);
  const size_t start = text.find_last_of(" *");
  return start == std::string_view::npos ? text : text.substr(start + 1);
}

}  // namespace

void CSource::Global(const std::string& declaration) {
  if (std::find(globals_.begin(), globals_.end(), declaration) == globals_.end()) {
    globals_.push_back(declaration);
  }
}

void CSource::Buffer(const std::string& name, size_t size) {
  size = std::max<size_t>(size, 1);
  for (auto& [known, its_size] : buffers_) {
    if (known == name) {
      its_size = std::max(its_size, size);
      return;
    }
  }
  buffers_.emplace_back(name, size);
}

void CSource::Line(std::string_view text) { AppendIndented(text, &body_); }

std::string CSource::Finish(std::string_view comment, std::string_view main_text) const {
  std::string rest = "\n";
  for (const std::string& function : functions_) rest += function + "\n";
  rest += "static int script(void)\n{\n" + body_ + "}\n\n";
  rest += main_text;
  // Of the variables those that something uses.
  const std::string used = Bare(rest);
  std::string own;
  for (const std::string& global : globals_) {
    if (HasWord(used, Declared(global))) own += global + "\n";
  }
  for (const auto& [name, size] : buffers_) {
    if (HasWord(used, name)) own += fmt::format("static unsigned char {}[{}];\n", name, size);
  }
  // From the last to the first, as the later ones need the earlier.
  std::string helpers;
  std::string words = Bare(own + rest);
  const auto parts = CHelpers();
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (!HasWord(words, part->name)) continue;
    helpers = std::string(part->text) + helpers;
    words += Bare(part->text);
  }
  const std::string code = helpers + own + rest;
  std::set<std::string> system, bpf;
  for (const CPart& header : CHeaders()) {
    if (!HasWord(words, header.name)) continue;
    (header.text.starts_with("<bpf/") ? bpf : system).insert(std::string(header.text));
  }
  std::string text = std::string(comment) + "#define _GNU_SOURCE\n";
  for (const std::string& header : system) text += "#include " + header + "\n";
  text += "\n#include <bpf/bpf.h>\n";
  for (const std::string& header : bpf) text += "#include " + header + "\n";
  if (HasWord(words, "ENOTSUPP")) text += "\n#define ENOTSUPP 524 /* The kernel's own. */\n";
  return text + "\n" + code;
}

std::string CLiteral(const Bytes& bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 16) {
    if (i != 0) text += " ";
    text += "\"";
    for (size_t j = i; j < std::min(i + 16, bytes.size()); ++j) {
      text += fmt::format("\\x{:02x}", bytes[j]);
    }
    text += "\"";
  }
  return text.empty() ? "\"\"" : text;
}

std::string CString(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      literal += '\\';
      literal += c;
    } else if (c < ' ' || c > '~') {
      // Octal: it ends after three digits.
      literal += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    } else if (c == '?') {
      literal += "\\?";  // No trigraphs.
    } else {
      literal += c;
    }
  }
  return literal + "\"";
}

std::string CBytes(const Bytes& bytes, const std::string& name, CSource* source,
                   std::vector<std::string>* before) {
  if (bytes.size() <= kLongest) return CLiteral(bytes);
  source->Buffer(name, bytes.size());
  // What most of it is, and then the rest.
  const uint8_t fill = bytes[bytes.size() - 1];
  before->push_back(fmt::format("memset({}, {:#04x}, {});", name, fill, bytes.size()));
  for (size_t i = 0; i < bytes.size();) {
    const size_t run = RunAt(bytes, i);
    if (run >= kRun || bytes[i] == fill) {
      if (bytes[i] != fill) {
        before->push_back(fmt::format("memset({} + {}, {:#04x}, {});", name, i, bytes[i], run));
      }
      i += run;
      continue;
    }
    size_t end = i;
    while (end < bytes.size() && end - i < 256) {
      const size_t next = RunAt(bytes, end);
      if (next >= kRun) break;
      end += next;
    }
    end = std::min(end, bytes.size());
    before->push_back(fmt::format("memcpy({} + {}, {}, {});", name, i,
                                  CLiteral(bytes.Slice(i, end - i)), end - i));
    i = end;
  }
  return name;
}

std::string CNumber(uint64_t number) {
  if (number < 10) return std::to_string(number);
  return fmt::format("{:#x}{}", number,
                     number > UINT32_MAX  ? "ULL"
                     : number > INT32_MAX ? "u"
                                          : "");
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include "runners/fuzz/dictionary.h"

#include <cctype>
#include <cstdio>

#include "properties/script_decoder.h"

namespace mapspec {
namespace {

constexpr size_t kLongest = 64;  // Longer words are not worth their place.

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

}  // namespace

void Dictionary::Add(std::string_view word) {
  if (!word.empty() && word.size() <= kLongest) words_.emplace(word);
}

void Dictionary::AddWordsOf(std::string_view text) {
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && IsWordByte(text[end])) ++end;
    const std::string_view word = text.substr(begin, end - begin);
    const bool quoted =
        begin > 0 && text[begin - 1] == '"' && end < text.size() && text[end] == '"';
    const bool key = end < text.size() && text[end] == ':';
    const bool letters = !word.empty() && std::isalpha(static_cast<unsigned char>(word[0])) != 0;
    const bool constant = word.size() > 3 && word.find_first_of("abcdefghijklmnopqrstuvwxyz") ==
                                                 std::string_view::npos;
    if (letters && quoted) Add("\"" + std::string(word) + "\"");
    if (letters && !quoted && (key || constant)) Add(word);
    begin = end + 1;
  }
}

void Dictionary::AddRecords() {
  const auto add = [&](const Call& call) {
    const std::vector<uint8_t> record = EncodeScript(std::vector<Operation>{{call}});
    Add({reinterpret_cast<const char*>(record.data()), record.size()});
  };
  for (const Call& call : EveryCall()) add(call);
  for (const MapKind& kind : MapKinds()) {
    MapCreate create;
    create.type = kind.type;
    create.key_size = kind.key_kind == KeyKind::kNone ? 0 : 4;
    create.max_entries = 3;
    add(create);
    for (const uint32_t flags : kind.create_flags) {
      create.map_flags = flags;
      add(create);
    }
  }
  Add("\xc0");
}

std::string Dictionary::ToText() const {
  std::string text;
  for (const std::string& word : words_) {
    text += '"';
    for (const char c : word) {
      if (IsWordByte(c)) {
        text += c;
        continue;
      }
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
      text += escaped;
    }
    text += "\"\n";
  }
  return text;
}

}  // namespace mapspec

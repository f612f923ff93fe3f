// SPDX-License-Identifier: MIT
#include "specs/field_reader.h"

#include <charconv>
#include <utility>

namespace mapspec {
namespace {

// Values of an element are at most this long, so that a typo of a few digits in value_size cannot
// make the loader fill gigabytes for {fill: 1}.
constexpr size_t kMaxWrittenBytes = size_t{16} << 20;

}  // namespace

bool Problems::Add(Position position, std::string message) {
  if (errors_.size() < kMax) {
    errors_.push_back({file_, position, std::move(message)});
  } else if (errors_.size() == kMax) {
    errors_.push_back({file_, position, "more problems from here on; these first"});
  }
  return false;
}

std::string Suggest(std::string_view word, std::span<const std::string> known) {
  // A long word is no typo of a short one, and comparing megabytes with every name takes its time.
  if (word.size() <= 64) {
    if (const std::string nearest = Nearest(word, known); !nearest.empty()) {
      return "; did you mean " + Quoted(nearest) + "?";
    }
  }
  constexpr size_t kListed = 40;
  if (known.empty() || known.size() > kListed) return "";
  std::string list;
  for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
  return "; known are " + list;
}

bool CheckFields(const YamlNode& node, std::string_view what, std::span<const std::string> known,
                 Problems* problems) {
  if (!node.IsMapping()) {
    return problems->Add(
        node.position,
        std::string(what) + " must be a mapping with field names, not " + node.Describe());
  }
  bool good = true;
  for (const YamlField& field : node.fields) {
    bool found = false;
    for (const std::string& name : known) found = found || name == field.name;
    if (found) continue;
    const std::string shown =
        field.name.size() > 64 ? field.name.substr(0, 64) + "..." : field.name;
    good = problems->Add(field.position, "unknown field " + Quoted(shown) + " of " +
                                             std::string(what) + Suggest(field.name, known));
  }
  return good;
}

bool ReadText(const YamlNode& mapping, std::string_view name, std::string* out,
              Problems* problems) {
  const YamlNode* node = mapping.Find(name);
  if (node == nullptr) return true;
  if (!node->IsScalar()) {
    return problems->Add(node->position, Quoted(name) + " must be text, not " + node->Describe());
  }
  *out = node->text;
  return true;
}

bool ReadBool(const YamlNode& mapping, std::string_view name, bool* out, Problems* problems) {
  const YamlNode* node = mapping.Find(name);
  if (node == nullptr) return true;
  if (!node->IsWord("true") && !node->IsWord("false")) {
    return problems->Add(node->position,
                         Quoted(name) + " must be true or false, not " + node->Describe());
  }
  *out = node->text == "true";
  return true;
}

bool ReadWord(const YamlNode& mapping, std::string_view name, std::span<const std::string> words,
              size_t* out, Problems* problems) {
  const YamlNode* node = mapping.Find(name);
  if (node == nullptr) return true;
  if (node->IsScalar()) {
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i] != node->text) continue;
      *out = i;
      return true;
    }
  }
  return problems->Add(
      node->position, Quoted(name) + " cannot be " + node->Describe() + Suggest(node->text, words));
}

bool ParseUnsigned(const YamlNode& node, std::string_view name, uint64_t max, uint64_t* out,
                   Problems* problems) {
  const std::string must = Quoted(name) + " must be a number, not ";
  if (!node.IsScalar()) return problems->Add(node.position, must + node.Describe());
  if (node.quoted) {
    return problems->Add(node.position, must + node.Describe() + "; leave out the quotes");
  }
  std::string_view digits = node.text;
  int base = 10;
  if (digits.starts_with("0x")) {
    digits.remove_prefix(2);
    base = 16;
  }
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), *out, base);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size()) {
    return problems->Add(node.position, must + node.Describe());
  }
  if (error == std::errc::result_out_of_range || *out > max) {
    return problems->Add(node.position, Quoted(name) + " is " + node.text + ", more than " +
                                            std::to_string(max) + ", the most it can be");
  }
  return true;
}

bool ParseFlagsNode(const YamlNode& node, std::string_view name, std::span<const NamedFlag> names,
                    uint64_t max, uint64_t* out, Problems* problems) {
  if (!node.IsScalar()) {
    return problems->Add(
        node.position,
        Quoted(name) + " must be names or numbers joined by |, not " + node.Describe());
  }
  std::string unknown;
  const std::optional<uint64_t> flags = ParseFlags(node.text, names, &unknown);
  if (!flags) {
    return problems->Add(node.position, "unknown flag " + Quoted(unknown.substr(0, 64)) + " in " +
                                            Quoted(name) + Suggest(unknown, FlagNames(names)));
  }
  if (*flags > max) {
    return problems->Add(node.position, Quoted(name) + " is " + node.text + ", more than " +
                                            std::to_string(max) + ", the most it can be");
  }
  *out = *flags;
  return true;
}

bool ParseBytes(const YamlNode& node, std::string_view name, size_t size, Bytes* out,
                Problems* problems) {
  if (node.IsScalar() && node.quoted) {
    if (Bytes::FromHex(node.text, out)) return true;
    return problems->Add(node.position, Quoted(name) + " is " + node.Describe() +
                                            "; bytes in quotes look like \"0x0a0b\"");
  }
  if (size > kMaxWrittenBytes) {
    return problems->Add(node.position, Quoted(name) + " would have " + std::to_string(size) +
                                            " bytes; write the few that matter as \"0x0a0b\"");
  }
  if (node.IsMapping()) {
    static const std::vector<std::string> kFill = {"fill"};
    uint8_t fill = 0;
    if (!CheckFields(node, name, kFill, problems) || !ReadNumber(node, "fill", &fill, problems)) {
      return false;
    }
    if (node.Find("fill") == nullptr) return problems->Add(node.position, "`fill` is missing");
    *out = Bytes(size, fill);
    return true;
  }
  if (!node.IsScalar()) {
    return problems->Add(node.position,
                         Quoted(name) +
                             " must be a number, bytes as \"0x0a0b\" or {fill: 0xAA}, not " +
                             node.Describe());
  }
  uint64_t number = 0;
  if (!ParseUnsigned(node, name, UINT64_MAX, &number, problems)) return false;
  if (size < 8 && (number >> (8 * size)) != 0) {
    return problems->Add(node.position, Quoted(name) + " is " + node.text +
                                            ", which does not fit the " + std::to_string(size) +
                                            " bytes it has in this map");
  }
  if (size == 0) {
    return problems->Add(node.position, Quoted(name) +
                                            " has 0 bytes in this map, so it can be no " +
                                            "number; write \"0x\" or null");
  }
  *out = Bytes::LittleEndian(number, size);
  return true;
}

bool ParseValueBytes(const YamlNode& node, std::string_view name, size_t size, uint32_t cpus,
                     Bytes* out, Problems* problems) {
  const YamlNode* each = node.IsMapping() ? node.Find("cpus") : nullptr;
  if (each == nullptr) {
    Bytes one;
    if (!ParseBytes(node, name, size, &one, problems)) return false;
    // Quoted bytes that are more than a slot are the whole of it.
    if (cpus == 0 || one.size() > PerCpuStride(size)) {
      *out = one;
      return true;
    }
    one.Resize(PerCpuStride(size));
    for (uint32_t cpu = 0; cpu < cpus; ++cpu) out->Append(one);
    return true;
  }
  if (cpus == 0) {
    return problems->Add(each->position, "`cpus` is for values of per-CPU maps by system calls");
  }
  if (!each->IsList() || node.fields.size() != 1) {
    return problems->Add(each->position, "`cpus` is a list of values, and stands alone");
  }
  for (uint32_t cpu = 0; cpu < cpus; ++cpu) {
    Bytes one;
    if (cpu < each->items.size() && !ParseBytes(each->items[cpu], name, size, &one, problems)) {
      return false;
    }
    one.Resize(PerCpuStride(size));
    out->Append(one);
  }
  return true;
}

bool ParseMapTypeNode(const YamlNode& node, MapType* out, Problems* problems) {
  if (!node.IsScalar()) {
    return problems->Add(node.position, "a map type must be a name, not " + node.Describe());
  }
  if (const std::optional<MapType> type = ParseMapType(node.text)) {
    *out = *type;
    return true;
  }
  std::vector<std::string> known = MapTypeNames();
  const bool full = node.text.starts_with("BPF_");
  if (!full) {
    for (std::string& name : known) name.erase(0, std::string_view("BPF_MAP_TYPE_").size());
  }
  return problems->Add(node.position,
                       "unknown map type " + node.Describe() + Suggest(node.text, known));
}

std::vector<std::string> MapTypeNames() {
  std::vector<std::string> names;
  for (uint32_t i = 0; i <= kMaxMapType; ++i) names.push_back(MapTypeName(static_cast<MapType>(i)));
  return names;
}

std::vector<std::string> ErrnoNames() {
  std::vector<std::string> names;
  for (int32_t i = 1; i <= static_cast<int32_t>(Errno::kENOTSUPP); ++i) {
    const std::string name = ErrnoName(static_cast<Errno>(i));
    if (name.starts_with('E')) names.push_back(name);
  }
  return names;
}

std::vector<std::string> FlagNames(std::span<const NamedFlag> flags) {
  std::vector<std::string> names;
  for (const NamedFlag& flag : flags) names.emplace_back(flag.name);
  return names;
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
//
// The part of StepParser for steps that a program makes: which they are, and their fields. What a
// program cannot be made to pass is refused here, with what it can.
#include <algorithm>
#include <utility>

#include "specs/step_parser.h"

namespace mapspec {
namespace {

bool Contains(std::span<const std::string> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string ListOf(const std::vector<std::string>& words) {
  std::string list;
  for (size_t i = 0; i < words.size(); ++i) {
    list += i == 0 ? "" : i + 1 == words.size() ? " and " : ", ";
    list += "`" + words[i] + "`";
  }
  return list;
}

// Whether a field that the helper's call lacks says only what would hold without it.
bool SaysNothing(const YamlField& field) {
  if (field.name == "key") return field.value.IsNull();
  if (field.name == "flags") return field.value.IsWord("0") || field.value.IsWord("BPF_ANY");
  if (field.name == "value") return field.value.IsWord("valid");
  return field.name == "caller" && field.value.IsWord("privileged");
}

}  // namespace

bool StepParser::ReadVia(const StepWord& word, const YamlNode& fields, bool* program) {
  static const std::vector<std::string> kPaths = {"syscall", "program"};
  size_t path = via_ == Path::kProgram && !word.helper.empty() ? 1 : 0;
  if (word.program_only) path = 1;
  if (!ReadWord(fields, "via", kPaths, &path, problems_)) return false;
  *program = path == 1;
  const YamlNode* via = fields.Find("via");
  if (*program && word.helper.empty()) {
    std::vector<std::string> words;
    for (const StepWord& known : StepWords()) {
      if (!known.helper.empty()) words.push_back(known.word);
    }
    return problems_->Add(via->position, "no helper does what `" + word.word +
                                             "` does; `via: program` is for " + ListOf(words));
  }
  if (!*program && word.program_only) {
    return problems_->Add(via->position,
                          "no system call does what `" + word.word + "` does; leave out `via`");
  }
  if (*program) return true;
  for (const YamlField& field : fields.fields) {
    if (field.name != "store" && field.name != "lock" && field.name != "hold") continue;
    return problems_->Add(field.position, "only a program can `" + field.name +
                                              "`; say `via: program` in the step or `via: "
                                              "[program]` in the scenario");
  }
  return true;
}

bool StepParser::NotForPrograms(const YamlNode& fields, Position position,
                                const std::string& message) {
  const bool inherited = fields.Find("via") == nullptr && via_ == Path::kProgram;
  return problems_->Add(position,
                        message + (inherited ? "; this scenario is also carried out by programs, "
                                               "unless it or this step says `via: syscall`"
                                             : ""));
}

bool StepParser::CheckHelperFields(const StepWord& word, const YamlNode& fields) {
  for (const YamlField& field : fields.fields) {
    if (Contains(word.helper_fields, field.name) || Contains(CommonFields(), field.name) ||
        SaysNothing(field)) {
      continue;
    }
    return NotForPrograms(fields, field.position,
                          "a program that calls " + word.helper + " has no use for `" + field.name +
                              "`; it takes " + ListOf(word.helper_fields));
  }
  return true;
}

bool StepParser::ReadHelperBytes(const YamlNode& fields, std::string_view name, size_t size,
                                 Bytes* out) {
  const YamlNode* node = fields.Find(name);
  if (node == nullptr) return Missing(fields, name);
  if (node->IsNull() || node->IsWord("bad")) {
    return NotForPrograms(fields, node->position,
                          "no program can pass " +
                              std::string(node->IsNull() ? "a NULL" : "a bad") + " pointer as `" +
                              std::string(name) + "`; here it is bytes");
  }
  return ParseBytes(*node, name, size, out, problems_);
}

bool StepParser::ParseHelperCall(const StepWord& word, const YamlNode& fields, Call* out) {
  // What has no key is a push, whatever it is called.
  const YamlNode* key = fields.Find("key");
  if (word.word == "update" && key != nullptr && key->IsNull()) {
    return ParseHelperCall(*FindStepWord("push"), fields, out);
  }
  Handle map;
  if (!CheckHelperFields(word, fields) || !ReadMap(fields, &map)) return false;
  const ElementSizes sizes = SizesOf(map);
  if (word.helper == "bpf_map_pop_elem()") {
    *out = HelperPop{map};
    return true;
  }
  if (word.word == "peek") {
    *out = HelperPeek{map};
    return true;
  }
  if (word.word == "push") {
    HelperPush call{map, {}, 0};
    if (!ReadHelperBytes(fields, "value", sizes.value, &call.value) ||
        !ReadFlags(fields, "flags", ElemFlags(), &call.flags, problems_)) {
      return false;
    }
    *out = std::move(call);
    return true;
  }
  if (word.word == "for_each") {
    HelperForEach call{map, 0, 0};
    if (!ReadNumber(fields, "limit", &call.limit, problems_) ||
        !ReadFlags(fields, "flags", ElemFlags(), &call.flags, problems_)) {
      return false;
    }
    *out = call;
    return true;
  }

  if (word.word == "redirect_map") {
    HelperRedirectMap call{map, 0, 0};
    if (!ReadNumber(fields, "key", &call.key, problems_) ||
        !ReadNumber(fields, "flags", &call.flags, problems_)) {
      return false;
    }
    *out = call;
    return true;
  }

  Bytes bytes;
  if (!ReadHelperBytes(fields, "key", sizes.key, &bytes)) return false;
  if (word.word == "lookup_inner") {
    HelperLookupInner call{map, std::move(bytes), {}, fields.Find("store") != nullptr, {}};
    const ElementSizes inner = InnerSizesOf(map);
    if (!ReadHelperBytes(fields, "inner_key", inner.key, &call.inner_key) ||
        (call.store && !ReadHelperBytes(fields, "store", inner.value, &call.value))) {
      return false;
    }
    *out = std::move(call);
    return true;
  }
  if (word.word == "lookup") {
    HelperLookup call{map, std::move(bytes), fields.Find("store") != nullptr, {}, false};
    if ((call.store && !ReadHelperBytes(fields, "store", sizes.value, &call.value)) ||
        !ReadBool(fields, "lock", &call.lock, problems_)) {
      return false;
    }
    *out = std::move(call);
  } else if (word.word == "update") {
    HelperUpdate call{map, std::move(bytes), {}, 0, false};
    if (!ReadHelperBytes(fields, "value", sizes.value, &call.value) ||
        !ReadFlags(fields, "flags", ElemFlags(), &call.flags, problems_) ||
        !ReadBool(fields, "hold", &call.hold, problems_)) {
      return false;
    }
    *out = std::move(call);
  } else if (word.word == "delete") {
    HelperDelete call{map, std::move(bytes), false};
    if (!ReadBool(fields, "hold", &call.hold, problems_)) return false;
    *out = std::move(call);
  } else {
    HelperLookupPercpu call{map, std::move(bytes), 0};
    if (fields.Find("of_cpu") == nullptr) return Missing(fields, "of_cpu");
    if (!ReadNumber(fields, "of_cpu", &call.of_cpu, problems_)) return false;
    *out = std::move(call);
  }
  return true;
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
//
// `expect:` of a step.
#include <algorithm>
#include <utility>

#include "specs/step_parser.h"

namespace mapspec {
namespace {

constexpr uint64_t kMaxErrno = 4095;

class ExpectParser {
 public:
  ExpectParser(const StepWord& word, const Call& call, ElementSizes sizes, Problems* problems)
      : word_(word), call_(call), sizes_(sizes), problems_(problems) {}

  bool ParseAlternatives(const YamlNode& node, StatedOutcomes* out) {
    const YamlNode* one_of = node.IsMapping() ? node.Find("one_of") : nullptr;
    if (one_of == nullptr) {
      return ParseOne(node, &out->alternatives.emplace_back());
    }
    if (node.fields.size() != 1) {
      return problems_->Add(node.position,
                            "`one_of` stands alone; move the rest into its alternatives");
    }
    if (!one_of->IsList() || one_of->items.empty()) {
      return problems_->Add(one_of->position,
                            "`one_of` must be a list of alternatives, not " +
                                (one_of->IsList() ? "an empty one" : one_of->Describe()));
    }
    for (const YamlNode& item : one_of->items) {
      if (!ParseOne(item, &out->alternatives.emplace_back())) return false;
    }
    return true;
  }

 private:
  bool ParseOne(const YamlNode& node, StatedOutcome* out) {
    if (node.IsMapping()) return ParseFields(node, out);
    if (!node.IsScalar()) {
      return problems_->Add(node.position,
                            "`expect` is ok, an errno or a mapping, not " + node.Describe());
    }
    if (node.IsWord("ok")) return true;
    return ParseErrnoNode(node, "error", out);
  }

  bool ParseErrnoNode(const YamlNode& node, std::string_view any, StatedOutcome* out) {
    if (node.IsWord(any)) {
      out->result = StatedOutcome::Result::kAnyError;
      return true;
    }
    if (node.IsScalar()) {
      if (const std::optional<Errno> error = ParseErrno(node.text);
          error && *error != Errno::kNone) {
        out->result = StatedOutcome::Result::kErrno;
        out->error = *error;
        return true;
      }
    }
    std::vector<std::string> known = ErrnoNames();
    if (any == "error") known.insert(known.end(), {"ok", "error"});
    return problems_->Add(node.position,
                          "unknown errno " + node.Describe() + Suggest(node.text, known));
  }

  bool ParseFields(const YamlNode& node, StatedOutcome* out) {
    std::vector<std::string> known = word_.outputs;
    known.push_back("one_of");
    if (!CheckFields(node, "expect of " + word_.word, known, problems_)) return false;
    if (const YamlNode* nested = node.Find("one_of")) {
      return problems_->Add(nested->position, "`one_of` inside `one_of`");
    }
    if (const YamlNode* error = node.Find("error")) {
      if (!ParseErrnoNode(*error, "any", out)) return false;
    }
    return ParseRefused(node, out) && CheckHeld(node) && ParseReturned(node, out) &&
           ParseOutput(node, out) && ParseElements(node, "keys", sizes_.key, &out->keys) &&
           ParseElements(node, "values", value_size(), &out->values) && ParseBatch(node, out) &&
           ParseUntouched(node, out) && ParseNumber(node, out) && ParseInfo(node, out);
  }

  bool ParseRefused(const YamlNode& node, StatedOutcome* out) {
    const YamlNode* refused = node.Find("refused");
    if (refused == nullptr) return true;
    if (!IsProgramPath(call_)) {
      return problems_->Add(refused->position,
                            "`refused` is about loading a program; say `via: program`, or `error`");
    }
    if (node.fields.size() != 1) {
      return problems_->Add(node.position,
                            "`refused` stands alone: a program that is not loaded calls nothing");
    }
    out->refused = true;
    return ParseErrnoNode(*refused, "any", out);
  }

  // An update or a delete gives a value only where a program looked it up before.
  bool CheckHeld(const YamlNode& node) {
    if (word_.operation != "update" && word_.operation != "delete") return true;
    const auto* update = std::get_if<HelperUpdate>(&call_);
    const auto* del = std::get_if<HelperDelete>(&call_);
    if ((update != nullptr && update->hold) || (del != nullptr && del->hold)) return true;
    for (const YamlField& field : node.fields) {
      if (field.name == "error" || field.name == "refused" || field.name == "result") continue;
      return problems_->Add(field.position, Quoted(field.name) + " of " + word_.word +
                                                ": it gives no value but to a program with "
                                                "`hold: true`");
    }
    return true;
  }

  // The number that the helper returned: that of a negative errno is the error, and no other.
  bool ParseReturned(const YamlNode& node, StatedOutcome* out) {
    const YamlNode* result = node.Find("result");
    if (result == nullptr) return true;
    const bool pointer = std::holds_alternative<HelperLookup>(call_) ||
                         std::holds_alternative<HelperLookupPercpu>(call_);
    if (!IsProgramPath(call_) || pointer) {
      return problems_->Add(result->position,
                            pointer ? "a lookup returns a pointer, so there is no `result`"
                                    : "`result` is what a helper returns; say `via: program`, or "
                                      "`error`");
    }
    if (node.Find("error") != nullptr) {
      return problems_->Add(result->position,
                            "`result` and `error` say the same; write one of them");
    }
    YamlNode digits = *result;
    const bool negative = digits.IsScalar() && !digits.quoted && digits.text.starts_with('-');
    if (negative) digits.text.erase(0, 1);
    uint64_t number = 0;
    const uint64_t most = negative ? kMaxErrno : INT64_MAX;
    if (!ParseUnsigned(digits, "result", most, &number, problems_)) return false;
    out->returned = negative ? -static_cast<int64_t>(number) : static_cast<int64_t>(number);
    if (*out->returned < 0) {
      out->result = StatedOutcome::Result::kErrno;
      out->error = static_cast<Errno>(number);
    }
    return true;
  }

  // Of a value as the call sees it.
  uint32_t cpus() const { return IsProgramPath(call_) || NamesCpu() ? 0 : sizes_.cpus; }
  // With BPF_F_CPU a value is that CPU's alone.
  bool NamesCpu() const {
    const auto* lookup = std::get_if<Lookup>(&call_);
    const auto* batch = std::get_if<LookupBatch>(&call_);
    const uint64_t flags = lookup != nullptr  ? lookup->flags
                           : batch != nullptr ? batch->elem_flags
                                              : 0;
    return sizes_.cpus != 0 && (flags & BPF_F_CPU) != 0;
  }
  size_t value_size() const {
    return cpus() == 0 ? sizes_.value : PerCpuStride(sizes_.value) * cpus();
  }

  // Exactly `size` bytes, unlike an input, which the call may read in part or find too short.
  bool ParseExact(const YamlNode& node, std::string_view name, size_t size, Bytes* out) {
    const bool value = name == "value" || name == "values";
    const bool parsed = value && cpus() != 0
                            ? ParseValueBytes(node, name, sizes_.value, cpus(), out, problems_)
                            : ParseBytes(node, name, size, out, problems_);
    if (!parsed) return false;
    if (out->size() == size) return true;
    return problems_->Add(node.position, Quoted(name) + " has " + std::to_string(out->size()) +
                                             " bytes; this output has " + std::to_string(size));
  }

  bool ParseOutput(const YamlNode& node, StatedOutcome* out) {
    const bool key = word_.operation == "get_next_key";
    const auto* load = std::get_if<MemRead>(&call_);
    const std::string_view name = key ? "next_key" : "value";
    const YamlNode* output = node.Find(name);
    if (output == nullptr) return true;
    Bytes bytes;
    const size_t size = key ? sizes_.key : load != nullptr ? load->length : value_size();
    if (!ParseExact(*output, name, size, &bytes)) return false;
    if (!key && NamesCpu()) {
      // The rest of the buffer, which is as long as ever, stays as it was.
      Bytes whole = Poison(PerCpuStride(sizes_.value) * sizes_.cpus);
      for (size_t i = 0; i < bytes.size(); ++i) whole[i] = bytes[i];
      bytes = std::move(whole);
    }
    out->output = std::move(bytes);
    return true;
  }

  bool ParseElements(const YamlNode& node, std::string_view name, size_t size,
                     std::optional<std::vector<Bytes>>* out) {
    const YamlNode* list = node.Find(name);
    if (list == nullptr) return true;
    if (!list->IsList()) {
      return problems_->Add(list->position,
                            Quoted(name) + " must be a list, not " + list->Describe());
    }
    std::vector<Bytes> elements;
    for (const YamlNode& item : list->items) {
      if (!ParseExact(item, name, size, &elements.emplace_back())) return false;
    }
    *out = std::move(elements);
    return true;
  }

  bool ParseBatch(const YamlNode& node, StatedOutcome* out) {
    if (out->keys && out->values && out->keys->size() != out->values->size()) {
      return problems_->Add(node.Find("values")->position,
                            std::to_string(out->keys->size()) + " keys, but " +
                                std::to_string(out->values->size()) + " values");
    }
    if (!ReadBool(node, "any_order", &out->any_order, problems_)) return false;
    if (out->any_order && !out->keys && !out->values) {
      return problems_->Add(node.Find("any_order")->position,
                            "`any_order` of what? Neither keys nor "
                            "values are stated");
    }
    uint32_t count = 0;
    if (!ReadNumber(node, "count", &count, problems_)) return false;
    const auto& elements = out->keys ? out->keys : out->values;
    if (node.Find("count") != nullptr) {
      if (elements && elements->size() > count) {
        return problems_->Add(node.Find("count")->position,
                              "`count` is " + std::to_string(count) + ", but " +
                                  std::to_string(elements->size()) +
                                  " elements are stated; that the rest of a buffer was not written "
                                  "is `untouched: [keys, values]`");
      }
      if (elements && out->any_order && elements->size() != count) {
        return problems_->Add(node.Find("count")->position,
                              "with `any_order` every element must be stated: `count` is " +
                                  std::to_string(count) + ", but there are " +
                                  std::to_string(elements->size()));
      }
      out->count = count;
    } else if (elements) {
      out->count = static_cast<uint32_t>(elements->size());
    }
    const YamlNode* token = node.Find("out_batch");
    if (token == nullptr) return true;
    Bytes bytes;
    const size_t size = std::max<size_t>(sizes_.key, 4);
    if (!ParseBytes(*token, "out_batch", size, &bytes, problems_)) return false;
    if (bytes.size() > size) {
      return problems_->Add(token->position, "`out_batch` has " + std::to_string(bytes.size()) +
                                                 " bytes; this output has " + std::to_string(size));
    }
    out->out_batch = std::move(bytes);
    return true;
  }

  bool Touchless(const YamlNode& node, StatedOutcome* out) {
    const auto& buffers = word_.buffers;
    if (!node.IsScalar() || std::find(buffers.begin(), buffers.end(), node.text) == buffers.end()) {
      return problems_->Add(node.position, word_.word + " has no output buffer " + node.Describe() +
                                               Suggest(node.text, buffers));
    }
    if (node.text == "keys") out->untouched.keys = true;
    if (node.text == "values") out->untouched.values = true;
    if (node.text == "out_batch") out->untouched.out_batch = true;
    if (node.text == "value" || node.text == "next_key") out->untouched.output = true;
    return true;
  }

  bool ParseUntouched(const YamlNode& node, StatedOutcome* out) {
    if (const YamlNode* all = node.Find("out")) {
      if (!all->IsWord("untouched")) {
        return problems_->Add(all->position,
                              "`out` can only be `untouched`, not " + all->Describe());
      }
      const auto& buffers = word_.buffers;
      const auto has = [&](std::string_view name) {
        return std::find(buffers.begin(), buffers.end(), name) != buffers.end();
      };
      out->untouched = {has("value") || has("next_key"), has("keys"), has("values"),
                        has("out_batch")};
    }
    if (const YamlNode* some = node.Find("untouched")) {
      if (!some->IsList()) return Touchless(*some, out);
      for (const YamlNode& item : some->items) {
        if (!Touchless(item, out)) return false;
      }
    }
    if (out->untouched.output && out->output) {
      return problems_->Add(node.position, "an output is both stated and untouched");
    }
    return true;
  }

  bool ParseId(const YamlNode& node, StatedOutcome* out) {
    if (node.IsWord("nonzero")) {
      out->nonzero_id = true;
      return true;
    }
    uint64_t id = 0;
    if (!ParseUnsigned(node, "id", UINT32_MAX, &id, problems_)) return false;
    out->number = static_cast<uint32_t>(id);
    return true;
  }

  bool ParseNumber(const YamlNode& node, StatedOutcome* out) {
    if (const YamlNode* id = node.Find("id"); id != nullptr && !ParseId(*id, out)) return false;
    uint32_t revents = 0;
    if (!ReadNumber(node, "revents", &revents, problems_)) return false;
    if (node.Find("revents") != nullptr) out->number = revents;
    uint32_t to_stack = 0;
    if (!ReadNumber(node, "to_stack", &to_stack, problems_)) return false;
    if (node.Find("to_stack") != nullptr) out->number = to_stack;
    return true;
  }

  template <typename T>
  bool ReadStated(const YamlNode& info, std::string_view name, std::optional<T>* out) {
    T number = 0;
    if (!ReadNumber(info, name, &number, problems_)) return false;
    if (info.Find(name) != nullptr) *out = number;
    return true;
  }

  bool ParseInfo(const YamlNode& node, StatedOutcome* out) {
    const YamlNode* info = node.Find("info");
    if (info == nullptr) return true;
    if (!CheckFields(*info, "info", InfoWords(), problems_)) return false;
    StatedInfo& stated = out->info;
    if (const YamlNode* type = info->Find("type")) {
      MapType map_type;
      if (!ParseMapTypeNode(*type, &map_type, problems_)) return false;
      stated.type = static_cast<uint32_t>(map_type);
    }
    if (const YamlNode* id = info->Find("id"); id != nullptr && !ParseId(*id, out)) return false;
    uint32_t flags = 0;
    if (!ReadFlags(*info, "map_flags", MapCreateFlags(), &flags, problems_)) return false;
    if (info->Find("map_flags") != nullptr) stated.map_flags = flags;
    if (const YamlNode* name = info->Find("name")) {
      stated.name.emplace();
      if (name->IsNull()) return problems_->Add(name->position, "an empty `name` is written \"\"");
      if (!ReadText(*info, "name", &*stated.name, problems_)) return false;
    }
    if (info->Find("has_btf") != nullptr) {
      stated.has_btf.emplace();
      if (!ReadBool(*info, "has_btf", &*stated.has_btf, problems_)) return false;
    }
    return ReadStated(*info, "key_size", &stated.key_size) &&
           ReadStated(*info, "value_size", &stated.value_size) &&
           ReadStated(*info, "max_entries", &stated.max_entries) &&
           ReadStated(*info, "btf_key_type_id", &stated.btf_key_type_id) &&
           ReadStated(*info, "btf_value_type_id", &stated.btf_value_type_id) &&
           ReadStated(*info, "map_extra", &stated.map_extra) &&
           ReadStated(*info, "info_len", &stated.info_len);
  }

  const StepWord& word_;
  const Call& call_;
  const ElementSizes sizes_;
  Problems* problems_;
};

}  // namespace

bool ParseExpect(const YamlNode* node, const StepWord& word, const Call& call, ElementSizes sizes,
                 StatedOutcomes* out, Problems* problems) {
  if (node == nullptr) {
    out->alternatives = {StatedOutcome{}};
    return true;
  }
  return ExpectParser(word, call, sizes, problems).ParseAlternatives(*node, out);
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include "specs/step_parser.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace mapspec {
namespace {

// Text, or {bytes: "0x…"} for what is no UTF-8.
bool ReadName(const YamlNode& fields, std::string* out, Problems* problems) {
  const YamlNode* node = fields.Find("name");
  const YamlNode* bytes = node == nullptr ? nullptr : node->Find("bytes");
  if (bytes == nullptr) {
    if (!ReadText(fields, "name", out, problems)) return false;
  } else {
    static const std::vector<std::string> kFields = {"bytes"};
    if (!CheckFields(*node, "a name", kFields, problems)) return false;
    Bytes name;
    if (!bytes->quoted || !Bytes::FromHex(bytes->text, &name)) {
      return problems->Add(
          bytes->position,
          "`bytes` of a name must be written as \"0x61c0\", not " + bytes->Describe());
    }
    out->assign(reinterpret_cast<const char*>(name.data()), name.size());
  }
  if (out->size() <= kObjNameLen) return true;
  return problems->Add(node->position, "`name` has " + std::to_string(out->size()) +
                                           " bytes, more than 16, the most it can have");
}

}  // namespace

bool ParseSlot(const YamlNode& node, char letter, uint16_t* out, Problems* problems) {
  if (node.IsScalar() && node.text.size() > 1 && node.text[0] == letter) {
    const char* const end = node.text.data() + node.text.size();
    const auto [stop, error] = std::from_chars(node.text.data() + 1, end, *out);
    const bool padded = node.text.size() > 2 && node.text[1] == '0';
    if (error == std::errc{} && stop == end && *out < kMaxSlots && !padded) return true;
  }
  return problems->Add(node.position, std::string("a slot is written ") + letter + "0 to " +
                                          letter + std::to_string(kMaxSlots - 1) + ", not " +
                                          node.Describe());
}

bool ParseAttributes(const YamlNode& node, MapCreate* out, Problems* problems) {
  if (const YamlNode* type = node.Find("type");
      type != nullptr && !ParseMapTypeNode(*type, &out->type, problems)) {
    return false;
  }
  if (const YamlNode* inner = node.Find("inner_map")) {
    if (inner->IsWord("not_a_map")) {
      out->inner_map = kNotAMap;
    } else if (!ParseSlot(*inner, 'm', &out->inner_map.slot, problems)) {
      return false;
    }
  }
  if (const YamlNode* btf = node.Find("btf")) {
    if (btf->IsWord("bad")) {
      out->btf = kBadBtf;
    } else if (!ParseSlot(*btf, 'b', &out->btf, problems)) {
      return false;
    }
  }
  return ReadName(node, &out->name, problems) &&
         ReadNumber(node, "key_size", &out->key_size, problems) &&
         ReadNumber(node, "value_size", &out->value_size, problems) &&
         ReadNumber(node, "max_entries", &out->max_entries, problems) &&
         ReadFlags(node, "map_flags", MapCreateFlags(), &out->map_flags, problems) &&
         ReadNumber(node, "numa_node", &out->numa_node, problems) &&
         ReadNumber(node, "map_extra", &out->map_extra, problems) &&
         ReadNumber(node, "btf_key_type_id", &out->btf_key_type_id, problems) &&
         ReadNumber(node, "btf_value_type_id", &out->btf_value_type_id, problems) &&
         ReadNumber(node, "attr_size", &out->attr_size, problems);
}

bool StepParser::Missing(const YamlNode& fields, std::string_view name) {
  return problems_->Add(fields.position, Quoted(name) + " is missing");
}

ElementSizes StepParser::SizesOf(Handle map) const {
  // What is no map takes its buffers from m0, so that `map: bad` needs no sizes of its own.
  auto found = maps_.find(map.slot);
  if (found == maps_.end()) found = maps_.find(0);
  return found == maps_.end() ? BaseSizes() : found->second;
}

ElementSizes StepParser::InnerSizesOf(Handle map) const {
  const auto found = inner_.find(map.slot);
  return found == inner_.end() ? BaseSizes() : found->second;
}

bool StepParser::ReadHandle(const YamlNode& fields, std::string_view name, Handle* out) {
  const YamlNode* node = fields.Find(name);
  if (node == nullptr) return true;
  if (node->IsWord("bad")) {
    *out = kBadFd;
    return true;
  }
  if (node->IsWord("not_a_map")) {
    *out = kNotAMap;
    return true;
  }
  if (node->IsScalar() && (node->text.empty() || node->text[0] != 'm')) {
    return problems_->Add(node->position, Quoted(name) + " is m0, m1, ..., bad or not_a_map, not " +
                                              node->Describe());
  }
  if (!ParseSlot(*node, 'm', &out->slot, problems_)) return false;
  if (maps_.contains(out->slot)) return true;
  return problems_->Add(node->position, "nothing fills " + node->text + " before this step");
}

bool StepParser::ReadMap(const YamlNode& fields, Handle* out) {
  *out = Handle{0};
  if (!ReadHandle(fields, "map", out)) return false;
  if (fields.Find("map") != nullptr || maps_.contains(0)) return true;
  return problems_->Add(fields.position,
                        "nothing fills m0 before this step; give the scenario a `map:`");
}

bool StepParser::ReadView(const YamlNode& fields, uint16_t* out) {
  *out = 0;
  const YamlNode* node = fields.Find("view");
  if (node != nullptr && !ParseSlot(*node, 'v', out, problems_)) return false;
  if (views_.contains(*out)) return true;
  return problems_->Add(node != nullptr ? node->position : fields.position,
                        "nothing fills v" + std::to_string(*out) + " before this step");
}

bool StepParser::ReadResult(const YamlNode& fields, char letter, uint16_t* out) {
  *out = 0;
  const YamlNode* node = fields.Find("as");
  return node == nullptr || ParseSlot(*node, letter, out, problems_);
}

bool StepParser::ReadPointer(const YamlNode& fields, std::string_view name, Pointer* out) {
  const YamlNode* node = fields.Find(name);
  if (node == nullptr) return true;
  if (node->IsNull()) {
    *out = Pointer::kNull;
  } else if (node->IsWord("bad")) {
    *out = Pointer::kBad;
  } else if (node->IsWord("valid")) {
    *out = Pointer::kValid;
  } else {
    return problems_->Add(
        node->position, Quoted(name) + " is an output here: null, bad or valid, not " +
                            node->Describe() + "; what it must hold afterwards stands in `expect`");
  }
  return true;
}

bool StepParser::ReadInBuffer(const YamlNode& fields, std::string_view name, size_t size,
                              uint32_t cpus, InBuffer* out) {
  const YamlNode* node = fields.Find(name);
  if (node == nullptr) return Missing(fields, name);
  if (node->IsNull()) {
    out->pointer = Pointer::kNull;
    return true;
  }
  if (node->IsWord("bad")) {
    out->pointer = Pointer::kBad;
    return true;
  }
  return ParseValueBytes(*node, name, size, cpus, &out->bytes, problems_);
}

bool StepParser::ReadElements(const YamlNode& fields, std::string_view name, size_t size,
                              uint32_t cpus, InBuffer* out, uint32_t* count) {
  const YamlNode* node = fields.Find(name);
  if (node == nullptr) return Missing(fields, name);
  if (!node->IsList()) {
    if (fields.Find("count") == nullptr && !node->IsNull() && !node->IsWord("bad")) {
      return Missing(fields, "count");
    }
    return ReadInBuffer(fields, name, size, cpus, out);
  }
  const size_t wanted = cpus == 0 ? size : PerCpuStride(size) * cpus;
  for (const YamlNode& item : node->items) {
    Bytes element;
    if (!ParseValueBytes(item, name, size, cpus, &element, problems_)) return false;
    if (element.size() != wanted) {
      return problems_->Add(item.position, "an element of " + Quoted(name) + " has " +
                                               std::to_string(element.size()) + " bytes, not " +
                                               std::to_string(wanted));
    }
    out->bytes.Append(element);
  }
  *count = std::max(*count, static_cast<uint32_t>(node->items.size()));
  return true;
}

bool StepParser::IsDescriptor(const YamlNode* node) {
  return node != nullptr && node->IsMapping() && node->Find("fd") != nullptr;
}

bool StepParser::ReadDescriptor(const YamlNode& node, Handle* out) {
  static const std::vector<std::string> kFields = {"fd"};
  return CheckFields(node, "a descriptor", kFields, problems_) && ReadHandle(node, "fd", out);
}

bool StepParser::ReadValue(const YamlNode& fields, ElementSizes sizes, Update* out) {
  if (const YamlNode* value = fields.Find("value"); IsDescriptor(value)) {
    return ReadDescriptor(*value, &out->value_fd);
  }
  return ReadInBuffer(fields, "value", sizes.value, sizes.cpus, &out->value);
}

bool StepParser::ReadBatchValues(const YamlNode& fields, ElementSizes sizes, UpdateBatch* out) {
  const YamlNode* values = fields.Find("values");
  const bool descriptors = values != nullptr && values->IsList() && !values->items.empty() &&
                           IsDescriptor(&values->items[0]);
  if (!descriptors) {
    // With these flags each element has one value.
    uint64_t flags = 0;
    if (!ReadFlags(fields, "elem_flags", ElemFlags(), &flags, problems_)) return false;
    const bool one = (flags & (BPF_F_CPU | BPF_F_ALL_CPUS)) != 0;
    return ReadElements(fields, "values", sizes.value, one ? 0 : sizes.cpus, &out->values,
                        &out->count);
  }
  for (const YamlNode& item : values->items) {
    if (!ReadDescriptor(item, &out->value_fds.emplace_back())) return false;
  }
  out->count = std::max(out->count, static_cast<uint32_t>(values->items.size()));
  return true;
}

bool StepParser::ReadRequiredText(const YamlNode& fields, std::string_view name, std::string* out) {
  if (fields.Find(name) == nullptr) return Missing(fields, name);
  if (!ReadText(fields, name, out, problems_)) return false;
  if (!out->empty() && out->size() < 256 && out->find('\0') == std::string::npos) return true;
  return problems_->Add(fields.Find(name)->position, Quoted(name) + " must have 1 to 255 letters");
}

bool StepParser::ParseTemplate(const YamlNode& map, Step* out) {
  if (const YamlNode* inner = map.Find("inner")) {
    if (!CheckFields(*inner, "inner", MapAttributeWords(), problems_) ||
        !ParseAttributes(*inner, &*inner_base_, problems_)) {
      return false;
    }
  }
  base_.inner_map = inner_base_->result;
  maps_[kTemplateSlot] = inner_[0] = SizesFor(*inner_base_);
  out->operation.call = *inner_base_;
  out->expected.alternatives = {StatedOutcome{}};
  out->position = map.position;
  out->implicit = true;
  return true;
}

bool StepParser::ParseMap(const YamlNode* node, Position position, Step* out) {
  MapCreate create = base_;
  create.result = Handle{0};
  if (node != nullptr && !node->IsNull()) {
    std::vector<std::string> known(MapAttributeWords().begin(), MapAttributeWords().end());
    if (inner_base_) known.push_back("inner");
    if (!CheckFields(*node, "map", known, problems_) ||
        !ParseAttributes(*node, &create, problems_)) {
      return false;
    }
    has_type_ = has_type_ || node->Find("type") != nullptr;
    if (node->Find("btf") != nullptr && create.btf != kBadBtf) {
      return problems_->Add(node->Find("btf")->position,
                            "`map` is made before any step; load the BTF in a step, then `create`");
    }
    if (node->Find("inner_map") != nullptr) {
      return problems_->Add(node->Find("inner_map")->position,
                            "`map` is made before any step; make both maps with `create`");
    }
  }
  if (!has_type_) {
    return problems_->Add(position, "the map needs a `type`; the file's map_type is GENERIC");
  }
  // What a scenario's map is made with holds for the maps that its steps make, unless they say
  // otherwise.
  maps_[0] = SizesFor(create);
  out->operation.call = create;
  out->expected.alternatives = {StatedOutcome{}};
  out->position = position;
  out->implicit = true;
  return true;
}

// On which CPU and by which thread the call is made.
bool StepParser::ReadPlace(const YamlNode& fields, Operation* out) {
  uint64_t cpu = kAnyCpu, thread = 0;
  if (const YamlNode* node = fields.Find("cpu");
      node != nullptr && !ParseUnsigned(*node, "cpu", kAnyCpu - 1, &cpu, problems_)) {
    return false;
  }
  if (const YamlNode* node = fields.Find("thread");
      node != nullptr && !ParseUnsigned(*node, "thread", kMaxThreads - 1, &thread, problems_)) {
    return false;
  }
  out->cpu = static_cast<uint16_t>(cpu);
  out->thread = static_cast<uint8_t>(thread);
  return true;
}

bool StepParser::ParseStep(const YamlNode& node, Step* out) {
  if (!node.IsMapping() || node.fields.size() != 1) {
    return problems_->Add(
        node.position,
        "a step is one operation, such as `- push: {value: 1}`, not " +
            (node.IsMapping() ? std::to_string(node.fields.size()) + " fields" : node.Describe()));
  }
  const YamlField& field = node.fields[0];
  const StepWord* word = FindStepWord(field.name);
  if (word == nullptr) {
    std::vector<std::string> known;
    for (const StepWord& each : StepWords()) known.push_back(each.word);
    return problems_->Add(field.position, "unknown operation " + Quoted(field.name.substr(0, 64)) +
                                              Suggest(field.name, known));
  }
  YamlNode fields = field.value;
  if (fields.IsNull()) {  // `- freeze:` needs no braces.
    fields.kind = YamlNode::Kind::kMapping;
    fields.position = field.position;
  }
  if (!CheckFields(fields, field.name, word->fields, problems_)) return false;
  static const std::vector<std::string> kCallers = {"privileged", "unprivileged"};
  size_t caller = 0;
  if (!ReadWord(fields, "caller", kCallers, &caller, problems_)) return false;
  out->position = field.position;
  out->operation.caller = caller == 0 ? Caller::kPrivileged : Caller::kUnprivileged;
  if (!ReadPlace(fields, &out->operation)) return false;
  bool program = false;
  if (!ReadVia(*word, fields, &program)) return false;
  if (program ? !ParseHelperCall(*word, fields, &out->operation.call)
              : !ParseCall(*word, fields, &out->operation.call)) {
    return false;
  }

  ElementSizes sizes = BaseSizes();
  Handle map;
  const auto& names = word->fields;
  if (std::find(names.begin(), names.end(), "map") != names.end()) {
    if (!ReadMap(fields, &map)) return false;
    sizes = SizesOf(map);
  }
  // What a program sees of a per-CPU map is its CPU's, so it has to be a certain one; what an LRU
  // map evicts depends on the CPU as well.
  const bool of_cpu = (program && sizes.cpus != 0) || sizes.lru;
  if (of_cpu && out->operation.cpu == kAnyCpu) out->operation.cpu = 0;
  if (std::holds_alternative<HelperLookupInner>(out->operation.call)) sizes = InnerSizesOf(map);
  return ParseExpect(fields.Find("expect"), *word, out->operation.call, sizes, &out->expected,
                     problems_);
}

}  // namespace mapspec

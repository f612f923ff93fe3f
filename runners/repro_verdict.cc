// SPDX-License-Identifier: MIT
//
// Reproducers: the violating operation, what decides, and what is said about it.
#include <fmt/format.h>

#include <algorithm>

#include "oracle/inner_map.h"
#include "oracle/limits.h"
#include "oracle/trace_json.h"
#include "runners/repro_writer.h"
#include "runners/text.h"

namespace mapspec {
namespace {

constexpr size_t kMaxAlternatives = 256;
// A checker is copied some hundred times; beyond this only its own words count.
constexpr size_t kMaxHeld = size_t{16} << 20;

std::string ErrorName(Errno error) {
  const std::string name = ErrnoName(error);
  return name.starts_with("E") ? name : std::to_string(static_cast<int32_t>(error));
}

std::string Joined(const std::vector<std::string>& parts, const char* operation) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : fmt::format("\n\t     {} ", operation)) + part;
  }
  return parts.size() > 1 ? "(" + text + ")" : text;
}

Bytes Mask(const BytePattern& pattern) {
  return pattern.mask.empty() ? Bytes(pattern.bytes.size(), 0xff) : pattern.mask;
}

std::string ErrorCondition(const AllowedOutcome& allowed) {
  if (allowed.any_error) return "err != 0";
  std::vector<std::string> errors;
  for (const Errno error : allowed.errors) errors.push_back("err == " + ErrorName(error));
  return Joined(errors, "||");
}

// The values of a batch on a map of maps are ids, others in each run.
void AllowAnyIds(AllowedOutcome* allowed) {
  const auto any = [](BytePattern* pattern) { pattern->mask = Bytes(pattern->bytes.size(), 0); };
  if (allowed->buffers && !IsPoison(allowed->buffers->values.bytes)) {
    any(&allowed->buffers->values);
  }
  if (!allowed->elements) return;
  for (AllowedElement& element : *allowed->elements) any(&element.value);
}

}  // namespace

std::string ReproWriter::ClauseName() const {
  const ClauseId violated = verdict_.judgement.violated;
  return violated == kNoClause ? "what every clause takes for granted"
                               : std::string(GetClause(violated).id);
}

AllowedOutcomes ReproWriter::Allowed() const {
  if (written_ > kMaxHeld) {
    AllowedOutcomes allowed;
    AllowedOutcome success;
    success.errors = {Errno::kNone};
    success.outputs = {{verdict_.judgement.expected_bytes, {}}};
    allowed.any_of = {success};
    allowed.exact = !verdict_.judgement.expected_bytes.empty();
    return allowed;
  }
  Checker before(profile_, trace_.environment);
  for (size_t i = 0; i < verdict_.index; ++i) before.Step(trace_.operations[i], trace_.outcomes[i]);
  const Record* record = nullptr;
  std::visit(
      [&](const auto& op) {
        if constexpr (requires { Handle(op.map); }) record = &RecordOf(op.map);
      },
      operation_->call);
  const bool walk = std::holds_alternative<HelperForEach>(operation_->call);
  return FindAllowed(
      {before, *operation_, *outcome_, std::span(trace_.operations).first(verdict_.index),
       std::span(trace_.outcomes).first(verdict_.index), record == nullptr ? 0 : record->key_size,
       record == nullptr ? 0
       : walk            ? record->shape.value_size
                         : record->value_size});
}

std::string ReproWriter::Condition(const AllowedOutcome& allowed, const Step& step,
                                   std::vector<std::string>* before) {
  std::vector<std::string> all;
  if (IsProgramPath(operation_->call)) all.push_back(allowed.refused ? "refused" : "!refused");
  all.push_back(ErrorCondition(allowed));
  const bool returns = IsProgramPath(operation_->call) && !allowed.refused;
  if (returns) all.push_back(fmt::format("returned == {}", allowed.result.value_or(0)));
  const auto matches = [&](const std::string& where, const BytePattern& pattern,
                           const std::string& name) {
    if (pattern.bytes.empty()) return;
    const std::string wanted = CBytes(pattern.bytes, name, &source_, before);
    if (pattern.mask.empty()) {
      all.push_back(fmt::format("equal({}, {}, {})", where, wanted, pattern.bytes.size()));
      return;
    }
    all.push_back(fmt::format("equal_where({}, {}, {}, {})", where, CLiteral(pattern.bytes),
                              CLiteral(pattern.mask), pattern.bytes.size()));
  };
  if (!allowed.outputs.empty() && step.output_size != 0) {
    std::vector<std::string> one_of;
    std::vector<std::string> outer;
    outer.swap(all);
    for (size_t i = 0; i < allowed.outputs.size(); ++i) {
      const BytePattern& pattern = allowed.outputs[i];
      if (pattern.mask.empty() && IsPoison(pattern.bytes)) {
        one_of.push_back(fmt::format("is_poison({}, 0, {})", step.output, step.output_size));
        continue;
      }
      matches(step.output, pattern, fmt::format("wanted{}", i));
      if (!all.empty()) one_of.push_back(all.back());
      all.clear();
    }
    all.swap(outer);
    all.push_back(Joined(one_of, "||"));
  }
  if (allowed.number) all.push_back(fmt::format("polled.revents == {}", *allowed.number));
  if (allowed.id_between) {
    const auto id = [&](uint32_t value) {
      for (const auto& [slot, state] : slots_) {
        if (state.told_id == value && value != 0) return fmt::format("id{}", slot);
      }
      return CNumber(value);
    };
    all.push_back(fmt::format("next_id > {}", id(allowed.id_between->first)));
    if (allowed.id_between->second != 0) {
      all.push_back(fmt::format("next_id <= {}", id(allowed.id_between->second)));
    }
  }
  const bool counted = std::holds_alternative<LookupBatch>(operation_->call) ||
                       std::holds_alternative<UpdateBatch>(operation_->call) ||
                       std::holds_alternative<DeleteBatch>(operation_->call) ||
                       std::holds_alternative<HelperForEach>(operation_->call);
  if (allowed.count && counted) all.push_back(fmt::format("count == {}", *allowed.count));
  const auto* batch = std::get_if<LookupBatch>(&operation_->call);
  const auto* seen = std::get_if<Boxed<BatchOutput>>(&outcome_->output);
  if (allowed.buffers) {
    const auto buffer = [&](const char* name, const BytePattern& pattern) {
      if (pattern.bytes.empty()) return;
      if (pattern.mask.empty() && IsPoison(pattern.bytes)) {
        all.push_back(fmt::format("is_poison({}, 0, {})", name, pattern.bytes.size()));
      } else {
        matches(name, pattern, fmt::format("wanted_{}", name));
      }
    };
    buffer("out_batch", allowed.buffers->out_batch);
    buffer("keys", allowed.buffers->keys);
    buffer("values", allowed.buffers->values);
  }
  if (allowed.elements && !allowed.elements->empty()) {
    Bytes keys, values, mask;
    for (const AllowedElement& element : *allowed.elements) {
      keys.Append(element.key);
      values.Append(element.value.bytes);
      mask.Append(Mask(element.value));
    }
    before->push_back(fmt::format(
        "static const struct elements elements = {{\n\t.keys = {},\n\t.values = {},\n\t.mask = "
        "{},\n\t.count = {}, .key_size = {}, .value_size = {},\n}};",
        CLiteral(keys), CLiteral(values), CLiteral(mask), allowed.elements->size(),
        (*allowed.elements)[0].key.size(), (*allowed.elements)[0].value.bytes.size()));
    all.push_back("are_elements(keys, values, count, elements)");
    if (batch != nullptr && seen != nullptr) {
      const auto behind = [&](const char* name, size_t element, size_t size) {
        if (size == 0) return;
        all.push_back(fmt::format("is_poison({}, {}, {})", name, *allowed.count * element, size));
      };
      behind("keys", (*allowed.elements)[0].key.size(), (*seen)->keys.size());
      behind("values", (*allowed.elements)[0].value.bytes.size(), (*seen)->values.size());
    }
  }
  const MapInfo& info = allowed.info;
  const auto field = [&](InfoField bit, const char* name, uint64_t value) {
    if ((allowed.info_fields & bit) != 0) {
      all.push_back(fmt::format("{}.map.{} == {}", step.output, name, CNumber(value)));
    }
  };
  field(kInfoType, "type", info.type);
  field(kInfoKeySize, "key_size", info.key_size);
  field(kInfoValueSize, "value_size", info.value_size);
  field(kInfoMaxEntries, "max_entries", info.max_entries);
  field(kInfoFlags, "map_flags", info.map_flags);
  field(kInfoBtfKey, "btf_key_type_id", info.btf_key_type_id);
  field(kInfoBtfValue, "btf_value_type_id", info.btf_value_type_id);
  field(kInfoExtra, "map_extra", info.map_extra);
  if ((allowed.info_fields & kInfoId) != 0) {
    std::string id = "0";
    for (const auto& [slot, state] : slots_) {
      if (state.told_id == info.id) id = fmt::format("id{}", slot);
    }
    all.push_back(fmt::format("{}.map.id {} {}", step.output, id == "0" ? "!=" : "==", id));
  }
  if ((allowed.info_fields & kInfoName) != 0) {
    all.push_back(
        fmt::format("strncmp({}.map.name, {}, 16) == 0", step.output, CString(info.name)));
  }
  if ((allowed.info_fields & kInfoHasBtf) != 0) {
    all.push_back(fmt::format("{}.map.btf_id {} 0", step.output, info.has_btf ? "!=" : "=="));
  }
  if ((allowed.info_fields & kInfoLength) != 0) {
    const auto& op = std::get<GetInfo>(operation_->call);
    const uint32_t passed = op.info_len == 0 ? 88 : op.info_len;
    all.push_back(fmt::format("info_len <= {} && info_len >= {}", std::min(passed, kInfoSizeAtMost),
                              std::min(passed, kInfoSizeSurely)));
  }
  std::string text;
  for (const std::string& part : all) text += (text.empty() ? "" : " && ") + part;
  return text;
}

std::string ReproWriter::OutcomeIs(const Outcome& outcome, const Step& step,
                                   std::vector<std::string>* before) {
  AllowedOutcome same;
  same.refused = outcome.completion == Completion::kRefused;
  same.errors = {outcome.error};
  if (outcome.result != 0) same.result = outcome.result;
  if (const auto* bytes = std::get_if<Bytes>(&outcome.output)) {
    if (!bytes->empty()) same.outputs = {{*bytes, {}}};
  }
  if (const auto* number = std::get_if<uint32_t>(&outcome.output)) {
    if (std::holds_alternative<struct Poll>(operation_->call)) same.number = *number;
  }
  if (const auto* batch = std::get_if<Boxed<BatchOutput>>(&outcome.output)) {
    same.count = (*batch)->count;
    same.buffers = AllowedOutcome::Buffers{
        {(*batch)->out_batch, {}}, {(*batch)->keys, {}}, {(*batch)->values, {}}};
  }
  return Condition(same, step, before);
}

void ReproWriter::Judge(const Step& step) {
  const std::string expected = Shortened(verdict_.judgement.expected);
  const auto says = [&](const std::string& got) {
    source_.Line(fmt::format("printf(\"expected  %s\\n\", {});", CString(expected)));
    source_.Line(got);
  };
  if (outcome_->completion == Completion::kCrashed || outcome_->completion == Completion::kHung) {
    source_.Line("(void)err;");
    says("printf(\"got       an answer\\n\");");
    source_.Line("return 0;");
    return;
  }
  if (outcome_->completion == Completion::kOverran) {
    if (step.after.empty()) throw Refuse{"what was overwritten is not in reach of a C program"};
    source_.Global("static int overran;");
    source_.Line("(void)err;");
    for (const std::string& line : step.after) source_.Line(line);
    says("printf(\"got       %s\\n\", overran ? \"bytes beside it changed\" : \"that\");");
    source_.Line("return overran;");
    return;
  }
  AllowedOutcomes allowed = Allowed();
  // What an outer map shows is the id of the map that is there.
  const auto* lookup = std::get_if<Lookup>(&operation_->call);
  const bool of_maps = lookup != nullptr && IsMapOfMaps(RecordOf(lookup->map).shape.type);
  int inner = -1;
  if (of_maps && IsOpen(lookup->map)) {
    Bytes key = lookup->key.bytes;
    key.Resize(RecordOf(lookup->map).key_size);
    const auto there = inner_.find({SlotOf(lookup->map).record, key});
    if (there != inner_.end()) inner = there->second;
  }
  for (AllowedOutcome& one : allowed.any_of) {
    if (!of_maps || inner < 0 || one.errors[0] != Errno::kNone) continue;
    one.outputs.clear();
    named_by_id_.insert(inner);
    allowed.exact = true;
  }
  const auto* batch_call = std::get_if<LookupBatch>(&operation_->call);
  if (batch_call != nullptr && IsMapOfMaps(RecordOf(batch_call->map).shape.type)) {
    for (AllowedOutcome& one : allowed.any_of) AllowAnyIds(&one);
    // Where nothing but an id was wrong.
    allowed.exact &= !allowed.Takes(*outcome_);
  }
  if (allowed.any_of.size() > kMaxAlternatives) allowed.exact = false;
  for (const AllowedOutcome& one : allowed.any_of) {
    allowed.exact &= one.outputs.size() <= kMaxAlternatives;
  }
  exact_ = allowed.exact;
  if (!exact_ && (std::holds_alternative<GetInfo>(operation_->call) ||
                  (batch_call != nullptr && IsMapOfMaps(RecordOf(batch_call->map).shape.type)))) {
    throw Refuse{"what is right here depends on ids and cannot be said in C"};
  }
  const MapType walked =
      batch_call == nullptr ? MapType::UNSPEC : RecordOf(batch_call->map).shape.type;
  if (!exact_ && (walked == MapType::LRU_HASH || walked == MapType::LRU_PERCPU_HASH)) {
    throw Refuse{"what is right here depends on what was evicted and cannot be said in C"};
  }

  for (const std::string& line : step.after) {
    if (std::holds_alternative<HelperForEach>(operation_->call)) source_.Line(line);
  }
  std::vector<std::string> before;
  std::string condition;
  if (!exact_) {
    condition = "!(" + OutcomeIs(*outcome_, step, &before) + ")";
  }
  for (const AllowedOutcome& one : allowed.any_of) {
    if (!exact_) break;
    std::vector<std::string> own;
    std::string part = Condition(one, step, &own);
    // Several lists of elements are the same list.
    for (std::string& line : own) {
      if (std::find(before.begin(), before.end(), line) == before.end()) {
        before.push_back(std::move(line));
      }
    }
    if (of_maps && inner >= 0 && one.errors[0] == Errno::kNone) {
      part += fmt::format(" && equal(value, &map_id{}, 4)", inner);
    }
    condition += (condition.empty() ? "(" : " ||\n\t  (") + part + ")";
  }
  for (const std::string& line : before) source_.Line(line);
  source_.Line(fmt::format("allowed = {};", condition));
  says(IsProgramPath(operation_->call)
           ? "printf(\"got       %s%s\\n\", refused ? \"a program that is not loaded: \" : \"\",\n"
             "       error_name(err));\nif (returned != 0)\n\tprintf(\"          the return value "
             "%lld\\n\", (long long)returned);"
           : "printf(\"got       %s\\n\", error_name(err));");
  // The bytes, where there is one thing that they should have been.
  const AllowedOutcome* success = nullptr;
  for (const AllowedOutcome& one : allowed.any_of) {
    if (one.errors[0] == Errno::kNone) success = &one;
  }
  if (step.output_size != 0 && !step.output.empty()) {
    std::vector<std::string> wanted_before;
    if (success != nullptr && success->outputs.size() == 1) {
      const std::string wanted =
          CBytes(success->outputs[0].bytes, "wanted0", &source_, &wanted_before);
      for (const std::string& line : wanted_before) source_.Line(line);
      source_.Line(fmt::format("if (err == 0)\n\tprint_difference(\"output\", {}, {}, {});", wanted,
                               step.output, step.output_size));
    } else if (step.output_size <= 64) {
      source_.Line(fmt::format("print_bytes(\"output\", {}, {});", step.output, step.output_size));
    }
  }
  if (const auto* batch = std::get_if<Boxed<BatchOutput>>(&outcome_->output)) {
    source_.Line("printf(\"count     %u\\n\", count);");
    if (success != nullptr && success->buffers && success->buffers->values.mask.empty() &&
        !(*batch)->values.empty()) {
      std::vector<std::string> ignored;
      const std::string wanted =
          CBytes(success->buffers->values.bytes, "wanted_values", &source_, &ignored);
      source_.Line(fmt::format("if (err == 0)\n\tprint_difference(\"values\", {}, values, {});",
                               wanted, (*batch)->values.size()));
    } else if ((*batch)->keys.size() <= 64 && !(*batch)->keys.empty()) {
      source_.Line(fmt::format("print_bytes(\"keys     \", keys, {});", (*batch)->keys.size()));
    }
  }
  if (std::holds_alternative<GetNextId>(operation_->call)) {
    source_.Line("printf(\"id        %u\\n\", next_id);");
  }
  if (std::holds_alternative<struct Poll>(operation_->call)) {
    source_.Line("printf(\"revents   %d\\n\", polled.revents);");
  }
  if (std::holds_alternative<GetInfo>(operation_->call)) {
    source_.Line(fmt::format(
        "printf(\"type %u, id %u, key_size %u, value_size %u, max_entries %u, map_flags %#x, "
        "name \\\"%.16s\\\"\\n\",\n       {0}.map.type, {0}.map.id, {0}.map.key_size, "
        "{0}.map.value_size, {0}.map.max_entries,\n       {0}.map.map_flags, {0}.map.name);",
        step.output));
  }
  source_.Line(fmt::format("printf(\"%s\\n\", allowed ? \"as promised\" : {});",
                           CString(fmt::format("VIOLATION of {}", ClauseName()))));
  source_.Line("return allowed ? 0 : 1;");
}

}  // namespace mapspec

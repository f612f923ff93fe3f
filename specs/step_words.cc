// SPDX-License-Identifier: MIT
#include "specs/step_words.h"

namespace mapspec {
namespace {

using Words = std::vector<std::string>;

const Words& Attributes() {
  static const Words words = {"type",      "key_size", "value_size",      "max_entries",
                              "map_flags", "name",     "numa_node",       "inner_map",
                              "map_extra", "btf",      "btf_key_type_id", "btf_value_type_id",
                              "attr_size"};
  return words;
}

Words With(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

StepWord Make(std::string word, Words fields, Words outputs = {}, Words buffers = {}) {
  StepWord made;
  made.operation = word;
  made.word = std::move(word);
  made.fields = With(std::move(fields), {"expect", "caller"});
  made.outputs = With({"error"}, outputs);
  if (!buffers.empty()) made.outputs = With(made.outputs, {"untouched", "out"});
  made.buffers = std::move(buffers);
  return made;
}

StepWord Alias(std::string word, const StepWord& of) {
  StepWord made = of;
  made.word = std::move(word);
  return made;
}

std::vector<StepWord> MakeTable() {
  const StepWord lookup = Make("lookup", {"map", "key", "value", "flags"}, {"value"}, {"value"});
  StepWord lookup_and_delete = lookup;
  lookup_and_delete.word = lookup_and_delete.operation = "lookup_and_delete";
  const StepWord update = Make("update", {"map", "key", "value", "flags"});
  const Words batch_buffers = {"keys", "values", "out_batch"};
  const StepWord lookup_batch = Make(
      "lookup_batch",
      {"map", "in_batch", "start", "out_batch", "keys", "values", "count", "elem_flags", "flags"},
      {"count", "keys", "values", "any_order", "out_batch"}, batch_buffers);
  StepWord lookup_and_delete_batch = lookup_batch;
  lookup_and_delete_batch.word = lookup_and_delete_batch.operation = "lookup_and_delete_batch";
  return {
      Make("create", With({"as"}, Attributes())),
      lookup,
      Alias("peek", lookup),
      lookup_and_delete,
      Alias("pop", lookup_and_delete),
      update,
      Alias("push", update),
      Make("delete", {"map", "key"}),
      Make("get_next_key", {"map", "key", "next_key"}, {"next_key"}, {"next_key"}),
      lookup_batch,
      lookup_and_delete_batch,
      Make("update_batch", {"map", "keys", "values", "count", "elem_flags", "flags"}, {"count"}),
      Make("delete_batch", {"map", "keys", "count", "elem_flags", "flags"}, {"count"}),
      Make("freeze", {"map"}),
      Make("info", {"map", "info_len", "info"}, {"info", "id"}),
      Make("get_fd_by_id", {"as", "of", "id", "open_flags"}),
      Make("get_next_id", {"of", "id"}, {"id"}),
      Make("pin", {"map", "path", "file_flags"}),
      Make("obj_get", {"as", "path", "file_flags"}),
      Make("unlink", {"path"}),
      Make("close", {"map"}),
      Make("mmap", {"as", "map", "prot_read", "prot_write", "shared", "offset", "length"}),
      Make("load", {"view", "offset", "length"}, {"value"}),
      Make("store", {"view", "offset", "bytes"}),
      Make("munmap", {"view"}),
      Make("poll", {"map"}, {"revents"}),
      Make("read", {"map"}),
      Make("write", {"map"}),
      Make("btf_load", {"as", "key_size", "value_size", "lock_offset"}),
  };
}

}  // namespace

std::span<const StepWord> StepWords() {
  static const std::vector<StepWord> table = MakeTable();
  return table;
}

const StepWord* FindStepWord(std::string_view word) {
  for (const StepWord& known : StepWords()) {
    if (known.word == word) return &known;
  }
  return nullptr;
}

std::span<const std::string> MapAttributeWords() { return Attributes(); }

std::span<const std::string> InfoWords() {
  static const Words words = {
      "type", "id",      "key_size",        "value_size",        "max_entries", "map_flags",
      "name", "has_btf", "btf_key_type_id", "btf_value_type_id", "map_extra",   "info_len"};
  return words;
}

}  // namespace mapspec

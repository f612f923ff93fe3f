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

const Words& Common() {
  static const Words words = {"expect", "via", "cpu", "thread"};
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
  made.fields = With(With(std::move(fields), {"caller"}), Common());
  made.outputs = With({"error"}, outputs);
  if (!buffers.empty()) made.outputs = With(made.outputs, {"untouched", "out"});
  made.buffers = std::move(buffers);
  return made;
}

// Another name of an operation.
StepWord Alias(std::string word, StepWord of) {
  of.word = std::move(word);
  return of;
}

// `word`, which a program does by this helper with those of its fields.
StepWord ByHelper(std::string helper, const Words& helper_fields, StepWord word) {
  word.helper = std::move(helper);
  word.helper_fields = helper_fields;
  word.outputs.push_back("refused");
  word.outputs.push_back("result");
  return word;
}

StepWord ByHelperOnly(std::string helper, const Words& helper_fields, const Words& outputs,
                      const Words& buffers, std::string word) {
  StepWord made = ByHelper(std::move(helper), helper_fields,
                           Make(std::move(word), helper_fields, outputs, buffers));
  made.program_only = true;
  std::erase(made.fields, "caller");
  return made;
}

std::vector<StepWord> MakeTable() {
  const Words value = {"value"};
  const Words element = {"map", "key", "value", "flags"};
  const StepWord take = Make("lookup_and_delete", element, value, value);
  const StepWord peek = Make("lookup", element, value, value);
  // Of an update or a delete a value comes back only where a program held a pointer to it.
  const StepWord push = Make("update", element, value, value);
  const Words batch_buffers = {"keys", "values", "out_batch"};
  const StepWord lookup_batch = Make(
      "lookup_batch",
      {"map", "in_batch", "start", "out_batch", "keys", "values", "count", "elem_flags", "flags"},
      {"count", "keys", "values", "any_order", "out_batch"}, batch_buffers);
  StepWord lookup_and_delete_batch = lookup_batch;
  lookup_and_delete_batch.word = lookup_and_delete_batch.operation = "lookup_and_delete_batch";
  return {
      Make("create", With({"as"}, Attributes())),
      Alias("inner", Make("create", With({"as"}, Attributes()))),
      ByHelper("bpf_map_lookup_elem()", {"map", "key", "store", "lock"},
               Make("lookup", With(element, {"store", "lock"}), value, value)),
      ByHelper("bpf_map_peek_elem()", {"map"}, Alias("peek", peek)),
      ByHelper("bpf_map_pop_elem()", {"map"}, take),
      ByHelper("bpf_map_pop_elem()", {"map"}, Alias("pop", take)),
      ByHelper("bpf_map_update_elem()", With(element, {"hold"}),
               Make("update", With(element, {"hold"}), value, value)),
      ByHelper("bpf_map_push_elem()", {"map", "value", "flags"}, Alias("push", push)),
      ByHelper("bpf_map_delete_elem()", {"map", "key", "hold"},
               Make("delete", {"map", "key", "hold"}, value, value)),
      ByHelperOnly("bpf_map_lookup_percpu_elem()", {"map", "key", "of_cpu"}, value, value,
                   "lookup_percpu"),
      ByHelperOnly("bpf_for_each_map_elem()", {"map", "limit", "flags"},
                   {"count", "keys", "values", "any_order"}, {}, "for_each"),
      ByHelperOnly("bpf_map_lookup_elem() in an inner map", {"map", "key", "inner_key", "store"},
                   value, value, "lookup_inner"),
      ByHelperOnly("bpf_redirect_map()", {"map", "key", "flags"}, {}, {}, "redirect_map"),
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
      Make("socket", {"as", "kind", "device", "queue"}),
      Make("send_frames", {"map", "key", "flags", "device", "queue", "count", "payload"},
           {"to_stack"}),
      Make("receive_frames", {"socket"}, {"count"}),
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

std::span<const std::string> CommonFields() { return Common(); }

std::span<const std::string> MapAttributeWords() { return Attributes(); }

std::span<const std::string> InfoWords() {
  static const Words words = {
      "type", "id",      "key_size",        "value_size",        "max_entries", "map_flags",
      "name", "has_btf", "btf_key_type_id", "btf_value_type_id", "map_extra",   "info_len"};
  return words;
}

}  // namespace mapspec

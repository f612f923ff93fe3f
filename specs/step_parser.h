// SPDX-License-Identifier: MIT
//
// One step of a scenario: an operation and what is expected of it. Numbers become bytes here, in
// the sizes of the map they are meant for, so the parser follows which slot holds which kind of
// map. Thread-safety: one thread at a time for each object.
#ifndef SPECS_STEP_PARSER_H_
#define SPECS_STEP_PARSER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "oracle/clause.h"
#include "specs/field_reader.h"
#include "specs/scenario.h"
#include "specs/scenario_parser.h"
#include "specs/step_words.h"
#include "specs/yaml_tree.h"

namespace mapspec {

// Reads a map's attributes into *out; `what` is "create" or "map". The slot stays as it is.
bool ParseAttributes(const YamlNode& node, MapCreate* out, Problems* problems);
// "m0", "v1", "b2" by their letter; false after noting a problem.
bool ParseSlot(const YamlNode& node, char letter, uint16_t* out, Problems* problems);

// Element sizes in bytes.
struct ElementSizes {
  uint32_t key = 4;
  uint32_t value = 4;  // Of a per-CPU map: of one CPU's value.
  uint32_t cpus = 0;   // Of a per-CPU map: how many values an element has; else 0.
  bool lru = false;    // What such a map evicts depends on the CPU that adds.
};

class StepParser {
 public:
  // `defaults` holds what a map is created with where a step says nothing; `via` tells who carries
  // out a step that does not say it and that both system calls and programs can make.
  StepParser(const ScenarioDefaults& defaults, Path via, Problems* problems)
      : base_(defaults.map),
        inner_base_(defaults.inner),
        has_type_(defaults.has_type),
        possible_cpus_(defaults.possible_cpus),
        via_(via),
        problems_(problems) {}

  // The creation of m0 by `map:`; `node` may be nullptr.
  bool ParseMap(const YamlNode* node, Position position, Step* out);
  // The creation of the map that m0 will be created with; `map` is what `map:` says.
  bool ParseTemplate(const YamlNode& map, Step* out);
  // {push: {value: 1}}
  bool ParseStep(const YamlNode& node, Step* out);

 private:
  bool ParseCall(const StepWord& word, const YamlNode& fields, Call* out);
  bool ParseElementCall(const StepWord& word, const YamlNode& fields, Call* out);
  bool ParseBatchCall(const StepWord& word, const YamlNode& fields, Call* out);
  bool ParseDescriptorCall(const StepWord& word, const YamlNode& fields, Call* out);
  bool ParseNetworkCall(const StepWord& word, const YamlNode& fields, Call* out);
  bool ParseViewCall(const StepWord& word, const YamlNode& fields, Call* out);
  bool ParseLookupBatch(bool and_delete, const YamlNode& fields, Call* out);

  // On the program path (helper_call_parser.cc).
  bool ReadVia(const StepWord& word, const YamlNode& fields, bool* program);
  bool ParseHelperCall(const StepWord& word, const YamlNode& fields, Call* out);
  bool CheckHelperFields(const StepWord& word, const YamlNode& fields);
  bool ReadHelperBytes(const YamlNode& fields, std::string_view name, size_t size, Bytes* out);
  bool NotForPrograms(const YamlNode& fields, Position position, const std::string& message);

  bool ReadMap(const YamlNode& fields, Handle* out);
  bool ReadHandle(const YamlNode& fields, std::string_view name, Handle* out);
  bool ReadView(const YamlNode& fields, uint16_t* out);
  bool ReadPlace(const YamlNode& fields, Operation* out);
  bool ReadResult(const YamlNode& fields, char letter, uint16_t* out);
  // `cpus`: as in ElementSizes, for values; 0 for everything else.
  bool ReadInBuffer(const YamlNode& fields, std::string_view name, size_t size, uint32_t cpus,
                    InBuffer* out);
  bool ReadElements(const YamlNode& fields, std::string_view name, size_t size, uint32_t cpus,
                    InBuffer* out, uint32_t* count);
  bool ReadBatchValues(const YamlNode& fields, ElementSizes sizes, UpdateBatch* out);
  bool ReadPointer(const YamlNode& fields, std::string_view name, Pointer* out);
  bool ReadRequiredText(const YamlNode& fields, std::string_view name, std::string* out);
  bool Missing(const YamlNode& fields, std::string_view name);

  // {fd: m1} as a value.
  static bool IsDescriptor(const YamlNode* node);
  bool ReadDescriptor(const YamlNode& node, Handle* out);
  bool ReadValue(const YamlNode& fields, ElementSizes sizes, Update* out);

  ElementSizes SizesOf(Handle map) const;
  // Of the inner maps of a map of maps.
  ElementSizes InnerSizesOf(Handle map) const;
  ElementSizes SizesFor(const MapCreate& create) const {
    const bool lru = create.type == MapType::LRU_HASH || create.type == MapType::LRU_PERCPU_HASH;
    return {create.key_size, create.value_size, IsPerCpu(create.type) ? possible_cpus_ : 0, lru};
  }
  ElementSizes BaseSizes() const { return SizesFor(base_); }

  MapCreate base_;
  std::optional<MapCreate> inner_base_;  // What inner maps are created with.
  bool has_type_;
  uint32_t possible_cpus_;
  Path via_;
  Problems* problems_;
  std::map<uint16_t, ElementSizes> maps_;   // Slots that something filled.
  std::map<uint16_t, ElementSizes> inner_;  // Of maps of maps.
  std::map<uint16_t, ElementSizes> views_;
  std::map<std::string, ElementSizes> pins_;
  std::set<uint16_t> btfs_;
};

// What `expect:` says (nothing: success) of a call that this word stands for, on a map whose
// elements have these sizes.
bool ParseExpect(const YamlNode* node, const StepWord& word, const Call& call, ElementSizes sizes,
                 StatedOutcomes* out, Problems* problems);

}  // namespace mapspec

#endif  // SPECS_STEP_PARSER_H_

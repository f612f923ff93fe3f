// SPDX-License-Identifier: MIT
//
// For tests of the generator: many scripts at once. No state, no errors.
#ifndef PROPERTIES_GENERATOR_TEST_SUPPORT_H_
#define PROPERTIES_GENERATOR_TEST_SUPPORT_H_

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "properties/script_generator.h"

namespace mapspec {

inline GeneratorOptions Options(std::vector<MapType> types, uint32_t operations) {
  GeneratorOptions options;
  options.types = std::move(types);
  options.min_operations = operations;
  options.max_operations = operations;
  return options;
}

// All operations of many scripts.
inline std::vector<Operation> Generate(const GeneratorOptions& options, uint64_t seed,
                                       size_t scripts) {
  const ScriptGenerator generator(options);
  SeededEntropy entropy(seed);
  std::vector<Operation> all;
  Script script;
  for (size_t i = 0; i < scripts; ++i) {
    generator.Generate(entropy, &script);
    all.insert(all.end(), script.operations.begin(), script.operations.end());
  }
  return all;
}

template <typename T>
std::vector<const T*> Of(const std::vector<Operation>& operations) {
  std::vector<const T*> found;
  for (const Operation& operation : operations) {
    if (const T* call = std::get_if<T>(&operation.call)) found.push_back(call);
  }
  return found;
}

}  // namespace mapspec

#endif  // PROPERTIES_GENERATOR_TEST_SUPPORT_H_

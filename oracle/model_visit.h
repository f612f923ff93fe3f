// SPDX-License-Identifier: MIT
//
// How the rules ask the model of a map's type, and for the clauses of that type. Private to the
// checker.
#ifndef ORACLE_MODEL_VISIT_H_
#define ORACLE_MODEL_VISIT_H_

#include "oracle/clauses.gen.h"
#include "oracle/expectation.h"
#include "oracle/world.h"

namespace mapspec {

// For std::visit: one function for each alternative.
template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
// Clang before 17 does not deduce it by itself.
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

inline bool IsQueueOrStack(const MapState& map) {
  return map.attributes.type == MapType::QUEUE || map.attributes.type == MapType::STACK;
}

// Calls f with the clauses of the map's type, a queue's or a stack's.
template <typename F>
Expectation OfQueueOrStack(const MapState& map, F f) {
  return map.attributes.type == MapType::STACK ? f(clause::stack{}) : f(clause::queue{});
}
// The same, with the clauses that a HashModel or an ArrayModel goes by.
template <typename F>
Expectation OfHashOrArray(const MapState& map, F f) {
  if (const auto* array = std::get_if<ArrayModel>(&map.model)) return f(array->clauses());
  return f(HashClausesOf(map.attributes.type));
}

}  // namespace mapspec

#endif  // ORACLE_MODEL_VISIT_H_

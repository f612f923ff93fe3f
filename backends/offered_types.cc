// SPDX-License-Identifier: MIT
#include "backends/offered_types.h"

#include <memory>
#include <string>
#include <vector>

namespace mapspec {
namespace {

bool MayBeMissing(MapType type) {
  switch (type) {
    case MapType::PERCPU_HASH:
    case MapType::PERCPU_ARRAY:
    case MapType::LRU_HASH:
    case MapType::LRU_PERCPU_HASH:
    case MapType::ARRAY_OF_MAPS:
    case MapType::HASH_OF_MAPS:
    case MapType::XSKMAP:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool OffersMapType(Backend& backend, MapType type) {
  if (!MayBeMissing(type)) return true;
  const Handle inner{1};
  MapCreate first;
  first.result = inner;
  first.type = MapType::ARRAY;
  MapCreate map;
  map.type = type;
  if (type == MapType::ARRAY_OF_MAPS || type == MapType::HASH_OF_MAPS) map.inner_map = inner;
  const std::vector<Operation> operations{{first}, {map}};
  std::string error;
  const std::unique_ptr<Session> session = backend.NewSession(&error);
  if (session == nullptr) return true;
  std::vector<Outcome> outcomes;
  session->Run(operations, &outcomes);
  return outcomes.size() < operations.size() || outcomes.back().ok();
}

}  // namespace mapspec

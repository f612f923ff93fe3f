// SPDX-License-Identifier: MIT
#include "backends/offered_types.h"

#include <memory>
#include <string>
#include <vector>

namespace mapspec {
namespace {

// A kernel has every type; what makes no map there is a fault and not a lack. XSKMAP alone comes
// with AF_XDP sockets (CONFIG_XDP_SOCKETS).
bool MayBeMissing(const Backend& backend, MapType type) {
  const bool kernel = !backend.environment().kernel_release.empty();
  switch (type) {
    case MapType::PERCPU_HASH:
    case MapType::PERCPU_ARRAY:
    case MapType::LRU_HASH:
    case MapType::LRU_PERCPU_HASH:
    case MapType::ARRAY_OF_MAPS:
    case MapType::HASH_OF_MAPS:
      return !kernel;
    case MapType::XSKMAP:
      return !kernel || !backend.capabilities().test(static_cast<size_t>(Capability::kAfXdp));
    default:
      return false;
  }
}

}  // namespace

bool OffersMapType(Backend& backend, MapType type) {
  if (!MayBeMissing(backend, type)) return true;
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
  if (outcomes.size() < operations.size() || !outcomes[0].ok()) return true;
  return outcomes[1].completion != Completion::kReturned || outcomes[1].error != Errno::kEINVAL;
}

}  // namespace mapspec

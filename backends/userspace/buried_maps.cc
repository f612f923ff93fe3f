// SPDX-License-Identifier: MIT
#include "backends/userspace/buried_maps.h"

#include <cstdint>
#include <list>
#include <mutex>
#include <utility>

#include "backends/userspace/epoch.h"
#include "backends/userspace/spin_lock.h"

namespace usermaps {
namespace {

using MapList = std::list<std::shared_ptr<Map>>;

struct Graveyard {
  SpinLock lock;  // guards the rest
  MapList open;
  MapList closed;
  uint64_t closed_in = 0;  // the epoch that began when it was closed
};

Graveyard& TheGraveyard() {
  static auto* graveyard = new Graveyard;
  return *graveyard;
}

// What an owner does at the end. The place in the list is made beforehand: burying cannot fail.
struct Burier {
  MapList place;

  void operator()(Map* map) {
    if (!map->may_be_seen_by_programs()) return place.clear();
    Graveyard& graveyard = TheGraveyard();
    std::lock_guard lock(graveyard.lock);
    graveyard.open.splice(graveyard.open.end(), place);
  }
};

}  // namespace

std::shared_ptr<Map> BuriedMaps::Owner(std::shared_ptr<Map> map) {
  Map* raw = map.get();
  Burier burier;
  burier.place.push_back(std::move(map));
  return {raw, std::move(burier)};
}

void BuriedMaps::Collect() {
  MapList forgotten;  // destroyed after the lock is gone
  Graveyard& graveyard = TheGraveyard();
  std::lock_guard lock(graveyard.lock);
  if (graveyard.closed.empty() && !graveyard.open.empty()) {
    graveyard.closed.swap(graveyard.open);
    graveyard.closed_in = Epoch::Advance();
  }
  if (graveyard.closed.empty() || !Epoch::ProgramsHavePassed(graveyard.closed_in)) return;
  forgotten.swap(graveyard.closed);
}

}  // namespace usermaps

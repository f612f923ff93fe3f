// SPDX-License-Identifier: MIT
//
// Maps that nobody can find any more but a running program may still have a pointer to.
//
// Purpose: a program that finds a map in a map of maps may use it until the end of its run, though
//   the map is taken out meanwhile. Such a map is gone for everybody else at once (its id finds
//   nothing), and destroyed when the runs that went on are over.
// How: like Limbo (limbo.h), in two lists; Collect is called when maps are created and looked for.
// Ownership: takes maps over when their last owner lets go.
// Thread-safety: everything here may be called by any thread at any time.
#ifndef BACKENDS_USERSPACE_BURIED_MAPS_H_
#define BACKENDS_USERSPACE_BURIED_MAPS_H_

#include <memory>

#include "backends/userspace/map.h"

namespace usermaps {

class BuriedMaps {
 public:
  // A new map's owner: when its last copy goes, the map is destroyed, or buried if programs may
  // have found it in another map.
  static std::shared_ptr<Map> Owner(std::shared_ptr<Map> map);

  // Destroys those that no program can see any more.
  static void Collect();
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_BURIED_MAPS_H_

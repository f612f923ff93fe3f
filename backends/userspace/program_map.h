// SPDX-License-Identifier: MIT
//
// A map as a program names it: what is behind the opaque pointer of usermaps_prog.h.
//
// Purpose: the handle of a loaded program and the map that a program finds in a map of maps are the
//   same to the helpers.
// Ownership: none here. A handle of usermaps_prog_map_get owns its map (program_helpers.cc); the
//   other kind is part of the map that it stands for.
// Thread-safety: immutable.
#ifndef BACKENDS_USERSPACE_PROGRAM_MAP_H_
#define BACKENDS_USERSPACE_PROGRAM_MAP_H_

namespace usermaps {
class Map;
}  // namespace usermaps

struct usermaps_prog_map {
  usermaps::Map& map;
  bool descriptor_writes = true;  // Of no consequence, but for mutants.
};

#endif  // BACKENDS_USERSPACE_PROGRAM_MAP_H_

// SPDX-License-Identifier: MIT
//
// Draws the attributes of MAP_CREATE: sensible ones, and ones that are wrong in one or two ways.
// Everything drawn either costs at most GeneratorOptions::max_map_bytes or must be refused whatever
// the machine: sizes near 2^31 and 2^32 appear only where no machine could have the memory or the
// limits of the implementation are far below.
#ifndef PROPERTIES_MAP_CREATION_H_
#define PROPERTIES_MAP_CREATION_H_

#include <cstdint>

#include "oracle/operation.h"
#include "properties/entropy.h"
#include "properties/generator_world.h"

namespace mapspec {

// Sets everything but `result` and the BTF fields; most creations are accepted.
void DrawCreate(Entropy& entropy, const GeneratorOptions& options, const MapKind& kind,
                MapCreate* create);

// Makes the attributes wrong (or unusual) in one or two ways.
void CorruptCreate(Entropy& entropy, const GeneratorOptions& options, MapCreate* create);

// Makes the sizes small where the map could be created and would take more than `limit` bytes.
void BoundCreate(uint64_t limit, MapCreate* create);

// About how many bytes an implementation needs for the map, generously; UINT64_MAX for more than
// any machine has (2^46).
uint64_t EstimateBytes(const MapCreate& create);

}  // namespace mapspec

#endif  // PROPERTIES_MAP_CREATION_H_

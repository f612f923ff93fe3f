// SPDX-License-Identifier: MIT
//
// Draws of single values with a bias towards edges: flags, sizes, counts, keys and value bytes.
// No errors, no state beyond the entropy.
#ifndef PROPERTIES_EDGE_VALUES_H_
#define PROPERTIES_EDGE_VALUES_H_

#include <cstdint>

#include "oracle/bytes.h"
#include "properties/entropy.h"
#include "properties/generator_world.h"

namespace mapspec {

// Flags of an UPDATE that make sense for the map: BPF_ANY, BPF_NOEXIST, BPF_EXIST, with BPF_F_LOCK
// when it has a lock.
uint64_t SensibleUpdateFlags(Entropy& entropy, const MapFacts& map);
// Flags of anything that reads.
uint64_t SensibleLookupFlags(Entropy& entropy, const MapFacts& map);
// Any 64-bit value: single bits, pairs of bits, small numbers, numbers near the ends, all bits.
uint64_t AnyFlags(Entropy& entropy);
// The same for 32 bits.
uint32_t AnyFlags32(Entropy& entropy);

// 1 to 9, 16, 64, 100, 4096, now and then an odd or large one; what a key or a value may have.
uint32_t EdgeSize(Entropy& entropy);
// 1 to 4, sometimes up to 64, rarely up to 1000.
uint32_t EdgeMaxEntries(Entropy& entropy);
// Number of elements of a batch on the map; its buffers stay below a quarter of a MiB.
uint32_t EdgeCount(Entropy& entropy, const MapFacts& map);

// How many different keys are used with a map: some more than fit, few anyway.
uint32_t KeyPool(const MapFacts& map);
// The bytes of key `index` of the map, KeyPool and beyond; appended to what `bytes` holds when
// `append`.
void WriteKey(const MapFacts& map, uint32_t index, uint8_t* key);
void MakeKey(const MapFacts& map, uint32_t index, Bytes* bytes);
// The number of a key that is likely there, of one that may be, rarely of one that cannot.
uint32_t DrawKeyIndex(Entropy& entropy, const MapFacts& map);
// `size` bytes of a value.
void MakeValue(Entropy& entropy, uint32_t size, Bytes* bytes);

}  // namespace mapspec

#endif  // PROPERTIES_EDGE_VALUES_H_

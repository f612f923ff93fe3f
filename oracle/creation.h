// SPDX-License-Identifier: MIT
//
// BPF_MAP_CREATE: what is checked before and after the map type's own rules (which stand with each
// model, ExpectCreate), and in which order. Source: uapi/linux/bpf.h, BPF_MAP_CREATE; the order:
// observed.
#ifndef ORACLE_CREATION_H_
#define ORACLE_CREATION_H_

#include "oracle/expectation.h"
#include "oracle/map_attributes.h"
#include "oracle/operation.h"
#include "oracle/profile.h"
#include "oracle/world.h"

namespace mapspec {

Expectation ExpectCreate(const MapCreate& create, Caller caller, const World& world,
                         const Environment& environment, const Profile& profile);
// What the model of a created map is told.
MapAttributes AttributesOf(const MapCreate& create, const World& world,
                           const Environment& environment, const Profile& profile);

}  // namespace mapspec

#endif  // ORACLE_CREATION_H_

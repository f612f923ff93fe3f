// SPDX-License-Identifier: MIT
//
// How well an implementation's LRU maps choose what they evict: figures, not verdicts. What they
// promise is in specs/lru_hash.yaml; no kernel keeps exact LRU order, and how near it comes can
// only be measured.
//
// Each measurement makes its own maps in a session of its own. Units: shares are in [0, 1]. The
// same seed gives the same calls; on a busy machine the kernel's answers may still differ.
// Thread-safety: plain functions.
#ifndef RUNNERS_EVICTION_H_
#define RUNNERS_EVICTION_H_

#include <cstdint>
#include <string>

#include "backends/backend.h"
#include "oracle/uapi.h"

namespace mapspec {

struct EvictionSetup {
  MapType type = MapType::LRU_HASH;
  bool own_lists = false;   // BPF_F_NO_COMMON_LRU.
  bool by_program = false;  // Elements are used and added by helpers, not by system calls.
  uint32_t cpus = 1;        // Each call is made on one of these, in turn or at random.
  uint32_t max_entries = 512;
  uint32_t requests = 20000;  // Of the skewed workload.
  uint64_t seed = 1;
};

struct EvictionFigures {
  uint32_t max_entries = 0;  // As the map tells it: it may have been rounded up.
  // New keys only: which share of max_entries was in the map when something had to go for the first
  // time.
  double first_eviction = 0;
  // New keys, and every other call uses one that is there: the place of each victim among the
  // elements in the map by their last use, 0 the oldest, 1 the newest. Always the least recently
  // used one: 0.
  uint64_t victims = 0;
  double rank_mean = 0;
  double rank_median = 0;
  double rank_95 = 0;  // 95 of 100 victims were no newer.
  double rank_worst = 0;
  uint32_t at_once = 0;  // The most elements that one call evicted.
  // Keys by Zipf's law, each looked up and, when it is missing, added: the share that was found,
  // and the share that an exact LRU of max_entries finds.
  double hits = 0;
  double lru_hits = 0;
};

// False after filling *why: the backend cannot make these calls, or answered them with an error.
bool MeasureEviction(Backend& backend, const EvictionSetup& setup, EvictionFigures* figures,
                     std::string* why);

}  // namespace mapspec

#endif  // RUNNERS_EVICTION_H_

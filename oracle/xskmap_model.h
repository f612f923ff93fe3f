// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_XSKMAP: max_entries slots, each empty or with an AF_XDP socket. User space puts
// sockets in by descriptor and never gets them out; programs redirect frames to them.
// A slot does not keep its socket open: when the socket closes, its slots are empty. It does keep
// the map: World counts each occupied slot as a reference (MapState::references).
// This is the reference: simple, not fast, never to be used as an implementation.
// Source: Documentation/bpf/map_xskmap.rst; uapi/linux/bpf.h, bpf_redirect_map().
#ifndef ORACLE_XSKMAP_MODEL_H_
#define ORACLE_XSKMAP_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "oracle/expectation.h"
#include "oracle/map_attributes.h"
#include "oracle/operation.h"

namespace mapspec {

// What the value of an update names.
struct XskDescriptor {
  enum class Kind : uint8_t {
    kUnknown,  // Whatever the process has open under that number.
    kClosed,
    kNoSocket,
    kOtherSocket,  // Of another family than AF_XDP.
    kXdp,
  } kind = Kind::kUnknown;
  // Of kXdp: its index in World, whether it has an RX ring, and whether it is bound to a queue.
  uint32_t socket = 0;
  bool has_ring = false;
  bool bound = false;
};

// What bpf_redirect_map() does.
struct XskRedirect {
  uint32_t action = 0;             // That it returns.
  ClauseId clause = kNoClause;     // By which promise.
  std::optional<uint32_t> socket;  // That the frame goes to, with XDP_REDIRECT.
  bool left = false;               // The slot is empty as the socket that was in it closed.
};

class XskMapModel {
 public:
  explicit XskMapModel(const MapAttributes& attributes)
      : max_entries_(attributes.max_entries),
        takes_bare_sockets_(attributes.traits.xskmap_bare_sockets) {}

  static Expectation ExpectCreate(const MapCreate& create);

  // By system calls. Keys are four bytes.
  Expectation ExpectLookup() const;
  Expectation ExpectUpdate(const Bytes& key, uint64_t flags, const XskDescriptor& value) const;
  Expectation ExpectDelete(const Bytes& key) const;
  Expectation ExpectLookupAndDelete() const;
  Expectation ExpectGetNextKey(const Bytes* key);  // nullptr: a NULL key.

  // By programs. What is read through the pointer is the socket's queue.
  Expectation ExpectProgramLookup(const Bytes& key);
  XskRedirect Redirect(uint32_t key, uint64_t flags) const;

  // Whether the slot was empty before.
  bool Put(const Bytes& key, uint32_t socket, uint32_t queue_id);
  // How many slots were emptied.
  uint32_t Remove(const Bytes& key);
  uint32_t RemoveSocket(uint32_t socket);

 private:
  struct Entry {
    uint32_t socket = 0;
    uint32_t queue_id = 0;
  };
  const Entry* At(uint64_t index) const;
  bool Holds(uint32_t socket) const;

  uint32_t max_entries_;
  bool takes_bare_sockets_;
  std::map<uint64_t, Entry> slots_;  // The occupied ones.
  std::set<uint64_t> left_;          // Those whose socket closed.
  Bytes scratch_;                    // What the last expectation points to.
};

}  // namespace mapspec

#endif  // ORACLE_XSKMAP_MODEL_H_

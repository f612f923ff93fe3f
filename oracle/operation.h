// SPDX-License-Identifier: MIT
//
// Operations: the calls a script makes, on symbolic objects. One struct for each bpf(2) command on
// maps (and the few other system calls that a map's file descriptor takes), with every attribute
// the uapi gives it, and one for each helper that a BPF program may call on a map. Nothing here
// knows how a call is carried out (backends/) or judged (the models).
//
// Objects are symbolic. A handle is a slot of the script that an operation fills with a file
// descriptor (MAP_CREATE, GET_FD_BY_ID, OBJ_GET) and others use; a slot that was never filled, or
// whose filling failed, stands for the descriptor -1. Scripts therefore stay meaningful when
// operations are removed.
//
// Buffers. An input buffer holds the bytes of the script; where the map wants more (key_size,
// value_size, count elements), the backend appends zeros, where less, the rest is not looked at. An
// output buffer has the size the map wants and is poisoned (oracle/bytes.h) before the call.
//
// Helpers. A helper is called by a program that is loaded for it, on the map that the slot holds
// then. A program that is not loaded gives Completion::kRefused, with the errno of BPF_PROG_LOAD. A
// lookup that returns NULL is the outcome ENOENT, so that both paths have one word for "not there".
//
// Ownership: plain values. Thread-safety: that of plain values. Units: sizes in bytes.
// Source: include/uapi/linux/bpf.h, union bpf_attr and the comments on helper functions.
#ifndef ORACLE_OPERATION_H_
#define ORACLE_OPERATION_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "oracle/bytes.h"
#include "oracle/uapi.h"

namespace mapspec {

// A slot for a file descriptor, of a map or of a socket; written "m0", "m1", … in scripts.
struct Handle {
  uint16_t slot = 0;
  friend bool operator==(Handle, Handle) = default;
};
inline constexpr Handle kBadFd{0xffff};      // "bad": -1.
inline constexpr Handle kNotAMap{0xfffe};    // "not_a_map": an open descriptor of something else.
inline constexpr Handle kNoFd{0xfffd};       // No descriptor is meant.
inline constexpr uint16_t kMaxSlots = 1024;  // Slots of one kind in one script.

// Where a pointer argument points.
enum class Pointer : uint8_t {
  kValid,  // To a buffer of the right size.
  kNull,
  kBad,  // To memory that is not mapped (capability `bad-pointers`).
};

struct InBuffer {
  Pointer pointer = Pointer::kValid;
  Bytes bytes;
  friend bool operator==(const InBuffer&, const InBuffer&) = default;
};

// Who makes the call. `kUnprivileged` has no capability at all (capability `unprivileged`).
enum class Caller : uint8_t { kPrivileged, kUnprivileged };

// BPF_BTF_LOAD of one of the few layouts that maps care about. Type ids of the loaded object:
// 1 an integer of 4 bytes, 2 the key, 3 the value, 4 struct bpf_spin_lock (only with a lock).
struct BtfLoad {
  uint16_t result = 0;      // The BTF slot "b0".
  uint32_t key_size = 4;    // Type 2: an integer for 1, 2, 4, 8 and 16, else an array of bytes.
  uint32_t value_size = 8;  // Type 3: a struct of this size.
  int32_t lock_offset =
      -1;  // Offset of a struct bpf_spin_lock (4 bytes) in the value; -1 for none.
  friend bool operator==(const BtfLoad&, const BtfLoad&) = default;
};
inline constexpr uint32_t kBtfIntTypeId = 1, kBtfKeyTypeId = 2, kBtfValueTypeId = 3,
                          kBtfLockTypeId = 4;
inline constexpr uint16_t kNoBtf = 0xffff;   // No btf_fd is given (0 in the attribute).
inline constexpr uint16_t kBadBtf = 0xfffe;  // btf_fd is -1.

// BPF_MAP_CREATE.
struct MapCreate {
  Handle result;
  MapType type = MapType::HASH;
  uint32_t key_size = 4;
  uint32_t value_size = 4;
  uint32_t max_entries = 1;
  uint32_t map_flags = 0;
  std::string name;  // Up to 16 bytes; 16 leave no room for the NUL (capability `raw-attr`).
  uint32_t numa_node = 0;
  Handle inner_map = kBadFd;  // inner_map_fd; kBadFd stands for "not given" (0).
  uint64_t map_extra = 0;
  uint16_t btf = kNoBtf;
  uint32_t btf_key_type_id = 0;
  uint32_t btf_value_type_id = 0;
  uint32_t attr_size = 0;  // Size argument of bpf(2); 0: as usual. Capability `raw-attr`.
  friend bool operator==(const MapCreate&, const MapCreate&) = default;
};

// BPF_MAP_LOOKUP_ELEM, BPF_MAP_LOOKUP_AND_DELETE_ELEM.
struct Lookup {
  Handle map;
  InBuffer key;
  Pointer value = Pointer::kValid;
  uint64_t flags = 0;
  friend bool operator==(const Lookup&, const Lookup&) = default;
};
struct LookupAndDelete {
  Handle map;
  InBuffer key;
  Pointer value = Pointer::kValid;
  uint64_t flags = 0;
  friend bool operator==(const LookupAndDelete&, const LookupAndDelete&) = default;
};
// BPF_MAP_UPDATE_ELEM.
struct Update {
  Handle map;
  InBuffer key;
  InBuffer value;
  uint64_t flags = 0;
  // Where given, the value is this slot's descriptor, four bytes, whatever `value.bytes` holds.
  Handle value_fd = kNoFd;
  friend bool operator==(const Update&, const Update&) = default;
};
// BPF_MAP_DELETE_ELEM.
struct Delete {
  Handle map;
  InBuffer key;
  friend bool operator==(const Delete&, const Delete&) = default;
};
// BPF_MAP_GET_NEXT_KEY.
struct GetNextKey {
  Handle map;
  InBuffer key;
  Pointer next_key = Pointer::kValid;
  friend bool operator==(const GetNextKey&, const GetNextKey&) = default;
};

// BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH.
struct LookupBatch {
  Handle map;
  bool and_delete = false;
  // Where in_batch points: NULL, the bytes that the last batch of this script on this map wrote to
  // out_batch (zeros if there was none), or bytes of the script.
  enum class Start : uint8_t { kNull, kLast, kBytes, kBad } start = Start::kNull;
  Bytes in_batch;  // For kBytes.
  Pointer out_batch = Pointer::kValid;
  Pointer keys = Pointer::kValid;
  Pointer values = Pointer::kValid;
  uint32_t count = 0;
  uint64_t elem_flags = 0;
  uint64_t flags = 0;
  friend bool operator==(const LookupBatch&, const LookupBatch&) = default;
};
// BPF_MAP_UPDATE_BATCH: `keys` and `values` are the elements one behind the other.
struct UpdateBatch {
  Handle map;
  InBuffer keys;
  InBuffer values;
  uint32_t count = 0;
  uint64_t elem_flags = 0;
  uint64_t flags = 0;
  // Where not empty, the values are these slots' descriptors, whatever `values.bytes` holds.
  std::vector<Handle> value_fds;
  friend bool operator==(const UpdateBatch&, const UpdateBatch&) = default;
};
// BPF_MAP_DELETE_BATCH.
struct DeleteBatch {
  Handle map;
  InBuffer keys;
  uint32_t count = 0;
  uint64_t elem_flags = 0;
  uint64_t flags = 0;
  friend bool operator==(const DeleteBatch&, const DeleteBatch&) = default;
};

// BPF_MAP_FREEZE.
struct Freeze {
  Handle map;
  friend bool operator==(const Freeze&, const Freeze&) = default;
};
// BPF_OBJ_GET_INFO_BY_FD.
struct GetInfo {
  Handle map;
  uint32_t info_len = 0;  // 0: sizeof(struct bpf_map_info).
  Pointer info = Pointer::kValid;
  friend bool operator==(const GetInfo&, const GetInfo&) = default;
};
// BPF_MAP_GET_FD_BY_ID. The id is that which the last successful BPF_OBJ_GET_INFO_BY_FD of this
// script on slot `of` told, or `id` when `of` is kBadFd (or had none: then 0).
struct GetFdById {
  Handle result;
  Handle of = kBadFd;
  uint32_t id = 0;
  uint32_t open_flags = 0;
  friend bool operator==(const GetFdById&, const GetFdById&) = default;
};
// BPF_MAP_GET_NEXT_ID, starting at the id of `of` (as above) or at `id`.
struct GetNextId {
  Handle of = kBadFd;
  uint32_t id = 0;
  friend bool operator==(const GetNextId&, const GetNextId&) = default;
};
// BPF_OBJ_PIN and BPF_OBJ_GET. A path is relative to a bpffs that belongs to the script alone;
// "outside/NAME" lies in a directory that is not on a bpffs (capability `bpffs`).
struct Pin {
  Handle map;
  std::string path;
  uint32_t file_flags = 0;
  friend bool operator==(const Pin&, const Pin&) = default;
};
struct ObjGet {
  Handle result;
  std::string path;
  uint32_t file_flags = 0;
  friend bool operator==(const ObjGet&, const ObjGet&) = default;
};
// unlink(2) of a pin.
struct Unlink {
  std::string path;
  friend bool operator==(const Unlink&, const Unlink&) = default;
};
// close(2).
struct Close {
  Handle map;
  friend bool operator==(const Close&, const Close&) = default;
};

// mmap(2) of a map's descriptor into view slot "v0"; length in bytes, offset in bytes.
struct Mmap {
  uint16_t result = 0;
  Handle map;
  bool prot_read = true;
  bool prot_write = false;
  bool shared = true;  // MAP_SHARED, else MAP_PRIVATE.
  uint64_t offset = 0;
  uint64_t length = 4096;
  friend bool operator==(const Mmap&, const Mmap&) = default;
};
// Loads and stores through a view. They are carried out only inside the view, and stores only
// through a view made with prot_write; else the outcome is EFAULT by definition of this vocabulary
// (what the CPU would do is a signal).
struct MemRead {
  uint16_t view = 0;
  uint64_t offset = 0;
  uint32_t length = 0;
  friend bool operator==(const MemRead&, const MemRead&) = default;
};
struct MemWrite {
  uint16_t view = 0;
  uint64_t offset = 0;
  Bytes bytes;
  friend bool operator==(const MemWrite&, const MemWrite&) = default;
};
struct Munmap {
  uint16_t view = 0;
  friend bool operator==(const Munmap&, const Munmap&) = default;
};
// poll(2) with a timeout of zero, read(2) and write(2) of eight bytes on the descriptor itself.
struct Poll {
  Handle map;
  friend bool operator==(const Poll&, const Poll&) = default;
};
struct FdRead {
  Handle map;
  friend bool operator==(const FdRead&, const FdRead&) = default;
};
struct FdWrite {
  Handle map;
  friend bool operator==(const FdWrite&, const FdWrite&) = default;
};

// ---- Sockets and frames
//
// A script may have a network of its own: kNetDevices devices with kNetQueues receive queues each
// (the ends of veth pairs in a network namespace), from which nothing comes but the frames that the
// script sends from their other ends. Capability `af-xdp`.

inline constexpr uint32_t kNetDevices = 2;
inline constexpr uint32_t kNetQueues = 2;
inline constexpr uint32_t kMaxFrames = 64;  // Of one SendFrames: they fit a socket's rings.
// Before the payload of a frame: Ethernet header (14 bytes) and the frame's number in its
// SendFrames (4 bytes, little endian).
inline constexpr uint32_t kFrameHeader = 18;
inline constexpr uint32_t kMaxPayload = 1024;

// socket(2), and of AF_XDP what makes it useful.
struct SocketOpen {
  enum class Kind : uint8_t {
    kUdp,
    kTcp,
    kXdpBare,     // AF_XDP without UMEM and rings.
    kXdpUnbound,  // With UMEM, fill ring and RX ring.
    kXdp,         // And bound to a queue of a device, in copy mode.
  };
  Handle result;
  Kind kind = Kind::kXdp;
  uint32_t device = 0;  // Below kNetDevices.
  uint32_t queue = 0;   // Below kNetQueues.
  friend bool operator==(const SocketOpen&, const SocketOpen&) = default;
};
// `count` frames arrive on a queue of a device, where an XDP program answers each with
// bpf_redirect_map(map, key, flags). The output is the number of frames that went up to the stack.
struct SendFrames {
  Handle map;
  uint32_t key = 0;
  uint64_t flags = 0;
  uint32_t device = 0;
  uint32_t queue = 0;
  uint32_t count = 1;  // At most kMaxFrames.
  Bytes payload;       // At most kMaxPayload bytes.
  friend bool operator==(const SendFrames&, const SendFrames&) = default;
};
// The frames that the RX ring of a socket got since it was last asked: their number in `count`, the
// bytes one behind the other in `values` of a BatchOutput.
struct ReceiveFrames {
  Handle socket;
  friend bool operator==(const ReceiveFrames&, const ReceiveFrames&) = default;
};

// ---- The program path

// bpf_map_lookup_elem(). When it finds the element, the program reads the whole value through the
// pointer into the output and then, with `store`, writes `value` through it; with `lock` it does
// so between bpf_spin_lock() and bpf_spin_unlock(). The word of a spin lock cannot be touched by a
// program: it is left out of both and read as zeros.
struct HelperLookup {
  Handle map;
  Bytes key;
  bool store = false;
  Bytes value;
  bool lock = false;
  friend bool operator==(const HelperLookup&, const HelperLookup&) = default;
};
// bpf_map_update_elem(), bpf_map_delete_elem(). With `hold` the program looks the key up first,
// keeps the pointer over the call, and then reads the value through it into the output; nothing
// is read where that lookup found nothing.
struct HelperUpdate {
  Handle map;
  Bytes key;
  Bytes value;
  uint64_t flags = 0;
  bool hold = false;
  friend bool operator==(const HelperUpdate&, const HelperUpdate&) = default;
};
struct HelperDelete {
  Handle map;
  Bytes key;
  bool hold = false;
  friend bool operator==(const HelperDelete&, const HelperDelete&) = default;
};
// bpf_map_push_elem(), bpf_map_pop_elem(), bpf_map_peek_elem().
struct HelperPush {
  Handle map;
  Bytes value;
  uint64_t flags = 0;
  friend bool operator==(const HelperPush&, const HelperPush&) = default;
};
struct HelperPop {
  Handle map;
  friend bool operator==(const HelperPop&, const HelperPop&) = default;
};
struct HelperPeek {
  Handle map;
  friend bool operator==(const HelperPeek&, const HelperPeek&) = default;
};
// bpf_map_lookup_percpu_elem(): the value that CPU `of_cpu` has under the key.
struct HelperLookupPercpu {
  Handle map;
  Bytes key;
  uint32_t of_cpu = 0;
  friend bool operator==(const HelperLookupPercpu&, const HelperLookupPercpu&) = default;
};
// bpf_for_each_map_elem() with a callback that notes key and value of each element and returns 1
// at the `limit`th, 0 before (0: no limit). The elements noted come back as a BatchOutput.
struct HelperForEach {
  Handle map;
  uint32_t limit = 0;
  uint64_t flags = 0;
  friend bool operator==(const HelperForEach&, const HelperForEach&) = default;
};
// bpf_map_lookup_elem() in a map of maps and, when it finds a map, bpf_map_lookup_elem() in that;
// then as HelperLookup. The inner map has the sizes of the one that the outer was created with.
struct HelperLookupInner {
  Handle map;
  Bytes key;
  Bytes inner_key;
  bool store = false;
  Bytes value;
  friend bool operator==(const HelperLookupInner&, const HelperLookupInner&) = default;
};
// bpf_redirect_map() of an XDP program that runs on a packet of no device's (BPF_PROG_TEST_RUN, as
// if on queue 0). The result is the XDP action that it returns.
struct HelperRedirectMap {
  Handle map;
  uint32_t key = 0;
  uint64_t flags = 0;
  friend bool operator==(const HelperRedirectMap&, const HelperRedirectMap&) = default;
};
// The callback notes no more elements than this; `count` says how many it noted.
inline constexpr uint32_t kMaxForEachNoted = 64;

using Call =
    std::variant<MapCreate, Lookup, LookupAndDelete, Update, Delete, GetNextKey, LookupBatch,
                 UpdateBatch, DeleteBatch, Freeze, GetInfo, GetFdById, GetNextId, Pin, ObjGet,
                 Unlink, Close, Mmap, MemRead, MemWrite, Munmap, Poll, FdRead, FdWrite, BtfLoad,
                 SocketOpen, SendFrames, ReceiveFrames, HelperLookup, HelperUpdate, HelperDelete,
                 HelperPush, HelperPop, HelperPeek, HelperLookupPercpu, HelperForEach,
                 HelperLookupInner, HelperRedirectMap>;

// Whether the call is a helper's, made by a BPF program.
bool IsProgramPath(const Call& call);
// Whether it is a command on elements, from Lookup to DeleteBatch.
inline bool IsElementCommand(const Call& call) {
  static_assert(std::is_same_v<std::variant_alternative_t<1, Call>, Lookup> &&
                std::is_same_v<std::variant_alternative_t<8, Call>, DeleteBatch>);
  return call.index() >= 1 && call.index() <= 8;
}

// One call for every OperationName, with the members' defaults: in the order of Call, then the
// second name of LookupBatch.
const std::vector<Call>& EveryCall();

inline constexpr uint16_t kAnyCpu = 0xffff;
inline constexpr uint8_t kMaxThreads = 8;  // Of one script, the first included.

struct Operation {
  Call call;
  Caller caller = Caller::kPrivileged;  // Programs are loaded by a privileged caller only.
  uint16_t cpu = kAnyCpu;               // The CPU on which the call is made.
  uint8_t thread =
      0;  // Which of the script's threads makes it; the calls still follow one another.
  friend bool operator==(const Operation&, const Operation&) = default;
};

// The word for the operation in scripts, traces and reports: the uapi command where there is one
// ("BPF_MAP_UPDATE_ELEM"), the helper's name ("bpf_map_update_elem"), else the system call
// ("close", "mmap") or "load"/"store" for MemRead/MemWrite, "send-frames"/"receive-frames".
std::string_view OperationName(const Call& call);

// A list of operations with a name for reports.
struct Script {
  std::string name;
  std::vector<Operation> operations;
  friend bool operator==(const Script&, const Script&) = default;
};

}  // namespace mapspec

#endif  // ORACLE_OPERATION_H_

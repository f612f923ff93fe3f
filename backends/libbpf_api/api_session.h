// SPDX-License-Identifier: MIT
//
// A session over a BpfApi table: it turns the symbolic objects of a script into descriptors,
// mappings and paths, lays out and poisons the buffers, makes the call and records what came back.
// What goes beyond the table (other attributes, other privileges, where pins live) is asked of a
// CallHost.
//
// Choices that the vocabulary (oracle/operation.h) leaves open and that hold for every backend
// built on this:
//  - a slot that is filled again closes what it held, after the call; so does a filling that fails;
//  - a closed slot stands for -1 from then on (its old number may belong to something else by now)
//  and
//    keeps the sizes of its map, so that buffers still have the right size;
//  - an operation that is not run (kNotRun) leaves every slot as it was;
//  - munmap of a view that does not exist is EINVAL;
//  - the info buffer is zeroed, not poisoned: the kernel reads it (unknown tail, newer in-fields);
//  - a buffer of more than kMaxBuffer bytes makes the operation kNotRun. Output buffers of a batch
//  whose
//    count × size exceeds kMaxWholeBatch hold max_entries + 16 elements instead of count.
//
// Helper calls that follow one another on one slot, CPU and thread are given to the program engine
// together (program/program_runner.h); bpf_redirect_map() is the script's network's.
// Cost: no heap allocation for an element operation whose key and value have at most 64 bytes.
// Thread-safety: one thread at a time. A session keeps its setup alive.
#ifndef BACKENDS_LIBBPF_API_API_SESSION_H_
#define BACKENDS_LIBBPF_API_API_SESSION_H_

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "backends/libbpf_api/bpf_api.h"
#include "backends/libbpf_api/call_threads.h"
#include "backends/libbpf_api/guarded_buffer.h"
#include "backends/libbpf_api/pin_directory.h"
#include "backends/libbpf_api/script_network.h"
#include "backends/program/program_runner.h"

namespace mapspec {

// What a session needs beside the table. The defaults are those of a library in user space.
// Thread-safety: used by several sessions, each in its own thread, at once.
class CallHost {
 public:
  virtual ~CallHost() = default;
  // BPF_MAP_CREATE and BPF_OBJ_PIN with attributes that the API cannot pass. The descriptor (0 for
  // a pin), or -errno. Asked only of hosts with the capability `raw-attr`.
  virtual int RawMapCreate(const MapCreate& create, int inner_map_fd, int btf_fd);
  virtual int RawObjPin(int fd, const char* path, uint32_t file_flags);
  // Takes every capability from the calling thread, and gives them back. Returns 0 or an errno;
  // asked only of hosts with the capability `unprivileged`.
  virtual int DropCapabilities();
  virtual void RestoreCapabilities();
  // A new directory for pins; nullptr after filling *error.
  virtual std::unique_ptr<PinDirectory> MakePinDirectory(std::string* error);
  // A network for a script; nullptr after filling *error. Asked only of hosts with the capability
  // `af-xdp` or the helper bpf_redirect_map().
  virtual std::unique_ptr<ScriptNetwork> MakeNetwork(std::string* error);
};

// What all sessions of one backend share.
struct ApiSetup {
  BpfApi api;
  // mmap(2), or what an implementation has in its place; munmap(2) undoes either.
  void* (*map_memory)(void* address, size_t length, int protection, int flags, int fd,
                      off_t offset) = &::mmap;
  // Where set: told of each descriptor of a map or of BTF that a session got.
  void (*opened)(int fd) = nullptr;
  // Closes it; as close(2).
  int (*close)(int fd) = &::close;
  // Has the calling thread taken for one on a CPU, instead of moving it there (call_threads.h).
  CpuPin::Move move = nullptr;
  CapabilitySet capabilities;
  uint32_t possible_cpus = 1;
  // Makes what carries out helper calls; asked only where the capabilities name a helper.
  std::function<std::unique_ptr<ProgramEngine>()> make_program_engine;
  std::string no_programs;  // Why there is none, where that is worth saying.
  std::string no_network;   // Likewise for sockets, frames and bpf_redirect_map().
  std::unique_ptr<CallHost> host = std::make_unique<CallHost>();
};

class ApiSession : public Session {
 public:
  static constexpr size_t kMaxBuffer = size_t{64} << 20;
  static constexpr size_t kMaxWholeBatch = size_t{1} << 20;

  explicit ApiSession(std::shared_ptr<const ApiSetup> setup);
  ~ApiSession() override;
  ApiSession(const ApiSession&) = delete;
  ApiSession& operator=(const ApiSession&) = delete;

  void Run(std::span<const Operation> operations, std::vector<Outcome>* outcomes) override;

 private:
  // What is known of a map; several slots may share one.
  struct MapRecord {
    uint32_t key_size = 0;
    size_t value_size = 0;  // Of the buffer: a per-CPU map has one value for each possible CPU.
    uint32_t max_entries = 0;
    uint32_t id = 0;
    MapShape shape;
    Bytes last_batch;  // What the last batch wrote to out_batch.
  };
  static constexpr uint32_t kNoRecord = UINT32_MAX;
  struct Slot {
    int fd = -1;
    uint32_t record = kNoRecord;
    uint32_t last_id = 0;  // As the last BPF_OBJ_GET_INFO_BY_FD on this slot told.
  };
  struct View {
    uint8_t* address = nullptr;
    size_t length = 0;
    size_t backed = 0;  // Bytes from the start that can be touched.
    bool readable = false;
    bool writable = false;
  };
  // Room for an input that must be longer than the script's bytes.
  struct Padding {
    std::unique_ptr<uint8_t[]> memory;
    size_t capacity = 0;
  };

  struct Btf {
    int fd = -1;
    int32_t lock_offset = -1;
  };

  // Whether the backend can what is needed (bits, see call_needs.h); else *out is marked kNotRun.
  bool Able(const Operation& operation, uint64_t needed, Outcome* out) const {
    return (needed & lacking_) == 0 || SayUnable(operation, needed, out);
  }
  bool SayUnable(const Operation& operation, uint64_t needed, Outcome* out) const;  // False.
  void RunOne(const Operation& operation, Outcome* out);
  void RunSomewhere(const Operation& operation, Outcome* out);
  void RunHere(const Operation& operation, Outcome* out);
  // The end of the helper calls from `begin` on that can be carried out together.
  static size_t EndOfPrograms(std::span<const Operation> operations, size_t begin);
  void RunPrograms(std::span<const Operation> operations, std::span<Outcome> outcomes);
  void RunProgramsHere(Handle map, std::span<const Operation> operations,
                       std::span<Outcome> outcomes);

  // One for each call; those on elements stand in api_session_elements.cc, those on descriptors as
  // files in api_session_files.cc.
  void Do(const MapCreate& op, Outcome* out);
  void Do(const Lookup& op, Outcome* out);
  void Do(const LookupAndDelete& op, Outcome* out);
  void Do(const Update& op, Outcome* out);
  void Do(const Delete& op, Outcome* out);
  void Do(const GetNextKey& op, Outcome* out);
  void Do(const LookupBatch& op, Outcome* out);
  void Do(const UpdateBatch& op, Outcome* out);
  void Do(const DeleteBatch& op, Outcome* out);
  void Do(const Freeze& op, Outcome* out);
  void Do(const GetInfo& op, Outcome* out);
  void Do(const GetFdById& op, Outcome* out);
  void Do(const GetNextId& op, Outcome* out);
  void Do(const Pin& op, Outcome* out);
  void Do(const ObjGet& op, Outcome* out);
  void Do(const Unlink& op, Outcome* out);
  void Do(const Close& op, Outcome* out);
  void Do(const Mmap& op, Outcome* out);
  void Do(const MemRead& op, Outcome* out);
  void Do(const MemWrite& op, Outcome* out);
  void Do(const Munmap& op, Outcome* out);
  void Do(const Poll& op, Outcome* out);
  void Do(const FdRead& op, Outcome* out);
  void Do(const FdWrite& op, Outcome* out);
  void Do(const BtfLoad& op, Outcome* out);
  void Do(const SocketOpen& op, Outcome* out);
  void Do(const SendFrames& op, Outcome* out);
  void Do(const ReceiveFrames& op, Outcome* out);
  void Do(const HelperRedirectMap& op, Outcome* out);

  // Objects.
  int Fd(Handle handle);
  // The record of a slot; an empty one for slots without.
  const MapRecord& RecordOf(Handle handle) const;
  MapRecord* MutableRecordOf(Handle handle);
  uint32_t AddRecord(MapType type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
                     uint32_t map_flags);
  // Asks the implementation what an unknown descriptor is; kNoRecord when it cannot tell.
  uint32_t RecordFromInfo(int fd);
  void CloseOpened(int fd);
  // Puts a new descriptor, or -1 after a failure, into the slot.
  void Fill(Handle handle, int fd, uint32_t record);
  uint32_t IdOf(Handle of, uint32_t id) const;
  int BtfFd(uint16_t btf) const;
  View* ViewOf(uint16_t view);
  void Unmap(View* view);
  // The script's network, made on first use; nullptr after marking *out kNotRun.
  ScriptNetwork* Network(Outcome* out);
  // The path in the script's own directory, made on first use; nullptr after marking *out kNotRun.
  const char* PathFor(const std::string& path, Outcome* out);

  // Buffers.
  const void* BadPointer();
  const void* In(const InBuffer& buffer, size_t wanted, Padding* padding);
  const uint8_t* Padded(const Bytes& bytes, size_t wanted, Padding* padding);
  void* Out(Pointer pointer, size_t size, GuardedBuffer* buffer);
  // `wanted` bytes that hold the descriptors' numbers, one every `stride` bytes.
  const uint8_t* Descriptors(std::span<const Handle> handles, size_t stride, size_t wanted,
                             Padding* padding);
  // Copies what an output buffer holds and notes damage around it.
  static void Take(Pointer pointer, const GuardedBuffer& buffer, Bytes* bytes, Outcome* out);
  static void CheckGuards(const GuardedBuffer& buffer, Outcome* out);
  size_t BatchElements(const MapRecord& record, uint32_t count) const;

  std::shared_ptr<const ApiSetup> setup_;
  const BpfApi& api_;
  const uint64_t lacking_;  // A bit for each capability that the backend lacks.
  std::vector<Slot> slots_;
  std::vector<MapRecord> records_;
  const MapRecord no_record_;
  std::vector<Btf> btfs_;
  std::vector<View> views_;
  std::vector<std::pair<std::string, uint32_t>> pins_;  // Path → record.
  std::unique_ptr<PinDirectory> pin_directory_;
  std::unique_ptr<ScriptNetwork> network_;
  std::string path_;
  int not_a_map_ = -1;
  void* bad_page_ = nullptr;
  Padding key_in_, value_in_;
  GuardedBuffer first_out_, second_out_, third_out_, cell_;
  std::unique_ptr<ProgramRunner> programs_;
  CallThreads threads_;
  std::string problem_;  // Why a call could not be made on its thread and CPU.
};

// The outcome of a function that returns 0 or a negative errno (or, as libbpf before 1.0 did, -1
// with the error in errno, which must have been 0 before the call).
void SetResult(int result, Outcome* out);
// The same for a system call: -1 and errno.
void SetSystemResult(long result, Outcome* out);
// Marks the operation as not carried out.
void NotRun(std::string reason, Outcome* out);

}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_API_SESSION_H_

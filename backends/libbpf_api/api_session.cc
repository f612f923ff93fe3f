// SPDX-License-Identifier: MIT
#include "backends/libbpf_api/api_session.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "backends/call_needs.h"
#include "backends/libbpf_api/btf_blob.h"
#include "oracle/inner_map.h"

namespace mapspec {
namespace {

// struct bpf_map_info up to map_extra (Linux 5.16). Not sizeof: that depends on the headers built
// with, and traces would too.
constexpr uint32_t kInfoSize = offsetof(::bpf_map_info, map_extra) + sizeof(uint64_t);

void CloseFd(int fd) {
  if (fd >= 0) close(fd);
}

bool UsesNetwork(const Call& call) {
  return std::holds_alternative<SocketOpen>(call) || std::holds_alternative<SendFrames>(call) ||
         std::holds_alternative<ReceiveFrames>(call) ||
         std::holds_alternative<HelperRedirectMap>(call);
}

}  // namespace

void SetResult(int result, Outcome* out) {
  if (result == 0) return;
  // A positive result is not in the API. It becomes an errno that does not exist, so that it
  // conforms to nothing.
  const int error = result == -1 && errno != 0 ? errno : -result;
  out->error = static_cast<Errno>(error);
  if (result > 0) out->detail = "returned " + std::to_string(result);
}

void SetSystemResult(long result, Outcome* out) {
  if (result < 0) out->error = static_cast<Errno>(errno);
}

void NotRun(std::string reason, Outcome* out) {
  out->completion = Completion::kNotRun;
  out->detail = std::move(reason);
}

int CallHost::RawMapCreate(const MapCreate&, int, int) { return -ENOSYS; }
int CallHost::RawObjPin(int, const char*, uint32_t) { return -ENOSYS; }
int CallHost::DropCapabilities() { return ENOSYS; }
void CallHost::RestoreCapabilities() {}
std::unique_ptr<PinDirectory> CallHost::MakePinDirectory(std::string* error) {
  return MakeTemporaryPinDirectory(error);
}
std::unique_ptr<ScriptNetwork> CallHost::MakeNetwork(std::string* error) {
  *error = "no network";
  return nullptr;
}

ApiSession::ApiSession(std::shared_ptr<const ApiSetup> setup)
    : setup_(std::move(setup)),
      api_(setup_->api),
      lacking_(~setup_->capabilities.to_ullong()),
      threads_(setup_->move) {}

ApiSession::~ApiSession() {
  programs_.reset();  // Before the maps that programs refer to.
  network_.reset();
  for (View& view : views_) Unmap(&view);
  for (const Slot& slot : slots_) CloseOpened(slot.fd);
  for (const Btf& btf : btfs_) CloseOpened(btf.fd);
  CloseFd(not_a_map_);
  if (bad_page_ != nullptr) munmap(bad_page_, static_cast<size_t>(sysconf(_SC_PAGESIZE)));
}

void ApiSession::Run(std::span<const Operation> operations, std::vector<Outcome>* outcomes) {
  for (size_t begin = 0; begin < operations.size();) {
    const Call& call = operations[begin].call;
    if (!IsProgramPath(call) || std::holds_alternative<HelperRedirectMap>(call)) {
      RunOne(operations[begin++], &outcomes->emplace_back());
      continue;
    }
    const size_t end = EndOfPrograms(operations, begin);
    const size_t first = outcomes->size();
    outcomes->resize(first + (end - begin));
    RunPrograms(operations.subspan(begin, end - begin), std::span(*outcomes).subspan(first));
    begin = end;
  }
  threads_.Release();
}

bool ApiSession::SayUnable(const Operation& operation, uint64_t needed, Outcome* out) const {
  const Capability missing = FirstMissing(CapabilitySet(needed), setup_->capabilities);
  std::string reason = "no " + std::string(CapabilityName(missing));
  const std::string why = UsesNetwork(operation.call)     ? setup_->no_network
                          : IsProgramPath(operation.call) ? setup_->no_programs
                                                          : std::string();
  if (!why.empty()) reason += ": " + why;
  NotRun(std::move(reason), out);
  return false;
}

void ApiSession::RunOne(const Operation& operation, Outcome* out) {
  // One dispatch for what most operations are: a privileged call of this thread, wherever it runs.
  std::visit(
      [&](const auto& call) {
        if (!Able(operation, NeedsOf(operation, call), out)) return;
        const bool ordinary = operation.thread == 0 && operation.caller == Caller::kPrivileged;
        if (!ordinary || !threads_.IsAt(operation.cpu)) return RunSomewhere(operation, out);
        // Helper calls go through RunPrograms.
        if constexpr (requires { this->Do(call, out); }) Do(call, out);
      },
      operation.call);
}

void ApiSession::RunSomewhere(const Operation& operation, Outcome* out) {
  const auto call = [this, &operation, out] { RunHere(operation, out); };
  if (!threads_.Run(operation.thread, operation.cpu, call, &problem_)) NotRun(problem_, out);
}

void ApiSession::RunHere(const Operation& operation, Outcome* out) {
  const bool unprivileged = operation.caller == Caller::kUnprivileged;
  if (unprivileged && UsesNetwork(operation.call)) {
    return NotRun("sockets and programs are for a privileged caller only", out);
  }
  if (unprivileged) {
    if (const int error = setup_->host->DropCapabilities(); error != 0) {
      return NotRun(std::string("cannot drop capabilities: ") + std::strerror(error), out);
    }
  }
  std::visit(
      [this, out](const auto& call) {
        if constexpr (requires { this->Do(call, out); }) Do(call, out);
      },
      operation.call);
  if (unprivileged) setup_->host->RestoreCapabilities();
}

int ApiSession::Fd(Handle handle) {
  if (handle.slot < slots_.size()) return slots_[handle.slot].fd;
  if (handle == kNotAMap) {
    if (not_a_map_ < 0) not_a_map_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return not_a_map_;
  }
  return -1;
}

const ApiSession::MapRecord& ApiSession::RecordOf(Handle handle) const {
  if (handle.slot >= slots_.size()) return no_record_;
  const uint32_t record = slots_[handle.slot].record;
  return record == kNoRecord ? no_record_ : records_[record];
}

ApiSession::MapRecord* ApiSession::MutableRecordOf(Handle handle) {
  if (handle.slot >= slots_.size()) return nullptr;
  const uint32_t record = slots_[handle.slot].record;
  return record == kNoRecord ? nullptr : &records_[record];
}

uint32_t ApiSession::AddRecord(MapType type, uint32_t key_size, uint32_t value_size,
                               uint32_t max_entries, uint32_t map_flags) {
  MapRecord record;
  record.key_size = key_size;
  record.value_size = value_size;
  if (IsPerCpu(type)) {
    record.value_size = PerCpuStride(value_size) * setup_->possible_cpus;
  }
  record.max_entries = max_entries;
  record.shape = {type, key_size, value_size, -1};
  record.shape.access = map_flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG);
  records_.push_back(std::move(record));
  return static_cast<uint32_t>(records_.size() - 1);
}

uint32_t ApiSession::RecordFromInfo(int fd) {
  ::bpf_map_info info{};
  uint32_t length = kInfoSize;
  if (api_.obj_get_info_by_fd == nullptr || api_.obj_get_info_by_fd(fd, &info, &length) != 0) {
    return kNoRecord;
  }
  const uint32_t record = AddRecord(static_cast<MapType>(info.type), info.key_size, info.value_size,
                                    info.max_entries, info.map_flags);
  records_[record].id = info.id;
  return record;
}

void ApiSession::CloseOpened(int fd) {
  if (fd >= 0) setup_->close(fd);
}

void ApiSession::Fill(Handle handle, int fd, uint32_t record) {
  if (handle.slot >= kMaxSlots) return CloseFd(fd);
  if (handle.slot >= slots_.size()) slots_.resize(handle.slot + size_t{1});
  if (programs_ != nullptr) programs_->Forget(handle.slot);
  Slot& slot = slots_[handle.slot];
  if (network_ != nullptr && slot.fd >= 0) network_->Closing(slot.fd);
  CloseOpened(slot.fd);
  slot.fd = fd;
  slot.record = record;
  if (fd >= 0 && setup_->opened != nullptr) setup_->opened(fd);
}

uint32_t ApiSession::IdOf(Handle of, uint32_t id) const {
  if (of == kBadFd) return id;
  return of.slot < slots_.size() ? slots_[of.slot].last_id : 0;
}

int ApiSession::BtfFd(uint16_t btf) const {
  if (btf == kNoBtf) return 0;
  return btf < btfs_.size() ? btfs_[btf].fd : -1;
}

const char* ApiSession::PathFor(const std::string& path, Outcome* out) {
  if (!StaysInside(path)) {
    NotRun("the path \"" + path + "\" leaves the script's directory", out);
    return nullptr;
  }
  if (pin_directory_ == nullptr) {
    std::string error;
    pin_directory_ = setup_->host->MakePinDirectory(&error);
    if (pin_directory_ == nullptr) {
      NotRun(std::move(error), out);
      return nullptr;
    }
  }
  path_ = pin_directory_->Resolve(path);
  return path_.c_str();
}

void ApiSession::Do(const MapCreate& op, Outcome* out) {
  const int inner = op.inner_map == kBadFd ? 0 : Fd(op.inner_map);
  // By value: the slot that is filled may be the inner map's.
  const MapShape template_shape = RecordOf(op.inner_map).shape;
  const int btf = BtfFd(op.btf);
  int fd;
  errno = 0;
  if (Required({op})[static_cast<size_t>(Capability::kRawAttr)]) {
    fd = setup_->host->RawMapCreate(op, inner, btf);
  } else {
    ::bpf_map_create_opts opts{};
    opts.sz = sizeof(opts);
    opts.btf_fd = static_cast<uint32_t>(btf);
    opts.btf_key_type_id = op.btf_key_type_id;
    opts.btf_value_type_id = op.btf_value_type_id;
    opts.inner_map_fd = static_cast<uint32_t>(inner);
    opts.map_flags = op.map_flags;
    opts.map_extra = op.map_extra;
    opts.numa_node = op.numa_node;
    fd = api_.map_create(static_cast<::bpf_map_type>(op.type),
                         op.name.empty() ? nullptr : op.name.c_str(), op.key_size, op.value_size,
                         op.max_entries, &opts);
  }
  if (fd < 0) SetResult(fd, out);
  Fill(op.result, fd < 0 ? -1 : fd,
       fd < 0 ? kNoRecord
              : AddRecord(op.type, op.key_size, op.value_size, op.max_entries, op.map_flags));
  if (fd >= 0 && op.btf < btfs_.size() && op.btf_value_type_id == kBtfValueTypeId) {
    records_.back().shape.lock_offset = btfs_[op.btf].lock_offset;
  }
  if (fd >= 0 && IsMapOfMaps(op.type)) records_.back().shape.SetInner(template_shape);
}

void ApiSession::Do(const Freeze& op, Outcome* out) {
  errno = 0;
  SetResult(api_.map_freeze(Fd(op.map)), out);
  // What the verifier says of a map may change with this, and other slots may hold the same map.
  if (programs_ != nullptr) programs_->ForgetAll();
}

void ApiSession::Do(const GetInfo& op, Outcome* out) {
  const uint32_t size = op.info_len == 0 ? kInfoSize : op.info_len;
  if (size > kMaxBuffer) return NotRun("info_len is above the 64 MiB a buffer may have", out);
  void* info = first_out_.Zeroed(size);
  if (op.info == Pointer::kNull) info = nullptr;
  if (op.info == Pointer::kBad) info = const_cast<void*>(BadPointer());
  void* length = cell_.Filled(&size, sizeof(size));
  errno = 0;
  SetResult(api_.obj_get_info_by_fd(Fd(op.map), info, static_cast<uint32_t*>(length)), out);

  ::bpf_map_info told{};
  std::memcpy(&told, first_out_.data(), size < sizeof(told) ? size : sizeof(told));
  Boxed<MapInfo> result;
  result->type = told.type;
  result->id = told.id;
  result->key_size = told.key_size;
  result->value_size = told.value_size;
  result->max_entries = told.max_entries;
  result->map_flags = told.map_flags;
  result->name.assign(told.name, strnlen(told.name, sizeof(told.name)));
  result->has_btf = told.btf_id != 0;
  result->btf_key_type_id = told.btf_key_type_id;
  result->btf_value_type_id = told.btf_value_type_id;
  result->map_extra = told.map_extra;
  std::memcpy(&result->info_len, cell_.data(), sizeof(uint32_t));
  out->output = std::move(result);
  CheckGuards(first_out_, out);
  CheckGuards(cell_, out);

  const bool told_id = size >= offsetof(::bpf_map_info, id) + sizeof(told.id);
  if (out->error == Errno::kNone && told_id && op.map.slot < slots_.size()) {
    slots_[op.map.slot].last_id = told.id;
    if (MapRecord* record = MutableRecordOf(op.map)) record->id = told.id;
  }
}

void ApiSession::Do(const GetFdById& op, Outcome* out) {
  const uint32_t id = IdOf(op.of, op.id);
  int fd;
  errno = 0;
  if (op.open_flags == 0) {
    fd = api_.map_get_fd_by_id(id);
  } else {
    ::bpf_get_fd_by_id_opts opts{};
    opts.sz = sizeof(opts);
    opts.open_flags = op.open_flags;
    fd = api_.map_get_fd_by_id_opts(id, &opts);
  }
  if (fd < 0) {
    SetResult(fd, out);
    return Fill(op.result, -1, kNoRecord);
  }
  uint32_t record = kNoRecord;
  for (uint32_t i = 0; i < records_.size() && id != 0; ++i) {
    if (records_[i].id == id) record = i;
  }
  Fill(op.result, fd, record != kNoRecord ? record : RecordFromInfo(fd));
}

void ApiSession::Do(const GetNextId& op, Outcome* out) {
  uint8_t* next = cell_.Poisoned(sizeof(uint32_t));
  errno = 0;
  SetResult(api_.map_get_next_id(IdOf(op.of, op.id), reinterpret_cast<uint32_t*>(next)), out);
  uint32_t id;
  std::memcpy(&id, next, sizeof(id));
  out->output = id;
  CheckGuards(cell_, out);
}

void ApiSession::Do(const Pin& op, Outcome* out) {
  const char* path = PathFor(op.path, out);
  if (path == nullptr) return;
  errno = 0;
  SetResult(op.file_flags == 0 ? api_.obj_pin(Fd(op.map), path)
                               : setup_->host->RawObjPin(Fd(op.map), path, op.file_flags),
            out);
  if (!out->ok() || op.map.slot >= slots_.size()) return;
  std::erase_if(pins_, [&op](const auto& pin) { return pin.first == op.path; });
  pins_.emplace_back(op.path, slots_[op.map.slot].record);
}

void ApiSession::Do(const ObjGet& op, Outcome* out) {
  const char* path = PathFor(op.path, out);
  if (path == nullptr) return;
  int fd;
  errno = 0;
  if (op.file_flags == 0) {
    fd = api_.obj_get(path);
  } else {
    struct ::bpf_obj_get_opts opts {};  // A function has the same name.
    opts.sz = sizeof(opts);
    opts.file_flags = op.file_flags;
    fd = api_.obj_get_opts(path, &opts);
  }
  if (fd < 0) {
    SetResult(fd, out);
    return Fill(op.result, -1, kNoRecord);
  }
  uint32_t record = kNoRecord;
  for (const auto& [pinned, its_record] : pins_) {
    if (pinned == op.path) record = its_record;
  }
  Fill(op.result, fd, record != kNoRecord ? record : RecordFromInfo(fd));
}

void ApiSession::Do(const Unlink& op, Outcome* out) {
  const char* path = PathFor(op.path, out);
  if (path == nullptr) return;
  SetSystemResult(unlink(path), out);
  if (out->ok()) std::erase_if(pins_, [&op](const auto& pin) { return pin.first == op.path; });
}

void ApiSession::Do(const Close& op, Outcome* out) {
  if (programs_ != nullptr) programs_->Forget(op.map.slot);
  if (network_ != nullptr && Fd(op.map) >= 0) network_->Closing(Fd(op.map));
  SetSystemResult(setup_->close(Fd(op.map)), out);
  if (op.map.slot < slots_.size()) slots_[op.map.slot].fd = -1;
  if (op.map == kNotAMap) not_a_map_ = -1;
}

void ApiSession::Do(const BtfLoad& op, Outcome* out) {
  const std::vector<uint8_t> blob = MakeBtf(op);
  errno = 0;
  const int fd = api_.btf_load(blob.data(), blob.size(), nullptr);
  if (fd < 0) SetResult(fd, out);
  if (fd >= 0 && setup_->opened != nullptr) setup_->opened(fd);
  if (op.result >= kMaxSlots) return CloseOpened(fd);
  if (op.result >= btfs_.size()) btfs_.resize(op.result + size_t{1});
  CloseOpened(btfs_[op.result].fd);
  btfs_[op.result] = {fd < 0 ? -1 : fd, op.lock_offset};
}

// ---- Sockets and frames

ScriptNetwork* ApiSession::Network(Outcome* out) {
  if (network_ == nullptr) {
    std::string error;
    network_ = setup_->host->MakeNetwork(&error);
    if (network_ == nullptr) NotRun(std::move(error), out);
  }
  return network_.get();
}

void ApiSession::Do(const SocketOpen& op, Outcome* out) {
  ScriptNetwork* network = Network(out);
  if (network == nullptr) return;
  const int fd = network->Open(op, out);
  if (out->completion != Completion::kNotRun) Fill(op.result, fd, kNoRecord);
}

void ApiSession::Do(const SendFrames& op, Outcome* out) {
  if (ScriptNetwork* network = Network(out)) network->Send(op, Fd(op.map), out);
}

void ApiSession::Do(const ReceiveFrames& op, Outcome* out) {
  if (ScriptNetwork* network = Network(out)) network->Receive(Fd(op.socket), out);
}

void ApiSession::Do(const HelperRedirectMap& op, Outcome* out) {
  if (ScriptNetwork* network = Network(out)) network->Redirect(op, Fd(op.map), out);
}

}  // namespace mapspec

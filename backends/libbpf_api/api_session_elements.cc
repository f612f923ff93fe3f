// SPDX-License-Identifier: MIT
//
// The buffers of an ApiSession and the calls that read and write elements.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "backends/libbpf_api/api_session.h"

namespace mapspec {
namespace {

constexpr const char* kTooLarge = "a buffer would be above the 64 MiB it may have";

}  // namespace

// ---- Buffers

const void* ApiSession::BadPointer() {
  if (bad_page_ == nullptr) {
    void* page = mmap(nullptr, static_cast<size_t>(sysconf(_SC_PAGESIZE)), PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return reinterpret_cast<const void*>(uintptr_t{8});  // Never mapped.
    bad_page_ = page;
  }
  return bad_page_;
}

const uint8_t* ApiSession::Padded(const Bytes& bytes, size_t wanted, Padding* padding) {
  if (bytes.size() >= wanted) return bytes.data();
  if (padding->capacity < wanted) {
    padding->capacity = std::max(wanted, size_t{64});
    padding->memory.reset(new uint8_t[padding->capacity]);
  }
  std::memcpy(padding->memory.get(), bytes.data(), bytes.size());
  std::memset(padding->memory.get() + bytes.size(), 0, wanted - bytes.size());
  return padding->memory.get();
}

const void* ApiSession::In(const InBuffer& buffer, size_t wanted, Padding* padding) {
  switch (buffer.pointer) {
    case Pointer::kNull:
      return nullptr;
    case Pointer::kBad:
      return BadPointer();
    case Pointer::kValid:
      break;
  }
  return Padded(buffer.bytes, wanted, padding);
}

void* ApiSession::Out(Pointer pointer, size_t size, GuardedBuffer* buffer) {
  switch (pointer) {
    case Pointer::kNull:
      return nullptr;
    case Pointer::kBad:
      return const_cast<void*>(BadPointer());
    case Pointer::kValid:
      break;
  }
  return buffer->Poisoned(size);
}

const uint8_t* ApiSession::Descriptors(std::span<const Handle> handles, size_t stride,
                                       size_t wanted, Padding* padding) {
  Padded(Bytes(), std::max<size_t>(wanted, 1), padding);
  for (size_t i = 0; i < handles.size() && (i + 1) * stride <= wanted; ++i) {
    const int fd = Fd(handles[i]);
    std::memcpy(padding->memory.get() + i * stride, &fd, std::min(sizeof(fd), stride));
  }
  return padding->memory.get();
}

void ApiSession::CheckGuards(const GuardedBuffer& buffer, Outcome* out) {
  if (buffer.Intact()) return;
  out->completion = Completion::kOverran;
  out->detail = buffer.Damage();
}

void ApiSession::Take(Pointer pointer, const GuardedBuffer& buffer, Bytes* bytes, Outcome* out) {
  if (pointer != Pointer::kValid) return;
  bytes->Assign(buffer.data(), buffer.size());
  CheckGuards(buffer, out);
}

size_t ApiSession::BatchElements(const MapRecord& record, uint32_t count) const {
  const size_t element = std::max<size_t>(record.key_size, record.value_size);
  if (element == 0 || count <= kMaxWholeBatch / element) return count;
  return std::min<size_t>(count, size_t{record.max_entries} + 16);
}

// ---- Elements

void ApiSession::Do(const Lookup& op, Outcome* out) {
  const int fd = Fd(op.map);
  const MapRecord& record = RecordOf(op.map);
  if (record.value_size > kMaxBuffer) return NotRun(kTooLarge, out);
  const void* key = In(op.key, record.key_size, &key_in_);
  void* value = Out(op.value, record.value_size, &first_out_);
  errno = 0;
  SetResult(op.flags == 0 ? api_.map_lookup_elem(fd, key, value)
                          : api_.map_lookup_elem_flags(fd, key, value, op.flags),
            out);
  Take(op.value, first_out_, &out->output.emplace<Bytes>(), out);
}

void ApiSession::Do(const LookupAndDelete& op, Outcome* out) {
  const int fd = Fd(op.map);
  const MapRecord& record = RecordOf(op.map);
  if (record.value_size > kMaxBuffer) return NotRun(kTooLarge, out);
  const void* key = In(op.key, record.key_size, &key_in_);
  void* value = Out(op.value, record.value_size, &first_out_);
  errno = 0;
  SetResult(op.flags == 0 ? api_.map_lookup_and_delete_elem(fd, key, value)
                          : api_.map_lookup_and_delete_elem_flags(fd, key, value, op.flags),
            out);
  Take(op.value, first_out_, &out->output.emplace<Bytes>(), out);
}

void ApiSession::Do(const Update& op, Outcome* out) {
  const int fd = Fd(op.map);
  const MapRecord& record = RecordOf(op.map);
  if (record.value_size > kMaxBuffer) return NotRun(kTooLarge, out);
  const void* key = In(op.key, record.key_size, &key_in_);
  const void* value = op.value_fd == kNoFd ? In(op.value, record.value_size, &value_in_)
                                           : Descriptors({&op.value_fd, 1}, record.value_size,
                                                         record.value_size, &value_in_);
  errno = 0;
  SetResult(api_.map_update_elem(fd, key, value, op.flags), out);
}

void ApiSession::Do(const Delete& op, Outcome* out) {
  const int fd = Fd(op.map);
  const void* key = In(op.key, RecordOf(op.map).key_size, &key_in_);
  errno = 0;
  SetResult(api_.map_delete_elem(fd, key), out);
}

void ApiSession::Do(const GetNextKey& op, Outcome* out) {
  const int fd = Fd(op.map);
  const MapRecord& record = RecordOf(op.map);
  const void* key = In(op.key, record.key_size, &key_in_);
  void* next_key = Out(op.next_key, record.key_size, &first_out_);
  errno = 0;
  SetResult(api_.map_get_next_key(fd, key, next_key), out);
  Take(op.next_key, first_out_, &out->output.emplace<Bytes>(), out);
}

void ApiSession::Do(const LookupBatch& op, Outcome* out) {
  const int fd = Fd(op.map);
  const MapRecord& record = RecordOf(op.map);
  const size_t elements = BatchElements(record, op.count);
  const size_t keys_size = elements * record.key_size;
  const size_t values_size = elements * record.value_size;
  if (keys_size > kMaxBuffer || values_size > kMaxBuffer) return NotRun(kTooLarge, out);

  const size_t token_size = std::max<size_t>(record.key_size, sizeof(uint32_t));
  const void* in_batch = nullptr;
  switch (op.start) {
    case LookupBatch::Start::kNull:
      break;
    case LookupBatch::Start::kLast:
      in_batch = Padded(record.last_batch, token_size, &key_in_);
      break;
    case LookupBatch::Start::kBytes:
      in_batch = Padded(op.in_batch, token_size, &key_in_);
      break;
    case LookupBatch::Start::kBad:
      in_batch = BadPointer();
      break;
  }
  void* out_batch = Out(op.out_batch, token_size, &first_out_);
  void* keys = Out(op.keys, keys_size, &second_out_);
  void* values = Out(op.values, values_size, &third_out_);
  auto* count = reinterpret_cast<uint32_t*>(cell_.Filled(&op.count, sizeof(op.count)));
  ::bpf_map_batch_opts opts{};
  opts.sz = sizeof(opts);
  opts.elem_flags = op.elem_flags;
  opts.flags = op.flags;
  const auto call = op.and_delete ? api_.map_lookup_and_delete_batch : api_.map_lookup_batch;
  errno = 0;
  // The API takes in_batch without const; what it points to is an input all the same.
  SetResult(call(fd, const_cast<void*>(in_batch), out_batch, keys, values, count, &opts), out);

  Boxed<BatchOutput> result;
  std::memcpy(&result->count, cell_.data(), sizeof(uint32_t));
  CheckGuards(cell_, out);
  Take(op.out_batch, first_out_, &result->out_batch, out);
  Take(op.keys, second_out_, &result->keys, out);
  Take(op.values, third_out_, &result->values, out);
  MapRecord* known = MutableRecordOf(op.map);
  if (known != nullptr && !result->out_batch.empty() && !IsPoison(result->out_batch)) {
    known->last_batch = result->out_batch;
  }
  out->output = std::move(result);
}

void ApiSession::Do(const UpdateBatch& op, Outcome* out) {
  const int fd = Fd(op.map);
  const MapRecord& record = RecordOf(op.map);
  const size_t keys_size = size_t{op.count} * record.key_size;
  const size_t values_size = size_t{op.count} * record.value_size;
  if (keys_size > kMaxBuffer || values_size > kMaxBuffer) return NotRun(kTooLarge, out);
  const void* keys = In(op.keys, keys_size, &key_in_);
  const void* values = op.value_fds.empty()
                           ? In(op.values, values_size, &value_in_)
                           : Descriptors(op.value_fds, record.value_size, values_size, &value_in_);
  auto* count = reinterpret_cast<uint32_t*>(cell_.Filled(&op.count, sizeof(op.count)));
  ::bpf_map_batch_opts opts{};
  opts.sz = sizeof(opts);
  opts.elem_flags = op.elem_flags;
  opts.flags = op.flags;
  errno = 0;
  SetResult(api_.map_update_batch(fd, keys, values, count, &opts), out);
  Boxed<BatchOutput> result;
  std::memcpy(&result->count, cell_.data(), sizeof(uint32_t));
  CheckGuards(cell_, out);
  out->output = std::move(result);
}

void ApiSession::Do(const DeleteBatch& op, Outcome* out) {
  const int fd = Fd(op.map);
  const size_t keys_size = size_t{op.count} * RecordOf(op.map).key_size;
  if (keys_size > kMaxBuffer) return NotRun(kTooLarge, out);
  const void* keys = In(op.keys, keys_size, &key_in_);
  auto* count = reinterpret_cast<uint32_t*>(cell_.Filled(&op.count, sizeof(op.count)));
  ::bpf_map_batch_opts opts{};
  opts.sz = sizeof(opts);
  opts.elem_flags = op.elem_flags;
  opts.flags = op.flags;
  errno = 0;
  SetResult(api_.map_delete_batch(fd, keys, count, &opts), out);
  Boxed<BatchOutput> result;
  std::memcpy(&result->count, cell_.data(), sizeof(uint32_t));
  CheckGuards(cell_, out);
  out->output = std::move(result);
}

}  // namespace mapspec

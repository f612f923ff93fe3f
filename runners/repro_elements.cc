// SPDX-License-Identifier: MIT
//
// Reproducers: buffers, and the system calls that read and write elements. The same choices as
// those of backends/libbpf_api/api_session.h.
#include <fmt/format.h>

#include <algorithm>

#include "oracle/inner_map.h"
#include "runners/repro_writer.h"

namespace mapspec {
namespace {

constexpr size_t kMaxBuffer = size_t{64} << 20;
constexpr size_t kMaxWholeBatch = size_t{1} << 20;
constexpr size_t kGuard = 64;

std::string FlagsOf(uint64_t flags) {
  if (flags == 0) return "BPF_ANY";
  if (flags == BPF_NOEXIST) return "BPF_NOEXIST";
  if (flags == BPF_EXIST) return "BPF_EXIST";
  if (flags == BPF_F_LOCK) return "BPF_F_LOCK";
  return CNumber(flags);
}

size_t BatchElements(uint32_t key_size, size_t value_size, uint32_t max_entries, uint32_t count) {
  const size_t element = std::max<size_t>(key_size, value_size);
  if (element == 0 || count <= kMaxWholeBatch / element) return count;
  return std::min<size_t>(count, size_t{max_entries} + 16);
}

}  // namespace

std::string ReproWriter::Padded(const Bytes& bytes, size_t wanted, const std::string& name,
                                Step* step) {
  if (wanted > kMaxBuffer) throw Refuse{"a buffer would be above 64 MiB"};
  Bytes fitting = bytes;
  // Of a slot without a map nobody knows how much is read.
  if (wanted != 0) fitting.Resize(wanted);
  return CBytes(fitting, name, &source_, &step->before);
}

std::string ReproWriter::In(const InBuffer& buffer, size_t wanted, const std::string& name,
                            Step* step) {
  if (buffer.pointer == Pointer::kNull) return "NULL";
  if (buffer.pointer == Pointer::kBad) return "bad_pointer()";
  return Padded(buffer.bytes, wanted, name, step);
}

std::string ReproWriter::Out(Pointer pointer, size_t size, const std::string& name, Step* step) {
  if (pointer == Pointer::kNull) return "NULL";
  if (pointer == Pointer::kBad) return "bad_pointer()";
  if (size > kMaxBuffer) throw Refuse{"a buffer would be above 64 MiB"};
  if (index_ != verdict_.index || outcome_->completion != Completion::kOverran) {
    source_.Buffer(name, size);
    step->before.push_back(fmt::format("poison({}, {});", name, size));
    return name;
  }
  // Known bytes in front of the buffer and behind it.
  source_.Buffer(name, size + 2 * kGuard);
  step->before.push_back(fmt::format("poison({}, {});", name, size + 2 * kGuard));
  step->after.push_back(
      fmt::format("overran |= !is_poison({0}, 0, {1}) || !is_poison({0}, {2}, {3});", name, kGuard,
                  kGuard + size, size + 2 * kGuard));
  return fmt::format("{} + {}", name, kGuard);
}

std::string ReproWriter::Descriptors(std::span<const Handle> handles, size_t stride, size_t wanted,
                                     Step* step) {
  source_.Buffer("fds", std::max<size_t>(wanted, 1));
  step->before.push_back(fmt::format("memset(fds, 0, {});", std::max<size_t>(wanted, 1)));
  for (size_t i = 0; i < handles.size() && (i + 1) * stride <= wanted; ++i) {
    const std::string fd = Fd(handles[i], step);
    source_.Global("static int fd;");
    step->before.push_back(fmt::format("fd = {};", fd));
    step->before.push_back(
        fmt::format("memcpy(fds + {}, &fd, {});", i * stride, std::min(sizeof(int), stride)));
  }
  return "fds";
}

std::string ReproWriter::BatchOptions(uint64_t elem_flags, uint64_t flags, Step* step) {
  if (elem_flags == 0 && flags == 0) return "NULL";
  step->declares = true;
  step->before.push_back(
      fmt::format("LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = {}, .flags "
                  "= {});",
                  FlagsOf(elem_flags), CNumber(flags)));
  return "&opts";
}

void ReproWriter::SameOrder(const std::string& got, const Bytes& wanted, Step* step) {
  walks_ = true;
  std::vector<std::string> before;
  const std::string bytes = CBytes(wanted, "wanted", &source_, &before);
  for (std::string& line : before) step->after.push_back(std::move(line));
  step->after.push_back(
      fmt::format("if (!equal({}, {}, {}))\n\treturn OTHER_ORDER;", got, bytes, wanted.size()));
}

void ReproWriter::On(const Lookup& op, Step* step) {
  const Record& record = RecordOf(op.map);
  const std::string key = In(op.key, record.key_size, "key", step);
  const std::string value = Out(op.value, record.value_size, "value", step);
  const std::string fd = Fd(op.map, step);
  step->call = op.flags == 0
                   ? fmt::format("outcome(bpf_map_lookup_elem({}, {}, {}))", fd, key, value)
                   : fmt::format("outcome(bpf_map_lookup_elem_flags({}, {}, {}, {}))", fd, key,
                                 value, FlagsOf(op.flags));
  step->output = value;
  step->output_size = op.value == Pointer::kValid ? record.value_size : 0;
}

void ReproWriter::On(const LookupAndDelete& op, Step* step) {
  const Record& record = RecordOf(op.map);
  const std::string key = In(op.key, record.key_size, "key", step);
  const std::string value = Out(op.value, record.value_size, "value", step);
  const std::string fd = Fd(op.map, step);
  step->call =
      op.flags == 0
          ? fmt::format("outcome(bpf_map_lookup_and_delete_elem({}, {}, {}))", fd, key, value)
          : fmt::format("outcome(bpf_map_lookup_and_delete_elem_flags({}, {}, {}, {}))", fd, key,
                        value, FlagsOf(op.flags));
  step->output = value;
  step->output_size = op.value == Pointer::kValid ? record.value_size : 0;
}

void ReproWriter::On(const Update& op, Step* step) {
  const Record& record = RecordOf(op.map);
  const std::string key = In(op.key, record.key_size, "key", step);
  const std::string value = op.value_fd == kNoFd ? In(op.value, record.value_size, "value_in", step)
                                                 : Descriptors({&op.value_fd, 1}, record.value_size,
                                                               record.value_size, step);
  step->call = fmt::format("outcome(bpf_map_update_elem({}, {}, {}, {}))", Fd(op.map, step), key,
                           value, FlagsOf(op.flags));
  written_ += record.value_size;
  if (Succeeded() && op.value_fd != kNoFd && IsOpen(op.value_fd) && IsOpen(op.map)) {
    Bytes where = op.key.bytes;
    where.Resize(record.key_size);
    inner_[{SlotOf(op.map).record, where}] = SlotOf(op.value_fd).record;
  }
}

void ReproWriter::On(const Delete& op, Step* step) {
  const std::string key = In(op.key, RecordOf(op.map).key_size, "key", step);
  step->call = fmt::format("outcome(bpf_map_delete_elem({}, {}))", Fd(op.map, step), key);
}

void ReproWriter::On(const GetNextKey& op, Step* step) {
  const Record& record = RecordOf(op.map);
  const std::string key = In(op.key, record.key_size, "key", step);
  const std::string next = Out(op.next_key, record.key_size, "next_key", step);
  step->call =
      fmt::format("outcome(bpf_map_get_next_key({}, {}, {}))", Fd(op.map, step), key, next);
  step->output = next;
  step->output_size = op.next_key == Pointer::kValid ? record.key_size : 0;
  const auto* told = std::get_if<Bytes>(&outcome_->output);
  if (index_ != verdict_.index && Succeeded() && told != nullptr && !told->empty() &&
      !record.ordered) {
    SameOrder(next, *told, step);
  }
  walks_ |= !record.ordered;
}

void ReproWriter::On(const LookupBatch& op, Step* step) {
  const Record& record = RecordOf(op.map);
  const size_t elements =
      BatchElements(record.key_size, record.value_size, record.max_entries, op.count);
  const size_t token_size = std::max<size_t>(record.key_size, sizeof(uint32_t));
  const int number = IsOpen(op.map) ? SlotOf(op.map).record : -1;
  const std::string token = number < 0 ? "no_token" : fmt::format("token{}", number);
  std::string in_batch = "NULL";
  if (op.start == LookupBatch::Start::kLast) {
    source_.Buffer(token, token_size);
    in_batch = token;
  } else if (op.start == LookupBatch::Start::kBytes) {
    in_batch = "(void *)" + Padded(op.in_batch, token_size, "in_batch", step);
  } else if (op.start == LookupBatch::Start::kBad) {
    in_batch = "bad_pointer()";
  }
  const std::string out = Out(op.out_batch, token_size, "out_batch", step);
  const std::string keys = Out(op.keys, elements * record.key_size, "keys", step);
  const std::string values = Out(op.values, elements * record.value_size, "values", step);
  const std::string options = BatchOptions(op.elem_flags, op.flags, step);
  source_.Global("static unsigned count;");
  step->before.push_back(fmt::format("count = {};", CNumber(op.count)));
  step->call = fmt::format("outcome(bpf_map_lookup_{}batch({}, {}, {}, {}, {}, &count, {}))",
                           op.and_delete ? "and_delete_" : "", Fd(op.map, step), in_batch, out,
                           keys, values, options);
  const auto* boxed = std::get_if<Boxed<BatchOutput>>(&outcome_->output);
  if (boxed == nullptr || index_ == verdict_.index) {
    walks_ |= !record.ordered;
    return;
  }
  const BatchOutput& told = **boxed;
  if (!record.ordered && (Succeeded() || outcome_->error == Errno::kENOENT)) {
    step->after.push_back(fmt::format("if (count != {})\n\treturn OTHER_ORDER;", told.count));
    walks_ = true;
    const size_t size = told.count * size_t{record.key_size};
    if (size != 0 && size <= told.keys.size()) SameOrder(keys, told.keys.Slice(0, size), step);
  }
  if (!told.out_batch.empty() && !IsPoison(told.out_batch) && number >= 0) {
    source_.Buffer(token, token_size);
    step->after.push_back(fmt::format("memcpy({}, {}, {});", token, out, token_size));
  }
}

void ReproWriter::On(const UpdateBatch& op, Step* step) {
  const Record& record = RecordOf(op.map);
  const std::string keys = In(op.keys, size_t{op.count} * record.key_size, "keys_in", step);
  const size_t size = size_t{op.count} * record.value_size;
  const std::string values = op.value_fds.empty()
                                 ? In(op.values, size, "values_in", step)
                                 : Descriptors(op.value_fds, record.value_size, size, step);
  const std::string options = BatchOptions(op.elem_flags, op.flags, step);
  source_.Global("static unsigned count;");
  step->before.push_back(fmt::format("count = {};", CNumber(op.count)));
  step->call = fmt::format("outcome(bpf_map_update_batch({}, {}, {}, &count, {}))",
                           Fd(op.map, step), keys, values, options);
  written_ += size;
  if (!IsOpen(op.map)) return;
  const auto* boxed = std::get_if<Boxed<BatchOutput>>(&outcome_->output);
  const size_t done = boxed == nullptr ? 0 : (*boxed)->count;
  Bytes all = op.keys.bytes;
  all.Resize(size_t{op.count} * record.key_size);
  for (size_t i = 0; i < std::min(done, op.value_fds.size()) && i < op.count; ++i) {
    if (!IsOpen(op.value_fds[i])) continue;
    inner_[{SlotOf(op.map).record, all.Slice(i * record.key_size, record.key_size)}] =
        SlotOf(op.value_fds[i]).record;
  }
}

void ReproWriter::On(const DeleteBatch& op, Step* step) {
  const Record& record = RecordOf(op.map);
  const std::string keys = In(op.keys, size_t{op.count} * record.key_size, "keys_in", step);
  const std::string options = BatchOptions(op.elem_flags, op.flags, step);
  source_.Global("static unsigned count;");
  step->before.push_back(fmt::format("count = {};", CNumber(op.count)));
  step->call = fmt::format("outcome(bpf_map_delete_batch({}, {}, &count, {}))", Fd(op.map, step),
                           keys, options);
}

}  // namespace mapspec

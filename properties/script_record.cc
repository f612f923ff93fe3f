// SPDX-License-Identifier: MIT
#include "properties/script_record.h"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "backends/libbpf_api/pin_directory.h"
#include "oracle/operation_members.h"
#include "properties/map_kinds.h"

namespace mapspec {
namespace {

constexpr uint8_t kDirect = 248;  // Numbers below are one byte.
constexpr uint8_t kLongCode = 255;
constexpr uint16_t kNearSlots = 8;
constexpr size_t kMaxPath = 4096, kMaxFds = 1024;

// The handles that have a byte of their own: the near slots, then these.
constexpr uint16_t kSpecial[] = {kBadFd.slot, kNotAMap.slot};
constexpr size_t kNear = kNearSlots + std::size(kSpecial);

// The index of a call in EveryCall().
size_t CodeOf(const Call& call) {
  const auto* const batch = std::get_if<LookupBatch>(&call);
  return batch != nullptr && batch->and_delete ? EveryCall().size() - 1 : call.index();
}

}  // namespace

void RecordWriter::Append(uint64_t number) {
  if (number < kDirect) return Byte(static_cast<uint8_t>(number));
  uint8_t size = 1;
  while (size < 8 && number >> (8 * size) != 0) ++size;
  Byte(static_cast<uint8_t>(kDirect + size % 8));
  for (uint8_t i = 0; i < size; ++i) Byte(static_cast<uint8_t>(number >> (8 * i)));
}

uint64_t RecordReader::ReadNumber() {
  const uint8_t first = ReadByte();
  if (first < kDirect) return first;
  const int size = first == kDirect ? 8 : first - kDirect;
  uint64_t number = 0;
  for (int i = 0; i < size; ++i) number |= uint64_t{ReadByte()} << (8 * i);
  return number;
}

uint8_t RecordReader::ReadByte() {
  if (bytes_.empty()) return 0;
  const uint8_t byte = bytes_.front();
  bytes_ = bytes_.subspan(1);
  return byte;
}

void RecordWriter::Block(const uint8_t* data, size_t size) {
  Append(size);
  out_.insert(out_.end(), data, data + size);
}

size_t RecordReader::ReadSize(size_t limit) {
  const uint64_t wanted = std::min<uint64_t>(ReadNumber(), limit);
  const uint64_t here = std::min<uint64_t>(wanted, bytes_.size());
  const uint64_t zeros = std::min(wanted - here, zeros_);
  zeros_ -= zeros;
  return here + zeros;
}

void RecordReader::ShortContent(std::string_view, Bytes& bytes, size_t limit) {
  const size_t size = ReadSize(limit);
  const size_t here = std::min(size, bytes_.size());
  bytes = Bytes(bytes_.data(), here);
  bytes.Resize(size);
  bytes_ = bytes_.subspan(here);
}

void RecordReader::Text(std::string_view, std::string& text, size_t limit) {
  const size_t size = ReadSize(limit);
  const size_t here = std::min(size, bytes_.size());
  text.assign(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(here));
  text.resize(size);
  bytes_ = bytes_.subspan(here);
}

void RecordReader::Path(std::string_view name, std::string& path) {
  Text(name, path, kMaxPath);
  if (!StaysInside(path)) path = "p0";
}

void RecordWriter::Slot(uint16_t slot, uint16_t normal) {
  if (slot == normal) return Byte(0);
  if (slot < kNearSlots) return Byte(static_cast<uint8_t>(1 + slot));
  const auto* const special = std::find(std::begin(kSpecial), std::end(kSpecial), slot);
  if (special != std::end(kSpecial)) {
    return Byte(static_cast<uint8_t>(1 + kNearSlots + (special - std::begin(kSpecial))));
  }
  Byte(kLongCode);
  Byte(static_cast<uint8_t>(slot));
  Byte(static_cast<uint8_t>(slot >> 8));
}

uint16_t RecordReader::ReadHandle(uint16_t normal) {
  const uint8_t code = ReadByte();
  if (code == 0) return normal;
  if (code == kLongCode) {
    const uint16_t low = ReadByte();
    return static_cast<uint16_t>((low | ReadByte() << 8) % kMaxSlots);
  }
  const size_t near = (code - 1u) % kNear;
  return near < kNearSlots ? static_cast<uint16_t>(near) : kSpecial[near - kNearSlots];
}

uint16_t RecordReader::ReadSlot() { return static_cast<uint16_t>(ReadHandle(0) % kMaxSlots); }

void RecordReader::OptionalBtf(std::string_view, uint16_t& btf) {
  btf = ReadHandle(kNoBtf);
  // The numbers of what is no handle stand for what is no BTF object.
  if (btf >= kMaxSlots && btf != kNoBtf) btf = kBadBtf;
}

void RecordWriter::OptionalFds(std::string_view, const std::vector<Handle>& fds) {
  Append(fds.size());
  for (const Handle fd : fds) Slot(fd.slot, 0);
}

void RecordReader::OptionalFds(std::string_view, std::vector<Handle>& fds) {
  fds.resize(std::min<uint64_t>(ReadNumber(), kMaxFds));
  for (Handle& fd : fds) fd.slot = ReadHandle(0);
}

void RecordWriter::Type(std::string_view, MapType type) {
  const auto kinds = MapKinds();
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i].type == type) return Byte(static_cast<uint8_t>(i));
  }
  Byte(kLongCode);
  Append(static_cast<uint32_t>(type));
}

void RecordReader::Type(std::string_view, MapType& type) {
  const uint8_t code = ReadByte();
  type = code == kLongCode ? static_cast<MapType>(ReadNumber())
                           : MapKinds()[code % MapKinds().size()].type;
}

void AppendRecord(const Operation& operation, std::vector<uint8_t>* out) {
  out->push_back(static_cast<uint8_t>(1 + CodeOf(operation.call)));
  RecordWriter writer(out);
  std::visit([&]<typename T>(const T& call) { OperationMembers<T>::Of(writer, call); },
             operation.call);
  writer.Bool("caller", operation.caller == Caller::kUnprivileged, false);
  writer.Number("cpu", operation.cpu, kAnyCpu);
  writer.Number("thread", operation.thread);
}

void ReadRecord(RecordReader& reader, uint8_t code, Operation* operation) {
  const std::vector<Call>& calls = EveryCall();
  operation->call = calls[(code + calls.size() - 1) % calls.size()];
  std::visit([&]<typename T>(T& call) { OperationMembers<T>::Of(reader, call); }, operation->call);
  bool unprivileged = false;
  reader.Bool("caller", unprivileged, false);
  // Helpers' programs are loaded by a privileged caller.
  operation->caller =
      unprivileged && !IsProgramPath(operation->call) ? Caller::kUnprivileged : Caller::kPrivileged;
  reader.Number("cpu", operation->cpu, kAnyCpu);
  reader.NumberIn("thread", operation->thread, 0, kMaxThreads - 1);
}

}  // namespace mapspec

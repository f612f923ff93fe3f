// SPDX-License-Identifier: MIT
#include "properties/script_decoder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "properties/map_creation.h"
#include "properties/script_record.h"

namespace mapspec {
namespace {

constexpr uint8_t kEnd = 0xc0, kEscape = 0xdb, kEscapedEnd = 0xdc, kEscapedEscape = 0xdd;
constexpr uint8_t kGenerated = 0;      // The code of a record of decisions.
constexpr uint8_t kMaxGenerated = 64;  // Operations of such a record.

void AppendEscaped(std::span<const uint8_t> record, std::vector<uint8_t>* out) {
  for (const uint8_t byte : record) {
    if (byte == kEnd || byte == kEscape) {
      out->push_back(kEscape);
      out->push_back(byte == kEnd ? kEscapedEnd : kEscapedEscape);
    } else {
      out->push_back(byte);
    }
  }
  out->push_back(kEnd);
}

}  // namespace

ScriptDecoder::ScriptDecoder(GeneratorOptions options, const ScriptLimits& limits)
    : limits_(limits) {
  options.max_map_bytes = std::min(options.max_map_bytes, limits.map_bytes);
  generators_.emplace_back(options);
  const std::vector<MapType> wanted = options.types;
  const auto among = [](const std::vector<MapType>& types, MapType type) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  for (const MapKind& kind : MapKinds()) {
    if (!wanted.empty() && !among(wanted, kind.type)) continue;
    if (among(options.lacking, kind.type)) continue;
    options.types = {kind.type};
    generators_.emplace_back(options);
  }
}

bool ScriptDecoder::NextRecord(std::span<const uint8_t>* bytes) {
  record_.clear();
  while (!bytes->empty()) {
    uint8_t byte = bytes->front();
    *bytes = bytes->subspan(1);
    if (byte == kEnd) {
      if (!record_.empty()) return true;
      continue;
    }
    if (byte == kEscape && !bytes->empty() && bytes->front() != kEnd) {
      byte = bytes->front();
      *bytes = bytes->subspan(1);
      if (byte == kEscapedEnd) byte = kEnd;
      if (byte == kEscapedEscape) byte = kEscape;
    }
    record_.push_back(byte);
  }
  return !record_.empty();
}

void ScriptDecoder::Decode(std::span<const uint8_t> bytes, std::vector<Operation>* operations) {
  zeros_ = limits_.zeros;
  maps_bytes_ = limits_.all_maps_bytes;
  operations->clear();
  while (operations->size() < limits_.operations && NextRecord(&bytes)) {
    const size_t first = operations->size();
    const uint8_t code = record_.front();
    const std::span<const uint8_t> body = std::span(record_).subspan(1);
    if (code == kGenerated) {
      Generate(body, operations);
    } else {
      RecordReader reader(body, &zeros_);
      ReadRecord(reader, code, &operations->emplace_back());
      if (MakesLackingType(operations->back())) operations->pop_back();
    }
    for (size_t i = first; i < operations->size(); ++i) Bound(&(*operations)[i]);
  }
}

bool ScriptDecoder::MakesLackingType(const Operation& operation) const {
  const auto* const create = std::get_if<MapCreate>(&operation.call);
  const std::vector<MapType>& lacking = generators_.front().options().lacking;
  return create != nullptr &&
         std::find(lacking.begin(), lacking.end(), create->type) != lacking.end();
}

void ScriptDecoder::Generate(std::span<const uint8_t> record, std::vector<Operation>* operations) {
  RecordReader reader(record, &zeros_);
  const ScriptGenerator& generator = generators_[reader.ReadByte() % generators_.size()];
  const size_t room = static_cast<size_t>(limits_.operations) - operations->size();
  const size_t count = std::min<size_t>(room, 1 + reader.ReadByte() % kMaxGenerated);
  ByteEntropy entropy(reader.rest());
  generator.Generate(entropy, count, &generated_);
  std::move(generated_.operations.begin(), generated_.operations.end(),
            std::back_inserter(*operations));
}

void ScriptDecoder::Bound(Operation* operation) {
  const auto shorten = [&](uint32_t& count) {
    count = static_cast<uint32_t>(std::min<uint64_t>(count, limits_.batch_elements));
  };
  if (auto* const batch = std::get_if<UpdateBatch>(&operation->call)) shorten(batch->count);
  if (auto* const batch = std::get_if<DeleteBatch>(&operation->call)) shorten(batch->count);
  auto* const create = std::get_if<MapCreate>(&operation->call);
  if (create == nullptr) return;
  BoundCreate(std::min(limits_.map_bytes, maps_bytes_), create);
  const uint64_t bytes = EstimateBytes(*create);
  if (bytes != UINT64_MAX) maps_bytes_ -= std::min(bytes, maps_bytes_);
}

std::vector<uint8_t> EncodeScript(std::span<const Operation> operations) {
  std::vector<uint8_t> out, record;
  for (const Operation& operation : operations) {
    record.clear();
    AppendRecord(operation, &record);
    // Zeros at the end need not be there.
    while (record.back() == 0) record.pop_back();
    AppendEscaped(record, &out);
  }
  return out;
}

}  // namespace mapspec

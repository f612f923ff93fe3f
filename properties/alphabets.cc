// SPDX-License-Identifier: MIT
#include "properties/alphabets.h"

#include <initializer_list>
#include <span>

namespace mapspec {
namespace {

constexpr uint32_t kKeySize = 4;
constexpr uint32_t kValueSize = 4;

InBuffer Key(uint32_t index) { return {Pointer::kValid, Bytes::LittleEndian(index, kKeySize)}; }
InBuffer Keys(uint32_t first, uint32_t second) {
  InBuffer keys = Key(first);
  keys.bytes.Append(Key(second).bytes);
  return keys;
}
const InBuffer kNullKey{Pointer::kNull, {}};

bool IsLru(MapType type) { return type == MapType::LRU_HASH || type == MapType::LRU_PERCPU_HASH; }
// The flag that makes the other kind of a hash.
uint32_t OtherKind(MapType type) { return IsLru(type) ? BPF_F_NO_COMMON_LRU : BPF_F_NO_PREALLOC; }

class Builder {
 public:
  explicit Builder(Alphabet* alphabet) : alphabet_(*alphabet) {}
  void Reads(int key, Call call) { Add({true, key}, std::move(call)); }
  void Writes(int key, Call call) { Add({false, key}, std::move(call)); }
  // Programs run there from now on.
  void OnCpu(uint16_t cpu) { cpu_ = cpu; }
  void Map(uint32_t key_size, uint32_t max_entries, uint32_t flags) {
    MapCreate create;
    create.type = alphabet_.type;
    create.key_size = key_size;
    create.value_size = kValueSize;
    create.max_entries = max_entries;
    create.map_flags = flags;
    alphabet_.maps.push_back(create);
  }

 private:
  void Add(Letter letter, Call call) {
    alphabet_.letters.push_back(letter);
    Operation operation{std::move(call), Caller::kPrivileged};
    // Which value of a per-CPU map a program finds, its CPU tells.
    if (IsPerCpu(alphabet_.type) && IsProgramPath(operation.call)) operation.cpu = cpu_;
    // What an LRU map may evict, the CPU of every call tells.
    if (IsLru(alphabet_.type)) operation.cpu = cpu_;
    alphabet_.operations.push_back(std::move(operation));
  }
  Alphabet& alphabet_;
  uint16_t cpu_ = 0;
};

const Handle kMap{0};
Bytes KeyBytes(uint32_t index) { return Key(index).bytes; }

Update MakeUpdate(InBuffer key, uint64_t flags) {
  return Update{kMap, std::move(key), {Pointer::kValid, Bytes(kValueSize)}, flags};
}
LookupBatch MakeLookupBatch(bool taking, LookupBatch::Start start, uint32_t count) {
  LookupBatch batch;
  batch.map = kMap;
  batch.and_delete = taking;
  batch.start = start;
  batch.count = count;
  return batch;
}
UpdateBatch MakeUpdateBatch(uint32_t first, uint32_t second) {
  UpdateBatch batch;
  batch.map = kMap;
  batch.keys = Keys(first, second);
  batch.values = {Pointer::kValid, Bytes(2 * kValueSize)};
  batch.count = 2;
  return batch;
}
DeleteBatch MakeDeleteBatch(uint32_t first, uint32_t second) {
  DeleteBatch batch;
  batch.map = kMap;
  batch.keys = Keys(first, second);
  batch.count = 2;
  return batch;
}

Alphabet MakeHash(MapType type) {
  Alphabet alphabet{type, true, {}, {}, {}, 3, 3, 4, {}};
  Builder builder(&alphabet);
  for (const uint32_t flags : {0u, OtherKind(type)}) {
    builder.Map(kKeySize, 1, flags);
    builder.Map(kKeySize, 2, flags);
  }
  for (const int key : {0, 1}) builder.Reads(key, Lookup{kMap, Key(key)});
  for (const int key : {0, 1}) builder.Reads(key, GetNextKey{kMap, Key(key)});
  builder.Reads(-1, GetNextKey{kMap, kNullKey});
  builder.Reads(-1, MakeLookupBatch(false, LookupBatch::Start::kNull, 2));
  for (const uint64_t flags : {BPF_ANY, BPF_NOEXIST, BPF_EXIST}) {
    for (const int key : {0, 1}) builder.Writes(key, MakeUpdate(Key(key), flags));
  }
  for (const int key : {0, 1}) builder.Writes(key, Delete{kMap, Key(key)});
  for (const int key : {0, 1}) builder.Writes(key, LookupAndDelete{kMap, Key(key)});
  builder.Writes(-1, MakeLookupBatch(true, LookupBatch::Start::kNull, 2));
  builder.Writes(0, MakeUpdateBatch(0, 1));
  builder.Writes(1, MakeUpdateBatch(1, 0));
  builder.Writes(0, MakeDeleteBatch(0, 1));
  builder.Writes(1, MakeDeleteBatch(1, 0));
  // Each word's map is made and closed wherever the thread may be: every word moves it twice.
  if (IsLru(type)) alphabet.thorough = alphabet.normal;
  return alphabet;
}

// Index 2 is the first that does not exist.
Alphabet MakeArray(MapType type) {
  Alphabet alphabet{type, false, {}, {}, {}, 2, 3, 4, {}};
  Builder builder(&alphabet);
  builder.Map(kKeySize, 2, 0);
  if (type == MapType::ARRAY) builder.Map(kKeySize, 2, BPF_F_MMAPABLE);
  for (const int key : {0, 1, 2}) builder.Reads(key, Lookup{kMap, Key(key)});
  for (const int key : {0, 1, 2}) builder.Reads(key, GetNextKey{kMap, Key(key)});
  builder.Reads(-1, GetNextKey{kMap, kNullKey});
  builder.Reads(-1, MakeLookupBatch(false, LookupBatch::Start::kNull, 1));
  builder.Reads(-1, MakeLookupBatch(false, LookupBatch::Start::kNull, 3));
  for (const int key : {0, 1, 2}) builder.Writes(key, MakeUpdate(Key(key), BPF_ANY));
  builder.Writes(0, MakeUpdate(Key(0), BPF_NOEXIST));
  builder.Writes(1, MakeUpdate(Key(1), BPF_EXIST));
  builder.Writes(0, Delete{kMap, Key(0)});
  builder.Writes(0, LookupAndDelete{kMap, Key(0)});
  builder.Writes(0, MakeUpdateBatch(0, 1));
  builder.Writes(1, MakeUpdateBatch(1, 2));
  builder.Writes(-1, Freeze{kMap});
  // Where the last batch ended depends on the batches before it, so this one does not commute with
  // them.
  builder.Writes(-1, MakeLookupBatch(false, LookupBatch::Start::kLast, 1));
  return alphabet;
}

Alphabet MakeQueueOrStack(MapType type) {
  Alphabet alphabet{type, false, {}, {}, {}, 4, 5, 6, {}};
  Builder builder(&alphabet);
  for (const uint32_t entries : {1u, 2u, 3u}) builder.Map(0, entries, 0);
  LookupAndDelete pop{kMap, kNullKey};
  LookupAndDelete lost = pop;
  lost.value = Pointer::kNull;
  builder.Reads(-1, Lookup{kMap, kNullKey});
  builder.Writes(-1, MakeUpdate(kNullKey, BPF_ANY));
  builder.Writes(-1, MakeUpdate(kNullKey, BPF_EXIST));
  builder.Writes(-1, pop);
  builder.Writes(-1, lost);
  builder.Writes(-1, MakeUpdate(kNullKey, BPF_NOEXIST));
  builder.Writes(-1, Freeze{kMap});
  return alphabet;
}

HelperLookup MakeHelperLookup(uint32_t key, bool store) {
  return {kMap, KeyBytes(key), store, store ? Bytes(kValueSize) : Bytes(), false};
}
HelperUpdate MakeHelperUpdate(uint32_t key, uint64_t flags, bool hold) {
  return {kMap, KeyBytes(key), Bytes(kValueSize), flags, hold};
}

// Of a per-CPU map: what the programs of two CPUs do with an element.
void AddOtherCpu(Builder* builder, MapType type, std::initializer_list<uint32_t> keys) {
  for (const uint32_t key : keys) {
    const int at = static_cast<int>(key);
    for (const uint32_t cpu : {0, 1}) {
      if (IsPerCpu(type)) builder->Reads(at, HelperLookupPercpu{kMap, KeyBytes(key), cpu});
    }
  }
  builder->OnCpu(1);
  for (const uint32_t key : keys) {
    const int at = static_cast<int>(key);
    builder->Reads(at, MakeHelperLookup(key, false));
    builder->Writes(at, MakeHelperUpdate(key, BPF_ANY, false));
    builder->Writes(at, MakeHelperLookup(key, true));
  }
}

Alphabet MakeHashWithPrograms(MapType type) {
  Alphabet alphabet{type, true, {}, {}, {}, 2, 3, 4, {}};
  Builder builder(&alphabet);
  for (const uint32_t flags : {0u, OtherKind(type)}) {
    builder.Map(kKeySize, 1, flags);
    builder.Map(kKeySize, 2, flags);
  }
  for (const int key : {0, 1}) builder.Reads(key, Lookup{kMap, Key(key)});
  for (const int key : {0, 1}) builder.Reads(key, MakeHelperLookup(key, false));
  builder.Reads(-1, HelperForEach{kMap, 0, 0});
  for (const int key : {0, 1}) builder.Writes(key, MakeUpdate(Key(key), BPF_ANY));
  for (const int key : {0, 1}) builder.Writes(key, Delete{kMap, Key(key)});
  for (const int key : {0, 1}) builder.Writes(key, LookupAndDelete{kMap, Key(key)});
  for (const uint64_t flags : {BPF_ANY, BPF_NOEXIST, BPF_EXIST}) {
    for (const int key : {0, 1}) builder.Writes(key, MakeHelperUpdate(key, flags, false));
  }
  for (const int key : {0, 1}) builder.Writes(key, HelperDelete{kMap, KeyBytes(key), false});
  for (const int key : {0, 1}) builder.Writes(key, MakeHelperLookup(key, true));
  for (const int key : {0, 1}) builder.Writes(key, MakeHelperUpdate(key, BPF_ANY, true));
  for (const int key : {0, 1}) builder.Writes(key, HelperDelete{kMap, KeyBytes(key), true});
  if (IsPerCpu(type) || IsLru(type)) AddOtherCpu(&builder, type, {0, 1});
  // Every step to another CPU waits for its turn there.
  if (IsLru(type)) alphabet.thorough = alphabet.normal;
  for (const uint32_t key : {0, 1}) alphabet.reset.push_back({Delete{kMap, Key(key)}});
  return alphabet;
}

// Index 2 is the first that does not exist.
Alphabet MakeArrayWithPrograms(MapType type) {
  Alphabet alphabet{type, false, {}, {}, {}, 2, 3, 4, {}};
  Builder builder(&alphabet);
  builder.Map(kKeySize, 2, 0);
  if (type == MapType::ARRAY) builder.Map(kKeySize, 2, BPF_F_MMAPABLE);
  for (const int key : {0, 1}) builder.Reads(key, Lookup{kMap, Key(key)});
  for (const int key : {0, 1, 2}) builder.Reads(key, MakeHelperLookup(key, false));
  builder.Reads(-1, HelperForEach{kMap, 0, 0});
  for (const int key : {0, 1}) builder.Writes(key, MakeUpdate(Key(key), BPF_ANY));
  for (const int key : {0, 1, 2}) builder.Writes(key, MakeHelperUpdate(key, BPF_ANY, false));
  builder.Writes(0, MakeHelperUpdate(0, BPF_NOEXIST, false));
  builder.Writes(1, MakeHelperUpdate(1, BPF_EXIST, false));
  for (const int key : {0, 1, 2}) builder.Writes(key, MakeHelperLookup(key, true));
  builder.Writes(0, HelperDelete{kMap, KeyBytes(0), false});
  builder.Writes(0, MakeHelperUpdate(0, BPF_ANY, true));
  if (IsPerCpu(type)) AddOtherCpu(&builder, type, {0});
  // All zeros, as an array begins.
  for (const uint32_t key : {0, 1}) alphabet.reset.push_back({MakeUpdate(Key(key), BPF_ANY)});
  return alphabet;
}

Alphabet MakeQueueOrStackWithPrograms(MapType type) {
  Alphabet alphabet{type, false, {}, {}, {}, 4, 5, 6, {}};
  Builder builder(&alphabet);
  for (const uint32_t entries : {1u, 2u, 3u}) builder.Map(0, entries, 0);
  const LookupAndDelete pop{kMap, kNullKey};
  builder.Reads(-1, Lookup{kMap, kNullKey});
  builder.Reads(-1, HelperPeek{kMap});
  builder.Writes(-1, MakeUpdate(kNullKey, BPF_ANY));
  builder.Writes(-1, pop);
  builder.Writes(-1, HelperPush{kMap, Bytes(kValueSize), BPF_ANY});
  builder.Writes(-1, HelperPush{kMap, Bytes(kValueSize), BPF_EXIST});
  builder.Writes(-1, HelperPop{kMap});
  alphabet.reset.assign(3, {pop});
  return alphabet;
}

// m1 is the map that m0 is created with, m2 one more like it, m3 another kind of map.
Handle Inner(uint16_t slot) { return Handle{slot}; }
void SetUpInner(Alphabet* alphabet) {
  for (const uint16_t slot : {uint16_t{1}, uint16_t{2}, uint16_t{3}}) {
    MapCreate create;
    create.result = Inner(slot);
    create.type = slot == 3 ? MapType::HASH : MapType::ARRAY;
    create.key_size = kKeySize;
    create.value_size = kValueSize;
    create.max_entries = 1;
    alphabet->setup.push_back({create});
  }
  for (MapCreate& map : alphabet->maps) map.inner_map = Inner(1);
}
Update Put(int key, Handle inner, uint64_t flags) {
  Update put;
  put.map = kMap;
  put.key = Key(static_cast<uint32_t>(key));
  put.flags = flags;
  put.value_fd = inner;
  return put;
}
UpdateBatch PutBoth(uint32_t first, uint32_t second, Handle of_first, Handle of_second) {
  UpdateBatch batch = MakeUpdateBatch(first, second);
  batch.values = {};
  batch.value_fds = {of_first, of_second};
  return batch;
}

// Of an array, index 2 is the first that does not exist.
Alphabet MakeOfMaps(MapType type) {
  const bool hash = type == MapType::HASH_OF_MAPS;
  // Shorter words than of other types: a kernel takes a millisecond for every element that goes.
  Alphabet alphabet{type, hash, {}, {}, {}, 2, 2, 3, {}};
  Builder builder(&alphabet);
  builder.Map(kKeySize, 2, 0);
  if (hash) builder.Map(kKeySize, 1, BPF_F_NO_PREALLOC);
  for (const int key : {0, 1}) builder.Reads(key, Lookup{kMap, Key(key)});
  for (const int key : {0, 1}) builder.Reads(key, GetNextKey{kMap, Key(key)});
  builder.Reads(-1, GetNextKey{kMap, kNullKey});
  builder.Reads(-1, MakeLookupBatch(false, LookupBatch::Start::kNull, 1));
  builder.Reads(-1, MakeLookupBatch(false, LookupBatch::Start::kNull, 3));
  for (const int key : {0, 1}) builder.Writes(key, Put(key, Inner(1), BPF_ANY));
  for (const int key : {0, 1}) builder.Writes(key, Put(key, Inner(2), BPF_ANY));
  for (const int key : {0, 1}) builder.Writes(key, Put(key, Inner(2), BPF_NOEXIST));
  for (const int key : {0, 1}) builder.Writes(key, Put(key, Inner(1), BPF_EXIST));
  for (const int key : {0, 1}) builder.Writes(key, Put(key, Inner(3), BPF_ANY));
  for (const int key : {0, 1}) builder.Writes(key, Put(key, kBadFd, BPF_ANY));
  for (const int key : {0, 1}) builder.Writes(key, Delete{kMap, Key(key)});
  for (const int key : {0, 1}) builder.Writes(key, LookupAndDelete{kMap, Key(key)});
  if (!hash) builder.Writes(-1, Put(2, Inner(1), BPF_ANY));
  builder.Writes(-1, MakeLookupBatch(true, LookupBatch::Start::kNull, 2));
  builder.Writes(0, PutBoth(0, 1, Inner(1), Inner(2)));
  builder.Writes(1, PutBoth(1, 0, Inner(1), Inner(2)));
  builder.Writes(0, MakeDeleteBatch(0, 1));
  builder.Writes(1, MakeDeleteBatch(1, 0));
  SetUpInner(&alphabet);
  return alphabet;
}

Alphabet MakeOfMapsWithPrograms(MapType type) {
  Alphabet alphabet{type, type == MapType::HASH_OF_MAPS, {}, {}, {}, 2, 3, 4, {}};
  Builder builder(&alphabet);
  builder.Map(kKeySize, 2, 0);
  const Bytes first = KeyBytes(0);
  for (const int key : {0, 1}) {
    builder.Reads(key, HelperLookupInner{kMap, KeyBytes(key), first, false, {}});
  }
  for (const int key : {0, 1}) {
    builder.Writes(key, HelperLookupInner{kMap, KeyBytes(key), first, true, Bytes(kValueSize)});
  }
  for (const int key : {0, 1}) builder.Writes(key, Put(key, Inner(1), BPF_ANY));
  for (const int key : {0, 1}) builder.Writes(key, Put(key, Inner(2), BPF_ANY));
  for (const int key : {0, 1}) builder.Writes(key, Delete{kMap, Key(key)});
  for (const uint32_t key : {0, 1}) alphabet.reset.push_back({Delete{kMap, Key(key)}});
  SetUpInner(&alphabet);
  return alphabet;
}

// m1 and m2 are sockets that are bound to nothing. Index 2 is the first that does not exist.
void SetUpSockets(Alphabet* alphabet) {
  for (const uint16_t slot : {uint16_t{1}, uint16_t{2}}) {
    SocketOpen open;
    open.result = Handle{slot};
    open.kind = SocketOpen::Kind::kXdpUnbound;
    alphabet->setup.push_back({open});
  }
}

Alphabet MakeXskMap() {
  Alphabet alphabet{MapType::XSKMAP, false, {}, {}, {}, 2, 3, 4, {}};
  Builder builder(&alphabet);
  builder.Map(kKeySize, 2, 0);
  builder.Reads(0, Lookup{kMap, Key(0)});
  for (const int key : {0, 1, 2}) builder.Reads(key, GetNextKey{kMap, Key(key)});
  builder.Reads(-1, GetNextKey{kMap, kNullKey});
  for (const uint64_t flags : {BPF_ANY, BPF_NOEXIST, BPF_EXIST}) {
    for (const uint16_t socket : {uint16_t{1}, uint16_t{2}}) {
      builder.Writes(0, Put(0, Handle{socket}, flags));
    }
  }
  builder.Writes(1, Put(1, Handle{1}, BPF_NOEXIST));
  builder.Writes(2, Put(2, Handle{1}, BPF_ANY));
  builder.Writes(0, Put(0, kBadFd, BPF_ANY));
  for (const int key : {0, 1, 2}) builder.Writes(key, Delete{kMap, Key(key)});
  builder.Writes(-1, Freeze{kMap});
  SetUpSockets(&alphabet);
  return alphabet;
}

Alphabet MakeXskMapWithPrograms() {
  Alphabet alphabet{MapType::XSKMAP, false, {}, {}, {}, 2, 3, 4, {}};
  Builder builder(&alphabet);
  builder.Map(kKeySize, 2, 0);
  for (const int key : {0, 1, 2}) builder.Reads(key, MakeHelperLookup(key, false));
  for (const uint32_t key : {0, 1, 2}) {
    builder.Reads(static_cast<int>(key), HelperRedirectMap{kMap, key, 2});
  }
  builder.Reads(0, HelperRedirectMap{kMap, 0, 4});
  for (const int key : {0, 1}) builder.Writes(key, Put(key, Handle{1}, BPF_ANY));
  builder.Writes(0, Put(0, Handle{2}, BPF_NOEXIST));
  builder.Writes(0, Put(0, Handle{2}, BPF_EXIST));
  for (const int key : {0, 1}) builder.Writes(key, Delete{kMap, Key(key)});
  // The socket that was there closes.
  builder.Writes(-1, SocketOpen{Handle{1}, SocketOpen::Kind::kXdpUnbound, 0, 0});
  for (const uint32_t key : {0, 1}) alphabet.reset.push_back({Delete{kMap, Key(key)}});
  SetUpSockets(&alphabet);
  return alphabet;
}

const Alphabet* Find(std::span<const Alphabet> alphabets, MapType type) {
  for (const Alphabet& alphabet : alphabets) {
    if (alphabet.type == type) return &alphabet;
  }
  return nullptr;
}

}  // namespace

size_t Alphabet::Length(Effort effort) const {
  return effort == Effort::kQuick ? quick : effort == Effort::kNormal ? normal : thorough;
}

Alphabet Alphabet::Restricted(const CapabilitySet& capabilities) const {
  Alphabet rest = *this;
  rest.letters.clear();
  rest.operations.clear();
  for (size_t i = 0; i < letters.size(); ++i) {
    if ((Required(operations[i]) & ~capabilities).any()) continue;
    rest.letters.push_back(letters[i]);
    rest.operations.push_back(operations[i]);
  }
  for (const Operation& operation : reset) {
    if ((Required(operation) & ~capabilities).any()) rest.reset.clear();
  }
  return rest;
}

const Alphabet* FindAlphabet(MapType type) {
  static const Alphabet kAlphabets[] = {MakeHash(MapType::HASH),
                                        MakeArray(MapType::ARRAY),
                                        MakeHash(MapType::PERCPU_HASH),
                                        MakeHash(MapType::LRU_HASH),
                                        MakeHash(MapType::LRU_PERCPU_HASH),
                                        MakeArray(MapType::PERCPU_ARRAY),
                                        MakeQueueOrStack(MapType::QUEUE),
                                        MakeQueueOrStack(MapType::STACK),
                                        MakeOfMaps(MapType::ARRAY_OF_MAPS),
                                        MakeOfMaps(MapType::HASH_OF_MAPS),
                                        MakeXskMap()};
  return Find(kAlphabets, type);
}

const Alphabet* FindProgramAlphabet(MapType type) {
  static const Alphabet kAlphabets[] = {MakeHashWithPrograms(MapType::HASH),
                                        MakeArrayWithPrograms(MapType::ARRAY),
                                        MakeHashWithPrograms(MapType::PERCPU_HASH),
                                        MakeHashWithPrograms(MapType::LRU_HASH),
                                        MakeHashWithPrograms(MapType::LRU_PERCPU_HASH),
                                        MakeArrayWithPrograms(MapType::PERCPU_ARRAY),

                                        MakeQueueOrStackWithPrograms(MapType::QUEUE),
                                        MakeQueueOrStackWithPrograms(MapType::STACK),
                                        MakeOfMapsWithPrograms(MapType::ARRAY_OF_MAPS),
                                        MakeOfMapsWithPrograms(MapType::HASH_OF_MAPS),
                                        MakeXskMapWithPrograms()};
  return Find(kAlphabets, type);
}

void SetValues(size_t place, Operation* operation) {
  const auto low = static_cast<uint8_t>(place * 2 + 1);
  if (auto* update = std::get_if<Update>(&operation->call)) {
    if (update->value_fd == kNoFd) update->value.bytes[0] = low;
  } else if (auto* batch = std::get_if<UpdateBatch>(&operation->call)) {
    if (!batch->value_fds.empty()) return;
    batch->values.bytes[0] = low;
    batch->values.bytes[kValueSize] = static_cast<uint8_t>(low + 1);
  } else if (auto* helper = std::get_if<HelperUpdate>(&operation->call)) {
    helper->value[0] = low;
  } else if (auto* push = std::get_if<HelperPush>(&operation->call)) {
    push->value[0] = low;
  } else if (auto* lookup = std::get_if<HelperLookup>(&operation->call)) {
    if (lookup->store) lookup->value[0] = low;
  } else if (auto* inner = std::get_if<HelperLookupInner>(&operation->call)) {
    if (inner->store) inner->value[0] = low;
  }
}

}  // namespace mapspec

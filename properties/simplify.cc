// SPDX-License-Identifier: MIT
#include "properties/simplify.h"

#include <algorithm>
#include <bit>
#include <type_traits>

namespace mapspec {
namespace {

// One list of fields for each kind of operation: both the measure and the simplification walk it,
// so that neither forgets a field. `f` is called with each field and what kind of field it is.
template <typename F>
void Fields(MapCreate& op, F&& f) {
  f.Slot(op.result.slot);
  f.Size(op.value_size, 1);
  f.Size(op.key_size, 4);
  f.Size(op.max_entries, 1);
  f.Flags(op.map_flags);
  f.Text(op.name);
  f.Number(op.numa_node);
  f.Target(op.inner_map);
  f.Number(op.map_extra);
  f.Number(op.attr_size);
  f.Number(op.btf_key_type_id);
  f.Number(op.btf_value_type_id);
  f.Btf(op.btf);
}
template <typename F>
void Fields(BtfLoad& op, F&& f) {
  f.Slot(op.result);
  f.Size(op.key_size, 4);
  f.Size(op.value_size, 4);
  f.Lock(op.lock_offset);
}
template <typename F>
void Fields(Lookup& op, F&& f) {
  f.Flags(op.flags);
  f.At(op.value);
  f.Input(op.key);
}
template <typename F>
void Fields(LookupAndDelete& op, F&& f) {
  f.Flags(op.flags);
  f.At(op.value);
  f.Input(op.key);
}
template <typename F>
void Fields(Update& op, F&& f) {
  f.Flags(op.flags);
  f.Input(op.key);
  f.Input(op.value);
}
template <typename F>
void Fields(Delete& op, F&& f) {
  f.Input(op.key);
}
template <typename F>
void Fields(GetNextKey& op, F&& f) {
  f.At(op.next_key);
  f.Input(op.key);
}
template <typename F>
void Fields(LookupBatch& op, F&& f) {
  f.Flags(op.flags);
  f.Flags(op.elem_flags);
  f.Start(op.start);
  f.Raw(op.in_batch);
  f.At(op.out_batch);
  f.At(op.keys);
  f.At(op.values);
  f.Number(op.count);
}
template <typename F>
void Fields(UpdateBatch& op, F&& f) {
  f.Flags(op.flags);
  f.Flags(op.elem_flags);
  f.Number(op.count);
  f.Input(op.keys);
  f.Input(op.values);
}
template <typename F>
void Fields(DeleteBatch& op, F&& f) {
  f.Flags(op.flags);
  f.Flags(op.elem_flags);
  f.Number(op.count);
  f.Input(op.keys);
}
template <typename F>
void Fields(GetInfo& op, F&& f) {
  f.Number(op.info_len);
  f.At(op.info);
}
template <typename F>
void Fields(GetFdById& op, F&& f) {
  f.Slot(op.result.slot);
  f.Flags(op.open_flags);
  f.Number(op.id);
}
template <typename F>
void Fields(GetNextId& op, F&& f) {
  f.Number(op.id);
}
template <typename F>
void Fields(Pin& op, F&& f) {
  f.Flags(op.file_flags);
  f.Path(op.path);
}
template <typename F>
void Fields(ObjGet& op, F&& f) {
  f.Slot(op.result.slot);
  f.Flags(op.file_flags);
  f.Path(op.path);
}
template <typename F>
void Fields(Unlink& op, F&& f) {
  f.Path(op.path);
}
template <typename F>
void Fields(Mmap& op, F&& f) {
  f.Slot(op.result);
  f.Number(op.offset);
  f.Size(op.length, 4096);
  f.Plain(op.prot_write, false);
  f.Plain(op.prot_read, true);
  f.Plain(op.shared, true);
}
template <typename F>
void Fields(MemRead& op, F&& f) {
  f.Number(op.offset);
  f.Number(op.length);
}
template <typename F>
void Fields(MemWrite& op, F&& f) {
  f.Number(op.offset);
  f.Raw(op.bytes);
}
template <typename T, typename F>
void Fields(T&, F&&) {}

// Sums up how far each field is from its plainest value. Numbers count by their length in bits and
// then by their value, so that a smaller number is always less and no single field outweighs all
// others.
class Measure {
 public:
  uint64_t total = 0;

  void Slot(uint16_t slot) { total += slot; }
  void Target(Handle handle) { total += handle == kBadFd ? 0 : 2; }
  void Btf(uint16_t slot) { total += slot == kNoBtf ? 0 : 2; }
  template <typename N>
  void Size(N size, uint64_t plain) {
    total += size == plain ? 0 : 1 + Magnitude(size);
  }
  template <typename N>
  void Number(N number) {
    total += Magnitude(number);
  }
  template <typename N>
  void Flags(N flags) {
    total += 4 * static_cast<uint64_t>(std::popcount(flags));
  }
  void Lock(int32_t offset) {
    total += offset < 0 ? 0 : 1 + Magnitude(static_cast<uint32_t>(offset));
  }
  void Text(const std::string& text) { total += text.size(); }
  void Path(const std::string& path) { total += path == "p0" ? 0 : 1 + path.size(); }
  void Plain(bool value, bool plain) { total += value == plain ? 0 : 1; }
  void At(Pointer pointer) {
    total += pointer == Pointer::kValid ? 0 : pointer == Pointer::kNull ? 1 : 2;
  }
  void Start(LookupBatch::Start start) { total += static_cast<uint64_t>(start); }
  void Raw(const Bytes& bytes) {
    total += 8 * bytes.size();
    // Low bytes weigh less: what remains is a small number.
    for (size_t i = 0; i < bytes.size(); ++i)
      total += static_cast<uint64_t>(std::bit_width(bytes[i])) * (i < 4 ? 1 : 2);
  }
  void Input(const InBuffer& buffer) {
    At(buffer.pointer);
    Raw(buffer.bytes);
  }

 private:
  // Strictly increasing in the number, up to 2^16 exactly and beyond that by its length in bits.
  static uint64_t Magnitude(uint64_t number) {
    if (number < 65536) return number;
    return 65536 + number / (uint64_t{1} << 44) +
           64 * static_cast<uint64_t>(std::bit_width(number));
  }
};

// Walks the fields of a copy again and again, each time with one field made simpler.
class Simplifier {
 public:
  Simplifier(const Operation& original, std::vector<Operation>* forms)
      : original_(original), forms_(*forms), limit_(Complexity(original)) {}

  void Run() {
    Offer([](Operation& operation) { operation.caller = Caller::kPrivileged; });
    while (true) {
      // The field to change is the one numbered `target_`; the way to change it is `way_`.
      bool any = false;
      for (way_ = 0; way_ < kWays; ++way_) {
        Operation candidate = original_;
        at_ = 0;
        found_ = false;
        std::visit([&](auto& call) { Fields(call, *this); }, candidate.call);
        any |= found_;
        if (found_) Keep(std::move(candidate));
      }
      if (!any) return;
      ++target_;
    }
  }

  void Slot(uint16_t&) { Here(); }  // Renumbering is for the whole script.
  void Target(Handle& handle) {
    if (Here()) handle = kBadFd;
  }
  void Btf(uint16_t& slot) {
    if (Here()) slot = kNoBtf;
  }
  template <typename N>
  void Size(N& size, uint64_t plain) {
    if (!Here()) return;
    if (way_ == 0) {
      size = static_cast<N>(plain);
    } else {
      Shrink(size, way_ - 1);
    }
  }
  template <typename N>
  void Number(N& number) {
    if (Here()) Shrink(number, way_);
  }
  template <typename N>
  void Flags(N& flags) {
    if (!Here()) return;
    if (way_ == 0) {
      flags = 0;
      return;
    }
    // Without one of the set bits, then only one of them.
    const int bits = std::popcount(flags);
    const auto nth = [](N word, int n) {
      for (; n > 0; --n) word = static_cast<N>(word & (word - 1));
      return static_cast<N>(word & (~word + 1));
    };
    const int index = static_cast<int>(way_) - 1;
    if (index < bits) {
      flags = static_cast<N>(flags & ~nth(flags, index));
    } else if (index - bits < bits) {
      flags = nth(flags, index - bits);
    }
  }
  void Lock(int32_t& offset) {
    if (Here()) offset = way_ == 0 ? -1 : 0;
  }
  void Text(std::string& text) {
    if (!Here()) return;
    text = way_ == 0   ? std::string()
           : way_ == 1 ? text.substr(0, 1)
                       : text.substr(0, text.size() / 2);
  }
  void Path(std::string& path) {
    if (Here()) path = "p0";
  }
  void Plain(bool& value, bool plain) {
    if (Here()) value = plain;
  }
  void At(Pointer& pointer) {
    if (Here()) pointer = way_ == 0 ? Pointer::kValid : Pointer::kNull;
  }
  void Start(LookupBatch::Start& start) {
    if (Here()) start = way_ == 0 ? LookupBatch::Start::kNull : LookupBatch::Start::kLast;
  }
  void Raw(Bytes& bytes) {
    if (Here()) Cut(bytes);
  }
  void Input(InBuffer& buffer) {
    if (Here()) buffer.pointer = way_ == 0 ? Pointer::kValid : Pointer::kNull;
    if (Here()) Cut(buffer.bytes);
  }

 private:
  static constexpr size_t kWays = 14;

  bool Here() {
    const bool here = at_++ == target_;
    found_ |= here;
    return here;
  }
  template <typename N>
  static void Shrink(N& number, size_t way) {
    static constexpr uint64_t kRound[] = {0, 1, 2, 4, 8};
    if (way < std::size(kRound)) {
      if (number > kRound[way]) number = static_cast<N>(kRound[way]);
    } else if (way == 5) {
      number = static_cast<N>(number / 2);
    } else if (way == 6) {
      number = static_cast<N>(number - number / 4);
    } else if (way == 7 && number != 0) {
      --number;
    }
  }
  void Cut(Bytes& bytes) {
    static constexpr size_t kSizes[] = {0, 1, 4, 8};
    const size_t size = bytes.size();
    if (way_ < std::size(kSizes)) {
      if (size > kSizes[way_]) bytes.Resize(kSizes[way_]);
    } else if (way_ == 4) {
      bytes.Resize(size / 2);
    } else if (way_ == 5) {
      if (size != 0) bytes.Resize(size - 1);
    } else if (way_ == 6) {
      bytes = Bytes(size);
    } else if (way_ == 7) {
      bytes = Bytes::LittleEndian(1, size);
    } else if (way_ == 8) {
      bytes = Bytes::LittleEndian(bytes.ToNumber() & 0xff, size);
    } else if (way_ == 9) {
      bytes = Bytes::LittleEndian(bytes.ToNumber() & 0xffffffffu, size);
    } else if (way_ == 10) {
      bytes = Bytes::LittleEndian(bytes.ToNumber(), size);
    }
  }
  template <typename F>
  void Offer(const F& change) {
    Operation candidate = original_;
    change(candidate);
    Keep(std::move(candidate));
  }
  void Keep(Operation candidate) {
    if (Complexity(candidate) >= limit_) return;
    if (std::find(forms_.begin(), forms_.end(), candidate) == forms_.end())
      forms_.push_back(std::move(candidate));
  }

  const Operation& original_;
  std::vector<Operation>& forms_;
  uint64_t limit_;
  size_t target_ = 0, way_ = 0, at_ = 0;
  bool found_ = false;
};

template <typename T>
concept HasMap = requires(T op) {
  op.map;
};
template <typename T>
concept HasResultHandle = requires(T op) {
  requires std::is_same_v<decltype(op.result), Handle>;
};
template <typename T>
concept HasOf = requires(T op) {
  op.of;
};
template <typename T>
concept HasView = requires(T op) {
  op.view;
};

void VisitSlot(Handle& handle, const std::function<void(Handle&)>& visit) {
  if (handle.slot < kMaxSlots) visit(handle);
}

}  // namespace

uint64_t Complexity(const Operation& operation) {
  Measure measure;
  // Fields() wants to write; the measure does not.
  std::visit(
      [&](const auto& call) { Fields(const_cast<std::decay_t<decltype(call)>&>(call), measure); },
      operation.call);
  return measure.total + (operation.caller == Caller::kPrivileged ? 0 : 1);
}

std::vector<Operation> SimplerForms(const Operation& operation) {
  std::vector<Operation> forms;
  Simplifier(operation, &forms).Run();
  return forms;
}

void VisitHandles(Call& call, const std::function<void(Handle&)>& visit) {
  std::visit(
      [&](auto& op) {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (HasMap<Op>) VisitSlot(op.map, visit);
        if constexpr (HasResultHandle<Op>) VisitSlot(op.result, visit);
        if constexpr (HasOf<Op>) VisitSlot(op.of, visit);
        if constexpr (std::is_same_v<Op, MapCreate>) VisitSlot(op.inner_map, visit);
      },
      call);
}

void VisitBuffers(Call& call, const std::function<void(Bytes&)>& visit) {
  if (auto* lookup = std::get_if<Lookup>(&call)) visit(lookup->key.bytes);
  if (auto* taking = std::get_if<LookupAndDelete>(&call)) visit(taking->key.bytes);
  if (auto* removal = std::get_if<Delete>(&call)) visit(removal->key.bytes);
  if (auto* next = std::get_if<GetNextKey>(&call)) visit(next->key.bytes);
  if (auto* store = std::get_if<MemWrite>(&call)) visit(store->bytes);
  if (auto* update = std::get_if<Update>(&call)) {
    visit(update->key.bytes);
    visit(update->value.bytes);
  }
  if (auto* batch = std::get_if<UpdateBatch>(&call)) {
    visit(batch->keys.bytes);
    visit(batch->values.bytes);
  }
  if (auto* batch = std::get_if<DeleteBatch>(&call)) visit(batch->keys.bytes);
}

void VisitViews(Call& call, const std::function<void(uint16_t&)>& visit) {
  std::visit(
      [&](auto& op) {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (HasView<Op>) visit(op.view);
        if constexpr (std::is_same_v<Op, Mmap>) visit(op.result);
      },
      call);
}

void VisitBtfs(Call& call, const std::function<void(uint16_t&)>& visit) {
  if (auto* load = std::get_if<BtfLoad>(&call)) visit(load->result);
  if (auto* create = std::get_if<MapCreate>(&call)) {
    if (create->btf < kMaxSlots) visit(create->btf);
  }
}

}  // namespace mapspec

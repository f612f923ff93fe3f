// SPDX-License-Identifier: MIT
#include "properties/simplify.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <type_traits>
#include <utility>

#include "properties/operation_fields.h"

namespace mapspec {
namespace {

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

// The system call that does to a map what a helper does; nullopt where there is none.
std::optional<Call> SyscallCounterpart(const Call& call) {
  const auto valid = [](const Bytes& bytes) { return InBuffer{Pointer::kValid, bytes}; };
  const InBuffer no_key{Pointer::kNull, {}};
  if (const auto* op = std::get_if<HelperLookup>(&call)) {
    // What is stored through the pointer makes an update of it.
    if (op->store) return Update{op->map, valid(op->key), valid(op->value), BPF_EXIST};
    return Lookup{op->map, valid(op->key), Pointer::kValid, op->lock ? BPF_F_LOCK : 0};
  }
  if (const auto* op = std::get_if<HelperUpdate>(&call)) {
    return Update{op->map, valid(op->key), valid(op->value), op->flags};
  }
  if (const auto* op = std::get_if<HelperDelete>(&call)) return Delete{op->map, valid(op->key)};
  if (const auto* op = std::get_if<HelperPush>(&call)) {
    return Update{op->map, no_key, valid(op->value), op->flags};
  }
  if (const auto* op = std::get_if<HelperPop>(&call)) {
    return LookupAndDelete{op->map, no_key, Pointer::kValid, 0};
  }
  if (const auto* op = std::get_if<HelperPeek>(&call)) {
    return Lookup{op->map, no_key, Pointer::kValid, 0};
  }
  if (const auto* op = std::get_if<HelperLookupPercpu>(&call)) {
    return Lookup{op->map, valid(op->key), Pointer::kValid, 0};
  }
  return std::nullopt;
}

// A program counts as much as three flags: whatever its system call does as well is shown by that.
constexpr uint64_t kProgramComplexity = 12;

// Walks the fields of a copy again and again, each time with one field made simpler.
class Simplifier {
 public:
  Simplifier(const Operation& original, std::vector<Operation>* forms)
      : original_(original), forms_(*forms), limit_(Complexity(original)) {}

  void Run() {
    Offer([](Operation& operation) {
      if (std::optional<Call> counterpart = SyscallCounterpart(operation.call)) {
        operation.call = std::move(*counterpart);
      }
    });
    Offer([](Operation& operation) { operation.caller = Caller::kPrivileged; });
    Offer([](Operation& operation) { operation.cpu = kAnyCpu; });
    Offer([](Operation& operation) { operation.cpu = 0; });
    Offer([](Operation& operation) { operation.thread = 0; });
    Offer([](Operation& operation) { operation.thread = 1; });
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

}  // namespace

uint64_t Complexity(const Operation& operation) {
  Measure measure;
  // Fields() wants to write; the measure does not.
  std::visit(
      [&](const auto& call) { Fields(const_cast<std::decay_t<decltype(call)>&>(call), measure); },
      operation.call);
  uint64_t total = measure.total;
  if (operation.caller != Caller::kPrivileged) ++total;
  if (operation.cpu != kAnyCpu) total += 1 + uint64_t{operation.cpu};
  total += operation.thread;
  if (IsProgramPath(operation.call)) total += kProgramComplexity;
  return total;
}

std::vector<Operation> SimplerForms(const Operation& operation) {
  std::vector<Operation> forms;
  Simplifier(operation, &forms).Run();
  return forms;
}

}  // namespace mapspec

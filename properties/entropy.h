// SPDX-License-Identifier: MIT
//
// Entropy: where generators take their decisions from. One generator serves three masters: a seeded
// pseudo-random sequence (properties), the bytes of a fuzzer's input, and RapidCheck's Random. By
// convention the draw 0 is the plainest choice, so that exhausted input (all zeros) gives ordinary
// operations. Thread-safety: one thread at a time for each object. No errors.
#ifndef PROPERTIES_ENTROPY_H_
#define PROPERTIES_ENTROPY_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mapspec {

class Entropy {
 public:
  virtual ~Entropy() = default;
  // 64 bits, any value equally likely.
  virtual uint64_t Bits() = 0;
  // A number below `bound`, which must not be 0. The bias of at most bound / 2^64 is of no
  // importance here.
  virtual uint64_t Below(uint64_t bound) = 0;
  // Whether everything that follows is only zeros: a reason to end the script.
  virtual bool exhausted() const { return false; }

  uint32_t Below32(uint32_t bound) { return static_cast<uint32_t>(Below(bound)); }
  // In [low, high].
  uint64_t Between(uint64_t low, uint64_t high) { return low + Below(high - low + 1); }
  // True in one of `n` cases; the draw 0 says no.
  bool OneIn(uint64_t n) { return Below(n) == n - 1; }
  // One element of a fixed list; the draw 0 takes the first.
  template <typename T, size_t N>
  const T& Pick(const T (&choices)[N]) {
    return choices[Below(N)];
  }
};

// splitmix64: turns one seed into any number of unrelated ones.
// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
constexpr uint64_t SplitMix(uint64_t* state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// xoshiro256**: fast, and the same sequence for the same seed on every machine.
// Source: Blackman, Vigna, "Scrambled linear pseudorandom number generators", 2018.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(uint64_t seed) {
    for (uint64_t& word : state_) word = SplitMix(&seed);
  }
  uint64_t Bits() override { return Next(); }
  uint64_t Below(uint64_t bound) override {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
  }

 private:
  uint64_t Next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  uint64_t state_[4];
};

// Reads the decisions from bytes that the caller keeps alive: as few bytes for each as its bound
// needs, so that a change of one byte changes little. Zeros after the end.
class ByteEntropy final : public Entropy {
 public:
  explicit ByteEntropy(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  uint64_t Bits() override { return Read(8); }
  uint64_t Below(uint64_t bound) override {
    size_t size = 1;
    while (size < 8 && (bound - 1) >> (8 * size) != 0) ++size;
    return Read(size) % bound;
  }
  bool exhausted() const override { return at_ >= bytes_.size(); }

 private:
  uint64_t Read(size_t size) {
    uint64_t number = 0;
    for (size_t i = 0; i < size && at_ < bytes_.size(); ++i) {
      number |= uint64_t{bytes_[at_++]} << (8 * i);
    }
    return number;
  }

  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
};

}  // namespace mapspec

#endif  // PROPERTIES_ENTROPY_H_

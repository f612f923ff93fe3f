// SPDX-License-Identifier: MIT
#include "properties/word_enumeration.h"

#include <vector>

namespace mapspec {
namespace {

class Enumerator {
 public:
  Enumerator(std::span<const Letter> letters, bool interchangeable, size_t length,
             const std::function<bool(std::span<const uint8_t>)>& visit)
      : letters_(letters), interchangeable_(interchangeable), word_(length), visit_(visit) {}

  uint64_t Run() {
    Extend(0, false);
    return visited_;
  }

 private:
  // `keyed`: a letter before `depth` used a key.
  bool Extend(size_t depth, bool keyed) {
    if (depth == word_.size()) {
      ++visited_;
      return visit_(word_);
    }
    for (size_t i = 0; i < letters_.size(); ++i) {
      const Letter& letter = letters_[i];
      if (letter.reads && depth != 0 && letters_[word_[depth - 1]].reads && word_[depth - 1] >= i)
        continue;
      if (interchangeable_ && !keyed && letter.first_key == 1) continue;
      word_[depth] = static_cast<uint8_t>(i);
      if (!Extend(depth + 1, keyed || letter.first_key >= 0)) return false;
    }
    return true;
  }

  std::span<const Letter> letters_;
  bool interchangeable_;
  std::vector<uint8_t> word_;
  const std::function<bool(std::span<const uint8_t>)>& visit_;
  uint64_t visited_ = 0;
};

}  // namespace

uint64_t ForEachWord(std::span<const Letter> letters, bool keys_interchangeable, size_t length,
                     const std::function<bool(std::span<const uint8_t>)>& visit) {
  return Enumerator(letters, keys_interchangeable, length, visit).Run();
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
//
// Numbers as users of `mapspec fuzz` type them: how many operations, how long. Pure functions.
#ifndef RUNNERS_FUZZ_NUMBERS_H_
#define RUNNERS_FUZZ_NUMBERS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mapspec {

// "5000", "1e6", "2.5M", "10k", "1_000_000": a whole number of at least 1 and below 2^63.
std::optional<uint64_t> ParseCount(std::string_view text);
// "60", "60s", "1.5m", "500ms", "1h30m", "2d"; seconds without a unit. More than zero, at most ten
// years.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

// "1.2M", "980"; "1h 02m 03s", "4.2 s": for people.
std::string CountText(double count);
std::string DurationText(double seconds);

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_NUMBERS_H_

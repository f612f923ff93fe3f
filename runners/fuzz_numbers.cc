// SPDX-License-Identifier: MIT
#include "runners/fuzz_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

namespace mapspec {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr Unit kCounts[] = {{"", 1},    {"k", 1e3}, {"m", 1e6}, {"million", 1e6},
                            {"g", 1e9}, {"b", 1e9}, {"t", 1e12}};
constexpr Unit kDurations[] = {{"", 1},         {"ms", 1e-3},    {"s", 1},       {"sec", 1},
                               {"second", 1},   {"seconds", 1},  {"m", 60},      {"min", 60},
                               {"minute", 60},  {"minutes", 60}, {"h", 3600},    {"hour", 3600},
                               {"hours", 3600}, {"d", 86400},    {"day", 86400}, {"days", 86400}};
constexpr double kTenYears = 10 * 365.25 * 86400;

std::string Simplified(std::string_view text) {
  std::string simple;
  for (const char c : text) {
    if (c == '_' || c == ' ' || c == '\'') continue;
    simple += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return simple;
}

// A number and its unit off the front of *text.
template <size_t N>
std::optional<double> TakeTerm(std::string_view* text, const Unit (&units)[N]) {
  double number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  size_t length = 0;
  while (length < text->size() && std::isalpha(static_cast<unsigned char>((*text)[length])))
    ++length;
  const std::string_view name = text->substr(0, length);
  text->remove_prefix(length);
  for (const Unit& unit : units) {
    if (unit.name == name) return number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint64_t> ParseCount(std::string_view text) {
  const std::string simple = Simplified(text);
  std::string_view rest = simple;
  const std::optional<double> number = TakeTerm(&rest, kCounts);
  if (!number || !rest.empty() || *number < 1 || *number >= 9.2e18) return std::nullopt;
  if (*number != std::floor(*number)) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  const std::string simple = Simplified(text);
  std::string_view rest = simple;
  double seconds = 0;
  do {
    const std::optional<double> term = TakeTerm(&rest, kDurations);
    if (!term) return std::nullopt;
    seconds += *term;
  } while (!rest.empty());
  const double milliseconds = std::round(seconds * 1000);
  if (milliseconds < 1 || seconds > kTenYears) return std::nullopt;
  return std::chrono::milliseconds(static_cast<int64_t>(milliseconds));
}

std::string CountText(double count) {
  if (count < 10'000) return fmt::format("{:.0f}", count);
  if (count < 1e6) return fmt::format("{:.0f}k", count / 1e3);
  if (count < 1e9) return fmt::format("{:.{}f}M", count / 1e6, count < 1e8 ? 1 : 0);
  return fmt::format("{:.2f}G", count / 1e9);
}

std::string DurationText(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<uint64_t>(seconds);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m {:02}s", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include "runners/guest/console_scanner.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace mapspec {
namespace {

constexpr size_t kLastLines = 20;
constexpr size_t kLongestReport = 80;

bool Has(std::string_view line, std::string_view part) {
  return line.find(part) != std::string_view::npos;
}

bool HasAny(std::string_view line, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return Has(line, part); });
}

// "[   12.345678] ", with CONFIG_PRINTK_CALLER "[   12.345678][    T1] ".
std::string_view WithoutTime(std::string_view line, bool* had_time) {
  *had_time = false;
  while (line.starts_with('[')) {
    const size_t end = line.find(']');
    if (end == std::string_view::npos || end > 24) return line;
    const std::string_view inside = line.substr(1, end - 1);
    const bool time = std::all_of(inside.begin(), inside.end(), [](unsigned char c) {
      return std::isdigit(c) || c == '.' || c == ' ';
    });
    const size_t letter = inside.find_first_not_of(' ');
    const bool caller = *had_time && letter != std::string_view::npos &&
                        (inside[letter] == 'T' || inside[letter] == 'C');
    if (!time && !caller) return line;
    *had_time = true;
    line.remove_prefix(end + 1);
    if (line.starts_with(' ')) {
      line.remove_prefix(1);
      return line;
    }
  }
  return line;
}

// "…: 0000 [#1] PREEMPT SMP": every oops has its number.
bool HasOopsNumber(std::string_view line) {
  const size_t at = line.find(" [#");
  return at != std::string_view::npos && at + 3 < line.size() &&
         std::isdigit(static_cast<unsigned char>(line[at + 3]));
}

// lockdep and its relatives (CONFIG_PROVE_LOCKING, CONFIG_PROVE_RCU).
bool IsLockReport(std::string_view line) {
  return HasAny(
      line, {"locking dependency detected", "recursive locking detected", "inconsistent lock state",
             "unlock balance detected", "lock inversion dependency", "lock order detected",
             "suspicious RCU usage", "lock held when returning", "lock held at task exit",
             "held lock freed", "Invalid wait context", "Nested lock was not taken"});
}

}  // namespace

std::string_view ConsoleFindingId(std::string_view line) {
  if (line.starts_with("Kernel panic - not syncing")) return "console.panic";
  if (line.starts_with("BUG: KASAN:")) return "console.kasan";
  if (line.starts_with("BUG: KMSAN:")) return "console.kmsan";
  if (line.starts_with("BUG: KCSAN:")) return "console.kcsan";
  if (line.starts_with("BUG: KFENCE:")) return "console.kfence";
  if (line.starts_with("UBSAN: ")) return "console.ubsan";
  const bool report = line.starts_with("WARNING: ") || line.starts_with("[ BUG: ");
  if (report && IsLockReport(line)) return "console.lockdep";
  if (line.starts_with("INFO: trying to register non-static key")) return "console.lockdep";
  if (HasAny(line, {"BUG: soft lockup", "hard LOCKUP", "BUG: workqueue lockup"})) {
    return "console.lockup";
  }
  if (line.starts_with("INFO: task ") && Has(line, "blocked for more than")) {
    return "console.hung-task";
  }
  if (Has(line, "rcu") && HasAny(line, {"detected stall", "self-detected stall",
                                        "detected expedited stalls", "kthread starved"})) {
    return "console.rcu-stall";
  }
  // An address the kernel must not touch: the oops itself follows.
  if (HasAny(line, {"BUG: kernel NULL pointer dereference", "BUG: unable to handle"}) ||
      line.starts_with("Oops: ") || HasOopsNumber(line) ||
      line.starts_with("general protection fault")) {
    return "console.oops";
  }
  if (line.starts_with("kernel BUG at ") || line.starts_with("BUG: ")) return "console.bug";
  // WARN(): "WARNING: CPU: 1 PID: 2 at FILE:LINE FUNCTION", since 6.19 "WARNING: FILE:LINE at …".
  if (line.starts_with("WARNING: ") && Has(line, " at ")) return "console.warning";
  return "";
}

bool IsAboutTime(std::string_view id) {
  return id == "console.lockup" || id == "console.rcu-stall" || id == "console.hung-task";
}

void ConsoleScanner::AddLine(std::string_view raw) {
  std::string clean;
  for (const char c : raw) {
    if (std::iscntrl(static_cast<unsigned char>(c)) == 0 || c == '\t') clean += c;
  }
  bool had_time = false;
  const std::string line(WithoutTime(clean, &had_time));
  kernel_spoke_ |= had_time || line.starts_with("Linux version ");
  last_.push_back(clean);
  if (last_.size() > kLastLines) last_.pop_front();

  const std::string_view id = ConsoleFindingId(line);
  // What an oops or a bug says of itself further down is the same report; a panic is one more.
  const bool same = open_ && (id == findings_.back().id ||
                              (id == "console.oops" && findings_.back().id == "console.bug"));
  if (!id.empty() && !same) {
    findings_.push_back({std::string(id), {line}});
    open_ = true;
    return;
  }
  if (!open_) return;
  std::vector<std::string>& lines = findings_.back().lines;
  // Reports of the sanitizers and of lockdep end with a rule.
  const bool rule = line.starts_with("=======") && lines.size() > 3;
  if (!rule) lines.push_back(line);
  if (rule || line.starts_with("---[ end ") || lines.size() >= kLongestReport) open_ = false;
}

}  // namespace mapspec

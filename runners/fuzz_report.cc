// SPDX-License-Identifier: MIT
#include "runners/fuzz_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "oracle/trace_json.h"
#include "runners/fuzz_numbers.h"
#include "runners/report.h"

namespace mapspec {
namespace {

using OrderedJson = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPlainLine{10};
constexpr size_t kKindsShown = 20;

double Count(uint64_t number) { return static_cast<double>(number); }

// The most frequent kinds first.
std::vector<const Differences::Named::value_type*> ByCount(const Differences::Named& differences) {
  std::vector<const Differences::Named::value_type*> sorted;
  for (const auto& entry : differences) sorted.push_back(&entry);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->second.count > b->second.count; });
  return sorted;
}

std::string FindingLines(const Finding& finding, const FuzzState& state) {
  std::string text = fmt::format("    {}  on {}, {} operation{}\n", finding.id, finding.backend,
                                 finding.operations, finding.operations == 1 ? "" : "s");
  if (!finding.note.empty()) text += fmt::format("      {}\n", finding.note);
  for (const std::string& file : {finding.text_file, finding.trace_file, finding.c_file}) {
    if (!file.empty()) text += fmt::format("      {}\n", file);
  }
  text += fmt::format("      program: {}\n", finding.reproducer);
  text += fmt::format("      met in script {} of seed {}, operation {}\n", finding.script,
                      state.seed, finding.operation);
  return text;
}

std::string DifferenceLines(const Differences::Named& differences) {
  uint64_t ids = 0, unpromised = 0, others = 0;
  for (const auto& [kind, count] : differences) {
    (kind.how == Difference::kIds          ? ids
     : kind.how == Difference::kUnpromised ? unpromised
                                           : others) += count.count;
  }
  std::string text = fmt::format(
      "  implementation-defined  {} outcomes differ and all conform; besides, {} differ in ids "
      "only, and of {} nothing was promised\n",
      CountText(Count(others)), CountText(Count(ids)), CountText(Count(unpromised)));
  size_t shown = 0, left_out = 0;
  for (const auto* entry : ByCount(differences)) {
    const auto& [kind, count] = *entry;
    if (kind.how == Difference::kIds || kind.how == Difference::kUnpromised) continue;
    if (++shown > kKindsShown) {
      ++left_out;
      continue;
    }
    text += fmt::format("    {:>7}  {} ({}), {}\n", CountText(Count(count.count)), kind.where,
                        kind.how == Difference::kError ? "result" : "output",
                        kind.clause.empty() ? "no clause" : kind.clause);
    if (count.examples.empty()) continue;
    const DifferenceExample& example = count.examples[0];
    text += fmt::format("             e.g. script {} operation {}: {}\n", example.script,
                        example.operation, example.call);
    text += fmt::format("               {}\n               {}\n", example.first, example.second);
  }
  if (left_out != 0) text += fmt::format("    … and {} kinds more, in --json\n", left_out);
  return text;
}

}  // namespace

FuzzProgressLine::FuzzProgressLine(std::FILE* stream)
    : stream_(stream), terminal_(isatty(fileno(stream)) != 0) {}

void FuzzProgressLine::Show(const FuzzProgress& progress) {
  const Clock::time_point now = Clock::now();
  if (terminal_) {
    fmt::print(stream_, "\r\033[K{}", ProgressText(progress));
    drawn_ = true;
  } else {
    if (now - last_ < kPlainLine) return;
    fmt::print(stream_, "{}\n", ProgressText(progress));
  }
  last_ = now;
  std::fflush(stream_);
}

void FuzzProgressLine::Erase() {
  if (!drawn_) return;
  fmt::print(stream_, "\r\033[K");
  std::fflush(stream_);
  drawn_ = false;
}

std::string ProgressText(const FuzzProgress& progress) {
  std::string text = fmt::format("{}  {} op/s  {} operations  {} scripts  {} cells  {} finding{}",
                                 DurationText(progress.seconds), CountText(progress.rate),
                                 CountText(Count(progress.counts.judged)),
                                 CountText(Count(progress.counts.scripts)), progress.cells,
                                 progress.findings, progress.findings == 1 ? "" : "s");
  if (progress.difference_kinds != 0) {
    text += fmt::format("  {} differences of {} kinds", CountText(Count(progress.differences)),
                        progress.difference_kinds);
  }
  if (progress.looking) text += "  shrinking";
  return text;
}

std::string SummaryText(const FuzzReport& report) {
  const FuzzState& state = report.result->state;
  const FuzzCounts& counts = state.counts;
  std::string text = fmt::format("mapspec fuzz: seed {}, {} job{}, {}{}\n", state.seed, report.jobs,
                                 report.jobs == 1 ? "" : "s", DurationText(state.seconds),
                                 report.result->interrupted ? ", interrupted" : "");
  for (size_t i = 0; i < state.backends.size(); ++i) {
    const auto& [selector, profile] = state.backends[i];
    const std::string who =
        i < report.environments.size() ? report.environments[i].implementation : "";
    text += fmt::format("  backend     {} ({}), profile {}\n", selector, who, profile);
  }
  text +=
      fmt::format("  operations  {} judged in {} scripts, {}/s; of {:.1f} % nothing was promised\n",
                  CountText(Count(counts.judged)), CountText(Count(counts.scripts)),
                  CountText(state.seconds > 0 ? Count(counts.judged) / state.seconds : 0),
                  counts.judged == 0 ? 0.0 : 100 * Count(counts.unjudged) / Count(counts.judged));
  text += fmt::format("  coverage    {} cells\n", state.coverage.cells());
  if (state.backends.size() > 1) text += DifferenceLines(state.differences);
  text += fmt::format("  findings    {}{}\n", state.findings.size(),
                      counts.violations == 0
                          ? std::string()
                          : fmt::format(" ({} scripts broke a promise)", counts.violations));
  for (const Finding& finding : state.findings) text += FindingLines(finding, state);
  if (!report.result->unusable.empty()) {
    text += fmt::format("  the run ended early: {}\n", report.result->unusable);
  }
  return text;
}

void WriteFuzzJson(const FuzzReport& report, std::ostream& out) {
  const FuzzState& state = report.result->state;
  // The state's own words, and what a reader of results wants beside them.
  const OrderedJson saved = OrderedJson::parse(StateToJson(state));
  OrderedJson json;
  json["mapspec"] = kMapspecVersion;
  json["seed"] = state.seed;
  json["jobs"] = report.jobs;
  json["backends"] = saved.at("backends");
  for (size_t i = 0; i < report.environments.size() && i < json["backends"].size(); ++i) {
    json["backends"][i]["environment"] = OrderedJson::parse(
        EnvironmentToJson(report.environments[i]), nullptr, /*allow_exceptions=*/false);
  }
  json["findings"] = saved.at("findings");
  json["implementation_defined"] = saved.at("implementation_defined");
  json["coverage"] = {{"operation_flag_outcome", saved.at("coverage")}};
  json["summary"] = saved.at("counts");
  json["summary"]["seconds"] = state.seconds;
  json["summary"]["cells"] = state.coverage.cells();
  json["summary"]["findings"] = state.findings.size();
  json["summary"]["interrupted"] = report.result->interrupted;
  json["summary"]["unusable"] = ReplaceInvalidUtf8(report.result->unusable);
  out << json.dump() << "\n";
}

}  // namespace mapspec

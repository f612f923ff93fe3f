// SPDX-License-Identifier: MIT
#include "runners/failure_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "oracle/clause.h"
#include "oracle/trace_json.h"
#include "runners/divergence.h"
#include "runners/repro.h"
#include "runners/text.h"
#include "specs/scenario.h"

namespace mapspec {
namespace {

constexpr size_t kRow = 16, kMaxRows = 8, kWidth = 130;
// Of a long script, so many operations from its start and from its end.
constexpr size_t kFirst = 6, kLast = 10;

// "" where the oracle does not object, or libbpf cannot show it.
std::string Reproducer(const Violation& violation, const Trace& trace) {
  const Profile* profile = FindProfile(violation.profile);
  if (!violation.rerun.empty() || profile == nullptr) return {};
  std::ostringstream text;
  std::string why_not;
  return WriteReproducer(trace, *profile, text, &why_not) ? text.str() : std::string();
}

// The output buffer to hold against expected bytes: the one of that size which differs.
const Bytes* GotBytes(const Outcome& outcome, const Bytes& expected) {
  if (const auto* bytes = std::get_if<Bytes>(&outcome.output)) return bytes;
  if (const auto* batch = std::get_if<Boxed<BatchOutput>>(&outcome.output)) {
    for (const Bytes* buffer : {&(*batch)->values, &(*batch)->keys, &(*batch)->out_batch}) {
      if (buffer->size() == expected.size() && !(*buffer == expected)) return buffer;
    }
  }
  return nullptr;
}

std::string ScriptLines(const Violation& violation) {
  const Trace& trace = violation.trace;
  std::string lines;
  const size_t size = std::min(violation.index + 1, trace.operations.size());
  for (size_t i = 0; i < size; ++i) {
    if (size > kFirst + kLast + 1 && i == kFirst) {
      const size_t left_out = size - kFirst - kLast;
      lines += fmt::format("       …  {} operations more, see the script\n", left_out);
      i += left_out - 1;
      continue;
    }
    std::string line = fmt::format("  {} {:>3}  {}", i == violation.index ? "=>" : "  ", i,
                                   Shortened(OperationToJson(trace.operations[i])));
    // The last outcome is told below, against what was expected.
    if (i < trace.outcomes.size() && i != violation.index) {
      const std::string outcome =
          Shortened(DescribeOutcome(trace.operations[i], trace.outcomes[i]));
      const bool fits = line.size() + outcome.size() + 5 <= kWidth;
      line += fits ? "  -> " + outcome : "\n           -> " + outcome;
    }
    lines += line + "\n";
  }
  return lines;
}

bool WriteFile(const std::string& path, const auto& write) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  write(out);
  out.flush();
  return out.good();
}

}  // namespace

Violation ViolationOf(const Verdict& verdict, const Trace& trace, std::string_view profile,
                      std::string_view found_by) {
  Violation violation;
  violation.found_by = found_by;
  violation.profile = profile;
  if (verdict.judgement.violated != kNoClause) {
    violation.clauses.emplace_back(GetClause(verdict.judgement.violated).id);
  }
  violation.index = verdict.index;
  violation.expected = verdict.judgement.expected;
  violation.got = verdict.judgement.got;
  violation.expected_bytes = verdict.judgement.expected_bytes;
  violation.trace = trace;
  return violation;
}

std::string FileNameOf(std::string_view id) {
  std::string name;
  for (const char c : id) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_') {
      name += c;
    } else if (c != ']') {
      name += '+';
    }
  }
  // A name that starts with a dot would be hidden, and "..": another place.
  if (name.empty() || name[0] == '.') name.insert(0, "_");
  if (name.size() > 120) name.resize(120);
  return name;
}

std::string ShellQuote(std::string_view word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("_-./:=,@+%").find(c) != std::string_view::npos;
  });
  if (plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string HexDifference(const Bytes& expected, const Bytes& got, std::string_view indent) {
  const size_t size = std::max(expected.size(), got.size());
  std::string text;
  size_t rows = 0, left_out = 0;
  for (size_t row = 0; row < size; row += kRow) {
    std::string wanted, came, marks;
    bool differs = false;
    for (size_t i = row; i < std::min(row + kRow, size); ++i) {
      const bool same = i < expected.size() && i < got.size() && expected[i] == got[i];
      differs |= !same;
      wanted += i < expected.size() ? fmt::format("{:02x} ", expected[i]) : "-- ";
      came += i < got.size() ? fmt::format("{:02x} ", got[i]) : "-- ";
      marks += same ? "   " : "^^ ";
    }
    if (!differs) continue;
    if (++rows > kMaxRows) {
      ++left_out;
      continue;
    }
    marks.erase(marks.find_last_not_of(' ') + 1);
    wanted.pop_back();
    came.pop_back();
    text += fmt::format("{0}byte {1:<5} expected  {2}\n{0}           got       {3}\n{0}{5:21}{4}\n",
                        indent, row, wanted, came, marks, "");
  }
  if (left_out != 0) text += fmt::format("{}… and {} rows more that differ\n", indent, left_out);
  return text;
}

std::string FailureText(const Violation& violation, const ArtefactFiles& files) {
  const Trace& trace = violation.trace;
  std::string text;
  for (const std::string& id : violation.clauses) {
    const ClauseId clause_id = FindClause(id);
    if (clause_id == kNoClause) {
      text += fmt::format("VIOLATION of {}\n", id);
      continue;
    }
    const Clause& clause = GetClause(clause_id);
    text += fmt::format("VIOLATION of {} ({})\n", clause.id, LevelName(clause.level));
    text += Folded("claim", clause.claim);
    text += Folded("source", fmt::format("{}, {}", clause.document, clause.section));
    const std::string note = DivergenceNote(clause.id);
    if (!note.empty()) text += Folded("disputed", note);
  }
  if (violation.clauses.empty()) text += "VIOLATION of no single clause\n";
  text += Folded("found by", violation.found_by);
  text += Folded("backend", fmt::format("{} ({})", trace.environment.backend,
                                        trace.environment.implementation));
  text += Folded("profile", violation.profile);
  if (!violation.hint.empty()) text += Folded("hint", violation.hint);
  const size_t count = std::min(violation.index + 1, trace.operations.size());
  text += fmt::format("\n  script ({} operation{}), and what came back\n", count,
                      count == 1 ? "" : "s");
  text += ScriptLines(violation);
  text += fmt::format("\n  expected {}\n  got      {}\n", Shortened(violation.expected),
                      Shortened(violation.got));
  if (!violation.expected_bytes.empty() && violation.index < trace.outcomes.size()) {
    const Bytes* got = GotBytes(trace.outcomes[violation.index], violation.expected_bytes);
    if (got != nullptr) text += HexDifference(violation.expected_bytes, *got, "    ");
  }
  if (!violation.rerun.empty()) {
    if (!files.trace.empty()) text += fmt::format("\n  trace    {}\n", files.trace);
    return text + fmt::format("  replay   {}\n", violation.rerun);
  }
  if (!files.trace.empty()) {
    text += fmt::format("\n  trace    {}\n", files.trace);
    text += fmt::format("  replay   mapspec check --profile {} {}\n", violation.profile,
                        ShellQuote(files.trace));
  }
  const std::string_view backend = trace.environment.backend;
  if (backend.starts_with("qemu:") || backend.starts_with("uml:")) {
    text += fmt::format("           mapspec run --backend {} --profile {} --filter {}\n",
                        ShellQuote(backend), violation.profile, ShellQuote(violation.found_by));
  } else if (!files.script.empty()) {
    text += fmt::format(
        "           mapspec record --backend {} {} | mapspec check --profile {} -\n",
        ShellQuote(trace.environment.backend), ShellQuote(files.script), violation.profile);
  }
  if (!files.reproducer.empty()) {
    text +=
        fmt::format("           cc {} -lbpf -o repro && ./repro\n", ShellQuote(files.reproducer));
  }
  return text;
}

ArtefactFiles WriteArtefacts(const Violation& violation, const std::string& directory,
                             std::string* text, std::string* error) {
  const std::string place =
      fmt::format("{}/{}", directory, FileNameOf(violation.trace.environment.backend));
  const std::string stem = fmt::format("{}/{}", place, FileNameOf(violation.found_by));
  ArtefactFiles files{stem + ".trace.jsonl", stem + ".script", stem + ".txt", ""};
  std::error_code code;
  std::filesystem::create_directories(place, code);
  if (code) {
    *error = fmt::format("{}: {}", place, code.message());
    files = {};
    *text = FailureText(violation, files);
    return files;
  }
  Trace cut = violation.trace;
  cut.name = violation.found_by;
  cut.profile = violation.profile;
  if (violation.index + 1 < cut.operations.size()) cut.operations.resize(violation.index + 1);
  if (cut.outcomes.size() > cut.operations.size()) cut.outcomes.resize(cut.operations.size());
  const auto check = [&](bool written, std::string* name) {
    if (written) return;
    *error = *name + ": cannot be written";
    name->clear();
  };
  check(WriteFile(files.trace, [&](std::ostream& out) { WriteTrace(cut, out); }), &files.trace);
  check(WriteFile(files.script,
                  [&](std::ostream& out) {
                    WriteScript({cut.name, cut.operations}, out);
                  }),
        &files.script);
  if (const std::string program = Reproducer(violation, cut); !program.empty()) {
    files.reproducer = stem + ".c";
    check(WriteFile(files.reproducer, [&](std::ostream& out) { out << program; }),
          &files.reproducer);
  }
  *text = FailureText(violation, files);
  check(WriteFile(files.text, [&](std::ostream& out) { out << *text; }), &files.text);
  return files;
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include "runners/fuzz_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "oracle/trace_json.h"
#include "properties/script_runner.h"
#include "properties/shrink.h"

namespace mapspec {
namespace {

uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return SplitMix(&hash);
}

// The operations of a script up to and including `last`.
Script Remake(const ScriptShapes& shapes, const RawFinding& raw) {
  ScriptPlan plan = shapes.Plan(raw.script);
  plan.operations = raw.planned;
  Script script, piece;
  ShapedScript pieces(shapes, plan);
  while (script.operations.size() <= raw.operation && pieces.Next(&piece)) {
    script.operations.insert(script.operations.end(),
                             std::make_move_iterator(piece.operations.begin()),
                             std::make_move_iterator(piece.operations.end()));
    piece.operations.clear();
  }
  if (script.operations.size() > raw.operation + 1) script.operations.resize(raw.operation + 1);
  return script;
}

bool IsOfAnElement(const Operation& operation) {
  return std::visit(
             [](const auto& call) {
               using T = std::decay_t<decltype(call)>;
               return std::is_same_v<T, Lookup> || std::is_same_v<T, LookupAndDelete> ||
                      std::is_same_v<T, Update> || std::is_same_v<T, Delete> ||
                      std::is_same_v<T, GetNextKey> || std::is_same_v<T, LookupBatch> ||
                      std::is_same_v<T, UpdateBatch> || std::is_same_v<T, DeleteBatch>;
             },
             operation.call) ||
         IsProgramPath(operation.call);
}

// The last `tail` operations, and before them only what makes or closes objects.
Script Shortened(const Script& script, size_t tail) {
  Script shorter;
  const size_t from = script.operations.size() - std::min(tail, script.operations.size());
  for (size_t i = 0; i < script.operations.size(); ++i) {
    if (i >= from || !IsOfAnElement(script.operations[i])) {
      shorter.operations.push_back(script.operations[i]);
    }
  }
  return shorter;
}

// Carries scripts out until the same clause breaks, and keeps the trace of the last time.
class Search {
 public:
  Search(Backend& backend, const Profile& profile, ClauseId clause)
      : runner_(backend, profile), clause_(clause) {}
  bool StillFails(const Script& script) {
    const ScriptRunner::Last& last = runner_.Run(script.operations);
    if (last.end == ScriptRunner::End::kNoSession) no_session_ = last.error;
    if (last.end != ScriptRunner::End::kViolation || last.violated != clause_) return false;
    best_ = runner_.TraceOf("", script.operations);
    return true;
  }
  const Trace& best() const { return best_; }
  const std::string& no_session() const { return no_session_; }

 private:
  ScriptRunner runner_;
  ClauseId clause_;
  Trace best_;
  std::string no_session_;
};

// Of a long script, most of what came before the violation need not be tried piece by piece.
void ShrinkTrace(Search* search, const FindingOptions& options, const std::atomic<bool>* cancel,
                 Finding* finding) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + options.shrink_time;
  const auto stopped = [&] {
    return Clock::now() >= end || (cancel != nullptr && cancel->load(std::memory_order_relaxed));
  };
  const Script whole{"", search->best().operations};
  for (size_t tail = 4; tail < whole.operations.size() / 2 && !stopped(); tail *= 8) {
    if (search->StillFails(Shortened(whole, tail))) break;
  }
  ShrinkBudget budget;
  budget.executions = options.shrink_executions;
  budget.time = std::max(std::chrono::milliseconds(0),
                         std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()));
  const ShrinkResult result = Shrink(
      {"", search->best().operations},
      [&](const Script& candidate) { return search->StillFails(candidate); }, budget, nullptr,
      cancel);
  if (!result.complete) {
    finding->note = "it may be possible to shrink the script further: the time for that ran out";
  }
}

// Files are small and there are several of them: each is written whole or not at all said.
bool Write(const std::string& path, const std::string& text, std::string* error) {
  errno = 0;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (out) out << text;
  out.flush();
  if (out) return true;
  const int code = errno;
  *error = fmt::format("{}: {}", path, code != 0 ? std::strerror(code) : "cannot be written");
  return false;
}

// The program is compiled and run before anybody is told of it.
void Reproduce(const Trace& trace, const Profile& profile, const FuzzBackend& target,
               const FindingOptions& options, std::string* source, Finding* finding) {
  if (!finding->repeatable) {
    finding->reproducer = "none: it did not happen again";
    return;
  }
  if (!options.write_reproducer) {
    finding->reproducer = "none: this build writes none";
    return;
  }
  std::ostringstream out;
  std::string why_not;
  if (!options.write_reproducer(trace, profile, out, &why_not)) {
    finding->reproducer = "none: " + why_not;
    return;
  }
  *source = out.str();
  if (!options.check_reproducer) {
    finding->reproducer = "written, not tried";
    return;
  }
  const std::string failure = options.check_reproducer(*source, target.selector);
  finding->reproducer = failure.empty() ? "compiled and run: it shows the violation"
                                        : "it does not show the violation: " + failure;
}

void WriteFiles(const Violation& violation, const std::string& source,
                const FindingOptions& options, Finding* finding) {
  const std::string stem = options.directory + "/" + finding->id;
  std::ostringstream trace, script;
  WriteTrace(violation.trace, trace);
  WriteScript({violation.trace.name, violation.trace.operations}, script);
  finding->script_text = script.str();
  ArtefactFiles files;
  std::string& error = finding->unwritten;
  const auto write = [&](const std::string& path, const std::string& text) {
    std::string why;
    if (Write(path, text, &why)) return path;
    if (error.empty()) error = why;
    return std::string();
  };
  finding->trace_file = files.trace = write(stem + ".trace.jsonl", trace.str());
  finding->script_file = files.script = write(stem + ".script", finding->script_text);
  if (!source.empty()) finding->c_file = files.reproducer = write(stem + ".c", source);
  files.text = stem + ".txt";
  finding->text = FailureText(violation, files);
  finding->text += fmt::format("  program  {}\n", finding->reproducer);
  if (!finding->note.empty()) finding->text += fmt::format("  note     {}\n", finding->note);
  finding->text_file = write(files.text, finding->text);
}

std::string IdOf(const Finding& finding) {
  const std::string clause = finding.clause.empty() ? "no-clause" : finding.clause;
  const uint64_t hash = Hash(finding.backend + "\n" + finding.clause + "\n" + finding.shape);
  return FileNameOf(fmt::format("{}-{:06x}", clause, hash >> 40));
}

}  // namespace

std::string ShapeOf(const Trace& trace) {
  std::set<std::string> operations, types;
  for (const Operation& operation : trace.operations) {
    std::string name(OperationName(operation.call));
    if (operation.caller == Caller::kUnprivileged) name += " unprivileged";
    operations.insert(std::move(name));
    if (const auto* create = std::get_if<MapCreate>(&operation.call)) {
      types.insert(MapTypeName(create->type));
    }
  }
  const size_t last = std::min(trace.operations.size(), trace.outcomes.size());
  std::string end = "nothing";
  if (last != 0) {
    const Outcome& outcome = trace.outcomes[last - 1];
    end = fmt::format("{} {} {} {}", OperationName(trace.operations[last - 1].call),
                      IsProgramPath(trace.operations[last - 1].call) ? "program" : "syscall",
                      static_cast<int>(outcome.completion), ErrnoName(outcome.error));
  }
  return fmt::format("{} | {} | {}", fmt::join(types, " "), fmt::join(operations, " "), end);
}

Finding MakeFinding(const RawFinding& raw, const FuzzBackend& target, Backend& backend,
                    const ScriptShapes& shapes, const FindingOptions& options,
                    const std::set<std::string>& known, const std::atomic<bool>* cancel) {
  Finding finding;
  finding.backend = target.selector;
  finding.profile = target.profile->name;
  if (raw.clause != kNoClause) finding.clause = GetClause(raw.clause).id;
  finding.script = raw.script;
  finding.operation = raw.operation;

  const Profile& profile = *target.profile;
  Trace trace;
  if (!raw.no_session.empty()) {
    trace.environment = backend.environment();
    trace.operations = Remake(shapes, raw).operations;
    finding.repeatable = false;
    finding.note = "after this script the backend gave no session: " + raw.no_session;
    finding.shape = "no session afterwards";
  } else {
    Search search(backend, profile, raw.clause);
    if (!search.StillFails(Remake(shapes, raw))) {
      finding.repeatable = false;
      finding.note = "not repeatable: carried out again, the script broke nothing of the kind";
      if (!search.no_session().empty()) {
        finding.note = "could not be carried out again: " + search.no_session();
      }
      if (raw.skipped != 0) {
        finding.note += fmt::format("; the trace lacks the first {} operations", raw.skipped);
      }
      trace = raw.trace;
    } else {
      if (options.shrink) ShrinkTrace(&search, options, cancel, &finding);
      trace = search.best();
      if (!search.StillFails({"", trace.operations})) {
        finding.repeatable = false;
        finding.note = "not always repeatable: the last time, the script broke nothing of the kind";
      } else {
        trace = search.best();
      }
    }
    finding.shape = ShapeOf(trace);
  }
  finding.operations = trace.operations.size();
  finding.id = IdOf(finding);
  if (known.contains(finding.id)) return finding;

  trace.name = finding.id;
  trace.profile = profile.name;
  Violation violation;
  const Verdict verdict = Judge(trace, profile);
  if (verdict.violation) {
    violation = ViolationOf(verdict, trace, profile.name, finding.id);
  } else {
    violation.found_by = finding.id;
    violation.profile = profile.name;
    if (!finding.clause.empty()) violation.clauses = {finding.clause};
    violation.index = trace.operations.empty() ? 0 : trace.operations.size() - 1;
    violation.expected = "a backend that goes on answering";
    violation.got = finding.note;
    violation.trace = trace;
  }
  violation.found_by =
      fmt::format("mapspec fuzz, script {} operation {}", raw.script, raw.operation);
  std::string source;
  Reproduce(trace, profile, target, options, &source, &finding);
  WriteFiles(violation, source, options, &finding);
  return finding;
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include "runners/results_file.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "runners/matrix_record.h"

namespace mapspec {
namespace {

using Json = nlohmann::json;

// A run of the whole suite takes 1 MB; one in which everything fails, with its reports, 10 MB.
constexpr size_t kMaxLine = size_t{256} << 20;
constexpr size_t kMaxRuns = 10'000;

// What is wrong with an object, without the place.
struct BadResult {
  std::string message;
};

enum class LineEnd : uint8_t { kLine, kEndOfFile, kTooLong };

// The next line without its newline.
LineEnd NextResultLine(std::istream& in, std::string* line) {
  line->clear();
  std::streambuf& buffer = *in.rdbuf();
  for (int c = buffer.sbumpc(); c != std::char_traits<char>::eof(); c = buffer.sbumpc()) {
    if (c == '\n') return LineEnd::kLine;
    if (line->size() == kMaxLine) return LineEnd::kTooLong;
    line->push_back(static_cast<char>(c));
  }
  return line->empty() ? LineEnd::kEndOfFile : LineEnd::kLine;
}

// The readers below throw BadResult; `where` is the object's place in the line, "clauses[3].".
const Json* FindField(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string TextField(const Json& object, const std::string& where, const char* name,
                      bool needed = false) {
  const Json* field = FindField(object, name);
  if (field == nullptr && !needed) return "";
  if (field == nullptr || !field->is_string()) {
    throw BadResult{fmt::format("expected a string as {}{}", where, name)};
  }
  return field->get<std::string>();
}

const Json& ListField(const Json& object, const char* name, bool needed) {
  static const Json none = Json::array();
  const Json* field = FindField(object, name);
  if (field == nullptr && !needed) return none;
  if (field == nullptr || !field->is_array()) {
    throw BadResult{fmt::format("expected a list as {}", name)};
  }
  return *field;
}

const Json& ObjectField(const Json& object, const char* name) {
  static const Json none = Json::object();
  const Json* field = FindField(object, name);
  if (field == nullptr) return none;
  if (!field->is_object()) throw BadResult{fmt::format("expected an object as {}", name)};
  return *field;
}

Status StatusField(const Json& object, const std::string& where) {
  const std::string name = TextField(object, where, "status", true);
  if (const std::optional<Status> status = ParseStatus(name)) return *status;
  throw BadResult{
      fmt::format("expected pass, fail, deviation, skip or unknown as {}status, not `{}`", where,
                  name.substr(0, 40))};
}

std::optional<Divergence> DivergenceField(const Json& object, const std::string& where) {
  const Json* field = FindField(object, "divergence");
  if (field == nullptr) return std::nullopt;
  if (!field->is_object()) {
    throw BadResult{fmt::format("expected an object as {}divergence", where)};
  }
  const std::string inside = where + "divergence.";
  Divergence divergence;
  divergence.says = TextField(*field, inside, "says");
  divergence.where = {TextField(*field, inside, "document"), TextField(*field, inside, "section")};
  divergence.kernels = TextField(*field, inside, "kernels");
  return divergence;
}

std::vector<RecordedResult> ResultsField(const Json& object, const char* name, bool needed) {
  std::vector<RecordedResult> results;
  std::set<std::string> ids;
  for (const Json& json : ListField(object, name, needed)) {
    const std::string at = fmt::format("{}[{}]", name, results.size());
    if (!json.is_object()) throw BadResult{fmt::format("expected an object as {}", at)};
    const std::string where = at + ".";
    RecordedResult result;
    result.id = TextField(json, where, "id", true);
    if (result.id.empty()) throw BadResult{fmt::format("expected a name as {}id", where)};
    if (!ids.insert(result.id).second) {
      throw BadResult{fmt::format("expected each id once, but {}id `{}` was there before", where,
                                  result.id.substr(0, 80))};
    }
    result.status = StatusField(json, where);
    result.reason = TextField(json, where, "reason");
    result.trace = TextField(json, where, "trace");
    result.test = TextField(json, where, "test");
    result.report = TextField(json, where, "report");
    result.level = TextField(json, where, "level");
    result.path = TextField(json, where, "path");
    result.divergence = DivergenceField(json, where);
    results.push_back(std::move(result));
  }
  return results;
}

// A clause's evidence is that of the test which decided it. Files of before `test` was written name
// at least the same trace.
void GiveReportsToClauses(const std::vector<RecordedResult>& scenarios, RecordedRun* run) {
  std::map<std::string_view, const std::string*> by_test, by_trace;
  for (const auto* tests : {&scenarios, &std::as_const(run->properties)}) {
    for (const RecordedResult& test : *tests) {
      if (test.report.empty()) continue;
      by_test.emplace(test.id, &test.report);
      if (!test.trace.empty()) by_trace.emplace(test.trace, &test.report);
    }
  }
  for (RecordedResult& clause : run->clauses) {
    if (!clause.report.empty()) continue;
    const auto test = by_test.find(clause.test);
    const auto trace = by_trace.find(clause.trace);
    if (test != by_test.end()) {
      clause.report = *test->second;
    } else if (trace != by_trace.end()) {
      clause.report = *trace->second;
    }
  }
}

std::string SeedField(const Json& json) {
  const Json* seed = FindField(json, "seed");
  if (seed == nullptr) return "";
  if (!seed->is_number_unsigned()) throw BadResult{"expected a number below 2^64 as seed"};
  return std::to_string(seed->get<uint64_t>());
}

RecordedRun RunFromJson(const Json& json) {
  if (!json.is_object() || !json.contains("backend") || !json.contains("clauses")) {
    throw BadResult{
        "no result: expected an object with `backend` and `clauses`, as `mapspec run --json` "
        "writes"};
  }
  RecordedRun run;
  run.backend = TextField(json, "", "backend", true);
  run.version = TextField(json, "", "mapspec");
  run.profile = TextField(json, "", "profile");
  run.effort = TextField(json, "", "effort");
  run.seed = SeedField(json);
  const Json& environment = ObjectField(json, "environment");
  run.implementation = TextField(environment, "environment.", "implementation");
  run.kernel_release = TextField(environment, "environment.", "kernel_release");
  run.machine = TextField(environment, "environment.", "machine");
  run.clauses = ResultsField(json, "clauses", true);
  run.properties = ResultsField(json, "properties", false);
  GiveReportsToClauses(ResultsField(json, "scenarios", false), &run);
  for (const Json& error : ListField(json, "errors", false)) {
    if (!error.is_string()) throw BadResult{"expected strings as errors"};
    run.errors.push_back(error.get<std::string>());
  }
  const Json* interrupted = FindField(ObjectField(json, "summary"), "interrupted");
  run.interrupted = interrupted != nullptr && interrupted->is_boolean() && interrupted->get<bool>();
  return run;
}

// Text that starts in the way of Markdown or of a binary is no truncated JSON.
std::string WhyNotJson(const std::string& line, size_t byte) {
  const bool at_end = byte > line.size();
  return fmt::format(
      "not JSON ({} {}); expected one object on each line, as `mapspec run --json` "
      "writes",
      at_end ? "it ends too early, at column" : "column", byte);
}

}  // namespace

std::optional<Status> ParseStatus(std::string_view word) {
  for (const Status status :
       {Status::kPass, Status::kFail, Status::kDeviation, Status::kSkip, Status::kUndecided}) {
    if (word == StatusName(status)) return status;
  }
  return std::nullopt;
}

std::optional<std::vector<RecordedRun>> ReadResults(std::istream& in, std::string_view file,
                                                    ParseError* error) {
  std::vector<RecordedRun> runs;
  const auto fail = [&](size_t number, std::string message) {
    *error = {std::string(file), number, std::move(message)};
    return std::nullopt;
  };
  std::string line;
  for (size_t number = 1;; ++number) {
    const LineEnd end = NextResultLine(in, &line);
    if (end == LineEnd::kEndOfFile) break;
    if (end == LineEnd::kTooLong) {
      return fail(number,
                  fmt::format("longer than {} MiB; expected what `mapspec run --json` writes",
                              kMaxLine >> 20));
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const bool record_starts = runs.empty() && IsRecordHeader(line);
    if (record_starts || (!runs.empty() && runs[0].is_record)) {
      std::string wrong;
      if (!(record_starts ? StartRecord : AddRecordLine)(line, &runs, &wrong)) {
        return fail(number, wrong);
      }
      for (RecordedRun& run : runs) run.file = file;
      continue;
    }
    if (runs.size() == kMaxRuns) return fail(number, "more than 10000 results");
    try {
      RecordedRun run = RunFromJson(Json::parse(line));
      run.file = file;
      run.line = number;
      runs.push_back(std::move(run));
    } catch (const Json::parse_error& e) {
      return fail(number, WhyNotJson(line, e.byte));
    } catch (const Json::exception&) {  // A number beyond every type.
      return fail(number, "no result: expected what `mapspec run --json` writes");
    } catch (const BadResult& bad) {
      return fail(number, bad.message);
    }
  }
  if (runs.empty()) return fail(0, "holds no results; expected what `mapspec run --json` writes");
  return runs;
}

std::string RunName(const RecordedRun& run) {
  return run.kernel_release.empty() ? run.backend : run.backend + " " + run.kernel_release;
}

}  // namespace mapspec

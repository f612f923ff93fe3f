// SPDX-License-Identifier: MIT
#include "runners/matrix_record.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace mapspec {
namespace {

constexpr std::string_view kFirstColumn = "clause";
// Of a run that does not have the clause.
constexpr std::string_view kAbsent = "absent";

std::vector<std::string> Columns(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string> columns;
  for (;;) {
    const size_t tab = line.find('\t');
    columns.emplace_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return columns;
    line.remove_prefix(tab + 1);
  }
}

}  // namespace

bool WriteRecord(const std::vector<RecordedRun>& runs, std::ostream& out) {
  std::set<std::string> profiles;
  std::map<std::string, std::vector<std::string_view>> rows;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!profiles.insert(runs[i].profile).second) return false;
    for (const RecordedResult& clause : runs[i].clauses) {
      rows.try_emplace(clause.id, runs.size(), kAbsent).first->second[i] =
          StatusName(clause.status);
    }
  }
  out << kFirstColumn;
  for (const RecordedRun& run : runs) out << '\t' << run.profile;
  out << '\n';
  for (const auto& [id, statuses] : rows) {
    out << id;
    for (const std::string_view status : statuses) out << '\t' << status;
    out << '\n';
  }
  return true;
}

bool IsRecordHeader(std::string_view line) {
  return line.starts_with(kFirstColumn) && line.substr(kFirstColumn.size()).starts_with('\t');
}

bool StartRecord(std::string_view header, std::vector<RecordedRun>* runs, std::string* error) {
  const std::vector<std::string> columns = Columns(header);
  for (size_t i = 1; i < columns.size(); ++i) {
    for (const RecordedRun& run : *runs) {
      if (run.profile != columns[i]) continue;
      *error = fmt::format("expected each profile once, but `{}` was there before", columns[i]);
      return false;
    }
    RecordedRun run;
    run.backend = "recorded";
    run.profile = columns[i];
    run.is_record = true;
    runs->push_back(std::move(run));
  }
  return true;
}

bool AddRecordLine(std::string_view line, std::vector<RecordedRun>* runs, std::string* error) {
  const std::vector<std::string> columns = Columns(line);
  if (columns.size() != runs->size() + 1) {
    *error = fmt::format("expected a clause and {} statuses between tabs, not {} words",
                         runs->size(), columns.size());
    return false;
  }
  for (size_t i = 0; i < runs->size(); ++i) {
    if (columns[i + 1] == kAbsent) continue;
    std::vector<RecordedResult>* clauses = &(*runs)[i].clauses;
    const std::optional<Status> status = ParseStatus(columns[i + 1]);
    if (!status) {
      *error = fmt::format("expected pass, fail, deviation, skip, unknown or absent, not `{}`",
                           columns[i + 1].substr(0, 40));
      return false;
    }
    if (!clauses->empty() && clauses->back().id >= columns[0]) {
      *error = fmt::format("expected clauses in alphabetical order, but `{}` comes after `{}`",
                           columns[0].substr(0, 80), clauses->back().id.substr(0, 80));
      return false;
    }
    RecordedResult clause;
    clause.id = columns[0];
    clause.status = *status;
    clauses->push_back(std::move(clause));
  }
  return true;
}

}  // namespace mapspec

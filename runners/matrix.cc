// SPDX-License-Identifier: MIT
#include "runners/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "properties/property.h"
#include "specs/source_index.h"

namespace mapspec {
namespace {

constexpr size_t kMaxReportFile = 64 << 10;
constexpr std::string_view kTraceEnding = ".trace.jsonl";

Mark MarkOfStatus(Status status) {
  switch (status) {
    case Status::kPass:
      return Mark::kPass;
    case Status::kFail:
      return Mark::kFail;
    case Status::kDeviation:
      return Mark::kDeviation;
    case Status::kSkip:
      return Mark::kSkip;
    case Status::kUndecided:
    case Status::kNotRun:
    case Status::kDied:
      break;
  }
  return Mark::kUnknown;
}

using Results = std::vector<const RecordedResult*>;

// By id, what each run says.
std::map<std::string, Results> ById(const std::vector<RecordedRun>& runs,
                                    std::vector<RecordedResult> RecordedRun::*kind) {
  std::map<std::string, Results> by_id;
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const RecordedResult& result : runs[i].*kind) {
      Results& results = by_id[result.id];
      results.resize(runs.size());
      results[i] = &result;
    }
  }
  return by_id;
}

// What the files say of a clause, where this build says nothing.
MatrixRow RecordedRow(const std::string& id, Results results) {
  MatrixRow row;
  row.id = id;
  for (const RecordedResult* result : results) {
    if (result == nullptr) continue;
    if (row.level.empty()) row.level = result->level;
    if (row.path.empty()) row.path = result->path;
    if (row.disputed.empty() && result->divergence) {
      row.disputed = fmt::format("{}, says: {} Kernels: {}", PlaceName(result->divergence->where),
                                 result->divergence->says, result->divergence->kernels);
    }
  }
  row.results = std::move(results);
  return row;
}

MatrixRow SpecifiedRow(const ClauseSpec& clause, const std::vector<const Scenario*>& scenarios,
                       Results results) {
  MatrixRow row;
  row.id = clause.id;
  row.level = LevelName(clause.level);
  row.path = PathName(clause.path);
  row.claim = clause.claim;
  row.disputed = DivergenceLine(clause);
  row.spec = &clause;
  row.scenarios = scenarios.size();
  for (const Scenario* scenario : scenarios) {
    if (row.scenario == nullptr || scenario->steps.size() < row.scenario->steps.size()) {
      row.scenario = scenario;
    }
  }
  row.results = std::move(results);
  return row;
}

std::string PrefixOf(const std::string& id) { return id.substr(0, id.find('.')); }

std::string TitleOf(const SpecFile& file) {
  if (!file.map_type) return "Every type";
  const std::string name = MapTypeName(*file.map_type);
  constexpr std::string_view kPrefix = "BPF_MAP_TYPE_";
  return name.substr(name.rfind(kPrefix, 0) == 0 ? kPrefix.size() : 0);
}

std::vector<MatrixGroup> ClauseGroups(const std::vector<RecordedRun>& runs, const Specs& specs) {
  std::map<std::string, Results> by_id = ById(runs, &RecordedRun::clauses);
  std::vector<MatrixGroup> groups;
  for (const SpecFile& file : specs.files) {
    std::map<std::string_view, std::vector<const Scenario*>> scenarios;
    for (const Scenario& scenario : file.scenarios) scenarios[scenario.clause].push_back(&scenario);
    MatrixGroup group{file.prefix, TitleOf(file), {}};
    for (const ClauseSpec& clause : file.clauses) {
      auto node = by_id.extract(clause.id);
      if (node.empty()) continue;
      group.rows.push_back(SpecifiedRow(clause, scenarios[clause.id], std::move(node.mapped())));
    }
    groups.push_back(std::move(group));
  }
  for (auto& [id, results] : by_id) {
    const std::string prefix = PrefixOf(id);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const MatrixGroup& each) { return each.name == prefix; });
    if (group == groups.end()) group = groups.insert(group, MatrixGroup{prefix, prefix, {}});
    group->rows.push_back(RecordedRow(id, std::move(results)));
  }
  std::erase_if(groups, [](const MatrixGroup& group) { return group.rows.empty(); });
  return groups;
}

MatrixGroup PropertyGroup(const std::vector<RecordedRun>& runs) {
  std::map<std::string_view, std::string_view> descriptions;
  for (const Property& property : AllProperties()) {
    descriptions[property.id] = property.description;
  }
  MatrixGroup group{"properties", "Properties", {}};
  for (auto& [id, results] : ById(runs, &RecordedRun::properties)) {
    MatrixRow row = RecordedRow(id, std::move(results));
    row.property = true;
    if (const auto found = descriptions.find(id); found != descriptions.end()) {
      row.claim = found->second;
    }
    group.rows.push_back(std::move(row));
  }
  return group;
}

// What tells the runs apart is added where their names do not.
std::vector<std::string> UniqueNames(const std::vector<RecordedRun>& runs) {
  std::map<std::string, size_t> plain, with_profile, taken;
  const auto longer = [](const RecordedRun& run) { return RunName(run) + ", " + run.profile; };
  for (const RecordedRun& run : runs) {
    ++plain[RunName(run)];
    ++with_profile[longer(run)];
  }
  std::vector<std::string> names;
  for (const RecordedRun& run : runs) {
    std::string name = plain[RunName(run)] == 1 ? RunName(run) : longer(run);
    if (plain[RunName(run)] != 1 && with_profile[longer(run)] != 1) {
      name += fmt::format(" ({})", ++taken[longer(run)]);
    }
    names.push_back(std::move(name));
  }
  return names;
}

// "" unless the file is a failure report as WriteArtefacts makes them.
std::string ReadFailureReport(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code)) return "";
  std::ifstream in(path, std::ios::binary);
  std::string text(kMaxReportFile, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text.rfind("VIOLATION of ", 0) == 0 ? text : "";
}

}  // namespace

std::string_view MarkName(Mark mark) {
  switch (mark) {
    case Mark::kPass:
      return "pass";
    case Mark::kFail:
      return "fail";
    case Mark::kDeviation:
      return "deviation";
    case Mark::kSkip:
      return "skip";
    case Mark::kUnknown:
      return "unknown";
    case Mark::kNotRun:
      break;
  }
  return "not run";
}

Mark MatrixRow::MarkOf(size_t run) const {
  return results[run] == nullptr ? Mark::kNotRun : MarkOfStatus(results[run]->status);
}

bool MatrixRow::Differs() const {
  std::set<Mark> marks;
  for (size_t i = 0; i < results.size(); ++i) marks.insert(MarkOf(i));
  marks.erase(Mark::kNotRun);
  return marks.size() > 1;
}

MarkCounts MatrixGroup::Count(size_t run) const {
  MarkCounts counts{};
  for (const MatrixRow& row : rows) ++counts[static_cast<size_t>(row.MarkOf(run))];
  return counts;
}

MarkCounts Matrix::Count(size_t run) const {
  MarkCounts counts{};
  for (const MatrixGroup& group : groups) {
    if (group.rows[0].property) continue;
    const MarkCounts its = group.Count(run);
    for (size_t i = 0; i < kMarks; ++i) counts[i] += its[i];
  }
  return counts;
}

Matrix MakeMatrix(const std::vector<RecordedRun>& runs, const Specs& specs) {
  Matrix matrix;
  for (const RecordedRun& run : runs) matrix.runs.push_back(&run);
  matrix.names = UniqueNames(runs);
  matrix.groups = ClauseGroups(runs, specs);
  for (const MatrixGroup& group : matrix.groups) matrix.clauses += group.rows.size();
  MatrixGroup properties = PropertyGroup(runs);
  matrix.properties = properties.rows.size();
  if (!properties.rows.empty()) matrix.groups.push_back(std::move(properties));
  return matrix;
}

void FindReportsBeside(std::vector<RecordedRun>* runs) {
  for (RecordedRun& run : *runs) {
    for (auto* results : {&run.clauses, &run.properties}) {
      for (RecordedResult& result : *results) {
        if (!result.report.empty() || !result.trace.ends_with(kTraceEnding)) continue;
        const std::string name =
            result.trace.substr(0, result.trace.size() - kTraceEnding.size()) + ".txt";
        result.report = ReadFailureReport(name);
        if (!result.report.empty()) continue;
        result.report = ReadFailureReport(std::filesystem::path(run.file).parent_path() / name);
      }
    }
  }
}

}  // namespace mapspec

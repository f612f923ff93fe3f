// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "oracle/trace_json.h"
#include "runners/divergence.h"
#include "runners/report.h"

namespace mapspec {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string Text(const std::string& text) { return ReplaceInvalidUtf8(text); }

OrderedJson ClauseToJson(const ClauseResult& result) {
  OrderedJson json;
  json["id"] = result.id;
  if (const ClauseId id = FindClause(result.id); id != kNoClause) {
    json["level"] = LevelName(GetClause(id).level);
    json["path"] = PathName(GetClause(id).path);
  }
  json["status"] = StatusName(result.status);
  json["reason"] = Text(result.reason);
  json["trace"] = result.trace.empty() ? OrderedJson() : OrderedJson(Text(result.trace));
  json["test"] = result.test.empty() ? OrderedJson() : OrderedJson(result.test);
  // Only where there is one: elsewhere documents and kernels agree.
  if (const Divergence* divergence = DivergenceOf(result.id)) {
    json["divergence"] = {{"document", divergence->where.document},
                          {"section", divergence->where.section},
                          {"says", divergence->says},
                          {"kernels", divergence->kernels}};
  }
  return json;
}

OrderedJson TestToJson(const TestResult& test) {
  OrderedJson json;
  json["id"] = test.id;
  json["status"] = StatusName(test.status);
  json["reason"] = Text(test.reason);
  json["operations"] = test.operations;
  json["seconds"] = test.seconds;
  json["trace"] = test.trace.empty() ? OrderedJson() : OrderedJson(Text(test.trace));
  // Only of what broke a promise: the evidence, so that a report can be made without its files.
  if (!test.report.empty()) json["report"] = Text(test.report);
  return json;
}

OrderedJson BackendToJson(const BackendResults& results) {
  OrderedJson json;
  json["mapspec"] = kMapspecVersion;
  json["backend"] = Text(results.backend);
  json["environment"] = OrderedJson::parse(EnvironmentToJson(results.environment), nullptr,
                                           /*allow_exceptions=*/false);
  json["profile"] = results.profile;
  json["seed"] = results.seed;
  json["effort"] = results.effort;
  json["clauses"] = OrderedJson::array();
  for (const ClauseResult& clause : ClauseResults(results)) {
    json["clauses"].push_back(ClauseToJson(clause));
  }
  json["scenarios"] = OrderedJson::array();
  json["properties"] = OrderedJson::array();
  for (const TestResult& test : results.tests) {
    json[test.property() ? "properties" : "scenarios"].push_back(TestToJson(test));
  }
  json["coverage"]["operation_flag_outcome"] = OrderedJson::object();
  for (const auto& [cell, count] : results.coverage) {
    json["coverage"]["operation_flag_outcome"][cell] = count;
  }
  const Summary summary = Summarize(results);
  json["summary"] = {{"clauses", summary.kept + summary.broken + summary.deviating +
                                     summary.skipped + summary.unknown},
                     {"pass", summary.kept},
                     {"fail", summary.broken},
                     {"deviation", summary.deviating},
                     {"skip", summary.skipped},
                     {"unknown", summary.unknown},
                     {"tests", summary.tests},
                     {"tests_failed", summary.tests_failed},
                     {"operations", summary.operations},
                     {"unjudged_operations", summary.unjudged},
                     {"coverage_cells", results.coverage.size()},
                     {"seconds", summary.seconds},
                     {"interrupted", summary.interrupted}};
  if (results.boot_seconds > 0) json["summary"]["boot_seconds"] = results.boot_seconds;
  if (!results.console.empty()) json["console"] = Text(results.console);
  json["errors"] = OrderedJson::array();
  for (const std::string& error : results.errors) json["errors"].push_back(Text(error));
  if (!results.unusable.empty()) json["errors"].push_back(Text(results.unusable));
  return json;
}

}  // namespace

void WriteJsonReport(const std::vector<BackendResults>& results, std::ostream& out) {
  for (const BackendResults& backend : results) {
    out << BackendToJson(backend).dump(-1, ' ', false, OrderedJson::error_handler_t::replace)
        << '\n';
  }
}

}  // namespace mapspec

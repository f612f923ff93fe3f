// SPDX-License-Identifier: MIT
#include "runners/fuzz_state.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runners/report.h"

namespace mapspec {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr int kVersion = 1;

std::string Text(const std::string& text) { return ReplaceInvalidUtf8(text); }

OrderedJson FindingToJson(const Finding& finding) {
  return {{"id", finding.id},
          {"backend", Text(finding.backend)},
          {"profile", finding.profile},
          {"clause", finding.clause},
          {"shape", Text(finding.shape)},
          {"script", finding.script},
          {"operation", finding.operation},
          {"operations", finding.operations},
          {"repeatable", finding.repeatable},
          {"note", Text(finding.note)},
          {"reproducer", Text(finding.reproducer)},
          {"trace_file", Text(finding.trace_file)},
          {"script_file", Text(finding.script_file)},
          {"text_file", Text(finding.text_file)},
          {"c_file", Text(finding.c_file)}};
}

Finding FindingFromJson(const OrderedJson& json) {
  Finding finding;
  json.at("id").get_to(finding.id);
  json.at("backend").get_to(finding.backend);
  json.at("profile").get_to(finding.profile);
  json.at("clause").get_to(finding.clause);
  json.at("shape").get_to(finding.shape);
  json.at("script").get_to(finding.script);
  json.at("operation").get_to(finding.operation);
  json.at("operations").get_to(finding.operations);
  json.at("repeatable").get_to(finding.repeatable);
  json.at("note").get_to(finding.note);
  json.at("reproducer").get_to(finding.reproducer);
  json.at("trace_file").get_to(finding.trace_file);
  json.at("script_file").get_to(finding.script_file);
  json.at("text_file").get_to(finding.text_file);
  json.at("c_file").get_to(finding.c_file);
  return finding;
}

OrderedJson DifferencesToJson(const Differences::Named& differences) {
  OrderedJson list = OrderedJson::array();
  for (const auto& [kind, count] : differences) {
    OrderedJson examples = OrderedJson::array();
    for (const DifferenceExample& example : count.examples) {
      examples.push_back({{"script", example.script},
                          {"operation", example.operation},
                          {"call", Text(example.call)},
                          {"first", Text(example.first)},
                          {"second", Text(example.second)}});
    }
    list.push_back({{"between", Text(kind.between)},
                    {"where", kind.where},
                    {"clause", kind.clause},
                    {"difference", DifferenceName(kind.how)},
                    {"count", count.count},
                    {"examples", std::move(examples)}});
  }
  return list;
}

// Throws what nlohmann-json throws, and std::runtime_error.
Differences::Named DifferencesFromJson(const OrderedJson& list) {
  Differences::Named differences;
  for (const OrderedJson& json : list) {
    DifferenceKind kind{json.at("between"), json.at("where"), json.at("clause"), {}};
    bool known = false;
    for (const Difference how :
         {Difference::kError, Difference::kOutput, Difference::kIds, Difference::kUnpromised}) {
      if (DifferenceName(how) != json.at("difference").get<std::string>()) continue;
      kind.how = how;
      known = true;
    }
    if (!known) throw std::runtime_error("unknown kind of difference");
    DifferenceCount& count = differences[kind];
    json.at("count").get_to(count.count);
    for (const OrderedJson& example : json.at("examples")) {
      count.examples.push_back({example.at("script"), example.at("operation"), example.at("call"),
                                example.at("first"), example.at("second")});
    }
  }
  return differences;
}

FuzzState FromJson(const OrderedJson& json) {
  FuzzState state;
  if (json.at("mapspec_fuzz") != kVersion) throw std::runtime_error("written by another version");
  json.at("seed").get_to(state.seed);
  for (const OrderedJson& backend : json.at("backends")) {
    state.backends.emplace_back(backend.at("backend"), backend.at("profile"));
  }
  for (const OrderedJson& range : json.at("done")) {
    const auto first = range.at(0).get<uint64_t>(), end = range.at(1).get<uint64_t>();
    if (first >= end) throw std::runtime_error("\"done\" has a range that ends before it begins");
    state.done.AddRange(first, end);
  }
  const OrderedJson& counts = json.at("counts");
  counts.at("scripts").get_to(state.counts.scripts);
  counts.at("operations").get_to(state.counts.operations);
  counts.at("judged").get_to(state.counts.judged);
  counts.at("unjudged").get_to(state.counts.unjudged);
  counts.at("violations").get_to(state.counts.violations);
  json.at("seconds").get_to(state.seconds);
  static const std::map<std::string, Cell> cells = CellsByName();
  for (const auto& [name, count] : json.at("coverage").items()) {
    const auto cell = cells.find(name);
    if (cell == cells.end()) throw std::runtime_error("unknown coverage cell \"" + name + "\"");
    state.coverage.Add(cell->second, count.get<uint64_t>());
  }
  state.differences = DifferencesFromJson(json.at("implementation_defined"));
  for (const auto& [kind, count] : json.at("kinds").items()) {
    state.kinds[kind] = {count.at(0), count.at(1)};
  }
  for (const OrderedJson& finding : json.at("findings")) {
    state.findings.push_back(FindingFromJson(finding));
  }
  return state;
}

}  // namespace

std::string StateFile(const std::string& directory) { return directory + "/state.json"; }

std::string StateToJson(const FuzzState& state) {
  OrderedJson json;
  json["mapspec_fuzz"] = kVersion;
  json["mapspec"] = kMapspecVersion;
  json["seed"] = state.seed;
  json["backends"] = OrderedJson::array();
  for (const auto& [selector, profile] : state.backends) {
    json["backends"].push_back({{"backend", Text(selector)}, {"profile", profile}});
  }
  json["done"] = OrderedJson::array();
  for (const auto& [first, end] : state.done.ranges()) {
    json["done"].push_back(OrderedJson::array({first, end}));
  }
  json["counts"] = {{"scripts", state.counts.scripts},
                    {"operations", state.counts.operations},
                    {"judged", state.counts.judged},
                    {"unjudged", state.counts.unjudged},
                    {"violations", state.counts.violations}};
  json["seconds"] = state.seconds;
  json["findings"] = OrderedJson::array();
  for (const Finding& finding : state.findings) json["findings"].push_back(FindingToJson(finding));
  json["kinds"] = OrderedJson::object();
  for (const auto& [kind, count] : state.kinds) {
    json["kinds"][Text(kind)] = OrderedJson::array({count.seen, count.looked_into});
  }
  json["implementation_defined"] = DifferencesToJson(state.differences);
  json["coverage"] = state.coverage.Counts();
  return json.dump(1) + "\n";
}

std::optional<FuzzState> StateFromJson(const std::string& text, const std::string& file,
                                       std::string* error) {
  try {
    return FromJson(OrderedJson::parse(text));
  } catch (const std::exception& e) {
    *error = fmt::format("{}: not the state of a run of the fuzzer: {}", file, e.what());
    return std::nullopt;
  }
}

bool SaveState(const FuzzState& state, const std::string& directory, std::string* error) {
  const std::string path = StateFile(directory), fresh = path + ".new";
  errno = 0;
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  if (out) out << StateToJson(state);
  out.close();
  if (out && std::rename(fresh.c_str(), path.c_str()) == 0) return true;
  const int code = errno;
  *error = fmt::format("{}: {}", path, code != 0 ? std::strerror(code) : "cannot be written");
  std::remove(fresh.c_str());
  return false;
}

}  // namespace mapspec

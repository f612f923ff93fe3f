// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "backends/backend.h"
#include "runners/commands.h"
#include "runners/eviction.h"
#include "runners/report.h"

namespace mapspec {
namespace {

using OrderedJson = nlohmann::ordered_json;

struct MeasureOptions {
  std::string what;
  std::vector<std::string> backends;
  uint32_t cpus = 0;  // 0: one, and all.
  uint32_t max_entries = EvictionSetup{}.max_entries;
  uint32_t requests = EvictionSetup{}.requests;
  uint64_t seed = 1;
  std::string json;
};

std::vector<EvictionSetup> Setups(const MeasureOptions& options, uint32_t possible_cpus) {
  const std::set<uint32_t> counts =
      options.cpus != 0 ? std::set<uint32_t>{options.cpus} : std::set<uint32_t>{1, possible_cpus};
  std::vector<EvictionSetup> setups;
  for (const MapType type : {MapType::LRU_HASH, MapType::LRU_PERCPU_HASH}) {
    for (const bool own_lists : {false, true}) {
      for (const bool by_program : {true, false}) {
        for (const uint32_t cpus : counts) {
          setups.push_back({type, own_lists, by_program, cpus, options.max_entries,
                            options.requests, options.seed});
        }
      }
    }
  }
  return setups;
}

void PrintHead(const Backend& backend, const MeasureOptions& options) {
  fmt::print(
      "{} ({}), max_entries {}, {} possible CPUs\n"
      "                                        first    victims by last use, 0 % oldest    most at "
      " "
      "hit rate\n"
      "map              lists   used by  CPUs  eviction   mean  median    95 %  newest       once  "
      "   map  exact LRU\n",
      backend.name(), backend.environment().implementation, options.max_entries,
      backend.environment().possible_cpus);
}

std::string WordsOf(const EvictionSetup& setup) {
  return fmt::format("{:<16} {:<7} {:<7} {:>5}", MapTypeName(setup.type).substr(13),
                     setup.own_lists ? "per-CPU" : "common",
                     setup.by_program ? "program" : "syscall", setup.cpus);
}

void PrintFigures(const EvictionSetup& setup, const EvictionFigures& f) {
  fmt::print(
      "{}  {:6.1f} %  {:4.1f} %  {:4.1f} %  {:4.1f} %  {:4.1f} %  {:>9}  {:4.1f} %     {:4.1f} %\n",
      WordsOf(setup), 100 * f.first_eviction, 100 * f.rank_mean, 100 * f.rank_median,
      100 * f.rank_95, 100 * f.rank_worst, f.at_once, 100 * f.hits, 100 * f.lru_hits);
}

OrderedJson FiguresToJson(const EvictionSetup& setup, const EvictionFigures& figures) {
  OrderedJson json;
  json["map_type"] = MapTypeName(setup.type);
  json["no_common_lru"] = setup.own_lists;
  json["path"] = setup.by_program ? "program" : "syscall";
  json["cpus"] = setup.cpus;
  json["max_entries"] = figures.max_entries;
  json["first_eviction"] = figures.first_eviction;
  json["victims"] = figures.victims;
  json["rank_mean"] = figures.rank_mean;
  json["rank_median"] = figures.rank_median;
  json["rank_95"] = figures.rank_95;
  json["rank_worst"] = figures.rank_worst;
  json["at_once"] = figures.at_once;
  json["hits"] = figures.hits;
  json["lru_hits"] = figures.lru_hits;
  return json;
}

// 0, or the exit status of what went wrong.
int MeasureBackend(const std::string& selector, const MeasureOptions& options, OrderedJson* all) {
  std::string error;
  bool usage = false;
  const std::unique_ptr<Backend> backend = MakeBackend(selector, &error, &usage);
  if (backend == nullptr) {
    UsageError(error);
    return usage ? 2 : 3;
  }
  const uint32_t possible = backend->environment().possible_cpus;
  if (options.cpus > possible) {
    return UsageError(fmt::format("--cpus {}: {} has {}", options.cpus, selector, possible));
  }
  OrderedJson json;
  json["mapspec"] = kMapspecVersion;
  json["backend"] = selector;
  json["implementation"] = backend->environment().implementation;
  json["possible_cpus"] = possible;
  json["seed"] = options.seed;
  json["eviction"] = OrderedJson::array();
  PrintHead(*backend, options);
  int measured = 0;
  for (const EvictionSetup& setup : Setups(options, possible)) {
    EvictionFigures figures;
    std::string why;
    if (!MeasureEviction(*backend, setup, &figures, &why)) {
      fmt::print("{}  not measured: {}\n", WordsOf(setup), why);
      continue;
    }
    ++measured;
    PrintFigures(setup, figures);
    std::fflush(stdout);
    json["eviction"].push_back(FiguresToJson(setup, figures));
  }
  all->push_back(std::move(json));
  if (measured != 0) return 0;
  UsageError(selector + ": could not be measured");
  return 3;
}

int Measure(const MeasureOptions& options) {
  OrderedJson all = OrderedJson::array();
  int status = 0;
  for (const std::string& selector : options.backends) {
    status = std::max(status, MeasureBackend(selector, options, &all));
    if (status == 2) return status;
  }
  if (options.json.empty()) return status;
  std::ofstream file(options.json, std::ios::binary | std::ios::trunc);
  for (const OrderedJson& json : all) file << json.dump() << '\n';
  file.flush();
  return file ? status : UsageError(options.json + ": cannot be written");
}

}  // namespace

void AddMeasureCommand(CLI::App& app, int* status) {
  CLI::App* command =
      app.add_subcommand("measure", "Measure what is not a promise: how well LRU maps evict");
  auto options = std::make_shared<MeasureOptions>();
  options->backends = {"userspace"};
  command->add_option("WHAT", options->what, "eviction")
      ->required()
      ->check(CLI::IsMember({"eviction"}));
  command->add_option("-b,--backend", options->backends,
                      "What is measured; may be given several times; default: userspace");
  command
      ->add_option("--cpus", options->cpus,
                   "On how many CPUs the calls are made; default: on one, and on all")
      ->check(CLI::Range(1, 4096));
  command->add_option("--max-entries", options->max_entries, "Of the maps; default: 512")
      ->check(CLI::Range(1, 65536));
  command
      ->add_option("--requests", options->requests,
                   "Look-ups of the workload that the hit rate is of; default: 20000")
      ->check(CLI::Range(1, 100000000));
  command->add_option("--seed", options->seed, "Of the keys and CPUs; default: 1");
  command->add_option("--json", options->json, "File for the figures: one line for each backend");
  command->footer(
      "No implementation keeps exact LRU order; these figures say how near it comes, and are no\n"
      "verdict. For each type of LRU map, common and per-CPU lists (BPF_F_NO_COMMON_LRU), used by\n"
      "programs and by system calls:\n"
      "  first eviction  new keys only: how full the map was when the first element had to go\n"
      "  victims         each place among the elements by last use, when new keys alternate with\n"
      "                  look-ups of keys that are there; exact LRU: 0 % (the oldest), always\n"
      "  most at once    elements that one call evicted\n"
      "  hit rate        keys by Zipf's law, four times as many as fit; beside that of exact "
      "LRU\n\n"
      "Example\n  mapspec measure eviction --backend kernel --backend userspace\n\n"
      "Exit status: 0 measured, 2 bad usage, 3 a backend could not be used.");
  command->callback([options, status] { *status = Measure(*options); });
}

}  // namespace mapspec

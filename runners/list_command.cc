// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "backends/backend.h"
#include "oracle/uapi.h"
#include "properties/property.h"
#include "runners/commands.h"
#include "runners/deviations.h"
#include "runners/glob.h"
#include "runners/guest/machine.h"
#include "runners/list_sources.h"
#include "runners/list_traits.h"
#include "runners/run_plan.h"

namespace mapspec {
namespace {

struct ListArguments {
  std::string what = "backends";
  std::string filter;
  std::string deviations;
  std::vector<std::string> specs;
  bool by_source = false;
  bool json = false;
  BySourceOptions source;
};

const std::vector<std::string>& Topics() {
  static const std::vector<std::string> topics = {"backends",    "map-types",  "clauses",
                                                  "divergences", "deviations", "profiles",
                                                  "properties",  "traits"};
  return topics;
}

int ListTheBackends() {
  std::vector<BackendInfo> backends = ListBackends();
  // Those that this room adds: the suite runs inside them.
  for (const auto& [selector, what, kind] :
       {std::tuple("qemu:IMAGE", "a kernel (bzImage) booted for the run", GuestKind::kQemu),
        {"uml:IMAGE", "a User-Mode Linux program", GuestKind::kUml}}) {
    const std::string why = WhyNoMachine(kind);
    backends.push_back({selector, what, why.empty(), why});
  }
  for (const BackendInfo& info : backends) {
    fmt::print("{:<16} {:<12} {}{}\n", info.selector, info.available ? "available" : "unavailable",
               info.description, info.reason.empty() ? "" : ": " + info.reason);
  }
  return 0;
}

int ListMapTypes(const Specs& specs) {
  for (const SpecFile& file : specs.files) {
    fmt::print("{:<24} {:>4} clauses {:>5} scenarios\n",
               file.map_type ? MapTypeName(*file.map_type) : "GENERIC (every type)",
               file.clauses.size(), file.scenarios.size());
  }
  return 0;
}

int ListClauses(const Specs& specs, const ListArguments& options) {
  const Filter filter(options.filter);
  size_t width = 0, printed = 0;
  std::vector<std::string> ids;
  for (const SpecFile& file : specs.files) {
    for (const ClauseSpec& clause : file.clauses) {
      width = std::max(width, clause.id.size());
      ids.push_back(clause.id);
    }
  }
  for (const SpecFile& file : specs.files) {
    for (const ClauseSpec& clause : file.clauses) {
      if (!filter.Selects(clause.id, "")) continue;
      ++printed;
      std::string condition;
      if (!clause.since.empty()) condition += fmt::format(" (since {})", clause.since);
      if (!clause.until.empty()) condition += fmt::format(" (until {})", clause.until);
      if (!clause.trait.empty()) condition += fmt::format(" (where {})", clause.trait);
      fmt::print("{:<{}}  {:<10}  {:<7}  {}{} [{}, {}]\n", clause.id, width,
                 LevelName(clause.level), PathName(clause.path), clause.claim, condition,
                 clause.document, clause.section);
    }
  }
  if (printed == 0) {
    return UsageError(fmt::format("--filter {}: no clause matches{}", options.filter,
                                  DidYouMean(options.filter, ids)));
  }
  return 0;
}

int ListDeviations(const Specs& specs, const ListArguments& options) {
  if (options.deviations.empty()) {
    return UsageError("list deviations needs --deviations FILE, the list to read");
  }
  std::vector<std::string> errors;
  std::vector<Deviation> deviations;
  if (!LoadDeviations(options.deviations, ClauseIds(specs), &deviations, &errors)) {
    for (const std::string& error : errors) UsageError(error);
    return 2;
  }
  for (const Deviation& deviation : deviations) {
    fmt::print("{}  backend {}  profile {}  {}{}\n", deviation.clause, deviation.backend,
               deviation.profile, deviation.reason,
               deviation.link.empty() ? "" : " <" + deviation.link + ">");
  }
  return 0;
}

int ListProfiles() {
  for (const Profile& profile : AllProfiles()) {
    std::string traits;
    for (const std::string& name : TraitNames()) {
      traits += fmt::format("{}{}{}", traits.empty() ? "" : " ",
                            TraitValue(profile.traits, name).value_or(false) ? "" : "!", name);
    }
    fmt::print(
        "{:<12} {}  {}\n", profile.name,
        profile.observed ? "documented and observed clauses" : "documented clauses only        ",
        traits);
  }
  return 0;
}

int ListProperties() {
  size_t width = 0;
  for (const Property& property : AllProperties()) width = std::max(width, property.id.size());
  for (const Property& property : AllProperties()) {
    fmt::print("{:<{}}  {}\n", property.id, width, property.description);
  }
  return 0;
}

int List(const ListArguments& options) {
  if (std::find(Topics().begin(), Topics().end(), options.what) == Topics().end()) {
    std::string known;
    for (const std::string& topic : Topics()) known += (known.empty() ? "" : ", ") + topic;
    std::string hint = DidYouMean(options.what, Topics());
    if (hint.empty()) hint = "; known are " + known;
    return UsageError(fmt::format("nothing called `{}` to list{}", options.what, hint));
  }
  const bool of_sources =
      options.by_source || options.source.markdown || !options.source.results.empty();
  if (of_sources && (options.what != "clauses" || !options.by_source)) {
    return UsageError(
        "--by-source, and --results and --markdown with it, belong to `list clauses`");
  }
  if (options.json && options.what != "traits") {
    return UsageError("--json belongs to `list traits`");
  }
  if (options.what == "backends") return ListTheBackends();
  if (options.what == "profiles") return ListProfiles();
  if (options.what == "properties") return ListProperties();
  const std::optional<Specs> specs = LoadSpecsOrSay(options.specs);
  if (!specs) return 2;
  if (options.what == "map-types") return ListMapTypes(*specs);
  if (options.what == "deviations") return ListDeviations(*specs, options);
  if (options.what == "divergences") return ListDivergences(*specs, options.filter);
  if (options.what == "traits") return ListTraits(*specs, options.json);
  if (!options.by_source) return ListClauses(*specs, options);
  BySourceOptions source = options.source;
  source.filter = options.filter;
  return ListBySource(*specs, source);
}

}  // namespace

void AddListCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand("list", "Say what there is: backends, clauses, …");
  auto options = std::make_shared<ListArguments>();
  command
      ->add_option("WHAT", options->what,
                   "backends, map-types, clauses, divergences, deviations, profiles, properties or "
                   "traits")
      ->capture_default_str();
  command->add_option("--filter", options->filter,
                      "Of the clauses and divergences, those that match (globs joined by ':')");
  // An option whose argument may be left out: CLI11 then hands over nothing.
  CLI::Option* by_source = command->add_option_function<std::vector<std::string>>(
      "--by-source",
      [options](const std::vector<std::string>& words) {
        if (!words.empty()) options->source.document = words[0];
      },
      "The clauses by document and section, of one DOCUMENT if it is named, and whether kernels "
      "do what it says");
  by_source->expected(0, 1)->type_name("[DOCUMENT]");
  command->add_option("--results", options->source.results,
                      "With --by-source: a file of `mapspec run --json`, to tell what came out");
  command->add_flag("--markdown", options->source.markdown,
                    "With --by-source: as a table, the form of specs/by-source.md");
  command->add_flag("--json", options->json,
                    "With `list traits`: an object for each trait, one a line");
  command->add_option("--deviations", options->deviations, "The list that `list deviations` reads");
  command
      ->add_option("--specs", options->specs,
                   "YAML files or directories instead of the embedded specification")
      ->allow_extra_args(false);
  command->footer(
      "Examples\n"
      "  mapspec list backends\n"
      "  mapspec list clauses --filter 'queue.push.*'\n"
      "  mapspec list clauses --by-source map_hash.rst\n"
      "  mapspec run --backend kernel --json k.json; mapspec list clauses --by-source --results "
      "k.json\n"
      "  mapspec list traits             what kernel versions differ in, and the evidence\n"
      "  mapspec list divergences        where documentation and kernels disagree, and the scripts "
      "that show it");
  command->callback([options, by_source, status] {
    options->by_source = by_source->count() != 0;
    *status = List(*options);
  });
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include "properties/property.h"

#include "backends/offered_types.h"
#include "properties/alphabets.h"
#include "properties/exhaustive.h"
#include "properties/map_kinds.h"
#include "properties/random_scripts.h"
#include "properties/reachable_coverage.h"

namespace mapspec {
namespace {

// Ids live as long as the program.
struct Table {
  std::vector<std::string> texts;
  std::vector<Property> properties;

  Table() {
    const size_t kinds = MapKinds().size();
    texts.reserve(2 * (5 * kinds + 1));
    properties.reserve(5 * kinds + 1);
    std::vector<MapType> all;
    for (const MapKind& kind : MapKinds()) {
      all.push_back(kind.type);
      Add(std::string(kind.name) + ".exhaustive",
          "every short sequence of operations on tiny maps of type " + std::string(kind.name),
          {kind.type},
          [type = kind.type](std::string_view id, Backend& backend, const Profile& profile,
                             const PropertyOptions& options) {
            return RunExhaustive(id, FindAlphabet(type), backend, profile, options);
          });
    }
    for (const MapKind& kind : MapKinds()) {
      Add(std::string(kind.name) + ".exhaustive-program",
          "every short sequence of system calls and helpers called by programs on tiny maps of "
          "type " +
              std::string(kind.name),
          {kind.type},
          [type = kind.type](std::string_view id, Backend& backend, const Profile& profile,
                             const PropertyOptions& options) {
            return RunExhaustive(id, FindProgramAlphabet(type), backend, profile, options);
          });
    }
    for (const MapKind& kind : MapKinds()) {
      Add(std::string(kind.name) + ".random-scripts",
          "random scripts on maps of type " + std::string(kind.name), {kind.type},
          [type = kind.type](std::string_view id, Backend& backend, const Profile& profile,
                             const PropertyOptions& options) {
            return RunRandomScripts(id, {type}, Paths::kBoth, backend, profile, options);
          });
    }
    for (const MapKind& kind : MapKinds()) {
      Add(std::string(kind.name) + ".random-program-scripts",
          "random scripts on maps of type " + std::string(kind.name) +
              " whose calls mostly come from programs",
          {kind.type},
          [type = kind.type](std::string_view id, Backend& backend, const Profile& profile,
                             const PropertyOptions& options) {
            return RunRandomScripts(id, {type}, Paths::kMostlyPrograms, backend, profile, options);
          });
    }
    Add("mixed.random-scripts", "random scripts on maps of several types at once", all,
        [all](std::string_view id, Backend& backend, const Profile& profile,
              const PropertyOptions& options) {
          return RunRandomScripts(id, all, Paths::kBoth, backend, profile, options);
        });
    for (const MapKind& kind : MapKinds()) {
      Add("coverage." + std::string(kind.name),
          "random scripts reach every combination of operation, flags and outcome that " +
              std::string(kind.name) + " maps have",
          {kind.type},
          [type = kind.type](std::string_view id, Backend& backend, const Profile& profile,
                             const PropertyOptions& options) {
            return RunReachableCoverage(id, type, backend, profile, options);
          });
    }
  }

  template <typename F>
  void Add(std::string id, std::string description, std::vector<MapType> types, F run) {
    texts.push_back(std::move(id));
    const std::string_view name = texts.back();
    texts.push_back(std::move(description));
    // Of one type: not asked of a backend without it.
    const MapType only = types.size() == 1 ? types[0] : MapType::UNSPEC;
    properties.push_back({name, texts.back(), std::move(types),
                          [name, only, run](Backend& backend, const Profile& profile,
                                            const PropertyOptions& options) {
                            if (OffersMapType(backend, only)) {
                              return run(name, backend, profile, options);
                            }
                            PropertyResult skipped;
                            skipped.id = name;
                            skipped.skipped = true;
                            skipped.reason = "the backend has no " + MapTypeName(only);
                            return skipped;
                          }});
  }
};

}  // namespace

std::string_view EffortName(Effort effort) {
  static constexpr std::string_view kNames[] = {"quick", "normal", "thorough"};
  return kNames[static_cast<size_t>(effort)];
}

std::optional<Effort> ParseEffort(std::string_view name) {
  for (const Effort effort : {Effort::kQuick, Effort::kNormal, Effort::kThorough}) {
    if (EffortName(effort) == name) return effort;
  }
  return std::nullopt;
}

std::span<const Property> AllProperties() {
  static const Table table;
  return table.properties;
}

}  // namespace mapspec

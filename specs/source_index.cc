// SPDX-License-Identifier: MIT
#include "specs/source_index.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mapspec {
namespace {

bool IsKernelSource(const std::string& document) { return document.starts_with("kernel/"); }

// What stands before the first heading of a document.
bool IsOpening(const std::string& section) { return section == "introduction"; }

// The element of that name, made when there is none.
template <typename T>
T& Named(std::vector<T>* all, const std::string& name) {
  for (T& each : *all) {
    if (each.name == name) return each;
  }
  all->push_back({name, {}});
  return all->back();
}

}  // namespace

size_t SourceDocument::CountClauses() const {
  size_t count = 0;
  for (const SourceSection& section : sections) count += section.clauses.size();
  return count;
}

size_t SourceDocument::CountDisagreements() const {
  size_t count = 0;
  for (const SourceSection& section : sections) {
    for (const SourcedClause& entry : section.clauses) count += !entry.kernels_agree;
  }
  return count;
}

std::vector<SourceDocument> BySource(const Specs& specs) {
  std::vector<SourceDocument> documents;
  for (const SpecFile& file : specs.files) {
    for (const ClauseSpec& clause : file.clauses) {
      std::vector<Citation> places = {{clause.document, clause.section}};
      const auto add = [&](const Citation& place) {
        if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
      };
      for (const Citation& place : clause.also) add(place);
      if (clause.divergence) add(clause.divergence->where);
      for (const Citation& place : places) {
        SourceDocument& document = Named(&documents, place.document);
        Named(&document.sections, place.section)
            .clauses.push_back(
                {&clause, !clause.divergence || !(clause.divergence->where == place)});
      }
    }
  }
  std::sort(documents.begin(), documents.end(), [](const auto& a, const auto& b) {
    return std::pair(IsKernelSource(a.name), a.name) < std::pair(IsKernelSource(b.name), b.name);
  });
  for (SourceDocument& document : documents) {
    std::sort(document.sections.begin(), document.sections.end(), [](const auto& a, const auto& b) {
      return std::pair(!IsOpening(a.name), a.name) < std::pair(!IsOpening(b.name), b.name);
    });
  }
  return documents;
}

std::string PlaceName(const Citation& place) {
  return place.section.empty() ? place.document : place.document + ", " + place.section;
}

std::string DivergenceLine(const ClauseSpec& clause) {
  if (!clause.divergence) return "";
  return PlaceName(clause.divergence->where) + ", says: " + clause.divergence->says +
         " Kernels: " + clause.divergence->kernels;
}

}  // namespace mapspec

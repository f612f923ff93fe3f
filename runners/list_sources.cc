// SPDX-License-Identifier: MIT
#include "runners/list_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "runners/commands.h"
#include "runners/glob.h"
#include "runners/results_file.h"
#include "specs/source_index.h"

namespace mapspec {
namespace {

// What one backend's run says of clauses.
struct BackendStatuses {
  std::string backend;
  std::map<std::string, std::string> statuses;  // By clause.
};

std::optional<std::vector<BackendStatuses>> ReadStatusesOrSay(const std::string& path) {
  std::vector<BackendStatuses> all;
  if (path.empty()) return all;
  const std::optional<std::vector<RecordedRun>> runs = ReadResultsOrSay(path);
  if (!runs) return std::nullopt;
  for (const RecordedRun& run : *runs) {
    BackendStatuses& one = all.emplace_back();
    one.backend = run.backend;
    for (const RecordedResult& clause : run.clauses) {
      one.statuses[clause.id] = StatusName(clause.status);
    }
  }
  return all;
}

// The first `length` bytes of a text, cut between words. Texts are ASCII but for rare signs, which
// stay whole: they are not followed by a space.
std::string Cut(const std::string& text, size_t length) {
  if (text.size() <= length) return text;
  const size_t space = text.rfind(' ', length);
  return text.substr(0, space == std::string::npos ? length : space) + " …";
}

// "kernel pass, userspace skip"
std::string StatusesOf(const std::vector<BackendStatuses>& results, const std::string& clause) {
  std::string text;
  for (const BackendStatuses& backend : results) {
    const auto found = backend.statuses.find(clause);
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", backend.backend,
                        found == backend.statuses.end() ? "not run" : found->second);
  }
  return text;
}

// What stands in the column of claims: where kernels disagree, what the document says.
const std::string& ClaimOf(const SourcedClause& entry) {
  return entry.kernels_agree ? entry.clause->claim : entry.clause->divergence->says;
}

void PrintText(const std::vector<SourceDocument>& documents,
               const std::vector<BackendStatuses>& results) {
  size_t width = 0;
  for (const SourceDocument& document : documents) {
    for (const SourceSection& section : document.sections) {
      for (const SourcedClause& entry : section.clauses) {
        width = std::max(width, entry.clause->id.size());
      }
    }
  }
  for (const SourceDocument& document : documents) {
    fmt::print("{}: {} clauses, kernels disagree with {}\n", document.name, document.CountClauses(),
               document.CountDisagreements());
    for (const SourceSection& section : document.sections) {
      fmt::print("  {}\n", section.name.empty() ? "(the whole of it)" : section.name);
      for (const SourcedClause& entry : section.clauses) {
        const ClauseSpec& clause = *entry.clause;
        const std::string statuses = StatusesOf(results, clause.id);
        fmt::print("    {:<{}}  {:<10}  {:<7}  {:<8}  {}{}{}\n", clause.id, width,
                   LevelName(clause.level), PathName(clause.path),
                   entry.kernels_agree ? "agree" : "DISAGREE", statuses,
                   statuses.empty() ? "" : "  ", Cut(ClaimOf(entry), 72));
        if (entry.kernels_agree) continue;
        fmt::print("    {:<{}}  kernels: {}\n", "", width, clause.divergence->kernels);
      }
    }
  }
}

// A text as it stands in a cell of a Markdown table.
std::string TableCell(std::string text) {
  for (size_t at = 0; (at = text.find_first_of("|*<\n", at)) != std::string::npos; at += 2) {
    if (text[at] == '\n') {
      text[at] = ' ';
    } else {
      text.insert(at, 1, '\\');
    }
  }
  return text;
}

void PrintMarkdown(const std::vector<SourceDocument>& documents,
                   const std::vector<BackendStatuses>& results) {
  fmt::print(
      "# Clauses by source\n\n"
      "What each document says, section by section, the clauses that stand for it, and whether\n"
      "kernels do it. Written by `mapspec list clauses --by-source --markdown`; not to be edited.\n"
      "`observed` clauses tell what Linux does beyond its documents; where they contradict one,\n"
      "they stand under it too. `mapspec list divergences` has the scripts that show it.\n\n"
      "| document | clauses | kernels disagree with |\n|---|---:|---:|\n");
  for (const SourceDocument& document : documents) {
    fmt::print("| {} | {} | {} |\n", TableCell(document.name), document.CountClauses(),
               document.CountDisagreements());
  }
  const std::string_view column = results.empty() ? "" : " run |";
  for (const SourceDocument& document : documents) {
    fmt::print(
        "\n## {}\n\n| section | clause | level | path | claim | kernels |{}\n|---|---|---|---|---|"
        "---|{}\n",
        document.name, column, results.empty() ? "" : "---|");
    for (const SourceSection& section : document.sections) {
      std::string name = section.name;
      for (const SourcedClause& entry : section.clauses) {
        const ClauseSpec& clause = *entry.clause;
        fmt::print("| {} | `{}` | {} | {} | {} | {} |", TableCell(name), clause.id,
                   LevelName(clause.level), PathName(clause.path),
                   TableCell(Cut(ClaimOf(entry), 120)),
                   entry.kernels_agree
                       ? "agree"
                       : fmt::format("**disagree**: {}", TableCell(clause.divergence->kernels)));
        if (!results.empty()) fmt::print(" {} |", TableCell(StatusesOf(results, clause.id)));
        fmt::print("\n");
        name.clear();
      }
    }
  }
}

}  // namespace

int ListBySource(const Specs& specs, const BySourceOptions& options) {
  std::vector<SourceDocument> documents = BySource(specs);
  if (!options.document.empty()) {
    std::vector<std::string> known;
    for (const SourceDocument& document : documents) known.push_back(document.name);
    std::erase_if(documents, [&](const SourceDocument& document) {
      return document.name != options.document;
    });
    if (documents.empty()) {
      std::string hint = DidYouMean(options.document, known);
      if (hint.empty()) {
        for (const std::string& name : known) hint += (hint.empty() ? "; known are " : ", ") + name;
      }
      return UsageError(
          fmt::format("--by-source {}: no clause cites it{}", options.document, hint));
    }
  }
  const std::optional<std::vector<BackendStatuses>> results = ReadStatusesOrSay(options.results);
  if (!results) return 2;
  const Filter filter(options.filter);
  for (SourceDocument& document : documents) {
    for (SourceSection& section : document.sections) {
      std::erase_if(section.clauses, [&](const SourcedClause& entry) {
        return !filter.Selects(entry.clause->id, "");
      });
    }
    std::erase_if(document.sections,
                  [](const SourceSection& section) { return section.clauses.empty(); });
  }
  std::erase_if(documents, [](const SourceDocument& each) { return each.sections.empty(); });
  if (documents.empty()) {
    return UsageError(fmt::format("--filter {}: no clause matches", options.filter));
  }
  if (options.markdown) {
    PrintMarkdown(documents, *results);
  } else {
    PrintText(documents, *results);
  }
  return 0;
}

}  // namespace mapspec

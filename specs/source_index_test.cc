// SPDX-License-Identifier: MIT
#include "specs/source_index.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "specs/spec_loader.h"

namespace mapspec {
namespace {

// DOCUMENT / SECTION: clauses, with a minus before those that kernels do not keep there.
std::vector<std::string> Lines(const std::string& clauses) {
  const SpecText text{"t.yaml", "map_type: QUEUE\nclauses:\n" + clauses};
  const LoadedSpecs loaded = LoadSpecTexts({&text, 1}, {});
  for (const SpecError& error : loaded.errors) ADD_FAILURE() << error.ToString();
  std::vector<std::string> lines;
  for (const SourceDocument& document : BySource(loaded.specs)) {
    for (const SourceSection& section : document.sections) {
      std::string line = document.name + " / " + section.name + ":";
      for (const SourcedClause& entry : section.clauses) {
        line += (entry.kernels_agree ? " " : " -") + entry.clause->id;
      }
      lines.push_back(line);
    }
  }
  return lines;
}

using Expected = std::vector<std::string>;

std::string ClauseText(const std::string& id, const std::string& rest) {
  return "  - {id: queue.pop." + id + ", claim: c, path: syscall, " + rest + "}\n";
}

TEST(SourceIndex, HasTheKernelsOwnSourceLastAndIntroductionsFirst) {
  EXPECT_EQ(
      Lines(ClauseText("a", "level: observed, source: {document: kernel/bpf/a.c, section: f()}") +
            ClauseText("b", "level: documented, source: {document: uapi, section: z}") +
            ClauseText("c", "level: documented, source: {document: uapi, section: a}") +
            ClauseText("d", "level: documented, source: {document: bpf(2), section: z}") +
            ClauseText("e", "level: documented, source: {document: uapi, section: z}") +
            ClauseText("f", "level: documented, source: {document: uapi, section: introduction}")),
      (Expected{"bpf(2) / z: queue.pop.d", "uapi / introduction: queue.pop.f",
                "uapi / a: queue.pop.c", "uapi / z: queue.pop.b queue.pop.e",
                "kernel/bpf/a.c / f(): queue.pop.a"}));
}

TEST(SourceIndex, NamesAClauseWhereverItIsCitedOnce) {
  EXPECT_EQ(Lines(ClauseText("a",
                             "level: documented, source: {document: d, section: s}, "
                             "also: [{document: e}, {document: d, section: s}]")),
            (Expected{"d / s: queue.pop.a", "e / : queue.pop.a"}));
}

TEST(SourceIndex, TellsWhereKernelsDisagreeAndNowhereElse) {
  EXPECT_EQ(Lines(ClauseText("a",
                             "level: observed, source: {document: kernel/x.c, section: f()}, "
                             "divergence: {says: x, document: d, section: s, kernels: y}") +
                  ClauseText("b",
                             "level: documented, source: {document: d, section: s}, "
                             "also: [{document: e, section: t}], "
                             "divergence: {says: x, kernels: y}")),
            (Expected{"d / s: -queue.pop.a -queue.pop.b", "e / t: queue.pop.b",
                      "kernel/x.c / f(): queue.pop.a"}));
}

TEST(DivergenceLine, IsThereForDivergencesOnly) {
  ClauseSpec clause;
  EXPECT_EQ(DivergenceLine(clause), "");
  clause.divergence = Divergence{"It is.", {"d", "s"}, "They do not.", "", ""};
  EXPECT_EQ(DivergenceLine(clause), "d, s, says: It is. Kernels: They do not.");
}

}  // namespace
}  // namespace mapspec

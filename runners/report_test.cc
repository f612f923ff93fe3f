// SPDX-License-Identifier: MIT
#include "runners/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "runners/ktap_parser.h"
#include "runners/worker_protocol.h"

namespace mapspec {
namespace {

TestResult Result(std::string id, Status status, std::string reason = "") {
  TestResult test;
  test.id = test.clause = std::move(id);
  test.status = status;
  test.reason = std::move(reason);
  if (status == Status::kFail || status == Status::kDeviation) test.violated = {test.clause};
  return test;
}

BackendResults Mixed() {
  BackendResults results;
  results.backend = "library:./x.so";
  results.profile = "linux-6.18";
  results.seed = 7;
  results.tests = {Result("a.pass", Status::kPass),
                   Result("a.fail", Status::kFail, "expected <EEXIST> & \"0\", got # \x01\xff\n"),
                   Result("a.deviation", Status::kDeviation, "known #12"),
                   Result("a.skip", Status::kSkip, "no # here"),
                   Result("a.undecided", Status::kUndecided, "time"),
                   Result("a.not-run", Status::kNotRun, "interrupted"),
                   Result("a.died", Status::kDied, "SIGSEGV")};
  results.tests[1].report = "line one\nok 1 looks like a result # SKIP\n\nend";
  results.tests[1].trace = "out/a.trace.jsonl";
  results.coverage["QUEUE BPF_MAP_UPDATE_ELEM BPF_ANY 0"] = 3;
  return results;
}

TEST(KtapReport, IsValidWhateverTheTextsContain) {
  std::ostringstream out;
  BackendResults fine;
  fine.backend = "userspace";
  fine.tests = {Result("b.pass", Status::kPass)};
  BackendResults unusable;
  unusable.backend = "kernel";
  unusable.unusable = "EPERM # no\nreally";
  WriteKtapReport({Mixed(), fine, unusable}, out);
  std::string error;
  const std::vector<KtapTest> tests = ParseKtap(out.str(), &error);
  ASSERT_EQ(error, "") << out.str();
  ASSERT_EQ(tests.size(), 3u);
  EXPECT_FALSE(tests[0].ok);
  EXPECT_TRUE(tests[1].ok);
  EXPECT_FALSE(tests[2].ok);
  const std::vector<KtapTest>& mixed = tests[0].subtests;
  ASSERT_EQ(mixed.size(), 7u);
  const bool ok[] = {true, false, true, true, true, true, false};
  const char* directives[] = {"", "", "XFAIL", "SKIP", "SKIP", "SKIP", "ERROR"};
  for (size_t i = 0; i < mixed.size(); ++i) {
    EXPECT_EQ(mixed[i].name, Mixed().tests[i].id);
    EXPECT_EQ(mixed[i].ok, ok[i]) << mixed[i].name;
    EXPECT_EQ(mixed[i].directive, directives[i]) << mixed[i].name;
  }
}

TEST(KtapParser, RefusesWhatTheFormatDoesNotAllow) {
  for (const char* text :
       {"1..1\nok 1 a\n",                          // no version
        "KTAP version 1\nok 1 a\n",                // no plan
        "KTAP version 1\n1..2\nok 1 a\n",          // too few
        "KTAP version 1\n1..1\nok 1 a\nok 2 b\n",  // too many
        "KTAP version 1\n1..2\nok 1 a\nok 3 b\n",  // a gap
        "KTAP version 1\n1..1\nnoise\nok 1 a\n",   // no line of KTAP
        "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  not ok 1 b\nok 1 a\n",    // bubbling up
        "KTAP version 1\n1..1\n    KTAP version 1\n    1..1\n    ok 1 b\nok 1 a\n",  // indentation
        "KTAP version 1\n1..1\nok 1 a # ERROR x\n", "KTAP version 1\n1..1\nok 1 a"}) {
    std::string error;
    ParseKtap(text, &error);
    EXPECT_NE(error, "") << text;
  }
}

TEST(JsonReport, HasTheContractsShapeOneObjectALine) {
  std::ostringstream out;
  WriteJsonReport({Mixed(), Mixed()}, out);
  std::istringstream lines(out.str());
  std::string line;
  size_t objects = 0;
  while (std::getline(lines, line)) {
    ++objects;
    const nlohmann::json json = nlohmann::json::parse(line);
    for (const char* key : {"mapspec", "backend", "environment", "profile", "seed", "clauses",
                            "properties", "coverage", "summary"}) {
      EXPECT_TRUE(json.contains(key)) << key;
    }
    EXPECT_EQ(json["seed"], 7);
    EXPECT_TRUE(json["environment"].is_object());
    EXPECT_EQ(json["coverage"]["operation_flag_outcome"]["QUEUE BPF_MAP_UPDATE_ELEM BPF_ANY 0"], 3);
    ASSERT_EQ(json["clauses"].size(), 7u);
    for (const auto& clause : json["clauses"]) {
      for (const char* key : {"id", "status", "reason", "trace"})
        EXPECT_TRUE(clause.contains(key)) << key;
    }
    EXPECT_EQ(json["clauses"][2]["id"], "a.fail");
    EXPECT_EQ(json["clauses"][2]["status"], "fail");
    EXPECT_EQ(json["clauses"][2]["trace"], "out/a.trace.jsonl");
    EXPECT_EQ(json["clauses"][1]["status"], "unknown");
    EXPECT_EQ(json["clauses"][2]["test"], "a.fail");
    EXPECT_EQ(json["clauses"][4]["id"], "a.pass");
    EXPECT_TRUE(json["clauses"][4]["test"].is_null());
    // The evidence stands where something broke, and nowhere else.
    EXPECT_EQ(json["scenarios"][1]["report"], Mixed().tests[1].report);
    EXPECT_FALSE(json["scenarios"][0].contains("report"));
  }
  EXPECT_EQ(objects, 2u);
}

TEST(JunitReport, EscapesMarkupAndReplacesWhatXmlCannotCarry) {
  EXPECT_EQ(EscapeXml("<a b=\"&\">"), "&lt;a b=&quot;&amp;&quot;&gt;");
  EXPECT_EQ(EscapeXml(std::string_view("\x00\x01\x1b", 3)), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(EscapeXml("\xc3\xa9 \xff \xed\xa0\x80"),
            "\xc3\xa9 \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(EscapeXml("\xEF\xBF\xBF"), "\xEF\xBF\xBD");
  std::ostringstream out;
  WriteJunitReport({Mixed()}, out);
  EXPECT_NE(out.str().find("failures=\"1\" errors=\"1\" skipped=\"4\""), std::string::npos)
      << out.str();
  EXPECT_EQ(out.str().find('\x01'), std::string::npos);
}

// A clause over which documentation and kernels disagree, and one over which they do not.
BackendResults Disputed() {
  BackendResults results;
  results.backend = "kernel";
  results.tests = {Result("queue.pop.bad-value-pointer", Status::kPass),
                   Result("queue.pop.empty", Status::kPass)};
  return results;
}

constexpr const char* kNote =
    "map_queue_stack.rst, bpf_map_lookup_and_delete_elem(), says: A pop gives the element that it "
    "removes, or it fails. Kernels: ";

TEST(JsonReport, SaysOfAClauseThatDocumentsAndKernelsDisagree) {
  std::ostringstream out;
  WriteJsonReport({Disputed()}, out);
  const nlohmann::json clauses = nlohmann::json::parse(out.str())["clauses"];
  ASSERT_EQ(clauses.size(), 2u);
  const nlohmann::json& divergence = clauses[0]["divergence"];
  EXPECT_EQ(divergence["document"], "map_queue_stack.rst");
  EXPECT_EQ(divergence["section"], "bpf_map_lookup_and_delete_elem()");
  EXPECT_EQ(divergence["says"], "A pop gives the element that it removes, or it fails.");
  EXPECT_NE(divergence["kernels"].get<std::string>().find("EFAULT"), std::string::npos);
  EXPECT_FALSE(clauses[1].contains("divergence"));
}

TEST(JunitReport, SaysOfAClauseThatDocumentsAndKernelsDisagree) {
  std::ostringstream out;
  WriteJunitReport({Disputed()}, out);
  const std::string text = out.str();
  const size_t note = text.find(std::string("<system-out>divergence: ") + kNote);
  EXPECT_NE(note, std::string::npos) << text;
  EXPECT_LT(text.find("name=\"queue.pop.bad-value-pointer\""), note);
  EXPECT_GT(text.find("name=\"queue.pop.empty\""), note);
  EXPECT_EQ(text.find("<system-out>", note + 1), std::string::npos);
}

TEST(KtapReport, SaysOfAClauseThatDocumentsAndKernelsDisagree) {
  std::ostringstream out;
  WriteKtapReport({Disputed()}, out);
  std::string error;
  ParseKtap(out.str(), &error);
  EXPECT_EQ(error, "");
  const size_t note = out.str().find(std::string("  # divergence: ") + kNote);
  EXPECT_LT(note, out.str().find("ok 1 queue.pop.bad-value-pointer")) << out.str();
  EXPECT_EQ(out.str().find("# divergence", note + 5), std::string::npos);
}

TEST(WorkerProtocol, CarriesResultsUnchangedAndDropsDamagedLines) {
  ResultMessage sent{Mixed().tests[1], {{"cell", 5}}};
  sent.result.reason = "plain";
  sent.result.operations = 12;
  std::string line = EncodeMessage(sent);
  ASSERT_EQ(line.back(), '\n');
  line.pop_back();
  const std::optional<Message> got = DecodeMessage(line);
  ASSERT_TRUE(got.has_value());
  const auto& result = std::get<ResultMessage>(*got);
  EXPECT_EQ(result.result.id, sent.result.id);
  EXPECT_EQ(result.result.status, Status::kFail);
  EXPECT_EQ(result.result.violated, sent.result.violated);
  EXPECT_EQ(result.result.report, sent.result.report);
  EXPECT_EQ(result.result.operations, 12u);
  EXPECT_EQ(result.coverage, sent.coverage);
  EXPECT_FALSE(DecodeMessage(line.substr(0, line.size() / 2)).has_value());
  EXPECT_FALSE(DecodeMessage("{\"result\":{}}").has_value());
}

TEST(LineBuffer, GivesWholeLinesOnly) {
  LineBuffer lines;
  lines.Append("on");
  EXPECT_FALSE(lines.NextLine().has_value());
  lines.Append("e\ntwo\nth");
  EXPECT_EQ(lines.NextLine(), "one");
  EXPECT_EQ(lines.NextLine(), "two");
  EXPECT_FALSE(lines.NextLine().has_value());
  lines.Append("ree\n");
  EXPECT_EQ(lines.NextLine(), "three");
}

}  // namespace
}  // namespace mapspec

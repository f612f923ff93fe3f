// SPDX-License-Identifier: MIT
#include "runners/results_file.h"

#include <gtest/gtest.h>

#include <sstream>

#include "runners/report.h"

namespace mapspec {
namespace {

using Runs = std::optional<std::vector<RecordedRun>>;

Runs Read(const std::string& text, ParseError* error) {
  std::istringstream in(text);
  return ReadResults(in, "r.json", error);
}

// What a reader says of text that it refuses, "" when it does not.
std::string Refusal(const std::string& text) {
  ParseError error;
  return Read(text, &error) ? "" : error.ToString();
}

TestResult OneTest(std::string id, std::string clause, Status status) {
  TestResult test;
  test.id = std::move(id);
  test.clause = std::move(clause);
  test.status = status;
  return test;
}

BackendResults SomeResults() {
  BackendResults results;
  results.backend = "kernel";
  results.environment.backend = "kernel";
  results.environment.implementation = "Linux 6.1.0";
  results.environment.kernel_release = "6.1.0";
  results.environment.machine = "x86_64";
  results.profile = "linux-6.1";
  results.seed = 18446744073709551615u;
  results.effort = "quick";
  results.tests = {
      OneTest("queue.pop.empty/new", "queue.pop.empty", Status::kPass),
      OneTest("queue.pop.bad-value-pointer", "queue.pop.bad-value-pointer", Status::kSkip),
      OneTest("hash.exhaustive", "", Status::kFail)};
  results.tests[1].reason = "no bad pointers";
  results.tests[2].reason = "operation 3";
  results.tests[2].violated = {"hash.update.full"};
  results.tests[2].report = "VIOLATION of hash.update.full\n";
  results.tests[2].trace = "out/kernel/hash.exhaustive.trace.jsonl";
  results.errors = {"a deviation vanished"};
  results.interrupted = true;
  return results;
}

TEST(ResultsFile, ReadsBackWhatARunWrote) {
  std::stringstream file;
  WriteJsonReport({SomeResults(), SomeResults()}, file);
  ParseError error;
  const Runs runs = ReadResults(file, "r.json", &error);
  ASSERT_TRUE(runs) << error.ToString();
  ASSERT_EQ(runs->size(), 2u);
  const RecordedRun& run = (*runs)[1];
  EXPECT_EQ(run.file, "r.json");
  EXPECT_EQ(run.line, 2u);
  EXPECT_EQ(run.version, kMapspecVersion);
  EXPECT_EQ(run.backend, "kernel");
  EXPECT_EQ(run.implementation, "Linux 6.1.0");
  EXPECT_EQ(RunName(run), "kernel 6.1.0");
  EXPECT_EQ(run.machine, "x86_64");
  EXPECT_EQ(run.profile, "linux-6.1");
  EXPECT_EQ(run.effort, "quick");
  EXPECT_EQ(run.seed, "18446744073709551615");
  EXPECT_EQ(run.errors, std::vector<std::string>{"a deviation vanished"});
  EXPECT_TRUE(run.interrupted);
  ASSERT_EQ(run.clauses.size(), 3u);
  EXPECT_EQ(run.clauses[0].id, "hash.update.full");
  EXPECT_EQ(run.clauses[0].status, Status::kFail);
  EXPECT_EQ(run.clauses[1].id, "queue.pop.bad-value-pointer");
  EXPECT_EQ(run.clauses[1].status, Status::kSkip);
  EXPECT_EQ(run.clauses[1].reason, "no bad pointers");
  EXPECT_EQ(run.clauses[1].level, "observed");
  EXPECT_EQ(run.clauses[1].path, "syscall");
  ASSERT_TRUE(run.clauses[1].divergence);
  EXPECT_EQ(run.clauses[1].divergence->where.document, "map_queue_stack.rst");
  EXPECT_FALSE(run.clauses[2].divergence);
  ASSERT_EQ(run.properties.size(), 1u);
  EXPECT_EQ(run.properties[0].id, "hash.exhaustive");
  EXPECT_EQ(run.properties[0].status, Status::kFail);
}

TEST(ResultsFile, GivesAClauseTheReportOfTheTestThatDecidedIt) {
  std::stringstream file;
  WriteJsonReport({SomeResults()}, file);
  ParseError error;
  const Runs runs = ReadResults(file, "r.json", &error);
  ASSERT_TRUE(runs) << error.ToString();
  EXPECT_EQ((*runs)[0].clauses[0].report, "VIOLATION of hash.update.full\n");
  EXPECT_EQ((*runs)[0].clauses[1].report, "");
  // As files of before tests were named: by the trace.
  const Runs by_trace =
      Read(R"({"backend":"b","clauses":[{"id":"a.b","status":"fail","trace":"t"}],)"
           R"("scenarios":[{"id":"x","status":"fail","trace":"t","report":"said"}]})",
           &error);
  ASSERT_TRUE(by_trace) << error.ToString();
  EXPECT_EQ((*by_trace)[0].clauses[0].report, "said");
}

TEST(ResultsFile, NeedsNoMoreThanTheBackendAndItsClauses) {
  ParseError error;
  const Runs runs = Read(
      "\n  \r\n{\"backend\":\"b\",\"clauses\":[{\"id\":\"new.kind.of-clause\",\"status\":\"pass\","
      "\"colour\":[1]}],\"seed\":null,\"weather\":{}}",
      &error);
  ASSERT_TRUE(runs) << error.ToString();
  ASSERT_EQ(runs->size(), 1u);
  EXPECT_EQ((*runs)[0].line, 3u);
  EXPECT_EQ(RunName((*runs)[0]), "b");
  EXPECT_EQ((*runs)[0].seed, "");
  EXPECT_EQ((*runs)[0].clauses[0].id, "new.kind.of-clause");
}

TEST(ResultsFile, SaysWhatIsWrongAndWhere) {
  const std::string good = R"({"backend":"b","clauses":[]})";
  const auto clause = [](const std::string& fields) {
    return R"({"backend":"b","clauses":[{"id":"a.b","status":"pass"},{)" + fields + "}]}";
  };
  const struct {
    std::string text;
    const char* said;
  } cases[] = {
      {"", "r.json: holds no results"},
      {"\n\n", "r.json: holds no results"},
      {"# Results\n", "r.json:1: not JSON (column 1); expected one object on each line"},
      {good + "\n" + good.substr(0, 20), "r.json:2: not JSON (it ends too early, at column 21)"},
      {std::string("\x7f"
                   "ELF\x02\x01\x00\x00",
                   8),
       "r.json:1: not JSON"},
      {"{\"backend\":\"\xff\"}", "r.json:1: not JSON"},
      {"[]", "r.json:1: no result: expected an object with `backend` and `clauses`"},
      {"17", "r.json:1: no result"},
      {R"({"mapspec":"0.1.0","findings":[]})", "r.json:1: no result"},
      {R"({"backend":7,"clauses":[]})", "r.json:1: expected a string as backend"},
      {R"({"backend":"b","clauses":{}})", "r.json:1: expected a list as clauses"},
      {R"({"backend":"b","clauses":[],"environment":"x"})", "expected an object as environment"},
      {R"({"backend":"b","clauses":[],"environment":{"kernel_release":6}})",
       "expected a string as environment.kernel_release"},
      {R"({"backend":"b","clauses":[],"seed":-1})", "expected a number below 2^64 as seed"},
      {R"({"backend":"b","clauses":[],"seed":18446744073709551616})", "below 2^64 as seed"},
      {R"({"backend":"b","clauses":[],"seed":1e999})", "r.json:1: no"},
      {R"({"backend":"b","clauses":[],"errors":[1]})", "expected strings as errors"},
      {R"({"backend":"b","clauses":[],"properties":[[]]})", "expected an object as properties[0]"},
      {R"({"backend":"b","clauses":[],"scenarios":[{"id":"s"}]})",
       "expected a string as scenarios[0].status"},
      {clause(R"("status":"pass")"), "expected a string as clauses[1].id"},
      {clause(R"("id":"","status":"pass")"), "expected a name as clauses[1].id"},
      {clause(R"("id":"a.b","status":"pass")"), "clauses[1].id `a.b` was there before"},
      {clause(R"("id":"a.c","status":"passed")"),
       "expected pass, fail, deviation, skip or unknown as clauses[1].status, not `passed`"},
      {clause(R"("id":"a.c","status":"pass","reason":{})"),
       "expected a string as clauses[1].reason"},
      {clause(R"("id":"a.c","status":"pass","divergence":[])"),
       "expected an object as clauses[1].divergence"},
      {good + "\n\n" + clause(R"("id":1)"), "r.json:3: expected a string as clauses[1].id"},
  };
  for (const auto& c : cases) {
    const std::string said = Refusal(c.text);
    EXPECT_NE(said.find(c.said), std::string::npos) << c.text << "\nis answered with: " << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
  EXPECT_EQ(Refusal(good), "");
}

TEST(ResultsFile, SurvivesEveryCutAndEveryChangedByte) {
  std::stringstream file;
  WriteJsonReport({SomeResults()}, file);
  std::string text = file.str();
  ASSERT_EQ(text.back(), '\n');
  text.pop_back();
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_NE(Refusal(text.substr(0, size)), "") << size;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    for (const char byte : {'\0', '"', '{', '9', '\xff'}) {
      std::string changed = text;
      changed[i] = byte;
      Refusal(changed);  // Either way: no crash, no exception.
    }
  }
}

TEST(ResultsFile, DeepNestingIsNoDepthOfRecursion) {
  EXPECT_NE(Refusal(std::string(2'000'000, '[')), "");
  const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
  EXPECT_EQ(Refusal(R"({"backend":"b","clauses":[],"more":)" + deep + "}"), "");
}

}  // namespace
}  // namespace mapspec

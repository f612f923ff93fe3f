// SPDX-License-Identifier: MIT
//
// record, check, shrink, repro: scripts and traces in files.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "runners/cli_harness.h"

namespace mapspec {
namespace {

constexpr const char* kScript =
    R"({"mapspec_script":1,"name":"pops"}
{"op":"BPF_MAP_CREATE","as":"m0","type":"BPF_MAP_TYPE_QUEUE","key_size":0,"value_size":4,"max_entries":3}
{"op":"BPF_MAP_CREATE","as":"m1","type":"BPF_MAP_TYPE_ARRAY","key_size":4,"value_size":4,"max_entries":3}
{"op":"BPF_MAP_UPDATE_ELEM","map":"m0","key":null,"value":"0x01000000","flags":"BPF_ANY"}
{"op":"BPF_MAP_UPDATE_ELEM","map":"m1","key":"0x01000000","value":"0x01000000","flags":"BPF_ANY"}
{"op":"BPF_MAP_LOOKUP_AND_DELETE_ELEM","map":"m0","key":null}
)";

std::string Recorded(const std::string& backend) {
  const CommandResult result = Mapspec({"record", "--backend", backend, "-"}, kScript);
  EXPECT_EQ(result.status, 0) << result.err;
  return result.out;
}

TEST(Record, WritesATraceThatCheckFindsConforming) {
  const std::string trace = Recorded("userspace");
  EXPECT_EQ(CountOf(trace, "\n"), 6u) << trace;
  const CommandResult check = Mapspec({"check", "-"}, trace);
  EXPECT_EQ(check.status, 0) << check.err << check.out;
  EXPECT_NE(check.out.find("conforms"), std::string::npos) << check.out;
}

TEST(Record, WritesToAFileAndNotesTheProfile) {
  const Directory directory;
  const std::string script = directory.Write("s.script", kScript);
  const CommandResult result = Mapspec({"record", "-b", "userspace", "--profile", "documented",
                                        "-o", directory / "t.jsonl", script});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "");
  const CommandResult check = Mapspec({"check", directory / "t.jsonl"});
  EXPECT_NE(check.out.find("conforms to documented"), std::string::npos) << check.out;
}

TEST(Check, FindsTheViolationInATraceThatWasTamperedWith) {
  std::string trace = Recorded("userspace");
  const size_t last = trace.rfind("0x01000000");
  ASSERT_NE(last, std::string::npos);
  trace.replace(last, 10, "0x02000000");
  const Directory directory;
  const std::string file = directory.Write("t.jsonl", trace);
  const CommandResult check = Mapspec({"check", file});
  EXPECT_EQ(check.status, 1) << check.out;
  EXPECT_NE(check.out.find("VIOLATION of queue.pop."), std::string::npos) << check.out;
  EXPECT_NE(check.out.find("operation 4"), std::string::npos) << check.out;
  EXPECT_NE(check.out.find("^^"), std::string::npos) << check.out;
  const CommandResult quiet = Mapspec({"check", "-q", file});
  EXPECT_EQ(quiet.status, 1);
  EXPECT_EQ(CountOf(quiet.out, "\n"), 1u) << quiet.out;
}

TEST(Check, JudgesEveryFileAndTheWorstDecides) {
  const Directory directory;
  const std::string good = directory.Write("good.jsonl", Recorded("userspace"));
  const std::string bad = directory.Write("bad.jsonl", Recorded("null:success"));
  EXPECT_EQ(Mapspec({"check", good, good}).status, 0);
  const CommandResult both = Mapspec({"check", good, bad});
  EXPECT_EQ(both.status, 1);
  EXPECT_NE(both.out.find(good + ": conforms"), std::string::npos);
  const std::string damaged = directory.Write("damaged.jsonl", "{\"mapspec_trace\":");
  EXPECT_EQ(Mapspec({"check", bad, damaged, good}).status, 2);
}

TEST(Check, DamagedTracesAreToldWithFileAndLine) {
  const Directory directory;
  const std::string good = Recorded("userspace");
  std::vector<std::string> lines;
  std::istringstream stream(good);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  const auto joined = [](std::vector<std::string> list) {
    std::string text;
    for (const std::string& line : list) text += line + "\n";
    return text;
  };
  std::vector<std::string> cut = lines, unknown = lines, wrong = lines;
  cut[3].resize(cut[3].size() / 2);
  unknown[4].replace(unknown[4].find("BPF_MAP_UPDATE_ELEM"), 19, "BPF_MAP_UPDATE_ELEN");
  wrong[2].replace(wrong[2].find("\"as\":\"m1\""), 9, "\"as\":17");
  const struct {
    std::string text;
    const char* place;
  } cases[] = {{joined(cut), ":4:"},
               {joined(unknown), ":5:"},
               {joined(wrong), ":3:"},
               {"", ":"},
               {"\x7f"
                "ELF\x01\x02",
                ":1:"},
               {joined({"{\"mapspec_trace\":99}"}), ":1:"},
               {std::string(100'000, '['), ":1:"}};
  for (const auto& c : cases) {
    const std::string file = directory.Write("t.jsonl", c.text);
    const CommandResult result = Mapspec({"check", file});
    EXPECT_EQ(result.status, 2) << c.text.substr(0, 200);
    EXPECT_NE(result.err.find(file + c.place), std::string::npos) << c.place << "\n" << result.err;
    EXPECT_EQ(CountOf(result.err, "\n"), 1u) << result.err;
  }
}

TEST(Shrink, KeepsOnlyWhatBreaksTheClause) {
  const Directory directory;
  const std::string trace = directory.Write("t.jsonl", Recorded("null:no-output"));
  ASSERT_EQ(Mapspec({"check", trace}).status, 1);
  const CommandResult result = Mapspec({"shrink", trace, "--backend", "null:no-output"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.err.find("operations become"), std::string::npos) << result.err;
  EXPECT_LT(CountOf(result.out, "\n"), CountOf(kScript, "\n"));
  const std::string small = directory.Write("small.script", result.out);
  const CommandResult again = Mapspec({"record", "-b", "null:no-output", small});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(Mapspec({"check", "-"}, again.out).status, 1);
}

TEST(Shrink, RefusesATraceThatConformsAndABackendThatDoesNotFail) {
  const Directory directory;
  const std::string good = directory.Write("good.jsonl", Recorded("userspace"));
  const std::string bad = directory.Write("bad.jsonl", Recorded("null:no-output"));
  const CommandResult nothing = Mapspec({"shrink", good, "--backend", "userspace"});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_NE(nothing.err.find("conforms"), std::string::npos) << nothing.err;
  const CommandResult other = Mapspec({"shrink", bad, "--backend", "userspace"});
  EXPECT_EQ(other.status, 2);
  EXPECT_NE(other.err.find("does not break"), std::string::npos) << other.err;
}

TEST(Repro, WritesACProgramOfAViolationAndRefusesATraceThatConforms) {
  const Directory directory;
  std::string trace = Recorded("userspace");
  const std::string good = directory.Write("good.jsonl", trace);
  trace.replace(trace.rfind("0x01000000"), 10, "0x02000000");
  const std::string bad = directory.Write("bad.jsonl", trace);
  const CommandResult program = Mapspec({"repro", bad});
  EXPECT_EQ(program.status, 0) << program.err;
  EXPECT_EQ(program.out.rfind("/*\n * queue.pop.", 0), 0u) << program.out;
  EXPECT_NE(program.out.find("int main("), std::string::npos) << program.out;
  const CommandResult file = Mapspec({"repro", bad, "-o", directory / "r.c"});
  EXPECT_EQ(file.status, 0) << file.err;
  EXPECT_EQ(ReadFile(directory / "r.c"), program.out);
  const CommandResult nothing = Mapspec({"repro", good});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_NE(nothing.err.find("conforms"), std::string::npos) << nothing.err;
  const CommandResult unwritable = Mapspec({"repro", bad, "-o", directory / "no/r.c"});
  EXPECT_EQ(unwritable.status, 2);
  EXPECT_EQ(CountOf(unwritable.err, "\n"), 1u) << unwritable.err;
}

TEST(Agent, AnswersOperationsWithOutcomes) {
  std::istringstream script(kScript);
  std::string header, create;
  std::getline(script, header);
  std::getline(script, create);
  const CommandResult result =
      Mapspec({"agent", "--backend", "userspace"}, "{\"run\":1}\n" + create + "\n{\"end\":true}\n");
  EXPECT_EQ(result.status, 0) << result.err;
  std::istringstream answers(result.out);
  std::string hello, outcome, ended;
  std::getline(answers, hello);
  std::getline(answers, outcome);
  std::getline(answers, ended);
  EXPECT_TRUE(nlohmann::json::parse(hello).contains("mapspec_agent")) << hello;
  EXPECT_NE(outcome, "");
  EXPECT_EQ(ended, "{\"ended\":true}");
  EXPECT_EQ(Mapspec({"agent", "--backend", "usrspace"}).status, 2);
}

}  // namespace
}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include "runners/failure_report.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "oracle/trace_json.h"

namespace mapspec {
namespace {

Violation PoppedWrongValue() {
  Violation violation;
  violation.found_by = "queue.pop.takes-head/order";
  violation.profile = "linux-6.18";
  violation.clauses = {"queue.pop.takes-head"};
  violation.index = 1;
  violation.expected = "success with value 0x01000000";
  violation.got = "success with value 0x01000200";
  violation.expected_bytes = {1, 0, 0, 0};
  violation.trace.environment.backend = "library:./odd name.so";
  violation.trace.environment.implementation = "odd";
  MapCreate create;
  create.type = MapType::QUEUE;
  create.key_size = 0;
  Outcome popped;
  popped.output = Bytes{1, 0, 2, 0};
  violation.trace.operations = {{create}, {LookupAndDelete{}}, {Close{}}};
  violation.trace.outcomes = {Outcome{}, popped, Outcome{}};
  return violation;
}

TEST(HexDifference, MarksTheBytesThatDiffer) {
  EXPECT_EQ(HexDifference({1, 2, 3, 4}, {1, 0xff, 3, 5}, ""),
            "byte 0     expected  01 02 03 04\n"
            "           got       01 ff 03 05\n"
            "                        ^^    ^^\n");
  EXPECT_EQ(HexDifference({1, 2}, {1, 2}, ""), "");
}

TEST(HexDifference, LeavesOutRowsThatAreEqualAndLimitsTheRest) {
  Bytes expected(4096), got(4096);
  got[100] = 1;
  const std::string text = HexDifference(expected, got, "");
  EXPECT_EQ(text.substr(0, 8), "byte 96 ");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_NE(HexDifference(expected, Bytes(4096, 1), "").find("248 rows more"), std::string::npos);
}

TEST(FileNameOf, IsSafeInAFileSystemAndAShell) {
  EXPECT_EQ(FileNameOf("queue.pop.takes-head/order"), "queue.pop.takes-head+order");
  EXPECT_EQ(FileNameOf("generic.close[HASH]"), "generic.close+HASH");
  EXPECT_EQ(FileNameOf("library:../../x y"), "library+..+..+x+y");
  EXPECT_EQ(FileNameOf(".."), "_..");
  EXPECT_EQ(ShellQuote("a'b c"), "'a'\\''b c'");
  EXPECT_EQ(ShellQuote("queue.pop+order.script"), "queue.pop+order.script");
}

TEST(FailureText, NamesTheClauseTheScriptBothOutcomesAndTheReplay) {
  ArtefactFiles files;
  files.trace = "out/t.trace.jsonl";
  files.script = "out/t.script";
  const std::string text = FailureText(PoppedWrongValue(), files);
  for (const char* part :
       {"VIOLATION of queue.pop.takes-head", "claim", "source", "linux-6.18", "BPF_MAP_CREATE",
        "=>   1  {\"op\":\"BPF_MAP_LOOKUP_AND_DELETE_ELEM\"", "success with value 0x01000200",
        "mapspec check --profile linux-6.18 out/t.trace.jsonl",
        "mapspec record --backend 'library:./odd name.so' out/t.script"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
  EXPECT_EQ(text.find("\"close\""), std::string::npos)
      << "operations behind the failing one are noise";
}

TEST(FailureText, ABootedKernelIsAskedAgainByARunOfTheTest) {
  Violation violation = PoppedWrongValue();
  violation.trace.environment.backend = "qemu:bzImage";
  violation.found_by = "queue.pop.takes-head/order";
  ArtefactFiles files;
  files.script = "out/t.script";
  const std::string text = FailureText(violation, files);
  EXPECT_EQ(text.find("mapspec record"), std::string::npos) << text;
  EXPECT_NE(text.find("mapspec run --backend qemu:bzImage --profile linux-6.18 --filter "
                      "queue.pop.takes-head/order"),
            std::string::npos)
      << text;
}

TEST(FailureText, SaysOfAClauseThatDocumentsAndKernelsDisagree) {
  Violation violation = PoppedWrongValue();
  violation.clauses = {"queue.pop.empty"};
  EXPECT_EQ(FailureText(violation, {}).find("disputed"), std::string::npos);
  violation.clauses = {"queue.pop.bad-value-pointer"};
  const std::string text = FailureText(violation, {});
  EXPECT_NE(text.find("  disputed map_queue_stack.rst, bpf_map_lookup_and_delete_elem(), says:"),
            std::string::npos)
      << text;
}

TEST(FailureText, OfALongScriptWithLongValuesStaysReadable) {
  Violation violation = PoppedWrongValue();
  const Operation push{Update{{0}, {Pointer::kNull, {}}, {Pointer::kValid, Bytes(4096, 1)}, 0}};
  violation.trace.operations.insert(violation.trace.operations.begin() + 1, 1000, push);
  violation.trace.outcomes.insert(violation.trace.outcomes.begin() + 1, 1000, Outcome{});
  violation.index += 1000;
  violation.got = std::string(5000, 'x');
  const std::string text = FailureText(violation, {});
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 60);
  EXPECT_LT(text.size(), 8000u);
  EXPECT_NE(text.find("986 operations more"), std::string::npos) << text;
  EXPECT_NE(text.find("=> 1001  "), std::string::npos) << text;
}

TEST(WriteArtefacts, WritesATraceAndAScriptThatCanBeReadBack) {
  std::string directory = testing::TempDir() + "mapspec-artefacts-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  std::string text, error;
  const ArtefactFiles files = WriteArtefacts(PoppedWrongValue(), directory, &text, &error);
  EXPECT_EQ(error, "");
  ParseError parse_error;
  std::ifstream trace_file(files.trace), script_file(files.script);
  const auto trace = ReadTrace(trace_file, files.trace, &parse_error);
  ASSERT_TRUE(trace.has_value()) << parse_error.ToString();
  EXPECT_EQ(trace->operations.size(), 2u);
  EXPECT_EQ(trace->outcomes.size(), 2u);
  EXPECT_EQ(trace->profile, "linux-6.18");
  const auto script = ReadScript(script_file, files.script, &parse_error);
  ASSERT_TRUE(script.has_value()) << parse_error.ToString();
  EXPECT_EQ(script->operations, trace->operations);
  EXPECT_TRUE(std::filesystem::exists(files.text));
  std::filesystem::remove_all(directory);
}

TEST(WriteArtefacts, SaysWhichDirectoryCannotBeMade) {
  std::string text, error;
  const ArtefactFiles files = WriteArtefacts(PoppedWrongValue(), "/dev/null/x", &text, &error);
  EXPECT_NE(error.find("/dev/null/x"), std::string::npos);
  EXPECT_EQ(files.trace, "");
  EXPECT_NE(text.find("VIOLATION"), std::string::npos);
}

}  // namespace
}  // namespace mapspec

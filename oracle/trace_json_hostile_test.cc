// SPDX-License-Identifier: MIT
//
// Damaged and hostile input: every complaint names the place and what would have been right, and
// nothing crashes, hangs or eats memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "oracle/trace_json.h"
#include "oracle/trace_json_random.h"

namespace mapspec {
namespace {

constexpr char kHead[] = "{\"mapspec_script\":1}\n";

// The message for a script whose second line is `line`.
std::string ScriptError(const std::string& line) {
  ParseError error;
  return ScriptOf(kHead + line, &error) ? "" : error.ToString();
}
std::string OutcomeError(const std::string& line) {
  ParseError error;
  return OutcomeFromJson(line, &error) ? "" : error.ToString();
}

TEST(TraceJsonHostileTest, MessagesNameFileLineAndTheNearestRightWord) {
  const auto close = [](int n) {
    std::string lines;
    for (int i = 0; i < n; ++i) lines += "{\"op\":\"close\"}\n";
    return lines;
  };
  EXPECT_EQ(ScriptError(close(3) + R"({"op":"BPF_MAP_LOKUP_ELEM"})"),
            "s.script:5: unknown operation \"BPF_MAP_LOKUP_ELEM\"; did you mean "
            "\"BPF_MAP_LOOKUP_ELEM\"?");
  EXPECT_EQ(ScriptError(R"({"op":"BPF_MAP_LOOKUP_ELEM","kye":"0x00"})"),
            "s.script:2: BPF_MAP_LOOKUP_ELEM has no field \"kye\"; did you mean \"key\"?");
  EXPECT_EQ(ScriptError(R"({"op":"close","colour":1})"),
            "s.script:2: close has no field \"colour\"; expected one of op map caller cpu thread");
  EXPECT_EQ(
      ScriptError(R"({"op":"BPF_MAP_UPDATE_ELEM","key":null,"value":"0x","flags":"BPF_EXITS"})"),
      "s.script:2: \"flags\": unknown flag \"BPF_EXITS\"; did you mean \"BPF_EXIST\"?");
  EXPECT_EQ(ScriptError(R"({"op":"BPF_MAP_CREATE","type":"BPF_MAP_TYPE_QEUE"})"),
            "s.script:2: unknown map type \"BPF_MAP_TYPE_QEUE\"; did you mean "
            "\"BPF_MAP_TYPE_QUEUE\"?");
  EXPECT_EQ(ScriptError(R"({"op":"BPF_MAP_CREATE","type":"STCK"})"),
            "s.script:2: unknown map type \"STCK\"; did you mean \"STACK\"?");
  EXPECT_EQ(
      OutcomeError(R"({"error":"EXIST"})"),
      "\"error\": unknown errno \"EXIST\"; did you mean \"EEXIST\"? (others: \"errno NUMBER\")");
}

TEST(TraceJsonHostileTest, MissingFieldsAreNamedWithWhatBelongsThere) {
  EXPECT_EQ(ScriptError("{}"),
            "s.script:2: the field \"op\" is missing; expected an operation such as "
            "\"BPF_MAP_UPDATE_ELEM\"");
  EXPECT_EQ(ScriptError(R"({"op":"BPF_MAP_DELETE_ELEM"})"),
            "s.script:2: the field \"key\" is missing; expected bytes such as \"0x01000000\", null "
            "or \"bad\"");
  EXPECT_NE(ScriptError(R"({"op":"BPF_MAP_CREATE"})"), "");
  EXPECT_NE(ScriptError(R"({"op":"unlink"})"), "");
  EXPECT_NE(ScriptError(R"({"op":"store"})"), "");
  EXPECT_NE(OutcomeError("{}"), "");
  EXPECT_NE(OutcomeError(R"({"detail":"x"})"), "");
  EXPECT_NE(OutcomeError(R"({"keys":"0x00"})"), "");
  EXPECT_NE(OutcomeError(R"({"value":{"written":"0x00"}})"), "");
}

TEST(TraceJsonHostileTest, NumbersOutOfRangeAreRefusedAndNeverCut) {
  EXPECT_EQ(ScriptError(R"({"op":"BPF_MAP_CREATE","type":"HASH","key_size":4294967296})"),
            "s.script:2: \"key_size\": expected an integer from 0 to 4294967295, got 4294967296");
  for (const char* const number : {"-1", "1.0", "1e3", "1e999", "18446744073709551616", "true",
                                   "null", "\"\"", "\"0x\"", "\"-1\"", "\"1x\"", "{}"}) {
    const std::string value(number);
    EXPECT_NE(
        ScriptError("{\"op\":\"BPF_MAP_CREATE\",\"type\":\"HASH\",\"key_size\":" + value + "}"), "")
        << value;
    EXPECT_NE(ScriptError("{\"op\":\"mmap\",\"length\":" + value + "}"), "") << value;
    EXPECT_NE(OutcomeError("{\"id\":" + value + "}"), "") << value;
  }
  EXPECT_NE(ScriptError(R"({"op":"BPF_MAP_CREATE","type":"HASH","map_flags":4294967296})"), "");
  EXPECT_NE(ScriptError(R"({"op":"BPF_MAP_CREATE","type":4294967296})"), "");
  EXPECT_NE(ScriptError(R"({"op":"BPF_BTF_LOAD","lock_offset":2147483648})"), "");
  EXPECT_NE(ScriptError(R"({"op":"BPF_BTF_LOAD","lock_offset":-2147483649})"), "");
  EXPECT_EQ(ScriptError(R"({"op":"BPF_BTF_LOAD","lock_offset":-2147483648})"), "");
  EXPECT_NE(OutcomeError(R"({"error":2147483648})"), "");
}

TEST(TraceJsonHostileTest, SlotsBeyondTheLimitAreRefused) {
  EXPECT_EQ(ScriptError(R"({"op":"close","map":"m1023"})"), "");
  EXPECT_EQ(ScriptError(R"({"op":"close","map":"m1024"})"),
            "s.script:2: \"map\": expected a slot from \"m0\" to \"m1023\", got \"m1024\" (or "
            "\"bad\", \"not_a_map\")");
  for (const char* const slot : {"m", "m-1", "m1 ", "m65536", "x0", "M0", "v0", "", "m0x1"}) {
    EXPECT_NE(ScriptError("{\"op\":\"close\",\"map\":\"" + std::string(slot) + "\"}"), "") << slot;
  }
  EXPECT_NE(ScriptError(R"({"op":"munmap","view":"v1024"})"), "");
  EXPECT_NE(ScriptError(R"({"op":"BPF_MAP_CREATE","type":"HASH","as":"bad"})"), "");
  EXPECT_NE(ScriptError(R"({"op":"BPF_MAP_CREATE","type":"HASH","inner_map":"bad"})"), "");
  EXPECT_NE(ScriptError(R"({"op":"BPF_MAP_CREATE","type":"HASH","btf":"b1024"})"), "");
}

TEST(TraceJsonHostileTest, PathsCannotLeaveTheScriptsOwnDirectory) {
  for (const char* const path : {"/etc/passwd", "..", "../x", "a/../../x", "a/..", "a\\u0000b"}) {
    EXPECT_NE(ScriptError("{\"op\":\"unlink\",\"path\":\"" + std::string(path) + "\"}"), "")
        << path;
  }
  EXPECT_NE(ScriptError("{\"op\":\"unlink\",\"path\":\"" + std::string(4097, 'a') + "\"}"), "");
  EXPECT_NE(ScriptError(R"({"op":"unlink","path":{"bytes":"0x2e2e"}})"), "");
  for (const char* const path : {"a", "outside/a", "..a", "a..", "a/..b/c"}) {
    EXPECT_EQ(ScriptError("{\"op\":\"unlink\",\"path\":\"" + std::string(path) + "\"}"), "")
        << path;
  }
}

TEST(TraceJsonHostileTest, WhatIsNotALineOfJsonIsRefused) {
  for (const std::string& line :
       {std::string("x"), std::string("[]"), std::string("1"), std::string("\"op\""),
        std::string("null"), std::string(R"({"op":"close"}{"op":"close"})"),
        std::string(R"({"op":"close",})"), std::string(R"({"op":"close"} x)"),
        std::string(R"({"op":"close","op":"close"})"), std::string(R"({"op":["close"]})"),
        std::string("{\"op\":\"close\"}\0", 15), std::string("{\"op\":\"cl\0ose\"}", 15),
        std::string("{\"op\":\"\xff\"}"), std::string("{\"op\":\"\xed\xa0\x80\"}"),
        std::string("// comment")}) {
    const std::string error = ScriptError(line);
    EXPECT_TRUE(error.starts_with("s.script:2: ")) << line << ": " << error;
    EXPECT_TRUE(std::all_of(error.begin(), error.end(), [](char c) {
      return c >= 0x20 && c < 0x7f;
    })) << error;
  }
  EXPECT_NE(ScriptError(std::string("{\"op\":\"close\"}\0", 15)).find("NUL"), std::string::npos);
}

TEST(TraceJsonHostileTest, ALineThatIsCutOffSaysSo) {
  EXPECT_NE(ScriptError(R"({"op":"close","ma)").find("cut off"), std::string::npos);
  EXPECT_NE(ScriptError(R"({"op":"close")").find("cut off"), std::string::npos);
  EXPECT_EQ(ScriptError(R"({"op":"close" "map":"m0"})").find("cut off"), std::string::npos);
}

TEST(TraceJsonHostileTest, EveryPrefixOfATraceIsATraceOrAClearError) {
  Source source(6);
  const std::string text = ToText(RandomTrace(source, 12));
  for (size_t size = 0; size < text.size(); ++size) {
    ParseError error;
    if (TraceOf(text.substr(0, size), &error)) continue;
    EXPECT_FALSE(error.message.empty()) << size;
    const auto newlines = std::count(text.begin(), text.begin() + static_cast<long>(size), '\n');
    EXPECT_EQ(error.line, static_cast<size_t>(newlines) + 1) << size << error.ToString();
  }
}

TEST(TraceJsonHostileTest, TheFirstLineIsCheckedWithCare) {
  const auto script_error = [](const std::string& text) {
    ParseError error;
    return ScriptOf(text, &error) ? "" : error.ToString();
  };
  EXPECT_EQ(
      script_error(""),
      "s.script:1: the file is empty; expected {\"mapspec_script\": 1, ...} as the first line");
  EXPECT_NE(script_error("\n\n").find("empty"), std::string::npos);
  EXPECT_EQ(script_error("{\"mapspec_trace\":1}"),
            "s.script:1: expected {\"mapspec_script\": 1, ...} as the first line; this is a trace");
  EXPECT_EQ(script_error("{\"mapspec_script\":2}"),
            "s.script:1: format version 2; this program reads version 1");
  EXPECT_NE(script_error("{\"op\":\"close\"}"), "");
  EXPECT_NE(script_error("{\"mapspec_script\":1,\"nmae\":\"x\"}").find("\"name\""),
            std::string::npos);
  const auto trace_error = [](const std::string& text) {
    ParseError error;
    return TraceOf(text, &error) ? "" : error.ToString();
  };
  EXPECT_NE(trace_error("{\"mapspec_trace\":1}").find("environment"), std::string::npos);
  EXPECT_EQ(trace_error("{\"mapspec_trace\":1,\"environment\":{}}"), "");
  for (const char* const field :
       {"\"page_size\":0", "\"page_size\":4095", "\"possible_cpus\":0", "\"numa_nodes\":0",
        "\"possible_cpus\":4294967295", "\"unprivileged_bpf_disabled\":3", "\"cpu\":1"}) {
    EXPECT_NE(trace_error("{\"mapspec_trace\":1,\"environment\":{" + std::string(field) + "}}"), "")
        << field;
  }
}

TEST(TraceJsonHostileTest, OnlyTheLastOperationsMayLackAnOutcome) {
  const std::string head = "{\"mapspec_trace\":1,\"environment\":{}}\n";
  const std::string done = "{\"op\":\"close\",\"outcome\":{\"error\":\"0\"}}\n";
  const std::string open = "{\"op\":\"close\"}\n";
  ParseError error;
  const auto trace = TraceOf(head + done + open + open, &error);
  ASSERT_TRUE(trace) << error.ToString();
  EXPECT_EQ(trace->operations.size(), 3u);
  EXPECT_EQ(trace->outcomes.size(), 1u);
  EXPECT_FALSE(TraceOf(head + done + open + done, &error));
  EXPECT_EQ(error.line, 4u);
  EXPECT_NE(error.message.find("line 3"), std::string::npos);
  EXPECT_NE(ScriptError(done), "") << "a script has no outcomes";
}

TEST(TraceJsonHostileTest, OutputsOfTwoKindsAreRefused) {
  for (const char* const outcome :
       {R"({"value":"0x","next_key":"0x"})", R"({"value":"0x","id":1})", R"({"id":1,"revents":1})",
        R"({"count":1,"value":"0x"})", R"({"count":1,"info":{"type":1}})"}) {
    EXPECT_NE(OutcomeError(outcome).find("two kinds"), std::string::npos) << outcome;
  }
}

TEST(TraceJsonHostileTest, DepthAndNumberOfValuesAreLimited) {
  std::string deep = "{\"op\":";
  for (int i = 0; i < 1'000'000; ++i) deep += "{\"a\":";
  EXPECT_NE(ScriptError(deep).find("nested"), std::string::npos);
  EXPECT_NE(ScriptError("{\"op\":" + std::string(1'000'000, '[')), "");
  std::string wide = "{\"op\":\"close\"";
  for (int i = 0; i < 1'000'000; ++i) wide += ",\"" + std::to_string(i) + "\":0";
  EXPECT_NE(ScriptError(wide + "}").find("256"), std::string::npos);
}

TEST(TraceJsonHostileTest, LinesOfMoreThan16MebibytesAreRefused) {
  const std::string store = "{\"op\":\"store\",\"bytes\":\"0x";
  const size_t room = (size_t{16} << 20) - store.size() - 2;
  EXPECT_EQ(ScriptError(store + std::string(room & ~size_t{1}, '0') + "\"}"), "");
  EXPECT_NE(ScriptError(store + std::string(room + 2, '0') + "\"}").find("longer"),
            std::string::npos);
  EXPECT_NE(ScriptError(std::string(size_t{40} << 20, ' ')).find("longer"), std::string::npos);
}

TEST(TraceJsonHostileTest, AShortLineCannotAskForMuchMemory) {
  EXPECT_EQ(OutcomeError(R"({"value":{"untouched":65536}})"), "");
  EXPECT_NE(OutcomeError(R"({"value":{"untouched":67108865}})"), "");
  EXPECT_NE(OutcomeError(R"({"value":{"untouched":18446744073709551615}})"), "");
  std::string text = "{\"mapspec_trace\":1,\"environment\":{}}\n";
  for (int i = 0; i < 100; ++i) {
    text +=
        "{\"op\":\"BPF_MAP_LOOKUP_ELEM\",\"key\":null,\"outcome\":{\"value\":{\"untouched\":"
        "67108864}}}\n";
  }
  ParseError error;
  EXPECT_FALSE(TraceOf(text, &error));
  EXPECT_EQ(error.line, 10u) << error.ToString();
}

TEST(TraceJsonHostileTest, AFileThatCannotBeReadIsAnError) {
  std::istringstream in("{\"mapspec_script\":1}\n");
  in.setstate(std::ios::badbit);
  ParseError error;
  EXPECT_FALSE(ReadScript(in, "x", &error));
  EXPECT_EQ(error.ToString(), "x:1: the file cannot be read");
}

// Mutations of valid files: bytes changed, pieces taken out, doubled, moved, and words of the
// format put into the wrong places.
class Mutator {
 public:
  explicit Mutator(uint64_t seed) : source_(seed) {}

  std::string Next() {
    std::string text = Valid();
    for (size_t n = 1 + source_.Below(6); n != 0; --n) Mutate(&text);
    return text;
  }

 private:
  std::string Valid() {
    // A pool, renewed piece by piece: making a fresh file each time would cost more than reading
    // it.
    if (pool_.size() < 64 || source_.Below(16) == 0) {
      const Trace trace = RandomTrace(source_, source_.Below(6));
      pool_.push_back(source_.Coin() ? ToText(trace) : ToText(Script{"s", trace.operations}));
      if (pool_.size() > 64) pool_.erase(pool_.begin());
    }
    return pool_[source_.Below(pool_.size())];
  }
  void Mutate(std::string* text) {
    static const std::string kWords[] = {"\"",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         ":",
                                         ",",
                                         "\n",
                                         "\\",
                                         "null",
                                         "-1",
                                         "1e9",
                                         "\"0x\"",
                                         "\"bad\"",
                                         "4294967296",
                                         "18446744073709551616",
                                         "{\"untouched\":9}",
                                         "\"m1024\"",
                                         "\"op\":\"close\",",
                                         "\"key\":",
                                         "\"outcome\":{",
                                         std::string(1, '\0'),
                                         "\xff",
                                         "\xc3",
                                         "\\u0000",
                                         "\\ud800",
                                         "|",
                                         "0x",
                                         "BPF_ANY",
                                         "{\"bytes\":\"0xff\"}"};
    const size_t at = source_.Below(text->size() + 1);
    const size_t length = std::min(source_.Below(20), text->size() - at);
    switch (source_.Below(6)) {
      case 0:
        if (at < text->size()) (*text)[at] = static_cast<char>(source_.Below(256));
        break;
      case 1:
        text->erase(at, length);
        break;
      case 2:
        text->insert(at, text->substr(source_.Below(text->size() + 1), source_.Below(60)));
        break;
      case 3:
        text->replace(at, length, kWords[source_.Below(std::size(kWords))]);
        break;
      case 4:
        if (at < text->size())
          (*text)[at] = static_cast<char>((*text)[at] ^ (1 << source_.Below(8)));
        break;
      case 5:
        if (source_.Below(4) == 0) text->resize(at);
        break;
    }
  }

  Source source_;
  std::vector<std::string> pool_;
};

void ExpectClear(const ParseError& error, const std::string& text) {
  ASSERT_FALSE(error.message.empty()) << text;
  ASSERT_GE(error.line, 1u);
  ASSERT_LT(error.message.size(), 2000u);
  ASSERT_TRUE(std::all_of(error.message.begin(), error.message.end(), [](char c) {
    return c >= 0x20 && c < 0x7f;
  })) << error.message;
}

// MAPSPEC_FUZZ_INPUTS in the environment asks for another number of inputs.
TEST(TraceJsonHostileTest, MutatedFilesAreReadOrRefusedAndWhatIsReadWritesBack) {
  const char* const wanted = std::getenv("MAPSPEC_FUZZ_INPUTS");
  const uint64_t inputs = wanted == nullptr ? 20000 : std::strtoull(wanted, nullptr, 10);
  Mutator mutator(7);
  uint64_t accepted = 0;
  for (uint64_t i = 0; i < inputs; ++i) {
    const std::string text = mutator.Next();
    ParseError error;
    if (const auto trace = TraceOf(text, &error)) {
      ++accepted;
      ASSERT_EQ(TraceOf(ToText(*trace), &error), trace) << text << error.ToString();
    } else {
      ASSERT_NO_FATAL_FAILURE(ExpectClear(error, text));
    }
    error = {};
    if (const auto script = ScriptOf(text, &error)) {
      ++accepted;
      ASSERT_EQ(ScriptOf(ToText(*script), &error), script) << text << error.ToString();
    } else {
      ASSERT_NO_FATAL_FAILURE(ExpectClear(error, text));
    }
  }
  // Were all refused (or none), the loop would say little about the readers.
  EXPECT_GT(accepted, inputs / 50);
  EXPECT_LT(accepted, inputs - inputs / 50);
}

}  // namespace
}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include "oracle/trace_json.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "oracle/trace_json_random.h"

namespace mapspec {
namespace {

using Json = nlohmann::json;

constexpr char kHead[] = "{\"mapspec_script\":1}\n";

Outcome Answer(Errno error, Output output = {}) {
  return {Completion::kReturned, error, std::move(output), ""};
}

TEST(TraceJsonTest, EveryOperationReadsAsItWasWritten) {
  Source source(1);
  for (size_t round = 0; round < 400; ++round) {
    for (size_t index = 0; index < kCalls; ++index) {
      const Operation operation = RandomOperation(source, index);
      const std::string json = OperationToJson(operation);
      ParseError error;
      const auto read = OperationFromJson(json, &error);
      ASSERT_TRUE(read) << json << "\n" << error.ToString();
      ASSERT_EQ(*read, operation) << json;
      ASSERT_EQ(OperationToJson(*read), json);
    }
  }
}

TEST(TraceJsonTest, EveryDefaultOperationReadsAsItWasWritten) {
  for (size_t index = 0; index < kCalls; ++index) {
    const Operation operation{DefaultCall(index, std::make_index_sequence<kCalls>())};
    const std::string json = OperationToJson(operation);
    ParseError error;
    EXPECT_EQ(OperationFromJson(json, &error), operation) << json << error.ToString();
  }
}

TEST(TraceJsonTest, EveryOutcomeReadsAsItWasWritten) {
  Source source(2);
  for (size_t round = 0; round < 10000; ++round) {
    const Outcome outcome = RandomOutcome(source);
    const std::string json = OutcomeToJson(outcome);
    ParseError error;
    const auto read = OutcomeFromJson(json, &error);
    ASSERT_TRUE(read) << json << "\n" << error.ToString();
    ASSERT_EQ(*read, outcome) << json;
  }
}

TEST(TraceJsonTest, EveryEnvironmentReadsAsItWasWritten) {
  Source source(3);
  for (size_t round = 0; round < 1000; ++round) {
    const Environment environment = RandomEnvironment(source);
    const std::string json = EnvironmentToJson(environment);
    ParseError error;
    ASSERT_EQ(EnvironmentFromJson(json, &error), environment) << json << error.ToString();
  }
}

TEST(TraceJsonTest, FilesReadAsTheyWereWritten) {
  Source source(4);
  for (size_t round = 0; round < 300; ++round) {
    const Trace trace = RandomTrace(source, source.Below(30));
    ParseError error;
    const auto read = TraceOf(ToText(trace), &error);
    ASSERT_TRUE(read) << error.ToString();
    ASSERT_EQ(*read, trace);
    const Script script{trace.name, trace.operations};
    ASSERT_EQ(ScriptOf(ToText(script), &error), script) << error.ToString();
  }
}

TEST(TraceJsonTest, LinesLongerThanTheReadBufferSurvive) {
  for (const size_t size : {30000u, 32766u, 32767u, 32768u, 65536u, 1000000u}) {
    const Script script{"", {Operation{MemWrite{1, 2, Bytes(size, 0x11)}}, Operation{Close{}}}};
    ParseError error;
    EXPECT_EQ(ScriptOf(ToText(script), &error), script) << error.ToString();
  }
}

TEST(TraceJsonTest, LinesAreWrittenForPeople) {
  MapCreate create;
  create.type = MapType::QUEUE;
  create.key_size = 0;
  create.max_entries = 3;
  create.map_flags = BPF_F_NO_PREALLOC;
  EXPECT_EQ(OperationToJson({create}),
            R"({"op":"BPF_MAP_CREATE","as":"m0","type":"BPF_MAP_TYPE_QUEUE","key_size":0,)"
            R"("value_size":4,"max_entries":3,"map_flags":"BPF_F_NO_PREALLOC"})");
  const Update push{{0}, {Pointer::kNull, {}}, {Pointer::kValid, {1, 0, 0, 0}}, BPF_EXIST};
  EXPECT_EQ(OperationToJson({push}),
            R"({"op":"BPF_MAP_UPDATE_ELEM","map":"m0","key":null,"value":"0x01000000",)"
            R"("flags":"BPF_EXIST"})");
  const Lookup lookup{kBadFd, {Pointer::kBad, {}}, Pointer::kNull, 0};
  EXPECT_EQ(OperationToJson({lookup, Caller::kUnprivileged}),
            R"({"op":"BPF_MAP_LOOKUP_ELEM","map":"bad","key":"bad","value":null,)"
            R"("caller":"unprivileged"})");
  EXPECT_EQ(OutcomeToJson({}), R"({"error":"0"})");
  EXPECT_EQ(OutcomeToJson(Answer(Errno::kEEXIST)), R"({"error":"EEXIST"})");
  EXPECT_EQ(OutcomeToJson({Completion::kCrashed, Errno::kNone, {}, "SIGSEGV"}),
            R"({"completion":"crashed","detail":"SIGSEGV"})");
  EXPECT_EQ(OutcomeToJson(Answer(Errno::kENOENT, Poison(8))),
            R"({"error":"ENOENT","bytes":{"untouched":8}})");
  Bytes half = Poison(16);
  half[0] = 1;
  EXPECT_EQ(OutcomeToJson(Answer(Errno::kNone, half)),
            R"({"bytes":{"written":"0x01","untouched":15}})");
}

TEST(TraceJsonTest, OutputsInATraceHaveTheNameTheOperationGivesThem) {
  const std::pair<Call, std::string> named[] = {
      {Lookup{}, "value"},  {LookupAndDelete{}, "value"}, {GetNextKey{}, "next_key"},
      {MemRead{}, "bytes"}, {GetNextId{}, "id"},          {Poll{}, "revents"}};
  for (const auto& [call, name] : named) {
    const bool number = name == "id" || name == "revents";
    Trace trace;
    trace.operations = {{call}};
    trace.outcomes = {Answer(Errno::kNone, number ? Output(uint32_t{7}) : Output(Bytes{1}))};
    const std::string text = ToText(trace);
    const Json line = Json::parse(text.substr(text.find('\n') + 1));
    EXPECT_EQ(line["outcome"], Json({{name, number ? Json(7) : Json("0x01")}}));
  }
}

TEST(TraceJsonTest, ReadersTakeNumbersAndShortNames) {
  ParseError error;
  const auto create = OperationFromJson(
      R"({"op":"BPF_MAP_CREATE","type":"QUEUE","map_flags":1,"max_entries":"0x10"})", &error);
  ASSERT_TRUE(create) << error.ToString();
  const auto& call = std::get<MapCreate>(create->call);
  EXPECT_EQ(call.type, MapType::QUEUE);
  EXPECT_EQ(call.map_flags, BPF_F_NO_PREALLOC);
  EXPECT_EQ(call.max_entries, 16u);
  EXPECT_EQ(call.key_size, MapCreate().key_size);
  const auto update = OperationFromJson(
      R"({"op":"BPF_MAP_UPDATE_ELEM","key":null,"value":"0x","flags":18446744073709551615})",
      &error);
  ASSERT_TRUE(update) << error.ToString();
  EXPECT_EQ(std::get<Update>(update->call).flags, UINT64_MAX);
  EXPECT_EQ(OutcomeFromJson(R"({"error":17})", &error)->error, Errno::kEEXIST);
  EXPECT_EQ(OutcomeFromJson(R"({"number":4})", &error), OutcomeFromJson(R"({"id":4})", &error));
}

TEST(TraceJsonTest, ScriptsMayHaveBlankLinesAndNoLastNewline) {
  ParseError error;
  const auto script =
      ScriptOf("\n{\"mapspec_script\":1}\r\n\n  \n{\"op\":\"close\",\"map\":\"m1\"}", &error);
  ASSERT_TRUE(script) << error.ToString();
  EXPECT_EQ(script->operations, std::vector<Operation>{Operation{Close{{1}}}});
  EXPECT_TRUE(ScriptOf(kHead, &error)->operations.empty());
}

std::filesystem::path Repository() { return MAPSPEC_SOURCE_DIR; }

TEST(TraceJsonTest, ExamplesAreInTheFormOfTheWriter) {
  size_t examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Repository() / "specs/examples")) {
    if (entry.path().extension() != ".script") continue;
    ++examples;
    std::ifstream in(entry.path());
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    ParseError error;
    const auto script = ScriptOf(text, &error);
    ASSERT_TRUE(script) << entry.path() << error.ToString();
    EXPECT_EQ(ToText(*script), text) << entry.path();
    EXPECT_EQ(script->name, entry.path().stem());
    EXPECT_GT(script->operations.size(), 5u);
  }
  EXPECT_GE(examples, 4u);
}

// The schema's description of an operation: the one that has its name as constant or among its
// names.
const Json* SchemaOf(const Json& schema, const std::string& op) {
  for (const auto& [name, definition] : schema["$defs"].items()) {
    if (!definition.contains("properties") || !definition["properties"].contains("op")) continue;
    const Json& names = definition["properties"]["op"];
    if (names.contains("const") && names["const"] == op) return &definition;
    if (names.contains("enum") && names["enum"].get<std::set<std::string>>().count(op) != 0) {
      return &definition;
    }
  }
  return nullptr;
}

void ExpectDescribed(const Json& object, const Json& schema) {
  for (const auto& [name, value] : object.items()) {
    EXPECT_TRUE(schema["properties"].contains(name)) << name << " in " << object;
  }
  if (!schema.contains("required")) return;
  for (const Json& name : schema["required"]) {
    EXPECT_TRUE(object.contains(name.get<std::string>())) << name << " in " << object;
  }
}

TEST(TraceJsonTest, TheSchemaDescribesEveryFieldThatIsWritten) {
  std::ifstream in(Repository() / "oracle/trace.schema.json");
  const Json schema = Json::parse(in);
  Source source(5);
  std::set<std::string> seen;
  for (size_t round = 0; round < 100; ++round) {
    for (size_t index = 0; index < kCalls; ++index) {
      const Json line = Json::parse(OperationToJson(RandomOperation(source, index)));
      const Json* const definition = SchemaOf(schema, line["op"]);
      ASSERT_NE(definition, nullptr) << line;
      ExpectDescribed(line, *definition);
      for (const auto& [name, value] : line.items())
        seen.insert(line["op"].get<std::string>() + name);
    }
    ExpectDescribed(Json::parse(OutcomeToJson(RandomOutcome(source))), schema["$defs"]["outcome"]);
    ExpectDescribed(Json::parse(EnvironmentToJson(RandomEnvironment(source))),
                    schema["$defs"]["environment"]);
  }
  // And the other way round: a field of the schema that no operation has is a mistake in it.
  for (const auto& [definition_name, definition] : schema["$defs"].items()) {
    if (!definition.contains("properties") || !definition["properties"].contains("op")) continue;
    const Json& op = definition["properties"]["op"];
    const std::string name = op.contains("const") ? op["const"] : op["enum"][0];
    for (const auto& [field, value] : definition["properties"].items()) {
      EXPECT_TRUE(field == "outcome" || seen.count(name + field) != 0) << name << " " << field;
    }
  }
}

}  // namespace
}  // namespace mapspec

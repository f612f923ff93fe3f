// SPDX-License-Identifier: MIT
#include "backends/agent/agent_protocol.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "oracle/trace_json.h"

namespace mapspec {
namespace {

using Json = nlohmann::json;

// Text from outside may be no UTF-8; it is replaced rather than thrown over.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A JSON object, or discarded with *error set.
Json ParseObject(std::string_view line, std::string* error) {
  Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) return json;
  *error = "expected a JSON object, got \"" + std::string(line.substr(0, 120)) + "\"";
  return Json(Json::value_t::discarded);
}

}  // namespace

std::string HelloToJson(const AgentHello& hello) {
  Json json = {{"mapspec_agent", kAgentProtocolVersion}};
  if (!hello.error.empty()) {
    json["error"] = hello.error;
    return Dump(json);
  }
  json["environment"] = Json::parse(EnvironmentToJson(hello.environment), nullptr, false);
  json["capabilities"] = Json::array();
  for (size_t i = 0; i < hello.capabilities.size(); ++i) {
    if (hello.capabilities[i]) {
      json["capabilities"].push_back(CapabilityName(static_cast<Capability>(i)));
    }
  }
  json["profile"] = hello.profile;
  return Dump(json);
}

std::optional<AgentHello> HelloFromJson(std::string_view line, std::string* error) {
  const Json json = ParseObject(line, error);
  if (json.is_discarded()) return std::nullopt;
  const auto version = json.find("mapspec_agent");
  if (version == json.end() || *version != kAgentProtocolVersion) {
    *error = "expected {\"mapspec_agent\":1,…} as its first line, got \"" +
             std::string(line.substr(0, 120)) + "\"";
    return std::nullopt;
  }
  AgentHello hello;
  if (const auto failure = json.find("error"); failure != json.end() && failure->is_string()) {
    hello.error = *failure;
    if (hello.error.empty()) hello.error = "the agent gave no reason";
    return hello;
  }
  const auto environment = json.find("environment");
  if (environment == json.end()) {
    *error = "the first line has no \"environment\"";
    return std::nullopt;
  }
  // Writing what is nested takes stack for each level, and a line has room for millions of them.
  const bool flat = std::none_of(environment->begin(), environment->end(),
                                 [](const Json& member) { return member.is_structured(); });
  if (!environment->is_object() || !flat) {
    *error = "environment: expected an object of numbers and texts";
    return std::nullopt;
  }
  ParseError parse_error;
  auto parsed = EnvironmentFromJson(Dump(*environment), &parse_error);
  if (!parsed) {
    *error = "environment: " + parse_error.message;
    return std::nullopt;
  }
  hello.environment = *std::move(parsed);
  const auto capabilities = json.find("capabilities");
  if (capabilities == json.end() || !capabilities->is_array()) {
    *error = "the first line has no list of \"capabilities\"";
    return std::nullopt;
  }
  for (const Json& name : *capabilities) {
    // Names that are not known here are newer than this program and of no use to it.
    for (size_t i = 0; i < hello.capabilities.size(); ++i) {
      if (name == CapabilityName(static_cast<Capability>(i))) hello.capabilities.set(i);
    }
  }
  hello.profile = "documented";
  if (const auto profile = json.find("profile"); profile != json.end() && profile->is_string()) {
    hello.profile = *profile;
  }
  return hello;
}

std::string CommandToJson(const AgentCommand& command) {
  if (command.kind == AgentCommand::Kind::kEnd) return R"({"end":true})";
  return R"({"run":)" + std::to_string(command.operations) + "}";
}

std::optional<AgentCommand> CommandFromJson(std::string_view line, std::string* error) {
  const Json json = ParseObject(line, error);
  if (json.is_discarded()) return std::nullopt;
  if (const auto run = json.find("run"); run != json.end() && run->is_number_unsigned()) {
    return AgentCommand{AgentCommand::Kind::kRun, run->get<size_t>()};
  }
  if (json.contains("end")) return AgentCommand{};
  *error = R"(expected {"run":N} or {"end":true}, got ")" + std::string(line.substr(0, 120)) + "\"";
  return std::nullopt;
}

std::string ErrorToJson(std::string_view reason) { return Dump(Json{{"agent_error", reason}}); }

std::optional<std::string> ErrorFromJson(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto error = json.find("agent_error");
  if (error == json.end() || !error->is_string()) return std::nullopt;
  return error->get<std::string>();
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
#include "runners/worker_protocol.h"

#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "oracle/trace_json.h"

namespace mapspec {
namespace {

using Json = nlohmann::json;

Json ToJson(const TestResult& test) {
  return {{"id", test.id},          {"clause", test.clause},         {"status", test.status},
          {"reason", test.reason},  {"violated", test.violated},     {"trace", test.trace},
          {"report", test.report},  {"operations", test.operations}, {"unjudged", test.unjudged},
          {"seconds", test.seconds}};
}

TestResult TestFromJson(const Json& json) {
  TestResult test;
  json.at("id").get_to(test.id);
  json.at("clause").get_to(test.clause);
  json.at("status").get_to(test.status);
  json.at("reason").get_to(test.reason);
  json.at("violated").get_to(test.violated);
  json.at("trace").get_to(test.trace);
  json.at("report").get_to(test.report);
  json.at("operations").get_to(test.operations);
  json.at("unjudged").get_to(test.unjudged);
  json.at("seconds").get_to(test.seconds);
  return test;
}

Json Encode(const HelloMessage& message) {
  return {{"hello", EnvironmentToJson(message.environment)}, {"profile", message.default_profile}};
}
Json Encode(const UnusableMessage& message) {
  return {{"unusable", message.reason}, {"usage", message.usage}};
}
Json Encode(const PlanMessage& message) { return {{"plan", message.ids}}; }
Json Encode(const StartMessage& message) { return {{"start", message.id}}; }
Json Encode(const AliveMessage&) { return {{"alive", true}}; }
Json Encode(const ResultMessage& message) {
  return {{"result", ToJson(message.result)}, {"coverage", message.coverage}};
}
Json Encode(const NoteMessage& message) { return {{"note", message.text}}; }
Json Encode(const LeftOutMessage& message) { return {{"left_out", message.id}}; }
Json Encode(const FileMessage& message) {
  return {{"file", message.path}, {"content", message.content}};
}
Json Encode(const EndMessage&) { return {{"end", true}}; }

Message Decode(const Json& json) {
  if (json.contains("hello")) {
    ParseError error;
    auto environment = EnvironmentFromJson(json.at("hello").get<std::string>(), &error);
    return HelloMessage{environment.value_or(Environment()), json.at("profile")};
  }
  if (json.contains("unusable")) return UnusableMessage{json.at("unusable"), json.at("usage")};
  if (json.contains("plan")) return PlanMessage{json.at("plan")};
  if (json.contains("start")) return StartMessage{json.at("start")};
  if (json.contains("result"))
    return ResultMessage{TestFromJson(json.at("result")), json.at("coverage")};
  if (json.contains("left_out")) return LeftOutMessage{json.at("left_out")};
  if (json.contains("file")) return FileMessage{json.at("file"), json.at("content")};
  if (json.contains("end")) return EndMessage{};
  if (json.contains("note")) return NoteMessage{json.at("note")};
  return AliveMessage{};
}

}  // namespace

std::string EncodeMessage(const Message& message) {
  const Json json = std::visit([](const auto& m) { return Encode(m); }, message);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<Message> DecodeMessage(std::string_view line) {
  try {
    return Decode(Json::parse(line));
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

bool SendMessage(int fd, const Message& message) {
  const std::string text = EncodeMessage(message);
  for (size_t written = 0; written < text.size();) {
    const ssize_t n = write(fd, text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    written += static_cast<size_t>(n);
  }
  return true;
}

std::optional<std::string> LineBuffer::NextLine() {
  const size_t end = bytes_.find('\n', used_);
  if (end == std::string::npos) {
    bytes_.erase(0, used_);
    used_ = 0;
    return std::nullopt;
  }
  std::string line = bytes_.substr(used_, end - used_);
  used_ = end + 1;
  return line;
}

}  // namespace mapspec

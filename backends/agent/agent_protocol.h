// SPDX-License-Identifier: MIT
//
// The lines of the agent protocol (README.md beside this file), written and read. Pure; no
// exceptions.
#ifndef BACKENDS_AGENT_AGENT_PROTOCOL_H_
#define BACKENDS_AGENT_AGENT_PROTOCOL_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "backends/capability.h"
#include "oracle/trace.h"

namespace mapspec {

inline constexpr int kAgentProtocolVersion = 1;

// What an agent says of itself first.
struct AgentHello {
  std::string error;  // Not empty: it cannot work, and the rest says nothing.
  Environment environment;
  CapabilitySet capabilities;
  std::string profile;
};

// Lines come without their newline.
std::string HelloToJson(const AgentHello& hello);
// nullopt after filling *error.
std::optional<AgentHello> HelloFromJson(std::string_view line, std::string* error);

struct AgentCommand {
  enum class Kind { kRun, kEnd } kind = Kind::kEnd;
  size_t operations = 0;  // For kRun: how many lines follow.
};
std::string CommandToJson(const AgentCommand& command);
std::optional<AgentCommand> CommandFromJson(std::string_view line, std::string* error);

inline constexpr std::string_view kEndedLine = R"({"ended":true})";
std::string ErrorToJson(std::string_view reason);
// The reason, when the line is one of ErrorToJson; else nullopt.
std::optional<std::string> ErrorFromJson(std::string_view line);

}  // namespace mapspec

#endif  // BACKENDS_AGENT_AGENT_PROTOCOL_H_

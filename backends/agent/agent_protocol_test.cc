// SPDX-License-Identifier: MIT
#include "backends/agent/agent_protocol.h"

#include <gtest/gtest.h>

namespace mapspec {
namespace {

std::string Refusal(const std::string& hello) {
  std::string error;
  EXPECT_FALSE(HelloFromJson(hello, &error).has_value());
  return error;
}

TEST(AgentProtocol, AGreetingThatWasWrittenIsRead) {
  AgentHello hello;
  hello.environment.backend = "exec:x";
  hello.environment.possible_cpus = 7;
  hello.capabilities.set(3);
  hello.profile = "linux-6.1";
  std::string error;
  const auto read = HelloFromJson(HelloToJson(hello), &error);
  ASSERT_TRUE(read.has_value()) << error;
  EXPECT_EQ(read->environment, hello.environment);
  EXPECT_EQ(read->capabilities, hello.capabilities);
  EXPECT_EQ(read->profile, hello.profile);
}

TEST(AgentProtocol, AnEnvironmentOfAnyDepthIsRefused) {
  const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
  for (const std::string& environment : {deep, "{\"backend\":" + deep + "}", std::string("7")}) {
    EXPECT_EQ(Refusal("{\"mapspec_agent\":1,\"environment\":" + environment + "}"),
              "environment: expected an object of numbers and texts");
  }
}

}  // namespace
}  // namespace mapspec

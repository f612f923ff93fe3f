// SPDX-License-Identifier: MIT
//
// Where the agents are that come with mapspec. Thread-safety: any thread.
#ifndef BACKENDS_AGENT_FIND_AGENT_H_
#define BACKENDS_AGENT_FIND_AGENT_H_

#include <string>

namespace mapspec {

// The path of an agent's program: what the environment variable names, else `program` beside the
// running program or in ../libexec/mapspec. "" after filling *error.
std::string FindAgent(const std::string& program, const char* variable, std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_AGENT_FIND_AGENT_H_

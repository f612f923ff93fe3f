// SPDX-License-Identifier: MIT
//
// Sockets, frames and what programs do with them (oracle/operation.h, "Sockets and frames").
#include "oracle/checker_state.h"

namespace mapspec {

void Checker::State::On(const SocketOpen& op, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, nullptr);
  if (outcome.completion == Completion::kNotRun) return;
  const HandleState socket{.kind = HandleState::Kind::kOther};
  world.Fill(op.result, outcome.ok() ? std::optional(socket) : std::nullopt);
}

void Checker::State::On(const SendFrames&, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, nullptr);
}

void Checker::State::On(const ReceiveFrames&, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, nullptr);
}

void Checker::State::On(const HelperRedirectMap&, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, nullptr);
}

}  // namespace mapspec

// SPDX-License-Identifier: MIT
//
// The helpers that programs call: which programs are not loaded, and what a helper returns.
#include "oracle/checker_state.h"

namespace mapspec {

void Checker::State::On(const HelperLookup& op, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, world.MapOfOrNull(op.map));
}
void Checker::State::On(const HelperUpdate& op, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, world.MapOfOrNull(op.map));
}
void Checker::State::On(const HelperDelete& op, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, world.MapOfOrNull(op.map));
}
void Checker::State::On(const HelperPush& op, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, world.MapOfOrNull(op.map));
}
void Checker::State::On(const HelperPop& op, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, world.MapOfOrNull(op.map));
}
void Checker::State::On(const HelperPeek& op, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, world.MapOfOrNull(op.map));
}
void Checker::State::On(const HelperLookupPercpu& op, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, world.MapOfOrNull(op.map));
}
void Checker::State::On(const HelperForEach& op, const Outcome& outcome) {
  Settle(Expectation::Anything(), outcome, world.MapOfOrNull(op.map));
}

}  // namespace mapspec

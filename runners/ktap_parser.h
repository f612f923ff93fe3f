// SPDX-License-Identifier: MIT
//
// A strict reader of KTAP for tests: every line must be one that Documentation/dev-tools/ktap.rst
// knows, in a place where it may stand, with the indentation of its level; plans must be kept,
// numbers must count up, and a parent may only be "ok" when no child is "not ok". Unknown lines,
// which that document tolerates, are errors here.
#ifndef RUNNERS_KTAP_PARSER_H_
#define RUNNERS_KTAP_PARSER_H_

#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

struct KtapTest {
  bool ok = false;
  std::string name;
  std::string directive;  // "SKIP", "XFAIL", …; "" for none.
  std::string diagnostic;
  std::vector<KtapTest> subtests;
};

// The top-level tests. Fills *error ("line 3: …") and returns what it has when something is wrong.
std::vector<KtapTest> ParseKtap(std::string_view text, std::string* error);

}  // namespace mapspec

#endif  // RUNNERS_KTAP_PARSER_H_

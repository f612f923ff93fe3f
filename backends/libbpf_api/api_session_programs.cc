// SPDX-License-Identifier: MIT
//
// Helpers called by programs.
#include "backends/libbpf_api/api_session.h"

namespace mapspec {

void ApiSession::Do(const HelperLookup&, Outcome* out) { NotRun("no programs", out); }
void ApiSession::Do(const HelperUpdate&, Outcome* out) { NotRun("no programs", out); }
void ApiSession::Do(const HelperDelete&, Outcome* out) { NotRun("no programs", out); }
void ApiSession::Do(const HelperPush&, Outcome* out) { NotRun("no programs", out); }
void ApiSession::Do(const HelperPop&, Outcome* out) { NotRun("no programs", out); }
void ApiSession::Do(const HelperPeek&, Outcome* out) { NotRun("no programs", out); }
void ApiSession::Do(const HelperLookupPercpu&, Outcome* out) { NotRun("no programs", out); }
void ApiSession::Do(const HelperForEach&, Outcome* out) { NotRun("no programs", out); }

}  // namespace mapspec

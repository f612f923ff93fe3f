// SPDX-License-Identifier: MIT
#include "runners/guest/guest_job.h"

#include <nlohmann/json.hpp>

namespace mapspec {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GuestJob, selector, profile, tests, seed, effort, jobs, out,
                                   shrink, specs, gtest_flags, message_line, modules)

std::string EncodeGuestJob(const GuestJob& job) {
  // Paths need not be UTF-8; one that is not comes out damaged, in texts alone.
  return nlohmann::json(job).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<GuestJob> DecodeGuestJob(std::string_view text) {
  try {
    return nlohmann::json::parse(text).get<GuestJob>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace mapspec

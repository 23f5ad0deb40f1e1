#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/pipeline.hpp"

namespace tacenda::api {

/// One thing that `tacenda verify` found wrong.
struct Finding {
  std::string object;  // "Patient/abc version 3", "audit entry 17", "file 000012.sst"
  std::string problem;
};

struct VerificationReport {
  std::uint64_t resources = 0;
  std::uint64_t versions = 0;
  std::uint64_t audit_entries = 0;
  std::vector<Finding> damage;
};

/// Recomputes everything the store promises: data files, keys, audit tree and anchor, every record version
/// and its audit leaf, the hash of the current state. Goes on after damage. `progress` gets (what, done,
/// total or 0). Errors: kUnavailable.
Result<VerificationReport> verify_store(
    Parts const& parts, std::function<void(std::string_view, std::uint64_t, std::uint64_t)> const& progress);

std::string to_json(VerificationReport const& report);

}  // namespace tacenda::api

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace tacenda::access {

/// Roles and their rights as data. Parsed from TOML; an unknown key is an error.
///
/// Immutable; shared by every decision made under one epoch.
class Policy {
 public:
  /// A policy that ships with the product: "separated" (default) or "classic" (PRODUCT row M3).
  static Result<std::shared_ptr<Policy const>> shipped(std::string_view name);
  /// Errors: kInvalid (the message tells what; the text's own words never stand in it).
  static Result<std::shared_ptr<Policy const>> parse(std::string_view toml, std::uint64_t epoch);
  /// The TOML text it was made from, to be stored.
  virtual std::string const& text() const = 0;
  virtual std::uint64_t epoch() const = 0;
  virtual ~Policy() = default;
};

}  // namespace tacenda::access

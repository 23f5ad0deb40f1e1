#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "operations/terminology.hpp"

namespace tacenda::operations {

/// The parameters of an operation by name. The views live as long as the request.
class Arguments {
 public:
  static constexpr std::size_t kMax = 1'000;

  /// `known`: the names that the operation takes, beside _format and _pretty. Errors: kNotSupported (another
  /// name), kInvalid, kTooLarge.
  static Result<Arguments> read(TerminologyRequest const& request, std::span<std::string_view const> known);

  /// Empty: there is none.
  std::string_view text(std::string_view name) const;
  std::vector<std::string_view> texts(std::string_view name) const;
  /// A Coding, CodeableConcept or resource of the body; nullptr: there is none.
  codec::Json const* object(std::string_view name) const;
  /// nullopt: there is none. Errors: kInvalid.
  Result<std::optional<bool>> flag(std::string_view name) const;
  Result<std::optional<std::size_t>> number(std::string_view name) const;

 private:
  Result<void> add(codec::Json const& parameter);

  std::multimap<std::string_view, std::string_view> texts_;
  std::map<std::string_view, codec::Json const*> objects_;
};

}  // namespace tacenda::operations

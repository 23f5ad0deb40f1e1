#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace tacenda::authorization {

/// The parameters of a request to an endpoint of OAuth: each stands once at most, and one without a value is
/// as one that is not there. Source: RFC 6749 sections 3.1 and 3.2.
class Form {
 public:
  /// `text`: application/x-www-form-urlencoded, or the query of an address. Errors: kInvalid (an escape that
  /// cannot be decoded, a parameter twice), kTooLarge (limits::kFormFields).
  static Result<Form> parse(std::string_view text);

  /// Empty: it is not there. Valid as long as the form.
  std::string_view of(std::string_view name) const;
  bool has(std::string_view name) const { return !of(name).empty(); }
  /// All of them, by name.
  std::map<std::string, std::string, std::less<>> const& fields() const { return fields_; }

 private:
  std::map<std::string, std::string, std::less<>> fields_;
};

}  // namespace tacenda::authorization

#pragma once

#include <algorithm>
#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.hpp"

namespace tacenda {

/// A FHIR logical id: 1 to 64 of [A-Za-z0-9.-] (FHIR R4, datatypes#id). Only `parse` makes one.
template <typename Tag>
class Id {
 public:
  static Result<Id> parse(std::string_view text) {
    constexpr auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
             c == '.';
    };
    if (text.empty() || text.size() > 64 || !std::ranges::all_of(text, allowed)) {
      return fail(ErrorKind::kInvalid, "id is not 1 to 64 of [A-Za-z0-9.-]");
    }
    return Id(std::string(text));
  }

  std::string_view view() const { return text_; }
  auto operator<=>(Id const&) const = default;

 private:
  explicit Id(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// The logical id of a resource of any type.
using ResourceId = Id<struct ResourceTag>;
using PatientId = Id<struct PatientTag>;
/// Immutable id of one person or service account; never reused (S-02).
using UserId = Id<struct UserTag>;
/// One request, from the first byte to the receipt: X-Request-Id.
using RequestId = Id<struct RequestTag>;

}  // namespace tacenda

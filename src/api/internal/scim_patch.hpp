#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "identity/provisioning.hpp"

namespace tacenda::api {

/// Why a SCIM request is refused, with a word a program can act on. Source: RFC 7644 section 3.12, table 9.
struct ScimRefusal {
  enum class Type : std::uint8_t {
    kNone,
    kInvalidFilter,
    kTooMany,
    kUniqueness,
    kMutability,
    kInvalidSyntax,
    kInvalidPath,
    kNoTarget,
    kInvalidValue,
  };
  Error error;
  Type type = Type::kNone;
};
/// "invalidFilter"; empty for kNone.
std::string_view word_of(ScimRefusal::Type type);
template <typename T>
using ScimResult = std::expected<T, ScimRefusal>;

/// A body as a JSON object. Refused: kInvalidSyntax, kTooMany (longer than limits::kScimBodyBytes).
ScimResult<codec::Json> scim_object_of(std::string_view body);

/// What a User or Group says in place of what was said before (PUT, POST). Attributes that this server does
/// not keep are passed over (RFC 7644 section 3.3); `before.active` stays where the resource is silent.
ScimResult<identity::Provisioning::Wanted> user_of(codec::Json const& resource,
                                                   identity::Provisioning::Wanted const& before);
ScimResult<identity::Provisioning::WantedGroup> group_of(codec::Json const& resource);

/// What the operations of a PatchOp make of it, all or none. Operations in any case ("Replace"), values
/// without a path, truth as text ("False") and the removal of members that are named as a value are taken as
/// Entra ID and Okta send them. Source: RFC 7644 section 3.5.2.
ScimResult<identity::Provisioning::Wanted> patched_user(codec::Json const& body,
                                                        identity::Provisioning::Wanted before);
ScimResult<identity::Provisioning::WantedGroup> patched_group(codec::Json const& body,
                                                              identity::Provisioning::WantedGroup before);

}  // namespace tacenda::api

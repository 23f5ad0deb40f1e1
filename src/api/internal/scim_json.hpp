#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/internal/scim_patch.hpp"
#include "codec/json.hpp"
#include "identity/provisioning.hpp"
#include "net/http.hpp"

/// Resources and messages of SCIM 2.0 as JSON. Source: RFC 7643, RFC 7644.
namespace tacenda::api {

inline constexpr std::string_view kScimBase = "/scim/v2";

/// Is it about SCIM, so that failures are told in its words?
bool is_scim(std::string_view path);

/// RFC 7644 section 3.12. `type`: its scimType; empty: none.
net::Response scim_refusal(std::uint16_t status, std::string_view type, Error const& error);

/// `base`: "https://records.example.org/scim/v2". `groups`: all that there are.
codec::Json user_json(identity::Provisioning::User const& user, identity::Groups const& groups,
                      std::string_view base);
codec::Json group_json(identity::Provisioning::GroupView const& group, std::string_view base);

/// What a client wants to see of a resource: names of attributes, or of those it does not want.
struct ScimView {
  std::vector<std::string> wanted;  // empty: all
  std::vector<std::string> unwanted;
};
/// Takes out what is not to be seen; `id`, `schemas` and `meta` stay (RFC 7644 section 3.9).
void show_only(ScimView const& view, codec::Json& resource);

/// One page of a list. `start` counts from 1.
codec::Json list_json(std::size_t total, std::size_t start, codec::Json resources);

codec::Json service_provider_config(std::string_view base);
/// Those that there are, as lists would have them.
codec::Json resource_types(std::string_view base);
codec::Json schemas(std::string_view base);

net::Response scim_response(std::uint16_t status, codec::Json const& body);

}  // namespace tacenda::api

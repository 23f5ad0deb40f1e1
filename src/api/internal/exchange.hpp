#pragma once

#include <optional>
#include <string>

#include "api/internal/render.hpp"
#include "api/pipeline.hpp"
#include "fhir/format.hpp"

namespace tacenda::api {

/// One request and what is known of it so far. Owner: the worker that runs it.
struct Pipeline::Exchange {
  net::Request request;
  Match route;
  audit::Event origin;  // copied into every event of the request
  std::optional<identity::Principal> principal;
  std::string base_url;  // "https://host:8443/fhir"
  Prefer prefer = Prefer::kDefault;
  std::optional<fhir::Format> format = fhir::Format::kJson;  // of the answer; nullopt: 406
  fhir::Format body_format = fhir::Format::kJson;
};

/// The token of an `Authorization: Bearer` field; nullopt when there is none.
std::optional<std::string_view> bearer_token(net::Request const& request);

/// The valid X-Request-Id of the client, or a new one.
std::string request_id_of(net::Request const& request, vault::Vault const& vault);

Prefer prefer_of(net::Request const& request);

/// Who and where, from the connection and the principal.
audit::Event origin_of(net::Request const& request, std::string request_id);
void identify(audit::Event& origin, identity::Principal const& principal);

}  // namespace tacenda::api

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "api/internal/render.hpp"
#include "api/pipeline.hpp"
#include "fhir/format.hpp"
#include "operations/search.hpp"

namespace tacenda::api {

/// One request and what is known of it so far. Owner: the worker that runs it.
struct Pipeline::Exchange {
  net::Request request;
  Match route;
  audit::Event origin;  // copied into every event of the request
  std::string address;  // who asks: the peer's, or what a trusted proxy says of it
  std::optional<identity::Principal> principal;
  std::string base_url;  // "https://host:8443/fhir"
  Prefer prefer = Prefer::kDefault;
  std::optional<fhir::Format> format = fhir::Format::kJson;  // of the answer; nullopt: 406
  fhir::Format body_format = fhir::Format::kJson;
  bool sends_content = false;                        // the body is the content of a Binary, not a resource
  std::optional<records::UploadedContent> uploaded;  // that content, when it was stored while it came
  std::string_view denied_by;  // before any record was asked about: "network", "factor"; a literal
  std::vector<std::string> tried_patients;      // whose record it would be in, of an upload that begins
  operations::Remarks remarks;                  // on what it sends
  records::HistoryWindow history;               // of a history: which versions, for the links of its page
  operations::SearchRequest search;             // of a search: what is asked, for the links of its page
  bool reads_apart = false;                     // a Binary without what it holds
  std::chrono::steady_clock::time_point begun;  // when it came
  bool is_judged = false;                       // by what records and consents say, not by their type alone
  bool shows_nothing = false;                   // the answer says that nothing is there
  bool is_on_committer = false;  // read again on the committer's thread, which looks up no consents
  std::string_view scim_type;    // why it is refused, in the words of SCIM; empty: none of them says it
  std::optional<operations::Outcome> read;  // of a read that gives its worker back: what it came to
  std::optional<net::Response> content;  // of a read of a Binary: what it holds, in the place of the resource
};

/// How somebody was recognised, as the audit log says it.
std::string_view method_name(identity::Method method);

/// The token of an `Authorization: Bearer` field; nullopt when there is none.
std::optional<std::string_view> bearer_token(net::Request const& request);

/// The valid X-Request-Id of the client, or a new one.
std::string request_id_of(net::Request const& request, vault::Vault const& vault);

Prefer prefer_of(net::Request const& request);

/// Prefer: respond-async (RFC 7240).
bool prefers_async(net::Request const& request);
/// Prefer: handling=lenient, said in so many words.
bool says_lenient(net::Request const& request);

/// Prefer: handling=strict.
fhir::Handling handling_of(net::Request const& request);

/// True when the body is a form, as POST _search sends it.
bool sends_form(net::Request const& request);

/// True when the body is a JSON Patch in UTF-8 by its content type.
bool sends_json_patch(net::Request const& request);

/// Who and where, from the connection and the principal.
audit::Event origin_of(net::Request const& request, std::string request_id);
void identify(audit::Event& origin, identity::Principal const& principal);

}  // namespace tacenda::api

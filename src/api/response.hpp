#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/capability.hpp"
#include "api/pages.hpp"
#include "audit/receipt.hpp"
#include "authorization/refusal.hpp"
#include "fhir/format.hpp"
#include "net/http.hpp"

namespace tacenda::api {

/// The closed list of answers that leave without a receipt; none has a payload (LAYOUT, wall 4).
enum class Unrecorded : std::uint8_t {
  kAuditUnavailable,  // 503: the audit log did not take the event, so nothing may be told
  kNoSpace,           // 507: as above, because the disk is full
  kSealed,            // 503: no key, no log
  kUnparsable,        // 4xx of net: no request was understood
  kHealthy,           // 200 of /healthz
  kPreflight,         // 204: what pages of another origin may ask (CORS)
  kCounted,           // 4xx to whom nobody recognised, counted by audit::FailureMeter in a flood
};

/// The CapabilityStatement for who is nobody in particular: what it says is known to everyone but for the
/// address, which he named himself.
struct PublicStatement {
  ServerAddresses addresses;
  fhir::Format format = fhir::Format::kJson;
};

/// What a browser needs to sign in with a passkey, for whoever asks: random, and the name of this server.
struct PublicChallenge {
  std::string challenge;  // base64url
  std::string relying_party;
};
/// PublicKeyCredentialRequestOptionsJSON (WebAuthn level 3, section 5.1.9). No credential is named: the
/// person's authenticator finds its own.
net::Response response_of(PublicChallenge const& offer);

/// Where a browser signs in at the OpenID provider, and the secret that it keeps until it comes back: given
/// to anybody who asks, like a challenge.
struct PublicSignIn {
  std::string url;
  std::string browser;
};
net::Response response_of(PublicSignIn const& begun);

/// A page of the authorization server for a browser: no script but where one of its own is asked for, no
/// frame, forms to this server alone.
struct HtmlPage {
  std::uint16_t status = 200;
  std::string html;
  std::string form_target = {};  // source of a CSP beside 'self' where a form may lead in the end
  std::vector<net::Header> headers = {};
  bool runs_script = false;  // of this server
};

/// What applications may discover of this server, its public keys among it: the same for everyone.
struct PublicDiscovery {
  std::string json;
};

/// A response that may leave: made from a Receipt, from the closed list, or one of the program's own pages.
/// What handlers give to net is made of this, so that forgetting the audit does not compile.
class Released {
 public:
  /// `response` answers the request whose events `receipt` proves durable.
  Released(audit::Receipt const& receipt, net::Response response);
  /// `status` counts for kUnparsable and kCounted only; `format` is that of its OperationOutcome.
  explicit Released(Unrecorded reason, std::uint16_t status = 0, fhir::Format format = fhir::Format::kJson);
  explicit Released(PublicPage which);
  /// Counted by audit::FailureMeter, like failures: whoever can connect may ask for it.
  explicit Released(PublicStatement const& statement);
  /// The same: or whoever asks often would keep everybody else from signing in.
  explicit Released(PublicChallenge const& offer);
  explicit Released(PublicSignIn const& begun);

  Released(audit::Receipt const& receipt, HtmlPage page);
  /// One that asks who somebody is, or says that a request was refused: nothing of records is in it. Counted
  /// by audit::FailureMeter in a flood.
  explicit Released(HtmlPage counted);
  explicit Released(PublicDiscovery const& discovery);
  /// Of the OAuth endpoints to whom nobody recognised, counted by audit::FailureMeter in a flood.
  explicit Released(authorization::OAuthError counted);

  /// Lets a page of `origin` ("*": any) read the answer in a browser, without cookies.
  void permit_origin(std::string_view origin);

  net::Response take() && { return std::move(response_); }
  std::uint16_t status() const { return response_.status; }

 private:
  net::Response response_;
};

/// Adds the fields that every answer has: no-store, HSTS, nosniff, CSP, referrer policy (W-07).
void add_safety_headers(net::Response& response);

}  // namespace tacenda::api

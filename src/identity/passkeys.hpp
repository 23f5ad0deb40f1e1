#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "identity/directory.hpp"
#include "identity/relying_party.hpp"

namespace tacenda::identity {

struct Account;

/// One passkey as its owner may see it.
struct PasskeyView {
  std::string id;  // credential id, base64url
  std::string name;
  Time created;
  std::optional<Time> last_used;
};

/// What a browser needs to make a passkey, or to sign in with one. Texts but `user_name` are base64url.
struct PasskeyOffer {
  std::string challenge;
  std::string relying_party;
  std::string user_id;             // of a registration
  std::string user_name;           // of a registration
  std::vector<std::string> known;  // of a registration: credential ids that he has already
};

/// Passkeys: WebAuthn credentials whose authenticator has verified its user, which makes signing in with one
/// a complete sign-in. The owner is found by the credential: nobody says a name first, so nobody can ask
/// whether there is such a user, and a name that was guessed at too often locks no passkey out.
///
/// Thread-safe; refers to the directory, which outlives it.
/// Source: WebAuthn level 3, sections 7.1 and 7.2; NIST SP 800-63B-4 (phishing resistance); K-04.
class Passkeys {
 public:
  explicit Passkeys(Directory& directory);

  /// Who the browsers take this server for; until it is said there are no passkeys (kUnavailable).
  void serve(RelyingParty relying_party);

  /// Errors: kForbidden (a service account), kUnauthenticated (the second factor is older than
  /// limits::kStepUpAge), kUnavailable.
  Result<PasskeyOffer> offer_registration(Principal const& principal);
  struct Registration {
    std::string_view name;  // his own word for it
    ByteView client_data_json;
    ByteView attestation_object;
    // His session is of a factor that his role does not take: it may make the first passkey and no other.
    bool first_only = false;
  };
  /// His other sessions end with it (K-06).
  /// Errors: kInvalid, kUnauthenticated (not asked for, answered before, for another server; his session
  /// ended), kUnprocessable (algorithm, attestation, name), kConflict (known, or too many), kForbidden
  /// (`first_only`, and there is one).
  Result<Pending> add(Principal const& principal, Registration const& registration);

  /// Errors: kUnavailable.
  Result<PasskeyOffer> offer_sign_in();
  struct Answer {
    std::string_view credential_id;  // bytes
    std::string_view user_handle;    // bytes
    ByteView client_data_json;
    ByteView authenticator_data;
    ByteView signature;
  };
  /// As Directory::login. Errors: kUnavailable.
  Result<Directory::Attempt> sign_in(Answer const& answer, std::string_view address);

  Result<std::vector<PasskeyView>> list(Principal const& principal) const;
  /// `id`: base64url. His other sessions end with it (K-06). Errors: kNotFound, kUnauthenticated (the second
  /// factor is too old, or his session ended).
  Result<Pending> remove(Principal const& principal, std::string_view id);

 private:
  Result<std::shared_ptr<Account>> account_of(Principal const& principal) const;
  Result<RelyingParty> relying_party() const;
  Directory::State& state_;
};

}  // namespace tacenda::identity

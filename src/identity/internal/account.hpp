#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/id.hpp"
#include "core/limits.hpp"
#include "core/secret.hpp"
#include "identity/emergency_mode.hpp"
#include "identity/internal/opening.hpp"
#include "identity/principal.hpp"
#include "identity/provisioned.hpp"

namespace tacenda::identity {

/// A one-time enrolment that waits: its code is stored hashed only.
struct Enrolment {
  Digest code_hash{};
  Time expires{};
  std::uint32_t failures = 0;  // wrong TOTP codes at the confirmation
  std::string password_phc;    // set by the first step, not yet in force
  SecretBuffer totp_secret;
};

/// One passkey: a WebAuthn credential of a person. Its id is unique in the directory.
struct Passkey {
  std::string credential_id;     // bytes, at most limits::kCredentialIdBytes
  std::int32_t algorithm = 0;    // COSE: -7, -8 or -257
  Bytes public_key;              // x || y of ES256, Ed25519's 32 bytes, n || e of RS256
  std::uint32_t sign_count = 0;  // the last one shown; 0: its authenticator does not count
  std::string name;
  Time created{};
  std::optional<Time> last_used;
};

/// Recovery codes, as they are printed and as they are stored.
struct RecoveryCodes {
  std::vector<std::string> codes;
  std::vector<Digest> macs;
};

/// One person or service account as the directory keeps it. Guarded by the directory's lock, except the
/// atomics, which requests read without it.
struct Account {
  explicit Account(UserId user) : id(std::move(user)) {}
  UserId id;
  std::string name;
  std::string role;
  bool is_service = false;
  std::optional<PatientId> patient;
  Time created{};
  std::atomic<bool> enabled{true};
  // Counts disablings and changes of factors: a token of an earlier number is dead, also one whose commit
  // was under way (S-11, K-06).
  std::uint32_t token_epoch = 0;
  std::string password_phc;  // empty: not enrolled
  SecretBuffer totp_secret;
  std::optional<Digest> certificate;  // SHA-256 of a client certificate (service accounts)
  std::optional<Enrolment> enrolment;

  // Counters: a row of their own, so that a log-in does not rewrite the account.
  std::uint64_t totp_last_step = 0;
  std::uint32_t failures = 0;  // consecutive, all addresses
  std::optional<Time> last_login;

  // Factors: a row of their own, so that stores of before they existed open as they are.
  std::vector<Digest> recovery_codes;  // MACs of those that were not used
  std::vector<Passkey> passkeys;
  std::vector<Notice> notices;  // the last limits::kNoticesKept

  // Standing: a row of its own. Replaced as a whole; never nullptr.
  std::shared_ptr<Standing const> standing = std::make_shared<Standing const>();

  // What the identity provider keeps of it: a row of its own. Replaced as a whole; nullptr: it knows nothing
  // of the account.
  std::shared_ptr<Provisioned const> provisioned;
  std::atomic<bool> suspended{false};            // provisioned, and not active
  std::shared_ptr<ProviderLink const> provider;  // a row of its own; nullptr: none
  std::shared_ptr<Sealed const> sealed;          // of an emergency account: a row of its own; nullptr: none

  bool is_over(Time now) const { return standing->until && now >= *standing->until; }
  /// Neither disabled, nor over, nor suspended by the identity provider.
  bool is_active(Time now) const { return enabled && !suspended && !is_over(now); }

  /// Its rows are stored with `opening`.
  void receive(Opening const& opening);
};

/// One access token. Its hash is the key; the token itself is nowhere.
struct Token {
  std::shared_ptr<Account> account;  // shared: the account outlives its tokens in flight
  std::string token_id;
  Time created{};  // of a session: when both factors were shown; a step-up goes on with it
  Time expires{};
  Time second_factor_at{};
  std::uint32_t epoch = 0;  // the account's token_epoch when it was made
  bool idles = true;        // sessions of people end after SessionTimes::idle without a request
  Method method = Method::kSession;
  std::string address;                             // where it was made from
  std::shared_ptr<Application const> application;  // shared: requests in flight keep it; nullptr: none
  std::atomic<std::uint64_t> last_used_ms{0};
};

/// A live token and its key.
struct Session {
  Digest hash{};
  std::shared_ptr<Token> token;  // shared with the directory; never nullptr
};

// Rows of the identity view (docs/data-file.md, "Directory rows"), as they are with an opening. The
// plaintexts hold secrets: SecretBuffer. Errors of the parsers: kCorrupt.
SecretBuffer encode_account(Account const& account, Opening const& opening = {});
Result<std::shared_ptr<Account>> decode_account(ByteView row);
Bytes encode_counters(Account const& account, Opening const& opening = {});
Result<void> decode_counters(ByteView row, Account& account);
Bytes encode_factors(Account const& account);
Result<void> decode_factors(ByteView row, Account& account);
Bytes encode_standing(Standing const& standing);
Result<std::shared_ptr<Standing const>> decode_standing(ByteView row);
Bytes encode_provisioned(Provisioned const& provisioned);
Result<std::shared_ptr<Provisioned const>> decode_provisioned(ByteView row);
Bytes encode_provider_link(ProviderLink const& link);
Result<std::shared_ptr<ProviderLink const>> decode_provider_link(ByteView row);
Bytes encode_sealed(Sealed const& sealed);
Result<std::shared_ptr<Sealed const>> decode_sealed(ByteView row);
Bytes encode_emergency_mode(EmergencyMode const& mode);
Result<EmergencyMode> decode_emergency_mode(ByteView row);
Bytes encode_group(Group const& group);
Result<std::shared_ptr<Group const>> decode_group(ByteView row);
Bytes encode_token(Token const& token);
struct DecodedToken {
  std::string user;
  std::shared_ptr<Token> token;  // its account is still to be set
};
Result<DecodedToken> decode_token(ByteView row);

/// "ABCD-EFGH-...", as codes are printed.
std::string printed_code(std::string_view base32);
/// A printed code as it was before, however it is typed: in lower case, with or without its hyphens.
SecretBuffer plain_code(std::string_view typed);

}  // namespace tacenda::identity

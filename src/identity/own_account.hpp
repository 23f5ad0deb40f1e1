#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "identity/directory.hpp"

namespace tacenda::identity {

struct Account;

/// One session of a person, as he may see it.
struct SessionView {
  std::string id;  // random; never the token
  Method method = Method::kSession;
  std::string address;  // where it was opened
  Time created;
  Time last_used;
  Time expires;
  bool is_this = false;  // the one that asks
};

/// What people do with their own account while they are signed in. Every call is about the account of its
/// `principal` and of nobody else. kForbidden for service accounts everywhere.
///
/// Thread-safe; refers to the directory, which outlives it.
/// Source: NIST SP 800-63B-4 sections 3.1.1 and 4; OWASP ASVS 7.4, 7.5; REQUIREMENTS K-03, K-04, K-06.
class OwnAccount {
 public:
  explicit OwnAccount(Directory& directory);

  struct PasswordChange {
    SecretBuffer const& password;  // the present one
    SecondFactor factor;
    SecretBuffer const& chosen;
    std::string_view address;
  };
  /// Another password, against the present one and a second factor. Wrong ones are counted by session, so
  /// that no stranger's failures stand in the way; the last of limits::kFailuresUntilLock ends the session.
  /// On success every session of before ends and the attempt has a new one (K-06).
  /// Errors: kUnprocessable (the message tells which rule the new password breaks; nothing was tried),
  /// kUnauthenticated (the session ended), kThrottled (too many hashes wait).
  Result<Directory::Attempt> change_password(Principal const& principal, PasswordChange const& change);

  /// The second factor again: the session goes on under a new token, and its second factor is fresh. Wrong
  /// ones count as above. Errors: kUnauthenticated (the session ended).
  Result<Directory::Attempt> step_up(Principal const& principal, SecondFactor const& factor,
                                     std::string_view address);

  struct RecoveryCodes {
    Pending pending;
    std::vector<std::string> codes;  // "ABCD-EFGH-IJKL-MNOP", shown once
  };
  /// Ten codes in the place of all of before; his other sessions end with it (K-06). Errors:
  /// kUnauthenticated (the second factor is older than limits::kStepUpAge, or the session ended).
  Result<RecoveryCodes> make_recovery_codes(Principal const& principal);

  /// Newest first.
  Result<std::vector<SessionView>> sessions(Principal const& principal) const;
  /// Errors: kNotFound (he has no such session).
  Result<Pending> end_session(Principal const& principal, std::string_view id);

  struct View {
    std::size_t recovery_codes = 0;
    std::size_t passkeys = 0;
    std::vector<Notice> notices;  // oldest first
  };
  Result<View> view(Principal const& principal) const;

  /// Records that a text was read. `topic` and `version` are checked by the caller.
  Result<Pending> acknowledge(Principal const& principal, Acknowledgement const& read);

 private:
  Result<std::shared_ptr<Account>> account_of(Principal const& principal) const;
  Directory::State& state_;
};

/// True when the second factor of `principal` was shown within limits::kStepUpAge before `now` (N-02).
bool is_fresh(Principal const& principal, Time now);

}  // namespace tacenda::identity

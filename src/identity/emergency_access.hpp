#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/directory.hpp"
#include "identity/emergency_mode.hpp"

namespace tacenda::identity {

struct Account;

/// Emergency accounts, and the emergency mode in which alone they can be signed in to. They have a passphrase
/// and codes, both printed when they are made, and need neither a device, nor mail, nor an identity provider.
/// Who gives two orders at once has one wait for the other to be committed.
///
/// Thread-safe; refers to the directory, which outlives it. Source: 45 CFR 164.312(a)(2)(ii); REQUIREMENTS
/// S-03; docs/adr/0014-emergency-mode.md.
class EmergencyAccess {
 public:
  explicit EmergencyAccess(Directory& directory);

  /// What is printed, in two parts that lie in two places.
  struct Credential {
    Pending pending;
    UserId id;
    std::string passphrase;          // 160 bits in base32, "ABCD-EFGH-...", shown once
    std::vector<std::string> codes;  // limits::kRecoveryCodes, each good once, shown once
  };
  /// Errors: as Directory::add_user; kInvalid (a service account, or a patient's own), kThrottled (too many
  /// hashes wait).
  Result<Credential> add(Directory::NewUser const& user);
  /// Another credential in the place of the one before, which may have been used; ends what is open. Errors:
  /// kNotFound (no emergency account), kForbidden (disabled), kThrottled.
  Result<Credential> reseal(std::string_view name);

  /// The mode that is on now.
  std::optional<EmergencyMode> mode() const;
  /// Is there one whose time is over, and whose end is not committed?
  bool is_to_close() const;

  struct Order {
    std::string reason;
    std::chrono::seconds lasts{};  // from now
    std::string by;                // as in EmergencyMode
  };
  struct Turned {
    Pending pending;
    EmergencyMode mode;
    std::optional<Time> before;  // until when it would have lasted, of one that is prolonged or ended
  };
  /// From the commit on emergency accounts can be signed in to; a mode that is on lasts at least as long as
  /// before. Forgives their failures, so that nobody has locked them out beforehand. Errors: kUnprocessable
  /// (no reason, or one of over limits::kReasonBytes; over limits::kEmergencyModeMax), kConflict
  /// (is_to_close).
  Result<Turned> begin(Order const& order);
  /// At once: no emergency account can be signed in to, and all that they have open ends in the same commit.
  /// When it is not committed, it stays off until the next start, and is_to_close. Errors: kNotFound (it is
  /// off).
  Result<Turned> end();

 private:
  struct Printed;
  Result<Printed> new_credential() const;

  Directory& directory_;
  Directory::State& state_;
};

}  // namespace tacenda::identity

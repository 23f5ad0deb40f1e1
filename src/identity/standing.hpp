#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"

namespace tacenda::identity {

/// That a person has read a text of the awareness topics (M17).
struct Acknowledgement {
  std::string topic;
  std::uint32_t version = 0;  // of the text that was read
  Time at;
};

/// What is demanded of an account beside its factors, and how far it is met. Immutable once shared.
struct Standing {
  std::optional<std::vector<std::string>> networks;  // from which alone it may be used (N-05)
  std::vector<Acknowledgement> acknowledgements;     // the last one of each topic
  std::optional<Time> until = {};  // from then on the account is as good as disabled; nullopt: never
};

/// Something that the owner of an account must hear about, as an attacker would be found out by it (K-04).
/// The number is stored: never reuse one.
struct Notice {
  enum class Kind : std::uint8_t {
    kRecoveryCodeUsed = 1,
    kRecoveryCodesMade = 2,
    kPasswordChanged = 3,
    kPasskeyAdded = 4,
    kPasskeyRemoved = 5,
    kPasskeyCounterBack = 6,
    kLocked = 7,
    kEnrolled = 8,
    kProviderLinked = 9,
    kRoleChanged = 16,
    kInvitationRenewed = 17,
  };
  Kind kind = Kind::kEnrolled;
  Time at;
};

}  // namespace tacenda::identity

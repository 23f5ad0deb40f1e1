#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace tacenda::vault {

/// What a purpose key may be used for (NIST SP 800-57: one key, one use).
enum class Purpose : std::uint8_t { kRecord = 1, kFile = 2, kAudit = 3, kAuth = 4, kToken = 5, kState = 6 };

/// Source: NIST SP 800-57 Part 1 Rev. 5, section 7.
enum class KeyState : std::uint8_t {
  kActive = 1,       // seals and opens
  kDeactivated = 2,  // opens what it sealed
  kCompromised = 3,  // the same, as long as something is under it
  kDestroyed = 4,    // gone; what is told of it is a record
};

constexpr std::string_view name_of(Purpose purpose) {
  constexpr std::array<std::string_view, 7> kNames{"", "record", "file", "audit", "auth", "token", "state"};
  return kNames.at(static_cast<std::size_t>(purpose));
}
constexpr std::string_view name_of(KeyState state) {
  constexpr std::array<std::string_view, 5> kNames{"", "active", "deactivated", "compromised", "destroyed"};
  return kNames.at(static_cast<std::size_t>(state));
}
inline constexpr std::array<Purpose, 6> kPurposes{Purpose::kRecord, Purpose::kFile,  Purpose::kAudit,
                                                  Purpose::kAuth,   Purpose::kToken, Purpose::kState};

/// How long a key seals before another should (section 5.3.6); tells, and changes nothing.
inline constexpr std::chrono::days kCryptoPeriod{365};
/// What was sealed to be shown again (pages of a listing, sign-in pages) is good for no longer.
inline constexpr std::chrono::hours kTokenLife{1};
/// Terms of one purpose, destroyed ones with them.
inline constexpr std::size_t kTermsMax = 1'024;

/// One term of a purpose. No key material.
struct TermView {
  Purpose purpose{};
  std::uint32_t number = 0;
  KeyState state{};
  bool is_to_be_destroyed = false;
  bool derives = false;  // the keys of the purpose that never change come from it
  Time created{};
  Time changed{};  // into the state that it has
};

/// A way to the Root Key.
struct SlotView {
  std::uint32_t id = 0;
  std::string kind;
};

/// Every key of the store but those of patients, as far as it may be told.
struct KeysView {
  std::string root_id;         // 16 hexadecimal digits, derived from the Root Key
  std::string undecided_root;  // id of the one that a failed change may have put in its place; empty: none
  Time root_made{};
  std::vector<SlotView> slots;
  std::vector<TermView> terms;
  std::vector<std::string> secrets;  // names of Vault::kept_secret
  std::uint64_t vault_root = 0;  // its generation: the key that page keys, and so patients' keys, lie under
  std::uint64_t pages = 0;
  std::uint64_t subjects = 0;  // keys of patients and others that were made, at most
};

/// True when the rows that `purpose` seals can all be sealed anew, so that a term of it can be destroyed.
constexpr bool can_end(Purpose purpose) {
  // The leaves of the audit log are over what it sealed. Sealed files keep their keys until they are written
  // anew, which nobody can be made to wait for.
  return purpose != Purpose::kAudit && purpose != Purpose::kFile;
}

}  // namespace tacenda::vault

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "vault/vault.hpp"

namespace tacenda::privacy {

/// Why a record must be kept although its patient wants it erased. The number is stored: never reuse one.
/// Source: GDPR art. 17(3), 18(2); 45 CFR 164.316(b)(2).
enum class HoldGround : std::uint8_t {
  kLegalObligation = 1,  // art. 17(3)(b)
  kPublicHealth = 2,     // art. 17(3)(c)
  kArchiving = 3,        // art. 17(3)(d)
  kLegalClaims = 4,      // art. 17(3)(e)
  kRetention = 5,        // a retention duty of national or state law
};
/// "art17-3-b", "retention". nullopt: no ground has that name.
std::optional<HoldGround> hold_ground_of(std::string_view name);
std::string_view name_of(HoldGround ground);
/// What is said to who wants to erase it: kConflict.
Error refusal_of(HoldGround ground);

/// Something that stands against the erasure of one patient's record.
struct Hold {
  std::string id;
  std::string patient;  // logical id
  HoldGround ground = HoldGround::kLegalObligation;
  std::string reason;
  std::optional<Time> until;  // nullopt: until it is lifted
  std::string setter;         // UserId
  std::string setter_name;
  Time set{};
  std::string lifter;  // UserId; empty: nobody lifted it
  std::string lifter_name;
  std::string lift_reason;
  std::optional<Time> lifted;

  bool stands(Time now) const { return !lifted && (!until || now < *until); }
};

/// Text of the guard that orders holds and erasures of one patient: of two at once, the later is refused.
Bytes patient_guard(std::string_view patient);

/// Legal holds, those that stand and those that stood. Read from the store each time.
///
/// Owner: start. Thread-safe. Source: REQUIREMENTS G-08.
class Holds {
 public:
  Holds(vault::Vault& vault, Clock const& clock);

  struct Change {
    vault::WriteSet set;
    Hold hold;
  };
  struct Person {
    std::string_view id;
    std::string_view name;
  };
  /// `hold`: patient, ground, reason and until; the rest is made here. Commit the set with its event. Errors:
  /// kUnprocessable (no reason, one of over limits::kReasonBytes, or an end that is past), kThrottled (too
  /// many), kUnavailable.
  Result<Change> set(Hold hold, Person const& who) const;
  /// Errors: kNotFound, kConflict (it does not stand any more), kUnprocessable (no reason, or too long a
  /// one).
  Result<Change> lift(std::string_view id, std::string_view reason, Person const& who) const;

  /// Oldest first. Errors: kCorrupt, kUnavailable.
  Result<std::vector<Hold>> all() const;
  /// One that stands now against the erasure of the patient's record; nullopt: there is none. A row that
  /// cannot be read is an error: nothing is erased on a guess.
  Result<std::optional<Hold>> standing(std::string_view patient) const;
  /// The same of any of these patients.
  Result<std::optional<Hold>> standing_of_any(std::set<std::string, std::less<>> const& patients) const;
  /// Makes `set` conflict with every hold on one of these that is set or lifted after its reads.
  void depend(vault::WriteSet& set, std::set<std::string, std::less<>> const& patients) const;

 private:
  static constexpr std::size_t kMax = 100'000;  // that stand
  Result<Change> written(Change change) const;

  vault::Vault& vault_;
  Clock const& clock_;
  vault::SealedView rows_;
};

// Row (docs/data-file.md, "Privacy rows"). Errors: kCorrupt.
Bytes encode_hold(Hold const& hold);
Result<Hold> decode_hold(ByteView row);

}  // namespace tacenda::privacy

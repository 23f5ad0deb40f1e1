#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/labels.hpp"
#include "codec/json.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

/// A patient's privacy consent (FHIR R4 Consent) as rules, and what it says of one access to one record.
/// Source: FHIR R4 consent.html; REQUIREMENTS annex D and C-01 to C-08.
namespace tacenda::access {

/// http://terminology.hl7.org/CodeSystem/consentaction.
enum class ConsentAction : std::uint8_t { kCollect, kAccess, kUse, kDisclose, kCorrect };

enum class Ruling : std::uint8_t { kNone, kPermit, kDeny };

/// Who wants to do what, and why. Views outlive the call.
struct ConsentQuestion {
  std::span<std::string const>
      actors;                // "Practitioner/1", "Organization/2", "PractitionerRole/3" ...: all that he is
  std::string_view role;     // role of the policy
  std::string_view purpose;  // code of v3-ActReason, e.g. "TREAT"
  ConsentAction action = ConsentAction::kAccess;
  Time now{};
};

/// The record that is asked about.
struct ConsentItem {
  std::string_view type;
  std::string_view id;
  codec::Json const* content = nullptr;  // nullptr: a deleted version; criteria on content do not match
  Labels const* labels = nullptr;        // nullptr: none
};

struct Provision;  // access/internal/provision.hpp

/// One Consent, read once. Immutable: thread-safe. How each element is read: docs/access-rules.md.
class Consent {
 public:
  /// A consent with more than this is not understood: every record of the patient would pay for it.
  static constexpr std::size_t kDepthMax = 8;  // provisions within provisions
  static constexpr std::size_t kProvisionsMax = 512;
  static constexpr std::size_t kValuesMax = 4'096;  // entries of all lists of criteria

  /// nullopt: it says nothing of privacy here (status not active, other scope). A Consent that is active, of
  /// scope patient-privacy and not understood (an unknown policyRule and no root type, a modifierExtension, a
  /// nested provision without a type, anything malformed, more than the limits above) is one that denies
  /// everything: unknown consent is no consent.
  static std::optional<Consent> parse(codec::Json const& resource);
  /// In the place of one that cannot be read: denies everything, and no emergency by name.
  static Consent unknown() { return Consent(); }

  /// True for what `parse` reads: active, and of scope patient-privacy.
  static bool is_in_force(codec::Json const& resource);

  /// What this consent says. A nested provision whose criteria all match overrides its parent; siblings that
  /// contradict each other deny. kNone outside its period, or where it does not speak. What cannot be decided
  /// counts as met for a denial and as not met for a permission. Allocates nothing.
  Ruling rule(ConsentQuestion const& question, ConsentItem const& item) const;
  /// True when a denial that holds names the question's purpose itself: what breaking the glass must not
  /// override (C-14), asked with "ETREAT" or "BTG".
  bool denies_by_purpose(ConsentQuestion const& question, ConsentItem const& item) const;

  /// True when some criterion looks at the record's content: it must be opened to be judged.
  bool needs_content() const { return needs_content_; }
  std::optional<Time> dated() const { return dated_; }  // Consent.dateTime
  std::string const& id() const { return id_; }

 private:
  Consent() = default;

  std::shared_ptr<Provision const> root_;  // shared: copies are cheap, and all alike; null denies everything
  bool opted_out_ = false;                 // what is not permitted is denied
  bool needs_content_ = false;
  std::string id_;
  std::optional<Time> dated_;
};

/// Over all consents of a patient: any denial denies; else any permission permits; else kNone.
Ruling rule(std::span<Consent const> consents, ConsentQuestion const& question, ConsentItem const& item);

}  // namespace tacenda::access

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/event_kind.hpp"
#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/id.hpp"

namespace tacenda::audit {

/// FHIR AuditEvent.outcome.
enum class Outcome : std::uint8_t {
  kSuccess = 0,
  kMinorFailure = 4,
  kSeriousFailure = 8,
  kMajorFailure = 12
};

/// One thing that happened, before it is sealed. Its texts are names, ids and addresses: all of them end
/// up in the sealed body, none in the clear header (SECURITY_DESIGN section 3).
struct Event {
  EventKind kind = EventKind::kUnknownRoute;
  Outcome outcome = Outcome::kSuccess;
  std::uint16_t http_status = 0;  // 0: not HTTP
  std::string actor_id;           // UserId; empty: nobody was identified
  std::string actor_name;         // log-in name; for a failed log-in the name tried, HMACed by the caller
  std::string role;
  std::string authentication;  // "password+totp", "passkey", "token", "certificate", "uid", "none"
  std::string token_id;        // random jti of the token used; never the token
  std::string client;          // application, e.g. "tacenda-cli"; empty when unknown
  std::string network;         // TCP peer address, never a header's
  std::string request_id;      // X-Request-Id
  std::string resource_type;
  std::string resource_id;
  std::uint64_t resource_version = 0;
  std::vector<std::string> patients;  // logical ids of the compartments touched
  std::string purpose_of_use;         // e.g. "TREAT"
  /// What the access to these patients is explained by: "care-team", "encounter", "appointment", "order",
  /// "self", "proxy", "emergency". Empty: nothing known explains it.
  std::string explained_by;
  /// Why every access to these records is watched (C-16): "V", "CEL", "VIP", apart by spaces; or empty.
  std::string labels;
  /// Raw text of what was asked. Kept once for all events of a commit that have the same, under a key that
  /// ends with any of the patients whom those events or the text name.
  std::string query;
  /// Patients whom the text matched or names beside those of the events. Not kept.
  std::vector<std::string> query_patients;
  /// vault::CommitOrder::patient_erasures when the request came. Not kept. nullopt: long ago.
  std::optional<std::uint64_t> erasures_before;
  /// In place of `query`: the entry that has the text of this listing's first page.
  std::optional<std::uint64_t> query_at;
  std::string target;     // user name, role or other object of an administrative act
  std::string old_value;  // of a change to privileges or policy
  std::string new_value;
  std::string reason;                   // literal: why it was denied or failed
  std::optional<Digest> record_digest;  // SHA-256 of the record's envelope, when a version was written
  std::uint64_t count = 1;              // how many alike this one entry stands for (FailureMeter)
};

/// What became of the text of an entry's request.
enum class QueryState : std::uint8_t {
  kNone,    // there was none
  kSealed,  // it was not asked for
  kOpen,
  kErased  // a patient whom it matched or named was erased, or his keys were damaged: nobody can read it
};

/// An event as it stands in the log.
struct Entry {
  std::uint64_t sequence = 0;  // leaf index
  Time recorded;               // UTC, not before that of the entry before it
  Event event;
  bool readable = true;  // false: its key was destroyed; then only kind, outcome are set
  QueryState query_state = QueryState::kNone;  // kNone also of an entry that is not readable
};

/// Short name of a kind: "read", "login-failed".
std::string_view name_of(EventKind kind);
/// FHIR AuditEvent (R4, BALP) as JSON text. Source: IHE BALP 1.1, REQUIREMENTS annex C.
std::string to_fhir(Entry const& entry, std::string_view store_id);
/// What a patient may know of an entry about him: who (name, role, purpose), what (the act, his record),
/// when, and whether it was let (G-17). Not from which machine, by which token, with which words, and nothing
/// of other patients; so no profile of BALP holds.
std::string to_fhir_for_patient(Entry const& entry, std::string_view patient, std::string_view store_id);

}  // namespace tacenda::audit

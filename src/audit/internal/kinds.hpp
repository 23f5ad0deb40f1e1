#pragma once

#include <string_view>

#include "audit/event.hpp"

namespace tacenda::audit {

/// How one kind of event is written as a FHIR AuditEvent.
struct KindFacts {
  /// Which pattern of BALP the agents and entities follow.
  enum class Pattern : std::uint8_t { kRead, kQuery, kCreate, kUpdate, kDelete, kOther };

  EventKind kind;
  std::string_view name;      // in the command line and as own subtype
  std::string_view dcm_type;  // DICOM code of AuditEvent.type; empty: audit-event-type#rest
  std::string_view subtype;   // restful-interaction code, or DICOM code; empty: only the own name
  char action;                // C, R, U, D or E
  Pattern pattern = Pattern::kOther;
};

/// nullptr when no such kind exists: a number that a newer version wrote.
KindFacts const* facts_of(EventKind kind);

}  // namespace tacenda::audit

#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "access/consent.hpp"
#include "access/labels.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"

/// Consents, questions and records for the tests of consents.
namespace tacenda::access::testing {

inline codec::Json json(std::string_view text) {
  return codec::parse_json(text).value();
}

/// "OPTIN", "OPTOUT" or another code of ActCode as a member policyRule; empty: none.
inline std::string policy_rule(std::string_view code) {
  if (code.empty()) return "";
  return R"(,"policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":")" +
         std::string(code) + R"("}]})";
}

/// An active privacy consent; `provision` is the JSON of its root, or empty.
inline std::string consent_text(std::string_view policy, std::string_view provision,
                                std::string_view more = "") {
  std::string text =
      R"({"resourceType":"Consent","id":"c","status":"active","scope":{"coding":[{)"
      R"("system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]})";
  text += policy_rule(policy);
  if (!provision.empty()) text += R"(,"provision":)" + std::string(provision);
  return text + std::string(more) + "}";
}

inline Consent consent(std::string_view policy, std::string_view provision, std::string_view more = "") {
  return *Consent::parse(json(consent_text(policy, provision, more)));
}

/// Who asks. By default a doctor who treats, today.
struct Asker {
  std::vector<std::string> actors{"Practitioner/dr", "PractitionerRole/dr-at-a", "Organization/a"};
  std::string role = "doctor";
  std::string purpose = "TREAT";
  ConsentAction action = ConsentAction::kAccess;
  std::string now = "2026-06-15T12:00:00Z";

  ConsentQuestion question() const {
    return {.actors = actors,
            .role = role,
            .purpose = purpose,
            .action = action,
            .now = codec::parse_instant(now).value()};
  }
};

/// A record with its labels. Owns what ConsentItem looks at.
struct Record {
  explicit Record(std::string_view text) : content(json(text)), labels(labels_of(content)) {}
  ConsentItem item() const {
    return {.type = content.text_of("resourceType"),
            .id = content.text_of("id"),
            .content = &content,
            .labels = &labels};
  }
  codec::Json content;
  Labels labels;
};

/// A coding of meta.security.
inline std::string security(std::string_view code, std::string_view system) {
  return R"("meta":{"security":[{"system":")" + std::string(system) + R"(","code":")" + std::string(code) +
         R"("}]})";
}

inline Ruling ask(Consent const& consent, Record const& record, Asker const& asker = {}) {
  return consent.rule(asker.question(), record.item());
}

}  // namespace tacenda::access::testing

namespace tacenda::access {
// gtest finds it by the type's own namespace
inline void PrintTo(Ruling ruling, std::ostream* out) {
  *out << (ruling == Ruling::kPermit ? "permit" : ruling == Ruling::kDeny ? "deny" : "none");
}
}  // namespace tacenda::access

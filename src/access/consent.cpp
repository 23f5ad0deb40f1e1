#include "access/consent.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "access/internal/concepts.hpp"
#include "access/internal/provision.hpp"

namespace tacenda::access {
namespace {

using codec::Json;

bool has_coding(Json const* codeable, std::string_view system, std::string_view code) {
  Json const* codings = codeable == nullptr ? nullptr : codeable->find("coding");
  if (codings == nullptr) return false;
  return std::ranges::any_of(codings->items(), [&](Json const& coding) {
    return coding.text_of("system") == system && coding.text_of("code") == code;
  });
}

bool has_policy(Json const& resource, std::string_view code) {
  Json const* rule = resource.find("policyRule");
  return has_coding(rule, kActCodeSystem, code) ||
         has_coding(rule, "http://terminology.hl7.org/CodeSystem/consentpolicycodes", code);
}

std::optional<Time> time_of(std::string_view text) {
  auto const range = fhir::parse_date_range(text);
  if (!range) return std::nullopt;
  return Time(std::chrono::floor<std::chrono::milliseconds>(std::chrono::microseconds(range->low)));
}

bool covers(fhir::DateRange const& period, Time now) {
  auto const at = std::chrono::microseconds(now.time_since_epoch()).count();
  return period.low <= at && at <= period.high;
}

Ruling judge(Provision const& provision, ConsentQuestion const& question, ConsentItem const& item);

/// What a provision says whose criteria are met.
Ruling judge_met(Provision const& provision, ConsentQuestion const& question, ConsentItem const& item) {
  bool is_permitted = provision.type == Ruling::kPermit;
  for (auto const& nested : provision.provisions) {
    auto const ruling = judge(nested, question, item);
    if (ruling == Ruling::kDeny) return Ruling::kDeny;
    is_permitted = is_permitted || ruling == Ruling::kPermit;
  }
  return is_permitted ? Ruling::kPermit : Ruling::kDeny;
}

/// Depth: Consent::kDepthMax.
Ruling judge(Provision const& provision, ConsentQuestion const& question, ConsentItem const& item) {
  if (provision.period && !covers(*provision.period, question.now)) return Ruling::kNone;
  auto const met = match(provision, question, item);
  if (met == Match::kNo) return Ruling::kNone;
  auto const ruling = judge_met(provision, question, item);
  return met == Match::kUnknown && ruling == Ruling::kPermit ? Ruling::kNone : ruling;
}

bool names_purpose(Provision const& provision, ConsentQuestion const& question, ConsentItem const& item) {
  if (judge(provision, question, item) != Ruling::kDeny) return false;
  if (provision.type == Ruling::kDeny &&
      std::ranges::find(provision.purposes.entries, question.purpose) != provision.purposes.entries.end()) {
    return true;
  }
  return std::ranges::any_of(provision.provisions,
                             [&](Provision const& nested) { return names_purpose(nested, question, item); });
}

}  // namespace

bool Consent::is_in_force(Json const& resource) {
  return resource.text_of("status") == "active" &&
         has_coding(resource.find("scope"), "http://terminology.hl7.org/CodeSystem/consentscope",
                    "patient-privacy");
}

std::optional<Consent> Consent::parse(Json const& resource) {
  if (!is_in_force(resource)) return std::nullopt;
  Consent consent;
  consent.id_ = resource.text_of("id");
  consent.dated_ = time_of(resource.text_of("dateTime"));
  // Modifiers: "a receiver that does not know one must not process the data" (R4 extensibility.html).
  if (resource.find("modifierExtension") != nullptr || resource.find("implicitRules") != nullptr)
    return consent;

  bool const opted_in = has_policy(resource, "OPTIN") || has_policy(resource, "OPTINR");
  consent.opted_out_ = has_policy(resource, "OPTOUT") || has_policy(resource, "OPTOUTE");
  if (opted_in && consent.opted_out_) return consent;
  std::optional<Ruling> base;
  if (opted_in) base = Ruling::kPermit;
  if (consent.opted_out_) base = Ruling::kDeny;

  static Json const kNothing = Json::object();
  Json const* provision = resource.find("provision");
  auto root = read_provision(provision == nullptr ? kNothing : *provision, base);
  if (!root.has_value()) return consent;
  consent.needs_content_ = root->needs_content();
  consent.root_ = std::make_shared<Provision const>(*std::move(root));
  return consent;
}

Ruling Consent::rule(ConsentQuestion const& question, ConsentItem const& item) const {
  if (root_ == nullptr) return Ruling::kDeny;
  if (root_->period && !covers(*root_->period, question.now)) return Ruling::kNone;
  auto const ruling = judge(*root_, question, item);
  return opted_out_ && ruling == Ruling::kNone ? Ruling::kDeny : ruling;
}

bool Consent::denies_by_purpose(ConsentQuestion const& question, ConsentItem const& item) const {
  return root_ != nullptr && names_purpose(*root_, question, item);
}

Ruling rule(std::span<Consent const> consents, ConsentQuestion const& question, ConsentItem const& item) {
  auto ruling = Ruling::kNone;
  for (auto const& consent : consents) {
    auto const own = consent.rule(question, item);
    if (own == Ruling::kDeny) return own;
    if (own == Ruling::kPermit) ruling = own;
  }
  return ruling;
}

}  // namespace tacenda::access

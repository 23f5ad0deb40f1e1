#include "access/internal/decision.hpp"

#include <algorithm>

#include "access/internal/concepts.hpp"
#include "codec/json.hpp"
#include "core/log.hpp"
#include "fhir/compartment.hpp"

namespace tacenda::access {
namespace {

/// A system history meets records of every type: each needs the right to its type's history as well.
Action needed_of(Action action) {
  return action == Action::kHistorySystem ? Action::kHistoryType : action;
}

ConsentAction consent_action_of(Action action) {
  switch (action) {
    case Action::kUpdate:
    case Action::kDelete:
      return ConsentAction::kCorrect;
    case Action::kExport:
      return ConsentAction::kDisclose;
    default:
      return ConsentAction::kAccess;
  }
}

/// A label that one of the words names, or a broader one.
bool is_among(std::set<std::string, std::less<>> const& words, std::string_view code) {
  return std::ranges::any_of(words, [&](std::string const& word) { return is_label_within(code, word); });
}

/// True where a record of which no patient is known may yet be about one.
bool is_of_care(std::string_view type) {
  auto const group = group_of(type);
  return group == ResourceGroup::kPatientRecords || group == ResourceGroup::kPrescriptions ||
         fhir::holds_anything(type);
}

}  // namespace

bool is_reading(Action action) {
  switch (action) {
    case Action::kRead:
    case Action::kVread:
    case Action::kHistoryInstance:
    case Action::kSearch:
      return true;
    default:
      return false;
  }
}

std::string_view word_of(Denial denial) {
  switch (denial) {
    case Denial::kNone:
      return "permitted";
    case Denial::kRight:
      return "role";
    case Denial::kPurpose:
      return "purpose";
    case Denial::kScope:
      return "scope";
    case Denial::kOwn:
      return "own-record";
    case Denial::kRelation:
      return "relation";
    case Denial::kConsent:
      return "consent";
    case Denial::kLabel:
      return "label";
    case Denial::kClearance:
      return "clearance";
    case Denial::kList:
      return "list";
    case Denial::kEmergency:
      return "emergency-limit";
    case Denial::kErasure:
      return "erasure";
    case Denial::kUnreadable:
      return "unreadable";
  }
  return "";
}

/// Opens the record at most once, and reads it at most once.
struct DecisionFilter::Look {
  Look(RecordFacts const& the_facts, std::vector<std::string>* told) : facts(the_facts), because(told) {}

  /// Says what the answer goes by, to who wants to know.
  void tell(std::string_view what, std::string_view which = {}) {
    if (because != nullptr) because->push_back(std::string(what).append(which));
  }

  bool open() {
    if (asked) return text.has_value();
    asked = true;
    if (facts.content != nullptr) text = facts.content->text();
    return text.has_value();
  }
  Labels const* labels_or_null() {
    if (!labels) {
      if (!facts.may_have_labels) {
        labels.emplace();
      } else if (open()) {
        labels = text->empty() ? Labels() : labels_of_text(*text);
      }
    }
    return labels ? &*labels : nullptr;
  }
  /// nullptr with `unreadable` false: a deletion, which has no content.
  codec::Json const* json_or_null() {
    if (!open() || text->empty()) return nullptr;
    if (!json) {
      auto parsed = codec::parse_json(*text);
      if (!parsed.has_value()) {
        text.reset();
        return nullptr;
      }
      json = std::move(*parsed);
    }
    return &*json;
  }
  bool unreadable() const { return asked && !text; }

  RecordFacts const& facts;
  std::vector<std::string>* because;
  bool asked = false;
  std::optional<std::string_view> text;
  std::optional<Labels> labels;
  std::optional<codec::Json> json;
};

DecisionFilter::DecisionFilter(std::shared_ptr<Policy const> policy, Role const& role, Asker asker,
                               Evidence const* evidence, Assignments const* assignments,
                               MembersOfGroups members)
    : policy_(std::move(policy)),
      role_(&role),
      asker_(std::move(asker)),
      evidence_(evidence),
      assignments_(assignments),
      members_(members) {}

bool DecisionFilter::judge(Action action, RecordFacts const& facts) const {
  return why(action, facts) == Denial::kNone;
}

Denial DecisionFilter::why(Action action, RecordFacts const& facts, std::vector<std::string>* because) const {
  if (!role_->may(needed_of(action), facts.type)) return Denial::kRight;
  // What is about to be written is refused where it is written, with what stands against it.
  if (!facts.is_proposed && assignments_ != nullptr && assignments_->closes(facts.patients))
    return Denial::kErasure;
  Look look(facts, because);
  if (auto const denial = by_scope(action, facts, look); denial != Denial::kNone) return denial;
  if (role_->own_record_only) {
    // Who reads what is about himself needs nobody's consent and no clearance.
    if (!is_own(facts, look)) return Denial::kOwn;
    // Somebody who acts for him sees what his consents and the labels leave.
    if (!role_->acts_for_another) return Denial::kNone;
  }
  if (members_ == MembersOfGroups::kJudgedApart && facts.type == "Group")
    return by_label(action, facts, look);
  if (auto denial = by_relation(facts, role_->needs_relation); denial != Denial::kNone) {
    denial = in_emergency(glass_of_all(action, facts), denial, look);
    if (denial != Denial::kNone) return denial;
  }
  // A gate without a store knows of no consent and no label.
  if (facts.is_proposed || evidence_ == nullptr) return Denial::kNone;
  // Who reads nothing of what he makes, as a loader, keeps what he is given: what he may see is no question.
  if (facts.version == 0 && !role_->may(Action::kRead, facts.type)) return Denial::kNone;
  if (auto const denial = by_consent(action, facts, look); denial != Denial::kNone) return denial;
  return by_label(action, facts, look);
}

bool DecisionFilter::is_own(RecordFacts const& facts, Look& look) const {
  if (!asker_.own_patient || std::ranges::find(facts.patients, *asker_.own_patient) == facts.patients.end())
    return false;
  if (facts.patients.size() == 1) return true;
  // That others are named in it takes nobody's own record from him.
  auto const* content = look.json_or_null();
  return content != nullptr && fhir::clear_subject(*content) == *asker_.own_patient;
}

Denial DecisionFilter::unknown(Error const& error) const {
  // What passes is said, so that nobody takes it for the truth. What does not is a denial of this record, and
  // holds up none of the others.
  if (error.kind() == ErrorKind::kUnavailable) {
    could_not_tell_ = true;
  } else {
    log(LogLevel::kError, error);
  }
  return Denial::kUnreadable;
}

Denial DecisionFilter::by_scope(Action action, RecordFacts const& facts, Look& look) const {
  if (!asker_.scopes) return Denial::kNone;
  switch (asker_.scopes->judge(action, facts, [&] { return look.json_or_null(); })) {
    case ScopeSet::Verdict::kYes:
      return Denial::kNone;
    case ScopeSet::Verdict::kNo:
      return Denial::kScope;
    case ScopeSet::Verdict::kUnreadable:
      break;
  }
  return Denial::kUnreadable;
}

Denial DecisionFilter::in_emergency(Glass glass, Denial denial, Look& look) const {
  if (glass == Glass::kWhole) return denial;
  look.tell("the glass is broken");
  auto const* labels = look.labels_or_null();
  if (labels == nullptr) return Denial::kUnreadable;
  // Psychotherapy notes and their like are as if the glass were whole (C-14).
  auto const& never = policy_->bounds().never_in_emergency;
  auto const& recorded = policy_->bounds().recorded_in_emergency;
  // Records under 42 CFR Part 2 need the record of the disclosure, which nobody writes afterwards.
  bool const stays_closed = std::ranges::any_of(labels->all, [&](Label const& label) {
    return is_among(never, label.code) || (glass != Glass::kBrokenOnRecord && is_among(recorded, label.code));
  });
  return stays_closed ? Denial::kEmergency : Denial::kNone;
}

Denial DecisionFilter::by_relation(RecordFacts const& facts, bool is_needed) const {
  if (!is_needed || evidence_ == nullptr) return Denial::kNone;
  // A record of care that names no patient whom this server knows is nobody's whom he could be treating.
  if (facts.patients.empty()) return is_of_care(facts.type) ? Denial::kRelation : Denial::kNone;
  // Nobody treats yet who is registered just now.
  if (facts.is_proposed && facts.version == 0 && facts.type == "Patient") return Denial::kNone;
  if (!asker_.practitioner) return Denial::kRelation;
  for (auto const& patient : facts.patients) {
    auto const relation =
        evidence_->relation(*asker_.practitioner, patient, asker_.now, policy_->bounds().relation);
    if (!relation.has_value()) {
      return unknown(relation.error());
    }
    if (*relation == Relation::kNone) return Denial::kRelation;
  }
  return Denial::kNone;
}

Denial DecisionFilter::by_consent(Action action, RecordFacts const& facts, Look& look) const {
  if (evidence_ == nullptr || role_->over_consents || removes_consents(facts.type)) return Denial::kNone;
  if (facts.patients.empty() && is_of_care(facts.type) &&
      !policy_->bounds().permits_without_consent(asker_.purpose))
    return Denial::kConsent;
  for (auto const& patient : facts.patients) {
    auto const denial = by_consent_of(patient, action, facts, look);
    if (denial != Denial::kNone) return denial;
  }
  return Denial::kNone;
}

Denial DecisionFilter::by_consent_of(std::string const& patient, Action action, RecordFacts const& facts,
                                     Look& look) const {
  auto const consents = evidence_->consents_of(patient);
  if (!consents.has_value()) {
    return unknown(consents.error());
  }
  bool const without = policy_->bounds().permits_without_consent(asker_.purpose);
  auto const emergency = glass_of(action, patient);
  if ((*consents)->empty()) return without ? Denial::kNone : in_emergency(emergency, Denial::kConsent, look);

  std::shared_ptr<std::vector<std::string> const> actors;
  if (asker_.practitioner) {
    auto known = evidence_->actors_of(*asker_.practitioner);
    if (!known.has_value()) {
      return unknown(known.error());
    }
    actors = std::move(*known);
  }
  ConsentItem item{facts.type, facts.id, nullptr, nullptr};
  item.labels = look.labels_or_null();
  if (item.labels == nullptr) return Denial::kUnreadable;
  if (std::ranges::any_of(**consents, &Consent::needs_content)) {
    item.content = look.json_or_null();
    if (look.unreadable()) return Denial::kUnreadable;
  }
  ConsentQuestion question;
  if (actors) question.actors = *actors;
  question.role = asker_.role;
  question.purpose = asker_.purpose;
  question.action = consent_action_of(action);
  question.now = asker_.now;
  auto ruling = rule(**consents, question, item);
  if (question.action != ConsentAction::kAccess && ruling != Ruling::kDeny) {
    // What may not be seen can be neither changed nor taken out.
    question.action = ConsentAction::kAccess;
    auto const access = rule(**consents, question, item);
    if (access != Ruling::kPermit) ruling = access;
  }
  name_consents(**consents, question, item, ruling, look);
  if (ruling == Ruling::kPermit || (ruling == Ruling::kNone && without)) return Denial::kNone;
  if (auto const denial = in_emergency(emergency, Denial::kConsent, look); denial != Denial::kNone)
    return denial;
  if (policy_->bounds().emergency_overrides_denied) return Denial::kNone;
  // What is denied for emergencies by name stays closed (C-14).
  for (auto const* purpose : {"ETREAT", "BTG"}) {
    question.purpose = purpose;
    if (std::ranges::any_of(**consents,
                            [&](Consent const& each) { return each.denies_by_purpose(question, item); }))
      return Denial::kEmergency;
  }
  return Denial::kNone;
}

void DecisionFilter::name_consents(std::vector<Consent> const& consents, ConsentQuestion const& question,
                                   ConsentItem const& item, Ruling ruling, Look& look) {
  if (look.because == nullptr || ruling == Ruling::kNone) return;
  for (auto const& each : consents) {
    if (each.rule(question, item) == ruling)
      look.tell(ruling == Ruling::kDeny ? "denied by Consent/" : "permitted by Consent/", each.id());
  }
}

Denial DecisionFilter::by_label(Action action, RecordFacts const& facts, Look& look) const {
  auto const* labels = look.labels_or_null();
  if (labels == nullptr) return Denial::kUnreadable;
  // No label, and not for want of a text that can be read: that one is V.
  bool const is_unlabelled = labels->all.empty() && labels->confidentiality <= Confidentiality::kN;
  if (is_unlabelled && role_->clearance >= Confidentiality::kN) return Denial::kNone;
  auto const& bounds = policy_->bounds();
  if (in_emergency(glass_of_all(action, facts), Denial::kLabel, look) == Denial::kNone) return Denial::kNone;
  for (auto const& label : labels->all) {
    look.tell("its label is ", label.code);
    if (is_among(role_->sensitive, label.code)) continue;
    if (is_among(bounds.sensitive, label.code)) return Denial::kLabel;
    bool const is_closed =
        is_among(bounds.never_in_emergency, label.code) || is_among(bounds.recorded_in_emergency, label.code);
    if (is_closed && role_->clearance != Confidentiality::kV) return Denial::kLabel;
  }
  if (labels->confidentiality == Confidentiality::kV || labels->has_code(kCelebrity))
    return by_list(facts, look);
  if (labels->confidentiality > role_->clearance) return Denial::kClearance;
  // Restricted: for who treats, unless the policy says otherwise of the role (C-15).
  bool const is_restricted = labels->confidentiality == Confidentiality::kR;
  return by_relation(facts, is_restricted && !role_->restricted_without_relation && !role_->own_record_only);
}

/// Very restricted, or of a celebrity: those on the list of each patient it is about, and roles that the
/// policy lets pass it (C-15, C-16); a role of that clearance where it is about none.
Denial DecisionFilter::by_list(RecordFacts const& facts, Look& look) const {
  if (facts.patients.empty() || assignments_ == nullptr)
    return role_->clearance == Confidentiality::kV ? Denial::kNone : Denial::kClearance;
  if (role_->over_lists) {
    look.tell("the role passes lists");
    return Denial::kNone;
  }
  for (auto const& patient : facts.patients) {
    bool const is_listed = assignments_->is_listed(patient, asker_.user);
    look.tell(is_listed ? "he is on the list of Patient/" : "he is not on the list of Patient/", patient);
    if (!is_listed) return Denial::kList;
  }
  return Denial::kNone;
}

DecisionFilter::Glass DecisionFilter::glass_of(Action action, std::string const& patient) const {
  if (!role_->breaks_glass || !is_reading(action)) return Glass::kWhole;
  auto const emergency = assignments_ != nullptr ? assignments_->emergency(asker_.user, patient, asker_.now)
                                                 : std::optional<Emergency>();
  if (emergency && emergency->disclosure) return Glass::kBrokenOnRecord;
  return emergency || asker_.in_emergency ? Glass::kBroken : Glass::kWhole;
}

DecisionFilter::Glass DecisionFilter::glass_of_all(Action action, RecordFacts const& facts) const {
  // The glass is broken for a patient: a record of none has no emergency.
  if (facts.patients.empty()) return Glass::kWhole;
  auto weakest = Glass::kBrokenOnRecord;
  for (auto const& patient : facts.patients) weakest = std::min(weakest, glass_of(action, patient));
  return weakest;
}

/// Who may take Consents away sees them whatever they say: else nobody could end one that cannot be read, or
/// too many.
bool DecisionFilter::removes_consents(std::string_view type) const {
  return type == "Consent" && role_->may(Action::kDelete, type);
}

/// True when no patient has said anything, and nothing needs to be said.
bool DecisionFilter::permits_unasked() const {
  if (!policy_->bounds().permits_without_consent(asker_.purpose)) return false;
  auto const consents = evidence_->has_consents();
  return consents.has_value() && !*consents;
}

bool DecisionFilter::judges_all(Action action, std::string_view type) const {
  if (role_->own_record_only || !role_->may(needed_of(action), type)) return false;
  if (assignments_ != nullptr && assignments_->closes_any()) return false;
  if (asker_.scopes && !asker_.scopes->covers_all(action, type)) return false;
  if (evidence_ == nullptr) return true;
  if (group_of(type) != ResourceGroup::kDirectory) {
    if (role_->needs_relation) return false;
    if (!role_->over_consents && !permits_unasked()) return false;
  }
  if (role_->clearance < Confidentiality::kN) return false;
  auto const labels = evidence_->has_labels(type);
  return labels.has_value() && !*labels;
}

std::optional<std::string> DecisionFilter::view(std::string_view type, std::string_view json) const {
  auto const found = role_->views.find(type);
  if (found == role_->views.end()) return std::string(json);
  auto cut = found->second.apply(json);
  return cut.has_value() ? std::optional(std::move(*cut)) : std::nullopt;
}

bool DecisionFilter::views_whole(std::string_view type) const {
  return role_->views.find(type) == role_->views.end();
}

}  // namespace tacenda::access

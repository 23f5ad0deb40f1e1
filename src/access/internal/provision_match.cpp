// One provision against one question and one record. Called for every record of a patient that is asked for:
// nothing here allocates, and what looks into the record comes last.
#include <algorithm>
#include <array>

#include "access/internal/concepts.hpp"
#include "access/internal/provision.hpp"

namespace tacenda::access {
namespace {

using codec::Json;

Match match_of(bool is_met) {
  return is_met ? Match::kYes : Match::kNo;
}

/// Entries of one list are alternatives.
template <typename T, typename Judge>
Match any_of(Criterion<T> const& criterion, Judge judge) {
  if (!criterion.is_present) return Match::kYes;
  auto best = criterion.has_undecided ? Match::kUnknown : Match::kNo;
  for (auto const& entry : criterion.entries) {
    if (best == Match::kYes) break;
    best = std::max(best, judge(entry));
  }
  return best;
}

/// Calls `visit` with a value, or with each of its items when it is a list, until one call says true.
template <typename Visit>
bool any_value(Json const* json, Visit visit) {
  if (json == nullptr) return false;
  if (json->is_array()) return std::ranges::any_of(json->items(), visit);
  return visit(*json);
}

// --- references

bool is_place(std::string_view text, ConsentItem const& item) {
  return text.size() == item.type.size() + 1 + item.id.size() && text.starts_with(item.type) &&
         text[item.type.size()] == '/' && text.ends_with(item.id);
}

/// `text` with or without a version.
bool leads_to(std::string_view text, ReferenceCriterion const& wanted) {
  if (!text.starts_with(wanted.text)) return false;
  text.remove_prefix(wanted.text.size());
  return text.empty() || text.starts_with("/_history/");
}

/// Depth: that of what parse_json lets through.
bool refers_to(Json const& json, ReferenceCriterion const& wanted) {
  if (leads_to(json.text_of("reference"), wanted)) return true;
  return std::ranges::any_of(json.items(), [&](Json const& item) { return refers_to(item, wanted); }) ||
         std::ranges::any_of(json.members(),
                             [&](Json::Member const& member) { return refers_to(member.value, wanted); });
}

// Who wrote, made, asked for or stated a record, by R4's names; in a backbone it is `actor` or `who`.
constexpr std::array<std::string_view, 15> kAuthors{"author",
                                                    "recorder",
                                                    "asserter",
                                                    "performer",
                                                    "requester",
                                                    "sender",
                                                    "enterer",
                                                    "assessor",
                                                    "provider",
                                                    "creator",
                                                    "informationSource",
                                                    "agent",
                                                    "resultsInterpreter",
                                                    "insurer",
                                                    "source"};

bool is_written_by(Json const& content, ReferenceCriterion const& author) {
  return std::ranges::any_of(kAuthors, [&](std::string_view name) {
    return any_value(content.find(name), [&](Json const& value) {
      if (leads_to(value.text_of("reference"), author)) return true;
      return std::ranges::any_of(
          std::array<std::string_view, 2>{"actor", "who"}, [&](std::string_view inner) {
            return any_value(value.find(inner),
                             [&](Json const& who) { return leads_to(who.text_of("reference"), author); });
          });
    });
  });
}

Match match_reference(bool is_met, ReferenceCriterion const& reference) {
  if (!is_met) return Match::kNo;
  return reference.names_version ? Match::kUnknown
                                 : Match::kYes;  // one version was meant; which it is, is not said
}

// --- criteria, in the order of R4

Match match_actor(ActorCriterion const& actor, ConsentQuestion const& question, ConsentItem const& item) {
  if (actor.part == ActorCriterion::Part::kWrote) {
    return match_of(item.content != nullptr && is_written_by(*item.content, *actor.reference));
  }
  bool const has_role = std::ranges::find(actor.roles, question.role) != actor.roles.end();
  if (!actor.reference) return question.role.empty() ? Match::kUnknown : match_of(has_role);
  // Who is nobody in particular may be the one who is named.
  if (question.actors.empty()) return Match::kUnknown;
  if (std::ranges::find(question.actors, actor.reference->text) == question.actors.end()) return Match::kNo;
  // A role beside a reference may say less than it seems: it opens nothing, and narrows no denial.
  return actor.roles.empty() || has_role ? Match::kYes : Match::kUnknown;
}

/// R4: "If the consent specifies a security label of "R" then it applies to all resources that are labeled
/// "R" or lower": what is permitted has a ceiling. A denial of R read so would let V through; it has a floor.
Match match_label(LabelCriterion const& wanted, Ruling type, Labels const& labels) {
  if (wanted.level) {
    return match_of(type == Ruling::kPermit ? labels.confidentiality <= *wanted.level
                                            : labels.confidentiality >= *wanted.level);
  }
  return match_of(std::ranges::any_of(
      labels.all, [&](Label const& label) { return is_label_within(label.code, wanted.code); }));
}

Match match_purpose(std::string_view wanted, std::string_view purpose) {
  if (purpose.empty()) return Match::kUnknown;
  return match_of(is_purpose_within(purpose, wanted));
}

Match match_class(ClassCriterion const& wanted, ConsentItem const& item) {
  if (wanted.is_type) return match_of(wanted.text == item.type);
  Json const* meta = item.content == nullptr ? nullptr : item.content->find("meta");
  Json const* profiles = meta == nullptr ? nullptr : meta->find("profile");
  return match_of(any_value(profiles, [&](Json const& profile) {
    if (!profile.is_string()) return false;
    auto const url = profile.as_string();
    if (url == wanted.text) return true;
    auto const bar = url.find('|');
    return bar != std::string_view::npos && url.substr(0, bar) == wanted.text;
  }));
}

Match match_coding(Json const& coding, CodeCriterion const& wanted) {
  if (coding.text_of("code") != wanted.code) return Match::kNo;
  auto const system = coding.text_of("system");
  if (system.empty() || wanted.system.empty()) return Match::kUnknown;
  return match_of(system == wanted.system);
}

/// In any element of the resource itself that is a Coding or a CodeableConcept.
Match match_top_codes(Json const& content, CodeCriterion const& wanted) {
  auto best = Match::kNo;
  auto const look = [&](Json const& coding) {
    best = std::max(best, match_coding(coding, wanted));
    return best == Match::kYes;
  };
  for (auto const& member : content.members()) {
    bool const is_found = any_value(&member.value, [&](Json const& value) {
      return look(value) || any_value(value.find("coding"), look);
    });
    if (is_found) break;
  }
  return best;
}

/// Depth: that of what parse_json lets through.
bool holds_code(Json const& json, CodeCriterion const& wanted) {
  if (match_coding(json, wanted) != Match::kNo) return true;
  return std::ranges::any_of(json.items(), [&](Json const& item) { return holds_code(item, wanted); }) ||
         std::ranges::any_of(json.members(),
                             [&](Json::Member const& member) { return holds_code(member.value, wanted); });
}

/// R4: "If this code is found in an instance, then the exception applies." Deep inside (a component, a
/// contained resource) it is found for a denial; it is not what the whole record is about, and opens nothing.
Match match_code(CodeCriterion const& wanted, ConsentItem const& item) {
  if (item.content == nullptr) return Match::kNo;
  auto const top = match_top_codes(*item.content, wanted);
  if (top != Match::kNo) return top;
  return holds_code(*item.content, wanted) ? Match::kUnknown : Match::kNo;
}

Match match_data(DataCriterion const& data, ConsentItem const& item) {
  auto const& reference = data.reference;
  if (data.meaning == DataCriterion::Meaning::kAuthored) {
    return match_of(item.content != nullptr && is_written_by(*item.content, reference));
  }
  if (is_place(reference.text, item)) return match_reference(true, reference);
  bool const refers = data.meaning == DataCriterion::Meaning::kReferring && item.content != nullptr &&
                      refers_to(*item.content, reference);
  return match_reference(refers, reference);
}

// --- times

// The clinically relevant time first, then when it was written. The first that can be read counts.
constexpr auto kTimes = std::to_array<std::string_view>({
    "effectiveDateTime",
    "effectivePeriod",
    "effectiveInstant",
    "effectiveTiming",
    "performedDateTime",
    "performedPeriod",
    "occurrenceDateTime",
    "occurrencePeriod",
    "occurrenceTiming",
    "occurredDateTime",
    "occurredPeriod",
    "onsetDateTime",
    "onsetPeriod",
    "servicedDate",
    "servicedPeriod",
    "billablePeriod",
    "servicePeriod",
    "period",
    "started",
    "start",
    "sent",
    "whenHandedOver",
    "authoredOn",
    "authored",
    "issued",
    "date",
    "recordedDate",
    "created",
    "recorded",
    "dateTime",
});

std::optional<fhir::DateRange> range_of(Json const& value) {
  if (value.is_string()) return fhir::parse_date_range(value.as_string());
  Json const* repeat = value.find("repeat");
  Json const* bounds = repeat == nullptr ? nullptr : repeat->find("boundsPeriod");
  if (auto const period = read_period(bounds == nullptr ? value : *bounds); period.has_value())
    return *period;
  std::optional<fhir::DateRange> all;
  Json const* events = value.find("event");
  if (events == nullptr) return all;
  for (auto const& event : events->items()) {
    if (!event.is_string()) return std::nullopt;
    auto const range = fhir::parse_date_range(event.as_string());
    if (!range) return std::nullopt;
    if (!all) all = range;
    all->low = std::min(all->low, range->low);
    all->high = std::max(all->high, range->high);
  }
  return all;
}

Match match_data_period(fhir::DateRange const& wanted, ConsentItem const& item) {
  if (item.content == nullptr) return Match::kNo;
  for (auto const name : kTimes) {
    Json const* value = item.content->find(name);
    if (value == nullptr) continue;
    auto const range = range_of(*value);
    if (!range) continue;
    if (range->high < wanted.low || range->low > wanted.high) return Match::kNo;
    return wanted.low <= range->low && range->high <= wanted.high ? Match::kYes : Match::kUnknown;
  }
  return Match::kUnknown;
}

}  // namespace

Match match(Provision const& provision, ConsentQuestion const& question, ConsentItem const& item) {
  static Labels const kNoLabels;
  Labels const& labels = item.labels == nullptr ? kNoLabels : *item.labels;
  auto result = Match::kYes;
  auto const meets = [&](Match next) {
    result = std::min(result, next);
    return result != Match::kNo;
  };
  bool const may_match =
      meets(any_of(provision.actions,
                   [&](ConsentAction action) { return match_of(action == question.action); })) &&
      meets(any_of(provision.purposes,
                   [&](std::string const& wanted) { return match_purpose(wanted, question.purpose); })) &&
      meets(any_of(
          provision.labels,
          [&](LabelCriterion const& wanted) { return match_label(wanted, provision.type, labels); })) &&
      meets(any_of(provision.classes,
                   [&](ClassCriterion const& wanted) { return match_class(wanted, item); })) &&
      meets(any_of(provision.actors,
                   [&](ActorCriterion const& actor) { return match_actor(actor, question, item); })) &&
      (!provision.data_period || meets(match_data_period(*provision.data_period, item))) &&
      meets(any_of(provision.codes, [&](CodeCriterion const& wanted) { return match_code(wanted, item); })) &&
      meets(any_of(provision.data, [&](DataCriterion const& wanted) { return match_data(wanted, item); }));
  return may_match ? result : Match::kNo;
}

}  // namespace tacenda::access

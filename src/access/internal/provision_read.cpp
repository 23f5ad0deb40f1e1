// Consent.provision, compiled. What is malformed is an error, and makes the consent deny everything; what is
// well formed and cannot be held against a question (a reference without a text, a code of an unknown system)
// is kept as undecided.
#include <algorithm>
#include <array>
#include <utility>

#include "access/internal/concepts.hpp"
#include "access/internal/provision.hpp"
#include "fhir/reference.hpp"

namespace tacenda::access {
namespace {

using codec::Json;

constexpr std::string_view kParticipation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

constexpr std::array<std::pair<std::string_view, ConsentAction>, 5> kActions{{
    {"collect", ConsentAction::kCollect},
    {"access", ConsentAction::kAccess},
    {"use", ConsentAction::kUse},
    {"disclose", ConsentAction::kDisclose},
    {"correct", ConsentAction::kCorrect},
}};

std::vector<Json> const& codings_of(Json const* codeable) {
  static std::vector<Json> const kNone;
  Json const* codings = codeable == nullptr ? nullptr : codeable->find("coding");
  return codings == nullptr ? kNone : codings->items();
}

/// nullopt: no literal reference, or one into the Consent itself.
std::optional<ReferenceCriterion> read_reference(Json const* json) {
  auto const text = json == nullptr ? std::string_view() : json->text_of("reference");
  if (text.empty() || text.starts_with('#')) return std::nullopt;
  constexpr std::string_view kHistory = "/_history/";
  auto const version = text.find(kHistory);
  return ReferenceCriterion{std::string(text.substr(0, version)), version != std::string_view::npos};
}

/// True when a code comes from a hospital's own system: a participation type or another code of HL7 says what
/// someone is to a record, and no role of the policy.
bool is_own_system(std::string_view system) {
  return !system.empty() && !system.starts_with("http://terminology.hl7.org/") &&
         !system.starts_with("http://hl7.org/") && !system.starts_with("urn:oid:2.16.840.1.113883.");
}

class ProvisionReader {
 public:
  Result<Provision> read(Json const& json, std::optional<Ruling> base, std::size_t depth) {
    if (depth > Consent::kDepthMax || ++provisions_ > Consent::kProvisionsMax) {
      return fail(ErrorKind::kTooLarge, "too many provisions");
    }
    if (!json.is_object()) return fail(ErrorKind::kInvalid, "a provision is no object");
    TACENDA_TRY_VOID(check_modifiers(json));
    Provision provision;
    provision.type = TACENDA_TRY(read_type(json, base));
    provision.period = TACENDA_TRY(read_optional_period(json.find("period")));
    provision.data_period = TACENDA_TRY(read_optional_period(json.find("dataPeriod")));
    TACENDA_TRY_VOID(read_list(json, "actor", provision.actors, read_actor));
    TACENDA_TRY_VOID(read_list(json, "action", provision.actions, read_action));
    TACENDA_TRY_VOID(read_list(json, "securityLabel", provision.labels, read_label));
    TACENDA_TRY_VOID(read_list(json, "purpose", provision.purposes, read_purpose));
    TACENDA_TRY_VOID(read_list(json, "class", provision.classes, read_class));
    TACENDA_TRY_VOID(read_list(json, "code", provision.codes, read_code));
    TACENDA_TRY_VOID(read_list(json, "data", provision.data, read_data));
    for (auto const* nested : TACENDA_TRY(list(json, "provision"))) {
      provision.provisions.push_back(TACENDA_TRY(read(*nested, std::nullopt, depth + 1)));
    }
    return provision;
  }

 private:
  static Result<void> check_modifiers(Json const& json) {
    if (json.find("modifierExtension") == nullptr) return {};
    return fail(ErrorKind::kInvalid, "a modifier extension is not understood");
  }

  static Result<Ruling> read_type(Json const& json, std::optional<Ruling> base) {
    Json const* type = json.find("type");
    if (type == nullptr && base) return *base;
    auto const code = json.text_of("type");
    if (code == "permit") return Ruling::kPermit;
    if (code == "deny") return Ruling::kDeny;
    return fail(ErrorKind::kInvalid, "a provision neither permits nor denies");
  }

  static Result<std::optional<fhir::DateRange>> read_optional_period(Json const* json) {
    if (json == nullptr) return std::nullopt;
    return TACENDA_TRY(read_period(*json));
  }

  /// The objects of a list; none when it is absent.
  Result<std::vector<Json const*>> list(Json const& json, std::string_view name) {
    std::vector<Json const*> entries;
    Json const* found = json.find(name);
    if (found == nullptr) return entries;
    if (found->items().empty()) return fail(ErrorKind::kInvalid, "a criterion is no list");
    for (auto const& entry : found->items()) {
      if (!entry.is_object()) return fail(ErrorKind::kInvalid, "an entry of a criterion is no object");
      TACENDA_TRY_VOID(check_modifiers(entry));
      entries.push_back(&entry);
    }
    return entries;
  }

  /// `read_entry` appends what one entry comes to; when that is nothing, the entry is undecided.
  template <typename T>
  Result<void> read_list(Json const& json, std::string_view name, Criterion<T>& criterion,
                         void (*read_entry)(Json const&, std::vector<T>&)) {
    auto const entries = TACENDA_TRY(list(json, name));
    criterion.is_present = !entries.empty();
    for (auto const* entry : entries) {
      auto const before = criterion.entries.size();
      read_entry(*entry, criterion.entries);
      auto const added = criterion.entries.size() - before;
      criterion.has_undecided = criterion.has_undecided || added == 0;
      values_ += std::max<std::size_t>(added, 1);
      if (values_ > Consent::kValuesMax) return fail(ErrorKind::kTooLarge, "too many criteria");
    }
    return {};
  }

  /// R4: role is "how the individual is involved in the resources content that is described". An author is
  /// matched with who wrote the record; whether the server's keeper is the custodian (CST), nothing here can
  /// tell; everyone else is someone who asks.
  static void read_actor(Json const& json, std::vector<ActorCriterion>& actors) {
    ActorCriterion actor;
    Json const* reference = json.find("reference");
    actor.reference = read_reference(reference);
    bool asks = false;
    bool wrote = false;
    bool keeps = false;
    for (auto const& coding : codings_of(json.find("role"))) {
      auto const system = coding.text_of("system");
      auto const code = coding.text_of("code");
      bool const is_participation = system == kParticipation;
      if (is_participation && code == "AUT") {
        wrote = true;
      } else if (is_participation && code == "CST") {
        keeps = true;
      } else {
        asks = true;
        if (is_own_system(system) && !code.empty()) actor.roles.emplace_back(code);
      }
    }
    if (keeps && !asks && !wrote) return;
    if (wrote && !asks) actor.part = ActorCriterion::Part::kWrote;
    bool const is_by_role = actor.part == ActorCriterion::Part::kAsks && !actor.roles.empty() &&
                            (reference == nullptr || (reference->find("reference") == nullptr &&
                                                      reference->find("identifier") == nullptr));
    if (actor.reference || is_by_role) actors.push_back(std::move(actor));
  }

  static void read_action(Json const& json, std::vector<ConsentAction>& actions) {
    for (auto const& coding : codings_of(&json)) {
      if (coding.text_of("system") != "http://terminology.hl7.org/CodeSystem/consentaction") continue;
      auto const at =
          std::ranges::find(kActions, coding.text_of("code"), &decltype(kActions)::value_type::first);
      if (at != kActions.end()) actions.push_back(at->second);
    }
  }

  static void read_label(Json const& json, std::vector<LabelCriterion>& labels) {
    auto const code = json.text_of("code");
    if (code.empty()) return;
    LabelCriterion label;
    label.code = code;
    if (is_confidentiality_system(json.text_of("system"))) {
      if (auto const level = parse_confidentiality(code); level.has_value()) label.level = *level;
    }
    labels.push_back(std::move(label));
  }

  static void read_purpose(Json const& json, std::vector<std::string>& purposes) {
    if (auto const code = json.text_of("code"); !code.empty()) purposes.emplace_back(code);
  }

  static void read_class(Json const& json, std::vector<ClassCriterion>& classes) {
    auto const code = json.text_of("code");
    if (code.empty()) return;
    if (json.text_of("system") == "http://hl7.org/fhir/resource-types") {
      classes.push_back({.is_type = true, .text = std::string(code)});
    } else if (code.contains("://") || code.starts_with("urn:")) {
      classes.push_back({.is_type = false, .text = std::string(code)});
    }
  }

  static void read_code(Json const& json, std::vector<CodeCriterion>& codes) {
    for (auto const& coding : codings_of(&json)) {
      auto const code = coding.text_of("code");
      if (!code.empty()) codes.push_back({std::string(coding.text_of("system")), std::string(code)});
    }
  }

  static void read_data(Json const& json, std::vector<DataCriterion>& data) {
    auto const reference = read_reference(json.find("reference"));
    if (!reference) return;
    auto const meaning = json.text_of("meaning");
    if (meaning == "instance") {
      data.push_back({DataCriterion::Meaning::kInstance, *reference});
    } else if (meaning == "related" || meaning == "dependents") {
      data.push_back({DataCriterion::Meaning::kReferring, *reference});
    } else if (meaning == "authoredby") {
      data.push_back({DataCriterion::Meaning::kAuthored, *reference});
    }
  }

  std::size_t provisions_ = 0;
  std::size_t values_ = 0;
};

}  // namespace

Result<fhir::DateRange> read_period(Json const& json) {
  fhir::DateRange period{fhir::kBeforeAllTime, fhir::kAfterAllTime};
  Json const* start = json.find("start");
  Json const* end = json.find("end");
  if (start == nullptr && end == nullptr)
    return fail(ErrorKind::kInvalid, "a period without a start or an end");
  if (start != nullptr) {
    auto const range = fhir::parse_date_range(json.text_of("start"));
    if (!range) return fail(ErrorKind::kInvalid, "the start of a period is no time");
    period.low = range->low;
  }
  if (end != nullptr) {
    auto const range = fhir::parse_date_range(json.text_of("end"));
    if (!range) return fail(ErrorKind::kInvalid, "the end of a period is no time");
    period.high = range->high;
  }
  if (period.low > period.high) return fail(ErrorKind::kInvalid, "a period ends before it starts");
  return period;
}

Result<Provision> read_provision(Json const& json, std::optional<Ruling> base) {
  return ProvisionReader().read(json, base, 0);
}

bool Provision::needs_content() const {
  bool const own =
      data_period || codes.is_present ||
      std::ranges::any_of(classes.entries, [](auto const& entry) { return !entry.is_type; }) ||
      std::ranges::any_of(
          data.entries,
          [](auto const& entry) { return entry.meaning != DataCriterion::Meaning::kInstance; }) ||
      std::ranges::any_of(actors.entries,
                          [](auto const& entry) { return entry.part == ActorCriterion::Part::kWrote; });
  return own ||
         std::ranges::any_of(provisions, [](Provision const& nested) { return nested.needs_content(); });
}

}  // namespace tacenda::access

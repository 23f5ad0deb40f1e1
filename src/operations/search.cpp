#include "operations/search.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "codec/text.hpp"
#include "core/limits.hpp"
#include "fhir/date_range.hpp"
#include "fhir/reference.hpp"
#include "fhir/types.hpp"
#include "operations/internal/care_date.hpp"
#include "operations/internal/code_criteria.hpp"
#include "operations/internal/permits.hpp"
#include "operations/internal/subset.hpp"
#include "operations/internal/writing.hpp"

namespace tacenda::operations {
namespace {

/// The types of a search of the system: those of _type, or all.
Result<std::vector<std::string>> types_of(SearchRequest const& request) {
  std::vector<std::string> types;
  if (!request.type.empty()) return std::vector{request.type};
  for (auto const& [name, value] : request.parameters) {
    if (name != "_type") continue;
    std::string_view rest = value;
    for (;;) {
      auto const comma = rest.find(',');
      auto const type = rest.substr(0, comma);
      if (!fhir::is_resource_type(type)) return fail(ErrorKind::kInvalid, "_type names no resource type");
      types.emplace_back(type);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  if (types.empty()) types.assign(fhir::resource_types().begin(), fhir::resource_types().end());
  if (!request.compartment.empty()) {
    std::erase_if(types, [&](std::string const& type) {
      return !fhir::compartment_criterion(request.compartment, request.compartment_id, type).has_value();
    });
    if (types.empty())
      return fail(ErrorKind::kInvalid, "no resource of these types is in such a compartment");
  }
  std::ranges::sort(types);
  types.erase(std::ranges::unique(types).begin(), types.end());
  return types;
}

// A count of no more matches is recorded with their patients. One of more says nothing of a single patient.
constexpr std::size_t kNamedOfCount = 1'000;

std::size_t page_size(fhir::SearchQuery const& query) {
  if (query.summary == fhir::Summary::kCount) return 0;
  return std::min(query.count.value_or(limits::kSearchPage), limits::kPageSizeMax);
}

/// Patients whose resources are on the page, and those that the request names.
std::set<std::string> patients_of(SearchAnswer const& answer) {
  std::set<std::string> patients;
  for (auto const* list : {&answer.matches, &answer.included}) {
    for (auto const& version : *list) patients.insert(version.patients.begin(), version.patients.end());
  }
  return patients;
}

/// Also those behind the links of a chain and of _has.
void add_named(fhir::SearchCriterion const& criterion, std::string_view type,
               std::span<std::string const> addresses, std::set<std::string>& patients) {
  // Recursion: limits::kSearchDepth links at most.
  for (auto const& [linked_type, linked] : criterion.links)
    add_named(*linked, linked_type, addresses, patients);
  if (criterion.kind != fhir::SearchCriterion::Kind::kValue || criterion.modifier != fhir::Modifier::kNone)
    return;
  bool const is_id = type == "Patient" && criterion.parameter->code == "_id";
  auto const& targets = criterion.parameter->targets;
  bool const is_link = criterion.parameter->type == fhir::SearchType::kReference &&
                       (targets.empty() || std::ranges::find(targets, "Patient") != targets.end());
  if (!is_id && !is_link) return;
  for (auto const& value : criterion.values) {
    std::string_view id = value.text;
    if (auto const named = fhir::parse_reference(id, addresses);
        named.kind == fhir::ReferenceKind::kLocal && named.type == "Patient")
      id = named.id;
    if (ResourceId::parse(id).has_value()) patients.emplace(id);
  }
}

// What R4 names and no type has, or what is of the form of a result.
constexpr std::string_view kNamesOfR4[] = {
    "_text",    "_content",    "_query", "_filter", "_contained", "_containedType",
    "_include", "_revinclude", "_sort",  "_has",    "_type",      "explain",
};

/// The name of a parameter without modifier and chain, when the server knows it: a name is the client's own
/// text, in which anything may stand.
std::string known_name(fhir::SearchParameters const& known, std::vector<std::string> const& types,
                       std::string_view name) {
  std::string_view const code = name.substr(0, name.find_first_of(":."));
  bool const is_known =
      std::ranges::find(kNamesOfR4, code) != std::end(kNamesOfR4) ||
      std::ranges::any_of(types, [&](auto const& type) { return known.find(type, code) != nullptr; });
  return is_known ? std::string(code) : std::string();
}

class Search {
 public:
  Search(Context const& context, SearchRequest const& request,
         std::shared_ptr<fhir::SearchParameters const> known)
      : context_(context),
        request_(request),
        permits_(context),
        codes_(context),
        bases_(own_addresses(context)),
        parameters_(std::move(known)) {}

  Result<Outcome> go() {
    auto const types = TACENDA_TRY(types_of(request_));
    auto queries = TACENDA_TRY(parse(types));
    if (std::ranges::none_of(types, [&](auto const& type) { return permits_.of(type) != nullptr; })) {
      // The same answer that the gate gives.
      return std::unexpected(
          context_.services.gate.authorize(context_.principal, Action::kSearch, types.front()).error());
    }
    fhir::SearchQuery const& first = queries.front();
    std::size_t const size = page_size(first);
    records::SearchScope scope;
    scope.permits = permits_.source();
    scope.base_urls = bases_;
    scope.now = context_.now;
    scope.watch = watch_of(context_);
    scope.count = size;
    bool const counts_only = size == 0;
    if (counts_only) {
      // A count tells about those whom it counts, too: who asked must stand in their audit trails.
      scope.count = kNamedOfCount;
      for (auto& query : queries) {
        query.sort.clear();
        query.includes.clear();
      }
    }
    scope.wants_total =
        counts_only || first.total == fhir::Total::kAccurate || first.total == fhir::Total::kEstimate;
    auto page = TACENDA_TRY(context_.services.store.search(scope, queries, request_.position));
    answer_.total = page.total;
    if (counts_only) {
      auto& counted = page.total.value_or(0) <= kNamedOfCount ? named_ : matched_;
      for (auto const& version : page.matches) {
        counted.insert(version.patients.begin(), version.patients.end());
        note_watched(version);
      }
      page.matches.clear();
      page.next.reset();
    }
    answer_.next = page.next;
    answer_.steps = std::move(page.steps);
    answer_.rows_read = page.rows_read;
    TACENDA_TRY_VOID(take(page.matches, first, answer_.matches));
    if (request_.with_referenced) {
      // $everything is of one patient: what is of others only stays out, though his records refer to it.
      std::erase_if(page.included, [&](records::StoredVersion const& version) {
        return !version.patients.empty() &&
               std::ranges::find(version.patients, request_.compartment_id) == version.patients.end();
      });
    }
    TACENDA_TRY_VOID(take(page.included, first, answer_.included));
    if (page.includes_cut) answer_.warnings.push_back("not all that should be included fits on a page");
    return finish();
  }

 private:
  using Ignored = std::map<std::size_t, std::string_view>;  // place among the parameters -> why

  /// What is a parameter of a search, and does nothing in this one.
  Result<Ignored> misplaced() const {
    Ignored ignored;
    for (std::size_t i = 0; i < request_.parameters.size(); ++i) {
      auto const& name = request_.parameters[i].first;
      bool const is_type = name == "_type" && !request_.type.empty();
      if (!is_type && (name != "explain" || may_explain())) continue;
      Error const reason(ErrorKind::kNotSupported,
                         is_type ? Literal("_type is for searches of several types")
                                 : Literal("this role may not have searches explained"));
      if (request_.handling == fhir::Handling::kStrict) return std::unexpected(reason);
      ignored.emplace(i, reason.message());
    }
    return ignored;
  }

  /// Counts of rows tell of records that the asker may not see.
  bool may_explain() const {
    auto const role = context_.services.gate.role(context_.principal.role());
    return role && role->may(access::AdminAction::kReadStatus) && !context_.principal.application();
  }

  void note_left_out(Ignored const& ignored, std::vector<std::string> const& types) {
    for (auto const& [index, reason] : ignored) {
      auto const& name = request_.parameters[index].first;
      answer_.left_out.push_back({index, reason, known_name(*parameters_, types, name)});
    }
  }

  /// One query for each type. A parameter that one of several types does not have is left out for all.
  Result<std::vector<fhir::SearchQuery>> parse(std::vector<std::string> const& types) {
    auto parameters = request_.parameters;
    Ignored ignored = TACENDA_TRY(misplaced());
    if (types.size() > 1) {
      for (auto const& type : types) {
        for (auto const& each :
             TACENDA_TRY(fhir::parse_search(*parameters_, type, parameters, request_.handling)).ignored)
          ignored.emplace(each.index, each.reason.message());
      }
      for (auto at = ignored.rbegin(); at != ignored.rend(); ++at)
        parameters.erase(parameters.begin() + static_cast<std::ptrdiff_t>(at->first));
    }
    std::vector<fhir::SearchQuery> queries;
    for (auto const& type : types) {
      auto query = TACENDA_TRY(fhir::parse_search(*parameters_, type, parameters, request_.handling));
      if (types.size() > 1) TACENDA_TRY_VOID(check_sort(query));
      for (auto const& criterion : query.criteria) add_named(criterion, query.type, bases_, named_);
      TACENDA_TRY_VOID(codes_.resolve(query.criteria));
      if (!request_.compartment.empty()) {
        query.criteria.push_back(
            TACENDA_TRY(fhir::compartment_criterion(request_.compartment, request_.compartment_id, type)));
      }
      if (request_.with_referenced) query.includes.emplace_back();
      if (permits_.of(type) != nullptr) TACENDA_TRY_VOID(check_shown(context_, query));
      TACENDA_TRY_VOID(add_care_dates(query));
      queries.push_back(std::move(query));
    }
    if (request_.compartment == "Patient") named_.insert(request_.compartment_id);
    // Of one type the places are still those of the request.
    for (auto const& each : queries.front().ignored) ignored.emplace(each.index, each.reason.message());
    note_left_out(ignored, types);
    answer_.explain = queries.front().explain && may_explain();
    return queries;
  }

  Result<void> add_care_dates(fhir::SearchQuery& query) const {
    auto const code = care_date_of(query.type);
    auto const add = [&](std::string_view prefix, std::string const& date) -> Result<void> {
      if (date.empty() || code.empty()) return {};
      std::vector<std::pair<std::string, std::string>> const asked{
          {std::string(code), std::string(prefix) + date}};
      auto parsed =
          TACENDA_TRY(fhir::parse_search(fhir::r4_parameters(), query.type, asked, fhir::Handling::kStrict));
      parsed.criteria.front().or_missing = true;
      query.criteria.push_back(std::move(parsed.criteria.front()));
      return {};
    };
    TACENDA_TRY_VOID(add("ge", request_.care_from));
    return add("le", request_.care_until);
  }

  /// Several types have no other parameters in common to be sorted by.
  static Result<void> check_sort(fhir::SearchQuery const& query) {
    for (auto const& key : query.sort) {
      if (key.parameter->code == "_id" || key.parameter->code == "_lastUpdated") continue;
      return fail(ErrorKind::kNotSupported, "several types are sorted by _id and _lastUpdated only");
    }
    return {};
  }

  static Result<void> take(std::vector<records::StoredVersion>& from, fhir::SearchQuery const& query,
                           std::vector<records::StoredVersion>& to) {
    for (auto& version : from) {
      version.json = TACENDA_TRY(subset(std::move(version.json), query.summary, query.elements));
      to.push_back(std::move(version));
    }
    return {};
  }

  void note_watched(records::StoredVersion const& version) {
    if (!context_.services.gate.may_have_labels(version.type)) return;
    auto const watch = access::watch_of_text(version.json);
    if (version.patients.empty()) watched_of_nobody_ |= watch;
    for (auto const& patient : version.patients) watched_[patient] |= watch;
  }

  Result<Outcome> finish() {
    Outcome outcome;
    auto patients = patients_of(answer_);
    for (auto const* list : {&answer_.matches, &answer_.included}) {
      for (auto const& version : *list) note_watched(version);
    }
    // Nobody was found: the log still says about whom was asked.
    if (patients.empty()) patients = named_;
    auto const add = [&] {
      outcome.events.push_back(event_of(context_, audit::EventKind::kSearch, request_.type, ""));
      if (request_.first_entry && !request_.raw.empty()) {
        outcome.events.back().query.clear();
        outcome.events.back().query_at = request_.first_entry;
      } else {
        outcome.events.back().query = recorded_query(request_.raw);
      }
    };
    for (auto const& patient : patients) {
      add();
      outcome.events.back().patients.push_back(patient);
      explain(context_, outcome.events.back(), watched_[patient]);
    }
    if (outcome.events.empty()) {
      add();
      outcome.events.back().labels = watched_of_nobody_.text();
    }
    // Whoever is named, and not shown, closes the text as well.
    matched_.insert(named_.begin(), named_.end());
    outcome.events.front().query_patients.assign(matched_.begin(), matched_.end());
    outcome.result = std::move(answer_);
    return outcome;
  }

  Context const& context_;
  SearchRequest const& request_;
  Permits permits_;
  CodeCriteria codes_;
  std::vector<std::string> bases_;
  SearchAnswer answer_;
  std::map<std::string, access::Watch> watched_;  // by patient: what is shown of him
  access::Watch watched_of_nobody_;
  std::set<std::string> named_;
  std::set<std::string> matched_;  // of a count of many: the first of them
  std::shared_ptr<fhir::SearchParameters const> parameters_;
};

}  // namespace

Result<Outcome> search(Context const& context, SearchRequest const& request) {
  // A parameter that is taken out while it is asked for would find too little.
  for (std::size_t attempt = 0;; ++attempt) {
    auto const known = context.services.store.parameters();
    auto outcome = Search(context, request, known).go();
    if (attempt == limits::kCommitRetries || known == context.services.store.parameters()) return outcome;
  }
}

namespace {

/// R4 datatypes.html#date, of any precision.
Result<void> check_date(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9' || text.contains(',') ||
      !fhir::parse_date_range(text))
    return fail(ErrorKind::kInvalid, "start and end are dates");
  return {};
}

}  // namespace

std::string recorded_query(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (;;) {
    auto const end = raw.find('&');
    auto const part = raw.substr(0, end);
    auto const equals = part.find('=');
    auto const name = codec::percent_decode(part.substr(0, equals));
    bool const is_page = equals != std::string_view::npos && name.has_value() && *name == "_page";
    out.append(is_page ? part.substr(0, equals + 1) : part);
    if (end == std::string_view::npos) return out;
    out.push_back('&');
    raw.remove_prefix(end + 1);
  }
}

Result<SearchRequest> everything(ResourceId const& patient,
                                 std::vector<std::pair<std::string, std::string>> const& parameters) {
  SearchRequest request;
  request.compartment = "Patient";
  request.compartment_id = patient.view();
  request.with_referenced = true;
  request.handling = fhir::Handling::kStrict;
  for (auto const& [name, value] : parameters) {
    if (name == "_since") {
      request.parameters.emplace_back("_lastUpdated", "ge" + value);
    } else if (name == "_type" || name == "_count" || name == "_format" || name == "_pretty") {
      request.parameters.emplace_back(name, value);
    } else if (name == "start" || name == "end") {
      TACENDA_TRY_VOID(check_date(value));
      (name == "start" ? request.care_from : request.care_until) = value;
    } else {
      return fail(ErrorKind::kNotSupported, "$everything takes start, end, _since, _type and _count");
    }
  }
  return request;
}

}  // namespace tacenda::operations

#include "operations/search.hpp"

#include <algorithm>
#include <set>

#include "core/limits.hpp"
#include "fhir/types.hpp"
#include "operations/internal/permits.hpp"
#include "operations/internal/subset.hpp"

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
  std::ranges::sort(types);
  types.erase(std::ranges::unique(types).begin(), types.end());
  return types;
}

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

void add_named(fhir::SearchCriterion const& criterion, std::string_view type, std::set<std::string>& patients) {
  if (criterion.kind != fhir::SearchCriterion::Kind::kValue) return;
  bool const is_id = type == "Patient" && criterion.parameter->code == "_id";
  bool const is_link = criterion.parameter->type == fhir::SearchType::kReference &&
                       std::ranges::find(criterion.parameter->targets, "Patient") != criterion.parameter->targets.end();
  if (!is_id && !is_link) return;
  for (auto const& value : criterion.values) {
    std::string_view id = value.text;
    if (id.starts_with("Patient/")) id.remove_prefix(8);
    if (ResourceId::parse(id).has_value()) patients.emplace(id);
  }
}

class Search {
 public:
  Search(Context const& context, SearchRequest const& request)
      : context_(context), request_(request), permits_(context), bases_{context.base_url} {}

  Result<Outcome> go() {
    auto const types = TACENDA_TRY(types_of(request_));
    if (types.size() > 1 || request_.type.empty()) TACENDA_TRY_VOID(check_system());
    for (std::size_t i = request_.place.type_index; i < types.size(); ++i) {
      if (TACENDA_TRY(search_type(types, i))) break;
    }
    if (total_known_) answer_.total = total_;
    return finish();
  }

 private:
  /// Several types have no order in common but that of their names.
  Result<void> check_system() const {
    auto const sorts = [](auto const& parameter) { return parameter.first == "_sort"; };
    if (std::ranges::any_of(request_.parameters, sorts)) {
      return fail(ErrorKind::kNotSupported, "a search of several types cannot be sorted");
    }
    return {};
  }

  /// True when the page is full.
  Result<bool> search_type(std::vector<std::string> const& types, std::size_t index) {
    auto const query = TACENDA_TRY(fhir::parse_search(types[index], request_.parameters, request_.handling));
    note(query);
    if (permits_.of(query.type) == nullptr) {
      if (request_.type.empty()) return false;
      // The same answer that the gate gives.
      return std::unexpected(
          context_.services.gate.authorize(context_.principal, Action::kSearch, query.type).error());
    }
    std::size_t const size = page_size(query);
    records::SearchScope scope;
    scope.permits = permits_.source();
    scope.base_urls = bases_;
    scope.now = context_.now;
    scope.count = size - std::min(size, answer_.matches.size());
    scope.wants_total = query.total == fhir::Total::kAccurate || query.total == fhir::Total::kEstimate || size == 0;
    bool const is_first = index == request_.place.type_index;
    auto page = TACENDA_TRY(context_.services.store.search(
        scope, query, is_first ? request_.place.position : records::SearchPosition()));
    answer_.steps = page.steps;
    answer_.rows_read += page.rows_read;
    total_known_ = total_known_ && page.total.has_value();
    total_ += page.total.value_or(0);
    TACENDA_TRY_VOID(take(page.matches, query, answer_.matches));
    TACENDA_TRY_VOID(take(page.included, query, answer_.included));
    if (page.includes_cut) answer_.warnings.push_back("not all that should be included fits on a page");
    if (page.next) {
      answer_.next = SearchPlace{index, *page.next};
      total_known_ = total_known_ && types.size() == 1;
      return true;
    }
    bool const full = size > 0 && answer_.matches.size() >= size && index + 1 < types.size();
    if (full) {
      answer_.next = SearchPlace{index + 1, {}};
      total_known_ = false;
    }
    return full;
  }

  void note(fhir::SearchQuery const& query) {
    for (auto const& criterion : query.criteria) add_named(criterion, query.type, named_);
    if (!answer_.warnings.empty()) return;
    for (auto const& ignored : query.ignored) answer_.warnings.emplace_back(ignored.reason.message());
    if (!query.explain) return;
    // Counts of rows tell of records that the asker may not see.
    auto const role = context_.services.gate.role(context_.principal.role());
    answer_.explain = role && role->may(access::AdminAction::kReadStatus);
  }

  static Result<void> take(std::vector<records::StoredVersion>& from, fhir::SearchQuery const& query,
                           std::vector<records::StoredVersion>& to) {
    for (auto& version : from) {
      version.json = TACENDA_TRY(subset(std::move(version.json), query.summary, query.elements));
      to.push_back(std::move(version));
    }
    return {};
  }

  Result<Outcome> finish() {
    Outcome outcome;
    auto patients = patients_of(answer_);
    // Nobody was found: the log still says about whom was asked.
    if (patients.empty()) patients = named_;
    auto const add = [&] {
      outcome.events.push_back(event_of(context_, audit::EventKind::kSearch, request_.type, ""));
      outcome.events.back().query = request_.raw;
    };
    for (auto const& patient : patients) {
      add();
      outcome.events.back().patients.push_back(patient);
    }
    if (outcome.events.empty()) add();
    outcome.result = std::move(answer_);
    return outcome;
  }

  Context const& context_;
  SearchRequest const& request_;
  Permits permits_;
  std::vector<std::string> bases_;
  SearchAnswer answer_;
  std::set<std::string> named_;
  std::uint64_t total_ = 0;
  bool total_known_ = true;
};

}  // namespace

Result<Outcome> search(Context const& context, SearchRequest const& request) {
  return Search(context, request).go();
}

}  // namespace tacenda::operations

#include "operations/last_n.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include "core/limits.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;

/// Which observations are of one code. Groups grow together when an observation has codings of both.
class Groups {
 public:
  /// The group of an observation.
  std::size_t of(Json const& observation) {
    auto const* code = observation.find("code");
    std::vector<Name> names;
    if (code != nullptr) {
      if (auto const* codings = code->find("coding"); codings != nullptr && codings->is_array()) {
        for (auto const& coding : codings->items()) {
          // A display alone is no code: who has one has nothing in common with another who has one.
          if (auto const value = coding.text_of("code"); !value.empty())
            names.emplace_back(Kind::kCoding, coding.text_of("system"), value);
        }
      }
      if (auto const text = code->text_of("text"); names.empty() && !text.empty())
        names.emplace_back(Kind::kText, std::string(), text);
    }
    std::size_t const own = parents_.size();
    parents_.push_back(own);
    for (auto& name : names) {
      auto const [at, is_new] = by_name_.emplace(std::move(name), own);
      if (!is_new) parents_[root(own)] = root(at->second);
    }
    return own;
  }
  std::size_t root(std::size_t group) const {
    while (parents_[group] != group) group = parents_[group];
    return group;
  }

 private:
  enum class Kind : std::uint8_t { kCoding, kText };
  using Name = std::tuple<Kind, std::string, std::string>;  // kind, system, code or text

  std::vector<std::size_t> parents_;
  std::map<Name, std::size_t> by_name_;
};

bool names_a_patient(std::string_view name) {
  auto const end = name.find_first_of(":.");
  auto const code = name.substr(0, end);
  return (code == "patient" || code == "subject") && !name.ends_with(":missing");
}

/// Takes `max` and what a search's form would say out of the request.
Result<std::size_t> prepare(SearchRequest& request) {
  std::size_t max = 1;
  bool named = !request.compartment.empty();
  std::vector<std::pair<std::string, std::string>> kept;
  for (auto& [name, value] : request.parameters) {
    if (name == "max") {
      auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), max);
      if (error != std::errc() || end != value.data() + value.size() || max == 0)
        return fail(ErrorKind::kInvalid, "max is not a positive number");
      continue;
    }
    if (name == "_sort" || name == "_count" || name == "_total" || name == "_summary" || name == "_page" ||
        name.starts_with("_include") || name.starts_with("_revinclude")) {
      return fail(ErrorKind::kInvalid, "$lastn has an order and a number of its own");
    }
    named = named || names_a_patient(name);
    kept.emplace_back(std::move(name), std::move(value));
  }
  if (!named) return fail(ErrorKind::kInvalid, "$lastn needs a patient or subject");
  kept.emplace_back("_sort", "-date");
  kept.emplace_back("_count", std::to_string(limits::kPageSizeMax));
  request.parameters = std::move(kept);
  request.handling = fhir::Handling::kStrict;
  return max;
}

std::string effective_of(Json const& observation) {
  for (auto const* name : {"effectiveDateTime", "effectiveInstant"}) {
    if (auto const text = observation.text_of(name); !text.empty()) return std::string(text);
  }
  for (auto const* name : {"effectivePeriod", "effectiveTiming"}) {
    if (auto const* value = observation.find(name)) return codec::write_json(*value);
  }
  return {};
}

struct Seen {
  std::size_t group;
  std::string effective;
  records::StoredVersion version;
};

/// The newest of each group, in the order of `seen`, which is newest first.
std::vector<records::StoredVersion> newest(std::vector<Seen> seen, Groups const& groups, std::size_t max) {
  struct Taken {
    std::size_t count = 0;
    std::string last;
  };
  std::map<std::size_t, Taken> taken;
  std::vector<records::StoredVersion> matches;
  for (auto& each : seen) {
    auto& group = taken[groups.root(each.group)];
    if (group.count >= max && (each.effective.empty() || each.effective != group.last)) continue;
    ++group.count;
    group.last = std::move(each.effective);
    matches.push_back(std::move(each.version));
  }
  return matches;
}

}  // namespace

Result<Outcome> last_n(Context const& context, SearchRequest request) {
  auto const max = TACENDA_TRY(prepare(request));
  Groups groups;
  std::vector<Seen> seen;
  Outcome outcome;
  std::set<std::string> asked_about;
  for (bool more = true; more;) {
    auto page = TACENDA_TRY(search(context, request));
    auto& answer = std::get<SearchAnswer>(page.result);
    if (seen.size() + answer.matches.size() > kLastNObservations)
      return fail(ErrorKind::kTooCostly, "$lastn would look at too many observations: narrow the search");
    for (auto& version : answer.matches) {
      auto const json = TACENDA_TRY(codec::parse_json(version.json));
      seen.push_back({groups.of(json), effective_of(json), std::move(version)});
    }
    for (auto& event : page.events) {
      asked_about.insert(event.query_patients.begin(), event.query_patients.end());
      // Pages tell of the same patients, whom the first names, and of others.
      auto const known = std::ranges::find(outcome.events, event.patients, &audit::Event::patients);
      if (known == outcome.events.end()) {
        outcome.events.push_back(std::move(event));
      } else if (known->labels.size() < event.labels.size()) {
        known->labels = std::move(event.labels);
      }
    }
    more = answer.next.has_value();
    if (more) request.position = *answer.next;
  }
  outcome.events.front().query_patients.assign(asked_about.begin(), asked_about.end());
  SearchAnswer answer;
  answer.matches = newest(std::move(seen), groups, max);
  outcome.result = std::move(answer);
  return outcome;
}

}  // namespace tacenda::operations

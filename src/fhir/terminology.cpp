#include "fhir/terminology.hpp"

#include <algorithm>
#include <unordered_set>

#include "codec/ucum.hpp"
#include "fhir/internal/concept_filter.hpp"

namespace tacenda::fhir {

using codec::Json;

namespace {

constexpr std::string_view kUcum = "http://unitsofmeasure.org";
// Work that a regular expression or a property costs more than a look at the hierarchy.
constexpr std::size_t kStepsPerFilter = 4;

std::string canonical_of(std::string_view url, std::string_view version) {
  std::string canonical(url);
  if (!version.empty()) canonical.append("|").append(version);
  return canonical;
}

Terminology::Found answer(Membership membership) {
  Terminology::Found found;
  found.membership = membership;
  return found;
}

Member member_of(CodeSystem const& system, std::uint32_t number) {
  Concept const& found = system[number];
  Member member;
  member.system = system.url();
  member.version = system.version();
  member.code = found.code;
  member.display = found.display;
  member.concept_of_code = &found;
  member.is_abstract = found.is_abstract;
  member.is_inactive = found.is_inactive;
  return member;
}

Result<std::vector<ConceptFilter>> filters_of(ValueSetPart const& part, CodeSystem const& system,
                                              ConceptFilter::Use use) {
  std::vector<ConceptFilter> filters;
  for (auto const& filter : part.filters) {
    filters.push_back(TACENDA_TRY(ConceptFilter::make(system, filter, use)));
  }
  return filters;
}

bool accept(std::vector<ConceptFilter> const& filters, std::uint32_t number) {
  return std::ranges::all_of(filters, [&](ConceptFilter const& each) { return each.accepts(number); });
}

/// The designations of a concept, those that the value set has for it before those of its code system.
template <typename Visit>
void for_each_designation(Member const& member, Visit visit) {
  for (Json const* json : {member.listed == nullptr ? nullptr : member.listed->json,
                           member.concept_of_code == nullptr ? nullptr : member.concept_of_code->json}) {
    if (json == nullptr) continue;
    Json const* list = json->find("designation");
    if (list == nullptr) continue;
    for (auto const& each : list->items()) visit(each);
  }
}

}  // namespace

std::string_view display_in(Member const& member, std::string_view language) {
  if (language.empty()) return member.display;
  std::string_view best;
  for_each_designation(member, [&](Json const& each) {
    auto const own = each.text_of("language");
    bool const is_wider =
        own.size() > language.size() && own.starts_with(language) && own[language.size()] == '-';
    if (best.empty() && (own == language || is_wider)) best = each.text_of("value");
  });
  return best.empty() ? member.display : best;
}

Result<void> Terminology::step(std::size_t count) {
  if (steps_ < count) return fail(ErrorKind::kTooCostly, "this value set costs too much to look into");
  steps_ -= count;
  return {};
}

Result<Terminology::Path> Terminology::enter(ValueSet const& set, Path const* up) const {
  std::size_t const depth = up == nullptr ? 0 : up->depth + 1;
  if (depth > limits_.depth) {
    return fail(ErrorKind::kUnprocessable, "value sets include each other too deep");
  }
  for (Path const* each = up; each != nullptr; each = each->up) {
    if (&each->set == &set) {
      return fail(ErrorKind::kUnprocessable, "value sets include each other in a circle");
    }
  }
  return Path{set, up, depth};
}

Result<std::shared_ptr<CodeSystem const>> Terminology::code_system(std::string_view url,
                                                                   std::string_view version) {
  auto const canonical = canonical_of(url, version);
  auto at = code_systems_.find(canonical);
  if (at == code_systems_.end()) {
    auto found = source_.code_system ? TACENDA_TRY(source_.code_system(canonical)) : nullptr;
    at = code_systems_.emplace(canonical, std::move(found)).first;
  }
  return at->second;
}

Result<std::shared_ptr<ValueSet const>> Terminology::value_set(std::string_view canonical) {
  auto at = value_sets_.find(canonical);
  if (at == value_sets_.end()) {
    auto found = source_.value_set ? TACENDA_TRY(source_.value_set(canonical)) : nullptr;
    if (found == nullptr) found = ValueSet::of_base(canonical);
    at = value_sets_.emplace(std::string(canonical), std::move(found)).first;
  }
  return at->second;
}

Result<Terminology::Found> Terminology::find(ValueSet const& set, BoundCode const& code) {
  return find_in(set, code, nullptr);
}

Result<Terminology::Found> Terminology::find_in(ValueSet const& set, BoundCode const& code, Path const* up) {
  Path const path = TACENDA_TRY(enter(set, up));
  auto found = answer(set.is_whole() ? Membership::kOut : Membership::kUnknown);
  for (auto const& part : set.includes()) {
    auto one = TACENDA_TRY(find_in(part, code, &path));
    bool const is_left_out =
        one.membership == Membership::kIn && one.member.is_inactive && !set.takes_inactive();
    if (one.membership == Membership::kOut || is_left_out) continue;
    found = one;
    if (found.membership == Membership::kIn) break;
  }
  if (found.membership == Membership::kOut) return found;
  for (auto const& part : set.excludes()) {
    auto const one = TACENDA_TRY(find_in(part, code, &path)).membership;
    if (one == Membership::kIn) return answer(Membership::kOut);
    if (one == Membership::kUnknown) found.membership = one;
  }
  return found;
}

Result<Terminology::Found> Terminology::find_in(ValueSetPart const& part, BoundCode const& code,
                                                Path const* path) {
  TACENDA_TRY_VOID(step());
  if (part.system.empty() && part.lists_codes) {  // a stored expansion may leave it out
    auto const* listed = part.find(code.code);
    if (listed == nullptr) return answer(Membership::kOut);
    Found found = answer(Membership::kIn);
    found.member = TACENDA_TRY(listed_member(part, *listed));
    return found;
  }
  if (part.system.empty()) return find_imported(part, code, path);
  if (code.system && *code.system != part.system) return answer(Membership::kOut);
  auto found = TACENDA_TRY(find_in_system(part, code.code));
  if (found.membership == Membership::kOut || part.value_sets.empty()) return found;
  auto const imported = TACENDA_TRY(find_imported(part, {part.system, code.code}, path)).membership;
  if (imported != Membership::kIn) found.membership = imported;
  return found;
}

Result<Terminology::Found> Terminology::find_in_system(ValueSetPart const& part, std::string_view code) {
  Found found = answer(Membership::kIn);
  if (part.lists_codes) {
    auto const* listed = part.find(code);
    if (listed == nullptr) return answer(Membership::kOut);
    found.member = TACENDA_TRY(listed_member(part, *listed));
    return found;
  }
  auto const system = TACENDA_TRY(code_system(part.system, part.version));
  if (system == nullptr) {
    // Any unit that the grammar of UCUM makes is one of its codes.
    bool const is_unit =
        part.system == kUcum && part.filters.empty() && codec::canonical("1", code).has_value();
    found.membership = is_unit ? Membership::kIn : Membership::kUnknown;
    return found;
  }
  auto const number = system->find(code);
  if (!number) return answer(system->is_complete() ? Membership::kOut : Membership::kUnknown);
  TACENDA_TRY_VOID(step(1 + kStepsPerFilter * part.filters.size()));
  auto const filters = TACENDA_TRY(filters_of(part, *system, ConceptFilter::Use::kOne));
  if (!accept(filters, *number)) return answer(Membership::kOut);
  found.member = member_of(*system, *number);
  return found;
}

Result<Terminology::Found> Terminology::find_imported(ValueSetPart const& part, BoundCode const& code,
                                                      Path const* path) {
  Found found = answer(Membership::kIn);
  for (std::size_t i = 0; i < part.value_sets.size(); ++i) {
    auto const set = TACENDA_TRY(value_set(part.value_sets[i]));
    auto one = set == nullptr ? answer(Membership::kUnknown) : TACENDA_TRY(find_in(*set, code, path));
    if (one.membership == Membership::kOut) return one;
    if (one.membership == Membership::kUnknown) {
      found.membership = one.membership;
    } else if (i == 0) {
      found.member = one.member;
    }
  }
  return found;
}

Result<Member> Terminology::listed_member(ValueSetPart const& part, ListedCode const& listed) {
  Member member;
  if (!part.system.empty()) {
    auto const system = TACENDA_TRY(code_system(part.system, part.version));
    auto const number = system == nullptr ? std::nullopt : system->find(listed.code);
    if (number) member = member_of(*system, *number);
  }
  member.system = part.system;
  if (!part.version.empty()) member.version = part.version;
  member.code = listed.code;
  if (!listed.display.empty()) member.display = listed.display;
  member.listed = &listed;
  member.is_abstract = member.is_abstract || listed.is_abstract;
  member.is_inactive = member.is_inactive || listed.is_inactive;
  return member;
}

Result<Expansion> Terminology::expand(ValueSet const& set) {
  Expansion expansion;
  std::unordered_set<std::string> seen;
  is_unclosed_ = false;
  TACENDA_TRY_VOID(list(set, nullptr, [&](Member const& member) -> Result<void> {
    std::string key(member.system);
    key.append("|").append(member.code);
    if (!seen.insert(std::move(key)).second) return {};
    if (expansion.members.size() == limits_.codes) {
      return fail(ErrorKind::kTooCostly, "the value set has too many codes");
    }
    expansion.members.push_back(member);
    return {};
  }));
  expansion.is_unclosed = is_unclosed_;
  return expansion;
}

Result<void> Terminology::list(ValueSet const& set, Path const* up, Sink const& sink) {
  Path const path = TACENDA_TRY(enter(set, up));
  if (!set.is_whole()) is_unclosed_ = true;
  for (auto const& part : set.includes()) {
    auto const unless_excluded = [&](Member const& member) -> Result<void> {
      if (member.is_inactive && !set.takes_inactive()) return {};
      for (auto const& exclude : set.excludes()) {
        auto const one = TACENDA_TRY(find_in(exclude, {member.system, member.code}, &path)).membership;
        if (one == Membership::kIn) return {};
        if (one == Membership::kUnknown) {
          return fail(ErrorKind::kNotFound,
                      "a code system or value set that is excluded is not here in whole");
        }
      }
      return sink(member);
    };
    TACENDA_TRY_VOID(list(part, &path, unless_excluded));
  }
  return {};
}

Result<void> Terminology::list(ValueSetPart const& part, Path const* path, Sink const& sink) {
  std::size_t const first = part.system.empty() ? 1 : 0;  // the value set that is listed is not asked
  auto const if_in_all = [&](Member const& member) -> Result<void> {
    TACENDA_TRY_VOID(step());
    if (!TACENDA_TRY(has_all(part, first, member, path))) return {};
    return sink(member);
  };
  if (part.lists_codes) {
    for (auto const& listed : part.codes) {
      TACENDA_TRY_VOID(if_in_all(TACENDA_TRY(listed_member(part, listed))));
    }
    return {};
  }
  if (!part.system.empty()) return list_system(part, if_in_all);
  auto const set = TACENDA_TRY(value_set(part.value_sets.front()));
  if (set == nullptr) return fail(ErrorKind::kNotFound, "a value set that is included is not known here");
  return list(*set, path, if_in_all);
}

Result<void> Terminology::list_system(ValueSetPart const& part, Sink const& sink) {
  auto const system = TACENDA_TRY(code_system(part.system, part.version));
  if (system == nullptr || system->content() == CodeSystemContent::kNotPresent ||
      system->content() == CodeSystemContent::kSupplement) {
    return fail(ErrorKind::kNotFound,
                "a code system that is included is not here: its codes cannot be listed");
  }
  if (!system->is_complete()) is_unclosed_ = true;
  auto const filters = TACENDA_TRY(filters_of(part, *system, ConceptFilter::Use::kAll));
  for (std::uint32_t number = 0; number < system->size(); ++number) {
    TACENDA_TRY_VOID(step(1 + kStepsPerFilter * filters.size()));
    if (accept(filters, number)) TACENDA_TRY_VOID(sink(member_of(*system, number)));
  }
  return {};
}

Result<bool> Terminology::has_all(ValueSetPart const& part, std::size_t first, Member const& member,
                                  Path const* path) {
  for (std::size_t i = first; i < part.value_sets.size(); ++i) {
    auto const set = TACENDA_TRY(value_set(part.value_sets[i]));
    auto const in =
        set == nullptr ? Membership::kUnknown : TACENDA_TRY(find_in(*set, {member.system, member.code}, path)).membership;
    if (in == Membership::kUnknown) {
      return fail(ErrorKind::kNotFound, "a value set that is included is not known here in whole");
    }
    if (in == Membership::kOut) return false;
  }
  return true;
}

}  // namespace tacenda::fhir

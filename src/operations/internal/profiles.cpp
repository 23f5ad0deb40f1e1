#include "operations/internal/profiles.hpp"

#include <algorithm>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "fhir/search_query.hpp"
#include "fhir/validate_codes.hpp"

namespace tacenda::operations {
namespace {

constexpr std::string_view kType = "StructureDefinition";

std::size_t cost_of(fhir::Profile const* profile) {
  return profile == nullptr ? 1 : profile->size();
}

/// The value of a search parameter: what would part alternatives is escaped (R4 search.html#escaping).
std::string escaped(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '\\' || c == ',' || c == '$' || c == '|') out.push_back('\\');
    out.push_back(c);
  }
  return codec::percent_encode(out);
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view take_part(std::string_view& text) {
  auto const dot = text.find('.');
  auto const part = text.substr(0, dot);
  text = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  return part;
}

}  // namespace

bool is_older(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    auto left = take_part(a);
    auto right = take_part(b);
    if (!is_number(left) || !is_number(right)) {
      if (left != right) return left < right;
      continue;
    }
    left.remove_prefix(std::min(left.find_first_not_of('0'), left.size()));
    right.remove_prefix(std::min(right.find_first_not_of('0'), right.size()));
    if (left.size() != right.size()) return left.size() < right.size();
    if (left != right) return left < right;
  }
  return a.empty() && !b.empty();
}

std::shared_ptr<fhir::Profile const> Profiles::find(std::string_view canonical) {
  auto const url = fhir::without_version(canonical);
  auto const version = canonical.size() > url.size() ? canonical.substr(url.size() + 1) : std::string_view();
  if (url.empty()) return nullptr;
  auto const criteria = fhir::parse_criteria(fhir::r4_parameters(), kType, "url=" + escaped(url));
  if (!criteria.has_value()) return nullptr;
  auto const permit = gate_.system_permit(Action::kSearch);
  auto const places = store_.locate([&](std::string_view type) { return type == kType ? &permit : nullptr; },
                                    kType, *criteria, kSameUrlMax);
  if (!places.has_value()) return nullptr;
  std::shared_ptr<fhir::Profile const> best;
  for (auto const& place : *places) {
    auto profile = load(permit, place);
    if (profile == nullptr || (!version.empty() && profile->version() != version)) continue;
    if (best == nullptr || is_older(best->version(), profile->version())) best = std::move(profile);
  }
  return best;
}

std::shared_ptr<fhir::Profile const> Profiles::load(Permit const& permit, records::Located const& place) {
  {
    MutexLock const lock(mutex_);
    auto const at = kept_.find(place.id);
    if (at != kept_.end() && at->second.version == place.version) {
      at->second.used = ++uses_;
      return at->second.profile;
    }
  }
  auto const id = ResourceId::parse(place.id);
  if (!id.has_value()) return nullptr;
  auto const stored = store_.vread(permit, kType, *id, place.version);
  if (!stored.has_value()) return nullptr;
  Kept kept;
  kept.version = place.version;
  if (auto const json = codec::parse_json(stored->json); json.has_value()) {
    auto profile = fhir::Profile::parse(*json);
    if (profile.has_value()) kept.profile = std::make_shared<fhir::Profile const>(*std::move(profile));
  }
  auto profile = kept.profile;
  MutexLock const lock(mutex_);
  keep(place.id, std::move(kept));
  return profile;
}

void Profiles::drop(std::map<std::string, Kept, std::less<>>::iterator at) {
  elements_ -= cost_of(at->second.profile.get());
  kept_.erase(at);
}

void Profiles::keep(std::string const& id, Kept kept) {
  kept.used = ++uses_;
  if (auto const at = kept_.find(id); at != kept_.end()) drop(at);
  elements_ += cost_of(kept.profile.get());
  kept_.emplace(id, std::move(kept));
  while (kept_.size() > 1 && (elements_ > kElementsMax || kept_.size() > kProfilesMax)) {
    drop(std::ranges::min_element(kept_, {}, [](auto const& each) { return each.second.used; }));
  }
}

}  // namespace tacenda::operations

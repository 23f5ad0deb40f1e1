#include "operations/internal/profiles.hpp"

#include <algorithm>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "fhir/search_query.hpp"
#include "fhir/validate_codes.hpp"

namespace tacenda::operations {

using codec::Json;

namespace {

constexpr std::string_view kType = "StructureDefinition";

std::size_t cost_of(Result<std::shared_ptr<fhir::Profile const>> const& profile) {
  return profile.has_value() ? (*profile)->size() : 1;
}

/// A canonical URL in its two parts: "http://e/p|1.0.0".
struct Canonical {
  explicit Canonical(std::string_view text)
      : url(fhir::without_version(text)),
        version(text.size() > url.size() ? text.substr(url.size() + 1) : std::string_view()) {}
  std::string_view url;
  std::string_view version;
};

/// The value of a search parameter: what would part alternatives is escaped (R4 search.html#escaping).
std::string escaped(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '\\' || c == ',' || c == '$' || c == '|') out.push_back('\\');
    out.push_back(c);
  }
  return codec::percent_encode(out);
}

/// True for what stays as it is until a definition changes; false for what the store said.
bool is_of_definition(Error const& error) {
  return error.kind() == ErrorKind::kInvalid || error.kind() == ErrorKind::kUnsupported ||
         error.kind() == ErrorKind::kTooLarge;
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

Result<std::vector<records::Located>> Profiles::locate(Permit const& permit, std::string_view url) const {
  auto const criteria = fhir::parse_criteria(fhir::r4_parameters(), kType, "url=" + escaped(url));
  if (!criteria.has_value()) return std::vector<records::Located>();  // nothing can have such a URL
  return store_.locate([&](std::string_view type) { return type == kType ? &permit : nullptr; }, kType,
                       *criteria, kSameUrlMax);
}

Result<Json> Profiles::read(Permit const& permit, records::Located const& place) const {
  auto const id = TACENDA_TRY(ResourceId::parse(place.id));
  auto const stored = TACENDA_TRY(store_.vread(permit, kType, id, place.version));
  return codec::parse_json(stored.json);
}

Result<std::shared_ptr<fhir::Profile const>> Profiles::find(std::string_view text) {
  Canonical const canonical(text);
  if (canonical.url.empty()) return nullptr;
  auto const permit = gate_.system_permit(Action::kSearch);
  std::shared_ptr<fhir::Profile const> best;
  std::optional<Error> fault;
  for (auto const& place : TACENDA_TRY(locate(permit, canonical.url))) {
    auto profile = load(permit, place);
    if (!profile.has_value()) {
      if (!fault) fault = profile.error();
      continue;
    }
    if (!canonical.version.empty() && (*profile)->version() != canonical.version) continue;
    if (best == nullptr || is_older(best->version(), (*profile)->version())) best = *std::move(profile);
  }
  if (best == nullptr && fault) return std::unexpected(*fault);
  return best;
}

/// The StructureDefinition that a profile is derived from, chosen as `find` chooses; what there was to choose
/// from is noted, also when it was nothing.
Result<std::shared_ptr<Json const>> Profiles::find_base(Permit const& permit, std::string_view text,
                                                        std::vector<Ground>& grounds) const {
  Canonical const canonical(text);
  Ground& ground = grounds.emplace_back();
  ground.url = canonical.url;
  ground.places = TACENDA_TRY(locate(permit, canonical.url));
  std::shared_ptr<Json const> best;
  for (auto const& place : ground.places) {
    auto definition = read(permit, place);
    if (!definition.has_value()) {
      auto const kind = definition.error().kind();
      if (kind != ErrorKind::kGone && kind != ErrorKind::kNotFound)
        return std::unexpected(definition.error());
      continue;  // deleted meanwhile: the next look finds other places
    }
    auto const version = definition->text_of("version");
    if (!canonical.version.empty() && version != canonical.version) continue;
    if (best == nullptr || is_older(best->text_of("version"), version))
      best = std::make_shared<Json const>(*std::move(definition));
  }
  return best;
}

Result<bool> Profiles::stands(Permit const& permit, std::vector<Ground> const& grounds) const {
  for (auto const& ground : grounds) {
    if (TACENDA_TRY(locate(permit, ground.url)) != ground.places) return false;
  }
  return true;
}

std::optional<Profiles::Kept> Profiles::find_kept(records::Located const& place) {
  MutexLock const lock(mutex_);
  auto const at = kept_.find(place.id);
  if (at == kept_.end() || at->second.version != place.version) return std::nullopt;
  at->second.used = ++uses_;
  return at->second;
}

Profiles::Parsed Profiles::load(Permit const& permit, records::Located const& place) {
  if (auto known = find_kept(place); known && TACENDA_TRY(stands(permit, known->grounds)))
    return std::move(known->profile);
  auto const definition = TACENDA_TRY(read(permit, place));
  std::vector<Ground> grounds;
  auto profile = fhir::Profile::parse(
      definition, [&](std::string_view canonical) { return find_base(permit, canonical, grounds); });
  Parsed parsed = profile.has_value() ? Parsed(std::make_shared<fhir::Profile const>(*std::move(profile)))
                                      : Parsed(std::unexpected(profile.error()));
  if (!parsed.has_value() && !is_of_definition(parsed.error())) return parsed;
  MutexLock const lock(mutex_);
  keep(place.id, {place.version, 0, parsed, std::move(grounds)});
  return parsed;
}

void Profiles::drop(std::map<std::string, Kept, std::less<>>::iterator at) {
  elements_ -= cost_of(at->second.profile);
  kept_.erase(at);
}

void Profiles::keep(std::string const& id, Kept kept) {
  kept.used = ++uses_;
  if (auto const at = kept_.find(id); at != kept_.end()) drop(at);
  elements_ += cost_of(kept.profile);
  kept_.emplace(id, std::move(kept));
  while (kept_.size() > 1 && (elements_ > kElementsMax || kept_.size() > kProfilesMax)) {
    drop(std::ranges::min_element(kept_, {}, [](auto const& each) { return each.second.used; }));
  }
}

}  // namespace tacenda::operations

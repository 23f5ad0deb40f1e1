#include "operations/vocabulary.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "core/mutex.hpp"
#include "operations/internal/profiles.hpp"

namespace tacenda::operations {
namespace {

std::size_t cost_of(fhir::CodeSystem const& system) {
  return system.size() + 1;
}
std::size_t cost_of(fhir::ValueSet const& set) {
  return set.size() + 1;
}

/// Definitions of one kind, parsed. Thread-safe.
template <typename T>
class Kept {
 public:
  explicit Kept(std::size_t codes_max) : codes_max_(codes_max) {}

  /// nullopt: that version is not kept. nullptr: it cannot be read.
  std::optional<std::shared_ptr<T const>> find(records::Located const& place) {
    MutexLock const lock(mutex_);
    auto const at = kept_.find(place.id);
    if (at == kept_.end() || at->second.version != place.version) return std::nullopt;
    at->second.used = ++uses_;
    return at->second.definition;
  }

  void keep(records::Located const& place, std::shared_ptr<T const> definition) {
    MutexLock const lock(mutex_);
    if (auto const at = kept_.find(place.id); at != kept_.end()) drop(at);
    std::size_t const cost = definition == nullptr ? 1 : cost_of(*definition);
    codes_ += cost;
    kept_.emplace(place.id, Entry{place.version, ++uses_, cost, std::move(definition)});
    while (kept_.size() > 1 && codes_ > codes_max_) {
      drop(std::ranges::min_element(kept_, {}, [](auto const& each) { return each.second.used; }));
    }
  }

 private:
  struct Entry {
    std::uint64_t version = 0;  // of the resource
    std::uint64_t used = 0;
    std::size_t cost = 0;
    std::shared_ptr<T const> definition;  // shared: requests in flight keep theirs
  };
  using Entries = std::map<std::string, Entry, std::less<>>;  // by logical id

  void drop(typename Entries::iterator at) TACENDA_REQUIRES(mutex_) {
    codes_ -= at->second.cost;
    kept_.erase(at);
  }

  std::size_t const codes_max_;
  Mutex mutex_;
  Entries kept_ TACENDA_GUARDED_BY(mutex_);
  std::size_t codes_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::uint64_t uses_ TACENDA_GUARDED_BY(mutex_) = 0;
};

std::vector<fhir::SearchCriterion> criteria_of(std::string_view type, std::string_view parameter,
                                               std::string_view value) {
  std::vector<fhir::SearchCriterion> criteria(1);
  criteria.front().parameter = fhir::r4_parameters().find(type, parameter);
  criteria.front().values.emplace_back().text = value;
  return criteria;
}

}  // namespace

struct Vocabulary::Parts {
  explicit Parts(records::Store const& records) : store(records) {}

  template <typename T>
  Result<std::shared_ptr<T const>> load(Permit const& permit, std::string_view type, Kept<T>& kept,
                                        records::Located const& place) {
    if (auto known = kept.find(place)) return *std::move(known);
    auto const id = TACENDA_TRY(ResourceId::parse(place.id));
    auto const stored = store.vread(permit, type, id, place.version);
    // Deleted or changed since it was located: the next request will see what is there then.
    if (!stored.has_value()) return nullptr;
    std::shared_ptr<T const> definition;
    if (auto json = codec::parse_json(stored->json); json.has_value()) {
      definition = T::parse(*std::move(json)).value_or(nullptr);
    }
    kept.keep(place, definition);
    return definition;
  }

  template <typename T>
  Result<std::shared_ptr<T const>> find(records::PermitSource const& permits, std::string_view type,
                                        Kept<T>& kept, std::string_view canonical) {
    auto const url = fhir::without_version(canonical);
    auto const version =
        canonical.size() > url.size() ? canonical.substr(url.size() + 1) : std::string_view();
    Permit const* permit = permits(type);
    if (url.empty() || permit == nullptr) return nullptr;
    std::shared_ptr<T const> best;
    for (auto const& place :
         TACENDA_TRY(store.locate(permits, type, criteria_of(type, "url", url), kSameUrlMax))) {
      auto found = TACENDA_TRY(load(*permit, type, kept, place));
      if (found == nullptr || (!version.empty() && found->version() != version)) continue;
      if (best == nullptr || is_older(best->version(), found->version())) best = std::move(found);
    }
    return best;
  }

  template <typename T>
  Result<std::shared_ptr<T const>> find(records::PermitSource const& permits, std::string_view type,
                                        Kept<T>& kept, ResourceId const& id) {
    Permit const* permit = permits(type);
    if (permit == nullptr) return nullptr;
    auto const places = TACENDA_TRY(store.locate(permits, type, criteria_of(type, "_id", id.view()), 1));
    if (places.empty()) return nullptr;
    return load(*permit, type, kept, places.front());
  }

  records::Store const& store;
  Kept<fhir::CodeSystem> code_systems{kCodesMax};
  Kept<fhir::ValueSet> value_sets{kCodesMax};
};

Vocabulary::Vocabulary(records::Store const& store) : parts_(std::make_unique<Parts>(store)) {}

Vocabulary::~Vocabulary() = default;

fhir::TerminologySource Vocabulary::source(records::PermitSource permits) const {
  Parts& parts = *parts_;
  return {[&parts, permits](std::string_view canonical) {
            return parts.find(permits, "CodeSystem", parts.code_systems, canonical);
          },
          [&parts, permits](std::string_view canonical) {
            return parts.find(permits, "ValueSet", parts.value_sets, canonical);
          }};
}

Result<std::shared_ptr<fhir::CodeSystem const>> Vocabulary::code_system(records::PermitSource const& permits,
                                                                        ResourceId const& id) const {
  return parts_->find(permits, "CodeSystem", parts_->code_systems, id);
}

Result<std::shared_ptr<fhir::ValueSet const>> Vocabulary::value_set(records::PermitSource const& permits,
                                                                    ResourceId const& id) const {
  return parts_->find(permits, "ValueSet", parts_->value_sets, id);
}

}  // namespace tacenda::operations

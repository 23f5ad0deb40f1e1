#include "records/internal/hierarchy.hpp"

#include <set>
#include <string>

#include "core/id.hpp"
#include "fhir/reference.hpp"
#include "fhir/types.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/links.hpp"

namespace tacenda::records {
namespace {

using fhir::Modifier;

// Resources of one hierarchy that one value may come to.
constexpr std::size_t kRelatedMax = 10'000;

/// The part-of references of one type, up or down from one resource.
class Hierarchy {
 public:
  Hierarchy(SearchState const& state, std::string_view type) : state_(state), type_(type) {
    for (auto const* code : {"partof", "part-of"}) {
      auto const parameter = state.extractor().parameters().find(type, code);
      if (!parameter || parameter->type != fhir::SearchType::kReference) continue;
      part_of_ = number_of(type, *parameter);
      break;
    }
  }

  /// Ids of what lies below or above `id`, and `id` itself.
  Result<std::set<std::string>> related(std::string const& id, Modifier modifier) {
    ids_ = {id};
    std::vector<std::string> next{id};
    while (!next.empty() && part_of_ != 0) {
      std::vector<std::string> found;
      for (auto const& each : next) {
        TACENDA_TRY_VOID(modifier == Modifier::kBelow ? add_parts(each, found) : add_wholes(each, found));
      }
      next = std::move(found);
    }
    return std::move(ids_);
  }

 private:
  Result<void> add(std::string id, std::vector<std::string>& found) {
    if (!ids_.insert(id).second) return {};  // a circle ends here
    if (ids_.size() > kRelatedMax)
      return fail(ErrorKind::kTooCostly, "what :below or :above names has too many parts");
    found.push_back(std::move(id));
    return {};
  }

  /// Facts of a document of the type that may be seen; nullptr: there are none.
  Result<std::shared_ptr<DocumentFacts const>> seen(std::uint64_t document) const {
    auto facts = TACENDA_TRY(state_.facts_of(document));
    Permit const* permit = state_.permit(type_);
    if (!facts || permit == nullptr || !TACENDA_TRY(state_.shows(*permit, *facts))) return nullptr;
    return facts;
  }

  Result<void> add_parts(std::string const& id, std::vector<std::string>& found) {
    // Also of what is seen: a hidden whole has no parts.
    auto const own = TACENDA_TRY(state_.document_of(type_, id));
    if (!own || TACENDA_TRY(seen(*own)) == nullptr) return {};
    auto const parts = term_stream(state_.index(), part_of_, reference_to(type_, id));
    for (std::uint64_t from = 0;;) {
      auto const document = TACENDA_TRY(parts->at_or_after(from));
      if (!document) return {};
      if (auto const facts = TACENDA_TRY(seen(*document))) TACENDA_TRY_VOID(add(facts->id, found));
      from = *document + 1;
    }
  }

  Result<void> add_wholes(std::string const& id, std::vector<std::string>& found) {
    auto const document = TACENDA_TRY(state_.document_of(type_, id));
    auto const facts = document ? TACENDA_TRY(seen(*document)) : nullptr;
    if (!facts) return {};
    for (auto const& term : facts->terms) {
      if (term.parameter != part_of_) continue;
      auto const whole = target_of(term.bytes);
      if (!whole || whole->first != type_) continue;
      auto const there = TACENDA_TRY(state_.document_of(type_, whole->second));
      if (there && TACENDA_TRY(seen(*there)) != nullptr) TACENDA_TRY_VOID(add(whole->second, found));
    }
    return {};
  }

  SearchState const& state_;
  std::string type_;
  std::uint32_t part_of_ = 0;  // 0: the type has no such parameter
  std::set<std::string> ids_;
};

}  // namespace

Result<std::vector<TermRange>> ranges_within(SearchState const& state, fhir::SearchParameter const& parameter,
                                             Modifier modifier, fhir::SearchValue const& value) {
  auto ranges = TACENDA_TRY(ranges_of(state.query(), parameter, parameter.type, modifier, value));
  bool const is_related = modifier == Modifier::kBelow || modifier == Modifier::kAbove;
  if (!is_related || parameter.type != fhir::SearchType::kReference) return ranges;
  auto const add = [&](std::string_view type, std::string const& id) -> Result<void> {
    for (auto const& each : TACENDA_TRY(Hierarchy(state, type).related(id, modifier))) {
      if (each == id) continue;
      ranges.push_back(reference_to(type, each));
      ranges.push_back(nested_as(type, each));
    }
    return {};
  };
  auto const parsed = fhir::parse_reference(value.text, state.query().base_urls);
  if (parsed.kind == fhir::ReferenceKind::kLocal) {
    TACENDA_TRY_VOID(add(parsed.type, std::string(parsed.id)));
  } else if (ResourceId::parse(value.text).has_value()) {
    for (auto const type : fhir::types_of_bare_ids(parameter)) TACENDA_TRY_VOID(add(type, value.text));
  }
  return ranges;
}

}  // namespace tacenda::records

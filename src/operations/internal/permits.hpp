#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fhir/search_query.hpp"
#include "operations/context.hpp"

namespace tacenda::operations {

/// Who may write but not read learns from a conditional interaction whether something matches. So he may ask
/// for what he can name exactly, by identifier (system and value) or id, and for nothing that describes it.
/// `reader`: the right to read the type. Errors: that of `reader`.
Result<void> check_criteria(Result<Permit> const& reader, std::vector<fhir::SearchCriterion> const& criteria);

/// The event of a question that a transaction asks of a type, and whose resources matched. Errors: those of
/// the store.
Result<audit::Event> question_of(Context const& context, audit::EventKind kind,
                                 records::Transaction& transaction, std::string_view type,
                                 std::string_view query, std::vector<std::string> const& matches);

/// Notes whose resources criteria matched, for the log of a request that is then refused. Errors: those of
/// the store.
Result<void> note_matched(Context const& context, records::Transaction& transaction, std::string_view type,
                          std::vector<std::string> const& matches);

/// The rights that one search, or what else `action` is, has on each type that it looks into: asked of the
/// gate when first needed. Owner: one thread; outlives what it is given to.
class Permits {
 public:
  explicit Permits(Context const& context, Action action = Action::kSearch)
      : context_(context), action_(action) {}
  /// `type` is judged by `own` instead of by the right to search it.
  Permits(Context const& context, std::string_view type, Permit const& own)
      : context_(context), own_type_(type), own_(&own) {}

  Permit const* of(std::string_view type) {
    if (own_ != nullptr && type == own_type_) return own_;
    auto found = known_.find(type);
    if (found == known_.end()) {
      auto permit = context_.services.gate.authorize(context_.principal, action_, type);
      std::optional<Permit> right;
      if (permit.has_value()) right = std::move(*permit);
      found = known_.emplace(type, std::move(right)).first;
    }
    return found->second ? &*found->second : nullptr;
  }
  records::PermitSource source() {
    return [this](std::string_view type) { return of(type); };
  }

 private:
  Context const& context_;
  Action action_ = Action::kSearch;
  std::string own_type_;
  Permit const* own_ = nullptr;
  std::map<std::string, std::optional<Permit>, std::less<>> known_;
};

}  // namespace tacenda::operations

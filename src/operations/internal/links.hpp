#pragma once

#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "fhir/bundle.hpp"
#include "fhir/reference.hpp"
#include "operations/context.hpp"

namespace tacenda::operations {

/// Makes every reference to an address of this server relative: only such a one says whose data a resource
/// is (keys, compartment, audit, erasure), and searches find it; those in Bundles and Parameters stay as they
/// are. R4 references.html#literal. Errors:
/// kUnprocessable (a reference of no known form, or a conditional one: nobody would follow it).
Result<void> make_local(Context const& context, fhir::Resource& resource);

/// Where the links of a transaction's entries lead: full URLs to the places the entries get, and
/// conditional references to the one resource that they match in the state after the transaction.
/// Owner: one thread, for one transaction.
class Links {
 public:
  Links(Context const& context, records::Transaction& transaction);

  /// `full_url` of an entry now leads to `place` ("Patient/123").
  void add(std::string const& full_url, std::string place) {
    places_.insert_or_assign(full_url, std::move(place));
  }
  /// The type of what a full URL leads to; nullopt: no entry has it.
  std::optional<std::string> type_of(std::string_view full_url) const {
    auto const found = places_.find(std::string(full_url));
    if (found == places_.end()) return std::nullopt;
    return found->second.substr(0, found->second.find('/'));
  }
  /// Notes which types the conditional references of a resource ask about.
  void note(fhir::Resource const& resource);
  /// A resource that this transaction writes: when its type is asked about, it answers as it will be.
  Result<void> add_pending(std::string_view type, std::string_view id, fhir::Resource const& resource);

  /// Rewrites all links of a resource. Errors: kInvalid (a urn that no entry has), kPrecondition (a
  /// conditional reference with none or several matches), kUnprocessable (a reference of no known form).
  Result<void> rewrite(fhir::Resource& resource);

  /// What conditional references asked of the store, an event each: their answer shows in what is written.
  std::vector<audit::Event>& questions() { return questions_; }

 private:
  Result<std::string> resolve(std::string_view conditional);

  Context const& context_;
  records::Transaction& transaction_;
  std::vector<std::string> addresses_;  // of this server
  std::unordered_map<std::string, std::string> places_;
  std::unordered_map<std::string, std::string> resolved_;  // conditional reference -> place
  std::set<std::string, std::less<>> asked_;               // types
  std::vector<audit::Event> questions_;
};

}  // namespace tacenda::operations

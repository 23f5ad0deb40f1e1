#include "operations/internal/writing.hpp"

#include <algorithm>

#include "access/consent.hpp"
#include "access/labels.hpp"
#include "access/view.hpp"
#include "fhir/compartment.hpp"
#include "fhir/reference.hpp"
#include "operations/refused.hpp"

namespace tacenda::operations {
namespace {

using Kind = fhir::SearchCriterion::Kind;

constexpr Literal kHidden("this role does not see what the request looks for");

/// A consent is found by the patient whom it names: one that names none would be kept and never followed.
Result<void> check_consent(fhir::Resource const& resource) {
  if (resource.type() != "Consent" || !access::Consent::is_in_force(resource.json())) return {};
  if (!fhir::clear_subject(resource.json()).empty()) return {};
  return fail(ErrorKind::kUnprocessable,
              "an active privacy Consent must name its patient as Patient/[id] of this server: nobody would "
              "follow it otherwise");
}

Result<fhir::Resource> amended(Context const& context, fhir::Resource resource, std::string_view replaced) {
  TACENDA_TRY_VOID(check_consent(resource));
  if (!replaced.empty() && access::is_partial(resource.json()))
    return fail(ErrorKind::kConflict, "what was seen in part cannot be written back");
  auto const& gate = context.services.gate;
  auto wanted = gate.labels_for(resource.json());
  if (!replaced.empty() && !gate.may_lower_labels(context.principal)) {
    auto before = access::labels_of_text(replaced);
    std::ranges::move(before.all, std::back_inserter(wanted));
  }
  if (wanted.empty()) return resource;
  auto json = std::move(resource).take_json();
  access::add_labels(json, wanted);
  return fhir::Resource::parse(std::move(json));
}

Result<void> check_shown(Context const& context, std::string_view type,
                         fhir::ParameterHandle const& parameter) {
  if (parameter == nullptr || context.services.gate.shows_parameter(context.principal, type, *parameter))
    return {};
  return deny(context, "view", kHidden);
}

/// Of a parameter that other types may have or not have.
Result<void> check_shown(Context const& context, std::string_view type, std::string_view code) {
  return check_shown(context, type, context.services.store.parameters()->find(type, code));
}

/// :below and :above of a reference read what is part of what: that must be shown wherever it stands.
Result<void> check_hierarchy(Context const& context, fhir::SearchCriterion const& criterion) {
  if (!fhir::is_hierarchy(criterion)) return {};
  for (auto const& value : criterion.values) {
    auto const named = fhir::parse_reference(value.text, own_addresses(context));
    auto types = fhir::types_of_bare_ids(*criterion.parameter);
    if (named.kind == fhir::ReferenceKind::kLocal) types = {&named.type, 1};
    for (auto const type : types) {
      for (auto const* code : {"partof", "part-of"}) TACENDA_TRY_VOID(check_shown(context, type, code));
    }
  }
  return {};
}

// Recursion: limits::kSearchDepth links at most.
Result<void> check_shown(Context const& context, std::string_view type,
                         fhir::SearchCriterion const& criterion) {
  if (criterion.kind == Kind::kValue || criterion.kind == Kind::kChain)
    TACENDA_TRY_VOID(check_shown(context, type, criterion.parameter));
  TACENDA_TRY_VOID(check_hierarchy(context, criterion));
  if (criterion.kind == Kind::kList) TACENDA_TRY_VOID(check_shown(context, "List", "item"));
  if (criterion.kind == Kind::kCompartment) {
    for (auto const* parameter : criterion.compartment.parameters) {
      if (!context.services.gate.shows_parameter(context.principal, type, *parameter))
        return deny(context, "view", kHidden);
    }
  }
  for (auto const& [linked_type, linked] : criterion.links) {
    if (criterion.kind == Kind::kHas)
      TACENDA_TRY_VOID(check_shown(context, linked_type, criterion.parameter));
    TACENDA_TRY_VOID(check_shown(context, linked_type, *linked));
  }
  return {};
}

}  // namespace

records::Transaction begin_writing(Context const& context) {
  auto transaction = context.services.store.begin(watch_of(context));
  transaction.amend_with([&context](fhir::Resource resource, std::string_view replaced) {
    return amended(context, std::move(resource), replaced);
  });
  transaction.serve_at(own_addresses(context));
  if (context.services.gate.may_move_records(context.principal)) transaction.let_move();
  if (context.uploaded != nullptr) transaction.hold(*context.uploaded);
  return transaction;
}

Result<vault::WriteSet> end_writing(Context const& context, records::Transaction& transaction) {
  auto const all = context.services.gate.system_permit(Action::kSearch);
  TACENDA_TRY_VOID(transaction.check_consents([&all](std::string_view) { return &all; }));
  return transaction.take();
}

Result<void> check_shown(Context const& context, std::string_view type,
                         std::vector<fhir::SearchCriterion> const& criteria) {
  for (auto const& criterion : criteria) TACENDA_TRY_VOID(check_shown(context, type, criterion));
  return {};
}

Result<void> check_shown(Context const& context, fhir::SearchQuery const& query) {
  TACENDA_TRY_VOID(check_shown(context, query.type, query.criteria));
  for (auto const& key : query.sort) TACENDA_TRY_VOID(check_shown(context, query.type, key.parameter));
  for (auto const& include : query.includes) {
    std::string_view const source = include.source.empty() ? query.type : include.source;
    TACENDA_TRY_VOID(check_shown(context, source, include.parameter));
    // Every reference, those that are not shown among them.
    // What is included leads on to other types.
    std::string_view const followed =
        include.iterate || query.includes.size() > 1 ? std::string_view() : source;
    if (include.parameter == nullptr && !context.services.gate.sees_whole(context.principal, followed))
      return deny(context, "view", kHidden);
  }
  return {};
}

}  // namespace tacenda::operations

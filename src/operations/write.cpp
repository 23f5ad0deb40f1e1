#include "operations/write.hpp"

#include "operations/internal/hold.hpp"
#include "operations/internal/links.hpp"
#include "operations/internal/permits.hpp"
#include "operations/internal/writing.hpp"

namespace tacenda::operations {
namespace {

using Found = decltype(Outcome::result);

/// What a conditional create found. Who may not read gets its place and version, and no content.
Result<Found> matched_version(Context const& context, Result<Permit> const& reader, std::string_view type,
                              std::string const& id, records::Transaction& transaction,
                              std::vector<audit::Event>& events) {
  if (reader.has_value()) {
    auto version =
        TACENDA_TRY(context.services.store.read(*reader, type, TACENDA_TRY(ResourceId::parse(id))));
    events.push_back(event_of(context, audit::EventKind::kCreate, version));
    events.back().reason = "matched an existing resource; nothing was created";
    return version;
  }
  auto place = TACENDA_TRY(transaction.unchanged(type, id));
  events.push_back(event_of(context, audit::EventKind::kCreate, place));
  events.back().reason = "matched an existing resource; nothing was created";
  return place;
}

/// The one resource that the criteria match; nullopt: there is none. What the caller may not see does not
/// match. Errors: kPrecondition (several).
Result<std::optional<ResourceId>> only_match(Context const& context, Permit const& own,
                                             records::Transaction& transaction, std::string_view type,
                                             Criteria const& criteria) {
  auto const reader = context.services.gate.authorize(context.principal, Action::kRead, type);
  TACENDA_TRY_VOID(check_criteria(reader, criteria));
  Permits permits(context, type, reader.has_value() ? *reader : own);
  auto const matches = TACENDA_TRY(transaction.match(permits.source(), type, criteria, 2));
  TACENDA_TRY_VOID(note_matched(context, transaction, type, matches));
  if (matches.size() > 1) return fail(ErrorKind::kPrecondition, "the criteria match several resources");
  if (matches.empty()) return std::nullopt;
  return TACENDA_TRY(ResourceId::parse(matches.front()));
}

}  // namespace

Result<Outcome> create(Context const& context, Permit const& permit, fhir::Resource resource,
                       std::optional<Criteria> const& unless) {
  Outcome outcome;
  std::string const type(resource.type());
  auto transaction = begin_writing(context);
  if (unless) {
    // Whether a match may be revealed is the read right's question, not the create right's.
    auto const reader = context.services.gate.authorize(context.principal, Action::kRead, type);
    TACENDA_TRY_VOID(check_criteria(reader, *unless));
    Permits permits(context, type, reader.has_value() ? *reader : permit);
    auto const matches = TACENDA_TRY(transaction.match(permits.source(), type, *unless, 2));
    TACENDA_TRY_VOID(note_matched(context, transaction, type, matches));
    if (matches.size() > 1) return fail(ErrorKind::kPrecondition, "the criteria match several resources");
    if (matches.size() == 1) {
      outcome.result =
          TACENDA_TRY(matched_version(context, reader, type, matches.front(), transaction, outcome.events));
      outcome.matched = true;
      outcome.set = TACENDA_TRY(end_writing(context, transaction));
      return outcome;
    }
  }
  TACENDA_TRY_VOID(make_local(context, resource));
  TACENDA_TRY_VOID(hold(context, resource));
  auto const id = TACENDA_TRY(context.services.store.new_id());
  auto written = TACENDA_TRY(transaction.create(permit, std::move(resource), id, 0));
  outcome.events.push_back(event_of(context, audit::EventKind::kCreate, written));
  outcome.result = std::move(written);
  outcome.set = TACENDA_TRY(end_writing(context, transaction));
  return outcome;
}

Result<Outcome> update(Context const& context, Permit const& permit, fhir::Resource resource,
                       ResourceId const& id, std::optional<std::uint64_t> if_match) {
  TACENDA_TRY_VOID(make_local(context, resource));
  TACENDA_TRY_VOID(hold(context, resource));
  Outcome outcome;
  auto transaction = begin_writing(context);
  auto written = TACENDA_TRY(transaction.update(permit, std::move(resource), id, if_match, 0));
  outcome.events.push_back(event_of(context, audit::EventKind::kUpdate, written));
  outcome.result = std::move(written);
  outcome.set = TACENDA_TRY(end_writing(context, transaction));
  return outcome;
}

Result<Outcome> remove(Context const& context, Permit const& permit, std::string_view type,
                       ResourceId const& id, std::optional<std::uint64_t> if_match) {
  Outcome outcome;
  auto transaction = begin_writing(context);
  auto written = TACENDA_TRY(transaction.remove(permit, type, id, if_match, 0));
  outcome.events.push_back(event_of(context, audit::EventKind::kDelete, written));
  outcome.result = std::move(written);
  outcome.set = TACENDA_TRY(end_writing(context, transaction));
  return outcome;
}

Result<Outcome> update_matching(Context const& context, Permit const& permit, fhir::Resource resource,
                                Criteria const& criteria, std::optional<std::uint64_t> if_match) {
  std::string const type(resource.type());
  auto transaction = begin_writing(context);
  auto const found = TACENDA_TRY(only_match(context, permit, transaction, type, criteria));
  std::string const own(resource.id());
  if (found && !own.empty() && own != found->view()) {
    return fail(ErrorKind::kInvalid, "the resource has another id than the one that the criteria match");
  }
  if (!found && if_match) {
    return fail(ErrorKind::kPrecondition, "the criteria match nothing, and If-Match names a version");
  }
  TACENDA_TRY_VOID(make_local(context, resource));
  TACENDA_TRY_VOID(hold(context, resource));
  Outcome outcome;
  records::Written written;
  if (!found && own.empty()) {
    auto const id = TACENDA_TRY(context.services.store.new_id());
    written = TACENDA_TRY(transaction.create(permit, std::move(resource), id, 0));
  } else {
    auto const id = found ? *found : TACENDA_TRY(ResourceId::parse(own));
    if (!found && !permit.may_choose_ids())
      return fail(ErrorKind::kForbidden, "this role may not update this resource");
    if (!found && TACENDA_TRY(transaction.unchanged(type, own)).version != 0) {
      return fail(ErrorKind::kConflict, "the criteria match nothing, and a resource with this id exists");
    }
    resource.set_id(id);
    written = TACENDA_TRY(transaction.update(permit, std::move(resource), id, if_match, 0));
  }
  auto const kind = found ? audit::EventKind::kUpdate : audit::EventKind::kCreate;
  outcome.events.push_back(event_of(context, kind, written));
  outcome.result = std::move(written);
  outcome.set = TACENDA_TRY(end_writing(context, transaction));
  return outcome;
}

Result<Outcome> remove_matching(Context const& context, Permit const& permit, std::string_view type,
                                Criteria const& criteria, std::optional<std::uint64_t> if_match) {
  auto transaction = begin_writing(context);
  auto const found = TACENDA_TRY(only_match(context, permit, transaction, type, criteria));
  Outcome outcome;
  records::Written written;
  if (found) {
    written = TACENDA_TRY(transaction.remove(permit, type, *found, if_match, 0));
  } else if (if_match) {
    return fail(ErrorKind::kPrecondition, "the criteria match nothing, and If-Match names a version");
  } else {
    written.type = type;
    written.changed = false;
    written.deletion = true;
  }
  outcome.events.push_back(event_of(context, audit::EventKind::kDelete, written));
  outcome.result = std::move(written);
  outcome.set = TACENDA_TRY(end_writing(context, transaction));
  return outcome;
}

}  // namespace tacenda::operations

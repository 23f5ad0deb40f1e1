#include "operations/internal/entry.hpp"

#include <algorithm>
#include <array>

#include "codec/text.hpp"
#include "core/process.hpp"
#include "operations/history.hpp"
#include "operations/last_n.hpp"
#include "operations/meta.hpp"
#include "operations/search.hpp"
#include "operations/terminology.hpp"
#include "operations/validate.hpp"

namespace tacenda::operations {
namespace {

using audit::EventKind;

struct Row {
  EntryKind kind;
  Action action;
  EventKind event;
  int rank;
};
constexpr auto kRows = std::to_array<Row>({
    {EntryKind::kRead, Action::kRead, EventKind::kRead, 3},
    {EntryKind::kVread, Action::kVread, EventKind::kVread, 3},
    {EntryKind::kHistory, Action::kHistoryInstance, EventKind::kHistoryInstance, 3},
    {EntryKind::kHistoryType, Action::kHistoryType, EventKind::kHistoryType, 3},
    {EntryKind::kHistorySystem, Action::kHistorySystem, EventKind::kHistorySystem, 3},
    {EntryKind::kSearch, Action::kSearch, EventKind::kSearch, 3},
    {EntryKind::kEverything, Action::kSearch, EventKind::kSearch, 3},
    {EntryKind::kLastN, Action::kSearch, EventKind::kSearch, 3},
    {EntryKind::kMeta, Action::kRead, EventKind::kRead, 3},
    {EntryKind::kValidate, Action::kRead, EventKind::kValidate, 3},
    {EntryKind::kExpand, Action::kRead, EventKind::kTerminology, 3},
    {EntryKind::kValidateCode, Action::kRead, EventKind::kTerminology, 3},
    {EntryKind::kLookup, Action::kRead, EventKind::kTerminology, 3},
    {EntryKind::kSubsumes, Action::kRead, EventKind::kTerminology, 3},
    {EntryKind::kCreate, Action::kCreate, EventKind::kCreate, 1},
    {EntryKind::kUpdate, Action::kUpdate, EventKind::kUpdate, 2},
    {EntryKind::kPatch, Action::kUpdate, EventKind::kPatch, 2},
    {EntryKind::kDelete, Action::kDelete, EventKind::kDelete, 0},
});

Row const& row_of(EntryKind kind) {
  auto const* const row = std::ranges::find(kRows, kind, &Row::kind);
  TACENDA_ASSERT(row != kRows.end());
  return *row;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

Error token_in_bundle() {
  return {ErrorKind::kNotSupported, "the link to a page is followed by itself, not in a bundle"};
}

Result<Outcome> history_entry(Context const& context, Permit const& permit, EntryTarget const& target) {
  auto const asked = TACENDA_TRY(parse_history(target.query));
  if (!asked.page.empty()) return std::unexpected(token_in_bundle());
  if (!target.id) return history(context, permit, target.type, {}, asked.count, asked.window);
  return history_of(context, permit, target.type, *target.id, {}, asked.count, asked.window);
}

Result<Outcome> search_entry(Context const& context, EntryTarget const& target, Parameters parameters) {
  // Left out, it would begin again and find all that the token's own query does not.
  if (std::ranges::any_of(parameters, [](auto const& each) { return each.first == "_page"; }))
    return std::unexpected(token_in_bundle());
  SearchRequest request;
  if (target.kind == EntryKind::kEverything) {
    request = TACENDA_TRY(everything(*target.id, parameters));
    request.raw = target.query;
    return search(context, request);
  }
  request.type = target.type;
  request.raw = target.query;
  request.parameters = std::move(parameters);
  request.handling = context.handling;
  if (target.kind == EntryKind::kLastN) return last_n(context, std::move(request));
  if (!target.inner.empty()) {
    request.compartment = target.type;
    request.compartment_id = target.id->view();
    request.type = target.inner == "*" ? std::string() : target.inner;
  }
  return search(context, request);
}

Result<Outcome> terminology_entry(Context const& context, EntryTarget const& target, Parameters parameters) {
  TerminologyRequest const request{target.type, target.id, std::move(parameters), std::nullopt};
  switch (target.kind) {
    case EntryKind::kExpand:
      return expand(context, request);
    case EntryKind::kValidateCode:
      return validate_code(context, request);
    case EntryKind::kLookup:
      return lookup(context, request);
    default:
      return subsumes(context, request);
  }
}

/// The last part of the address of a listing.
std::string_view inner_of(EntryTarget const& target) {
  switch (target.kind) {
    case EntryKind::kHistory:
    case EntryKind::kHistoryType:
    case EntryKind::kHistorySystem:
      return "_history";
    case EntryKind::kEverything:
      return "$everything";
    case EntryKind::kLastN:
      return "$lastn";
    default:
      return target.inner;
  }
}

EntryPage page_of(Context const& context, EntryTarget const& target, std::size_t event) {
  EntryPage page;
  page.type = target.type;
  if (target.id) page.id = target.id->view();
  page.inner = inner_of(target);
  page.query = target.query;
  page.event = event;
  if (page.inner == "_history") {
    // It was read like this before, to make the listing.
    if (auto asked = parse_history(target.query); asked.has_value()) {
      page.count = asked->count;
      page.window = asked->window;
    }
  } else {
    page.handling = context.handling;
  }
  return page;
}

}  // namespace

Action action_of(EntryKind kind) {
  return row_of(kind).action;
}

audit::EventKind event_kind(EntryKind kind) {
  return row_of(kind).event;
}

int rank(EntryKind kind) {
  return row_of(kind).rank;
}

bool makes_version(EntryKind kind) {
  return kind == EntryKind::kCreate || kind == EntryKind::kUpdate;
}

bool reads_one(EntryKind kind) {
  return kind == EntryKind::kRead || kind == EntryKind::kVread || kind == EntryKind::kHistory ||
         kind == EntryKind::kMeta;
}

bool needs_permit(EntryTarget const& target) {
  return target.kind != EntryKind::kSearch || (!target.type.empty() && target.inner.empty());
}

std::string asked_by(fhir::BundleEntry const& entry) {
  auto const question = entry.url.find('?');
  if (question == std::string::npos || question + 1 == entry.url.size())
    return recorded_query(entry.if_none_exist);
  return recorded_query(std::string_view(entry.url).substr(question + 1));
}

Context context_of_entry(Context const& context, audit::Event const& origin, Remarks* remarks) {
  return {context.services,
          context.principal,
          origin,
          context.base_url,
          context.wants_representation,
          context.now,
          remarks,
          context.still_allowed,
          context.handling,
          context.deadline};
}

Result<Outcome> read_entry(Context const& context, Permit const* permit, EntryTarget const& target) {
  auto parameters = TACENDA_TRY(codec::parse_query(target.query));
  switch (target.kind) {
    case EntryKind::kRead:
      return read(context, *permit, target.type, *target.id, target.read_conditions,
                  TACENDA_TRY(shape_of(target.query)));
    case EntryKind::kVread:
      return vread(context, *permit, target.type, *target.id, target.version,
                   TACENDA_TRY(shape_of(target.query)));
    case EntryKind::kHistory:
    case EntryKind::kHistoryType:
    case EntryKind::kHistorySystem:
      return history_entry(context, *permit, target);
    case EntryKind::kSearch:
    case EntryKind::kEverything:
    case EntryKind::kLastN:
      return search_entry(context, target, std::move(parameters));
    case EntryKind::kMeta:
      return meta_of(context, *permit, target.type, *target.id);
    case EntryKind::kValidate:
      return validate(context, {target.type, target.id, {}, fhir::Format::kJson, std::move(parameters)});
    case EntryKind::kExpand:
    case EntryKind::kValidateCode:
    case EntryKind::kLookup:
    case EntryKind::kSubsumes:
      return terminology_entry(context, target, std::move(parameters));
    default:
      return fail(ErrorKind::kBug, "an entry that writes is read");
  }
}

void take_result(EntryOutcome& entry, Outcome& outcome, Context const& context, EntryTarget const& target,
                 std::size_t event) {
  if (auto* version = std::get_if<records::StoredVersion>(&outcome.result)) {
    entry.result = std::move(*version);
  } else if (auto* written = std::get_if<records::Written>(&outcome.result)) {
    entry.result = std::move(*written);
  } else if (auto* history = std::get_if<records::HistoryPage>(&outcome.result)) {
    entry.result = std::move(*history);
    entry.page = page_of(context, target, event);
  } else if (auto* answer = std::get_if<SearchAnswer>(&outcome.result)) {
    entry.result = std::move(*answer);
    entry.page = page_of(context, target, event);
  } else if (auto* advice = std::get_if<Advice>(&outcome.result)) {
    entry.result = std::move(*advice);
  }
  entry.matched = outcome.matched;
  entry.not_modified = outcome.not_modified;
}

}  // namespace tacenda::operations

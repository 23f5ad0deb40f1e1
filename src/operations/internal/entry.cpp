#include "operations/internal/entry.hpp"

#include "codec/text.hpp"
#include "operations/search.hpp"

namespace tacenda::operations {

Action action_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::kRead:
      return Action::kRead;
    case EntryKind::kVread:
      return Action::kVread;
    case EntryKind::kHistory:
      return Action::kHistoryInstance;
    case EntryKind::kSearch:
      return Action::kSearch;
    case EntryKind::kCreate:
      return Action::kCreate;
    case EntryKind::kUpdate:
    case EntryKind::kPatch:
      return Action::kUpdate;
    case EntryKind::kDelete:
      return Action::kDelete;
  }
  return Action::kVerify;  // no role has it
}

audit::EventKind event_kind(EntryKind kind) {
  switch (kind) {
    case EntryKind::kRead:
      return audit::EventKind::kRead;
    case EntryKind::kVread:
      return audit::EventKind::kVread;
    case EntryKind::kHistory:
      return audit::EventKind::kHistoryInstance;
    case EntryKind::kSearch:
      return audit::EventKind::kSearch;
    case EntryKind::kCreate:
      return audit::EventKind::kCreate;
    case EntryKind::kUpdate:
      return audit::EventKind::kUpdate;
    case EntryKind::kPatch:
      return audit::EventKind::kPatch;
    case EntryKind::kDelete:
      return audit::EventKind::kDelete;
  }
  return audit::EventKind::kBatch;
}

int rank(EntryKind kind) {
  switch (kind) {
    case EntryKind::kDelete:
      return 0;
    case EntryKind::kCreate:
      return 1;
    case EntryKind::kUpdate:
    case EntryKind::kPatch:
      return 2;
    default:
      return 3;
  }
}

bool makes_version(EntryKind kind) {
  return kind == EntryKind::kCreate || kind == EntryKind::kUpdate;
}

Result<Outcome> search_entry(Context const& context, EntryTarget const& target) {
  SearchRequest request;
  request.type = target.type;
  request.raw = target.query;
  request.parameters = TACENDA_TRY(codec::parse_query(target.query));
  return search(context, request);
}

void take_result(EntryOutcome& entry, Outcome& outcome) {
  if (auto* version = std::get_if<records::StoredVersion>(&outcome.result)) {
    entry.result = std::move(*version);
  } else if (auto* written = std::get_if<records::Written>(&outcome.result)) {
    entry.result = std::move(*written);
  } else if (auto* page = std::get_if<records::HistoryPage>(&outcome.result)) {
    entry.result = std::move(*page);
    entry.history = true;
  } else if (auto* answer = std::get_if<SearchAnswer>(&outcome.result)) {
    entry.result = std::move(*answer);
  }
  entry.matched = outcome.matched;
  entry.not_modified = outcome.not_modified;
}

}  // namespace tacenda::operations

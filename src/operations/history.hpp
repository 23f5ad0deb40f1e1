#pragma once

#include "operations/context.hpp"

namespace tacenda::operations {

/// What a listing of versions asks for.
struct HistoryRequest {
  std::size_t count = limits::kPageSize;
  std::string page;  // sealed token; empty: the first page
  records::HistoryWindow window;
};
/// Reads the parameters of a history. Errors: kInvalid (another parameter, or a value that is none).
Result<HistoryRequest> parse_history(std::string_view query);

/// history on one resource, one type (`type` set) or the system. Source: R4 http.html#history.
/// One audit event names the listing; each distinct patient in a page of a type or system history gets an
/// event of its own in the same commit.
/// Errors: kNotFound, kCorrupt.
Result<Outcome> history_of(Context const& context, Permit const& permit, std::string_view type,
                           ResourceId const& id, records::HistoryPosition position, std::size_t count,
                           records::HistoryWindow const& window = {});
Result<Outcome> history(Context const& context, Permit const& permit, std::string_view type,
                        records::HistoryPosition position, std::size_t count,
                        records::HistoryWindow const& window = {});

}  // namespace tacenda::operations

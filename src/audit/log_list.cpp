// Which entries match: by index rows where a patient or user is asked for, else by sequence.
#include <algorithm>

#include "audit/internal/log_state.hpp"
#include "audit/internal/query_reader.hpp"
#include "audit/internal/rows.hpp"

namespace tacenda::audit {
namespace {

using Direction = storage::Direction;

/// Sequences from `begin` to before `end`.
struct Span {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct Query {
  vault::View const& rows;
  vault::ReadPoint const& at;
  Span span;
  Direction direction = Direction::kForward;
  std::size_t limit = 0;
};

Bytes with_sequence(Bytes prefix, std::uint64_t sequence) {
  ByteWriter(prefix).u64(sequence);
  return prefix;
}

/// First sequence below `size` whose entry was recorded at `time` or later, or `size`. Times never decrease
/// in the log.
Result<std::uint64_t> first_at(vault::View const& rows, vault::ReadPoint const& at, std::uint64_t size,
                               Time time) {
  if (time.time_since_epoch().count() <= 0) return std::uint64_t{0};
  std::uint64_t const wanted = to_unix_ms(time);
  std::uint64_t low = 0;
  std::uint64_t high = size;
  while (low < high) {
    std::uint64_t const middle = low + (high - low) / 2;
    auto const entry = TACENDA_TRY(rows.get(rows::of(rows::kEntry, middle), &at));
    if (!entry) return fail(ErrorKind::kCorrupt, "an audit entry is missing");
    EntryHeader const header = TACENDA_TRY(read_header(*entry));
    if (header.wall_ms < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// Sequences of the rows `prefix || sequence` that lie in the span and that `also` accepts, in the query's
/// direction, at most its limit.
Result<std::vector<std::uint64_t>> scan(Query const& query, Bytes const& prefix,
                                        std::function<Result<bool>(std::uint64_t)> const& also) {
  std::vector<std::uint64_t> found;
  if (query.span.begin >= query.span.end) return found;
  bool const forward = query.direction == Direction::kForward;
  Bytes const from = with_sequence(prefix, forward ? query.span.begin : query.span.end - 1);
  auto const visit = [&](ByteView key, ByteView) -> Result<bool> {
    std::uint64_t const sequence = rows::sequence_of(key);
    if (sequence < query.span.begin || sequence >= query.span.end) return false;
    if (TACENDA_TRY(also(sequence))) found.push_back(sequence);
    return found.size() < query.limit;
  };
  TACENDA_TRY_VOID(query.rows.scan(prefix, from, query.direction, visit, &query.at));
  return found;
}

Result<bool> always(std::uint64_t) {
  return true;
}

/// A patient has rows under his alias, and under his id those from before he had keys.
Result<std::vector<std::uint64_t>> of_patient(Query const& query, vault::Vault const& vault,
                                              std::string const& patient,
                                              std::optional<std::string> const& user) {
  auto const by_user = [&](std::uint64_t sequence) -> Result<bool> {
    if (!user) return true;
    Bytes const key = with_sequence(rows::text(rows::kUser, *user), sequence);
    return TACENDA_TRY(query.rows.get(key, &query.at)).has_value();
  };
  auto found = TACENDA_TRY(scan(query, rows::text(rows::kUnknownPatient, patient), by_user));
  auto const keys = vault.subject(vault::Subject::patient(patient));
  if (!keys && keys.error().kind() != ErrorKind::kNotFound) return std::unexpected(keys.error());
  if (keys) {
    auto const more = TACENDA_TRY(scan(query, rows::patient((*keys)->alias()), by_user));
    found.insert(found.end(), more.begin(), more.end());
  }
  std::ranges::sort(found);
  if (query.direction == Direction::kReverse) std::ranges::reverse(found);
  if (found.size() > query.limit) found.resize(query.limit);
  return found;
}

Result<Span> span_of(Log::Filter const& filter, vault::View const& rows, vault::ReadPoint const& at,
                     std::uint64_t size) {
  Span span{0, size};
  if (filter.since) span.begin = TACENDA_TRY(first_at(rows, at, size, *filter.since));
  if (filter.until) span.end = TACENDA_TRY(first_at(rows, at, size, *filter.until));
  if (filter.after && filter.newest_first) span.end = std::min(span.end, *filter.after);
  if (filter.after && !filter.newest_first) {
    span.begin = *filter.after >= size ? size : std::max(span.begin, *filter.after + 1);
  }
  return span;
}

}  // namespace

Result<std::vector<Entry>> Log::list(Filter const& filter) const {
  std::uint64_t const size = state_->size();  // before the read point, which then has all of them
  vault::ReadPoint const at = state_->vault.read_point();
  Query query{state_->rows, at, TACENDA_TRY(span_of(filter, state_->rows, at, size))};
  query.direction = filter.newest_first ? Direction::kReverse : Direction::kForward;
  query.limit = std::min(filter.limit, kListMax);
  std::vector<Entry> out;
  if (query.limit == 0) return out;

  std::vector<std::uint64_t> sequences;
  if (filter.patient) {
    sequences = TACENDA_TRY(of_patient(query, state_->vault, *filter.patient, filter.user));
  } else if (filter.user) {
    sequences = TACENDA_TRY(scan(query, rows::text(rows::kUser, *filter.user), always));
  } else {
    sequences = TACENDA_TRY(scan(query, rows::of(rows::kEntry), always));
  }
  out.reserve(sequences.size());
  QueryReader queries(state_->sealer, state_->rows, &at);
  for (std::uint64_t const sequence : sequences) {
    auto const bytes = TACENDA_TRY(state_->rows.get(rows::of(rows::kEntry, sequence), &at));
    if (!bytes) return fail(ErrorKind::kCorrupt, "an audit entry is missing");
    auto opened = TACENDA_TRY(state_->sealer.open(*bytes, state_->long_bodies(&at)));
    if (opened.entry.sequence != sequence)
      return fail(ErrorKind::kCorrupt, "an audit entry stands in another's place");
    if (filter.texts == Texts::kOpened) TACENDA_TRY_VOID(queries.read(opened));
    out.push_back(std::move(opened.entry));
  }
  return out;
}

}  // namespace tacenda::audit

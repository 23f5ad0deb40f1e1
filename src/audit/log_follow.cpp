// Following the log: what its headers and the rows of watched entries say is enough to leave most of it
// sealed.
#include <set>

#include "audit/internal/log_state.hpp"
#include "audit/internal/rows.hpp"
#include "core/log.hpp"

namespace tacenda::audit {
namespace {

/// Which entries of `from` to before `end` have labels.
Result<std::set<std::uint64_t>> watched_of(vault::View const& rows, vault::ReadPoint const& at,
                                           std::uint64_t from, std::uint64_t end) {
  std::set<std::uint64_t> watched;
  auto const visit = [&](ByteView key, ByteView) -> Result<bool> {
    std::uint64_t const sequence = rows::sequence_of(key);
    if (sequence >= end) return false;
    watched.insert(sequence);
    return true;
  };
  TACENDA_TRY_VOID(rows.scan(rows::of(rows::kWatched), rows::of(rows::kWatched, from),
                             storage::Direction::kForward, visit, &at));
  return watched;
}

/// What there is to tell of an entry that does not open: it must not end the following of the others.
Entry unreadable(EntryHeader const& header, Error const& error) {
  log(LogLevel::kError, error);
  Entry entry;
  entry.sequence = header.sequence;
  entry.recorded = from_unix_ms(header.wall_ms);
  entry.event.kind = header.kind;
  entry.event.outcome = header.outcome;
  entry.readable = false;
  return entry;
}

}  // namespace

Result<Log::Followed> Log::follow(Following const& following) const {
  Followed out;
  out.next = following.from;
  std::uint64_t const size = state_->size();  // before the read point, which then has all of them
  if (following.from >= size) return out;
  vault::ReadPoint const at = state_->vault.read_point();
  std::uint64_t const end = std::min<std::uint64_t>(size, following.from + following.entries_max);
  auto const watched = TACENDA_TRY(watched_of(state_->rows, at, following.from, end));
  auto const visit = [&](ByteView key, ByteView bytes) -> Result<bool> {
    std::uint64_t const sequence = rows::sequence_of(key);
    if (sequence >= end || out.entries.size() >= following.opened_max) return false;
    out.next = sequence + 1;
    auto const header = read_header(bytes);
    if (!header.has_value()) {
      log(LogLevel::kError, header.error());  // `verify` names it
      return true;
    }
    out.reached = from_unix_ms(header->wall_ms);
    if (!following.wants(header->kind, header->outcome) && !watched.contains(sequence)) return true;
    auto opened = state_->sealer.open(bytes, state_->long_bodies(&at));
    if (!opened.has_value() && opened.error().kind() == ErrorKind::kUnavailable)
      return std::unexpected(opened.error());
    out.entries.push_back(opened.has_value() ? std::move(opened->entry)
                                             : unreadable(*header, opened.error()));
    return true;
  };
  TACENDA_TRY_VOID(state_->rows.scan(rows::of(rows::kEntry), rows::of(rows::kEntry, following.from),
                                     storage::Direction::kForward, visit, &at));
  if (out.entries.size() < following.opened_max) out.next = end;
  return out;
}

}  // namespace tacenda::audit

// History on instance, type and system (R4 http.html#history): newest first, paged by position.
#include <algorithm>
#include <queue>

#include "fhir/types.hpp"
#include "records/internal/judging.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/row.hpp"
#include "records/store.hpp"

namespace tacenda::records {
namespace {

/// One history row: what the listing needs to find the version itself.
struct Item {
  std::uint64_t sequence = 0;
  std::uint64_t version = 0;
  std::string type;
  std::string id;
};

Result<Item> parse_history(std::string_view type, ByteView key, ByteView value) {
  if (key.size() < 8) return fail(ErrorKind::kCorrupt, "a history key is cut off");
  ByteReader sequence(key.last(8));
  ByteReader reader(value);
  Item item;
  item.type = type;
  item.sequence = TACENDA_TRY(sequence.u64());
  item.version = TACENDA_TRY(reader.u64());
  item.id = as_text(reader.rest());
  return item;
}

/// Up to `count` history rows of a type older than `before` (0: from the newest), newest first.
Result<std::vector<Item>> newest(vault::View const& view, vault::ReadPoint const& at, std::string_view type,
                                 std::uint64_t before, std::size_t count) {
  std::vector<Item> items;
  Bytes const from = before == 0 ? Bytes() : history_key_at(type, before - 1);
  TACENDA_TRY_VOID(view.scan(
      history_prefix(type), from, storage::Direction::kReverse,
      [&](ByteView key, ByteView value) -> Result<bool> {
        items.push_back(TACENDA_TRY(parse_history(type, key, value)));
        return items.size() < count;
      },
      &at));
  return items;
}

/// The same of a type, or of all types when it is empty.
Result<std::vector<Item>> newest_of(vault::View const& view, vault::ReadPoint const& at,
                                    std::string_view type, std::uint64_t before, std::size_t count) {
  if (!type.empty()) return newest(view, at, type, before, count);
  std::vector<Item> items;
  // Sequences are unique over all types: merging the newest of each type gives the newest of all.
  for (std::string_view const each : fhir::resource_types()) {
    auto some = TACENDA_TRY(newest(view, at, each, before, count));
    std::ranges::move(some, std::back_inserter(items));
  }
  std::ranges::sort(items, std::greater(), &Item::sequence);
  if (items.size() > count) items.erase(items.begin() + static_cast<std::ptrdiff_t>(count), items.end());
  return items;
}

/// Versions that one page looks at when it leaves some out, so that no page takes without end.
constexpr std::size_t kLookedAt = 20'000;

/// Times of a version and of the one after it, to be compared with a window.
enum class Place : std::uint8_t { kIn, kOut, kBefore };  // kBefore: so are all older versions of any resource

/// `next`: when the version after it was made, asked only where the answer depends on it; nullopt: it is the
/// current.
template <typename Next>
Result<Place> place_in(HistoryWindow const& window, Time time, Next next) {
  if (window.since && time < *window.since) return Place::kBefore;
  if (!window.at) return Place::kIn;
  if (time >= window.at->until) return Place::kOut;
  if (time >= window.at->from) return Place::kIn;
  std::optional<Time> const end = TACENDA_TRY(next());
  return !end || *end > window.at->from ? Place::kIn : Place::kOut;
}

/// A version's row as it stands at a read point. Errors: kCorrupt (it is missing).
Result<Bytes> row_of(vault::View const& view, vault::ReadPoint const& at, Item const& item) {
  auto row = TACENDA_TRY(view.get(version_key(item.type, item.id, item.version), &at));
  if (!row) row = TACENDA_TRY(view.get(current_key(item.type, item.id), &at));
  if (!row || TACENDA_TRY(parse_row(*row)).version != item.version)
    return fail(ErrorKind::kCorrupt, "a version is missing from a history");
  return std::move(*row);
}

/// When the version after this one was made; nullopt: there is none.
Result<std::optional<Time>> next_time(vault::View const& view, vault::ReadPoint const& at, Item item) {
  auto const current = TACENDA_TRY(view.get(current_key(item.type, item.id), &at));
  if (!current) return fail(ErrorKind::kCorrupt, "a version is missing from a history");
  if (TACENDA_TRY(parse_row(*current)).version <= item.version) return std::nullopt;
  for (;;) {
    ++item.version;
    Bytes const row = TACENDA_TRY(row_of(view, at, item));
    // Of a purged version only the time of its purging is known.
    if (auto const header = TACENDA_TRY(parse_row(row)); !header.purged) return header.time;
  }
}

}  // namespace

Result<HistoryPage> Store::history_of(Permit const& permit, std::string_view type, ResourceId const& id,
                                      HistoryPosition position, std::size_t count,
                                      HistoryWindow const& window) const {
  auto const at = vault_->read_point();
  auto const current = TACENDA_TRY(view_.get(current_key(type, id.view()), &at));
  if (!current) return fail(ErrorKind::kNotFound, "there is no such resource");
  auto const header = TACENDA_TRY(parse_row(*current));
  RecordOnDemand const now({*vault_, view_, &at}, {type, id.view()}, header);
  if (!permit.judge(now.facts())) return std::unexpected(now.refusal(permit));
  HistoryPage page;
  Item item{0, position.before_version == 0 ? header.version : position.before_version - 1, std::string(type),
            std::string(id.view())};
  for (std::size_t looked_at = 0; item.version > 0 && page.entries.size() < count; --item.version) {
    if (++looked_at > kLookedAt) break;
    Bytes const row = TACENDA_TRY(row_of(view_, at, item));
    auto const facts = TACENDA_TRY(parse_row(row));
    if (facts.purged) continue;
    auto const place = TACENDA_TRY(place_in(window, facts.time, [&] { return next_time(view_, at, item); }));
    if (place == Place::kBefore) return page;
    if (place == Place::kOut) {
      if (facts.time < window.at->from) return page;  // an older one was replaced even earlier
      continue;
    }
    RecordOnDemand record({*vault_, view_, &at}, {type, id.view()}, facts);
    if (!TACENDA_TRY(is_shown(permit, record))) continue;
    page.entries.push_back(TACENDA_TRY(shown(permit, TACENDA_TRY(record.take()))));
  }
  if (item.version > 0) page.next = HistoryPosition{0, item.version + 1};
  return page;
}

/// As the resource is now: a record that was filed under the wrong patient must not stay open to him after it
/// was put right.
Result<bool> Store::shows_now(Permit const& permit, std::string_view type, std::string_view id,
                              vault::ReadPoint const& at) const {
  if (permit.judges_all(type)) return true;
  auto const row = TACENDA_TRY(view_.get(current_key(type, id), &at));
  if (!row) return fail(ErrorKind::kCorrupt, "a version has no current one");
  return is_shown(permit, RecordOnDemand({*vault_, view_, &at}, {type, id}, TACENDA_TRY(parse_row(*row))));
}

Result<HistoryPage> Store::history(Permit const& permit, std::string_view type, HistoryPosition position,
                                   std::size_t count, HistoryWindow const& window) const {
  auto const at = vault_->read_point();
  HistoryPage page;
  std::uint64_t before = position.before_sequence;
  std::size_t looked_at = 0;
  while (true) {
    std::size_t wanted = count - page.entries.size() + 1;        // one more: is there a next page?
    if (window.at) wanted = std::max<std::size_t>(wanted, 512);  // many may be left out
    auto const items = TACENDA_TRY(newest_of(view_, at, type, before, wanted));
    for (auto const& item : items) {
      if (page.entries.size() == count || looked_at == kLookedAt) {
        page.next = HistoryPosition{before, 0};
        return page;
      }
      ++looked_at;
      before = item.sequence;
      Bytes const row = TACENDA_TRY(row_of(view_, at, item));
      auto const header = TACENDA_TRY(parse_row(row));
      auto const place =
          TACENDA_TRY(place_in(window, header.time, [&] { return next_time(view_, at, item); }));
      if (place == Place::kBefore) return page;
      if (place == Place::kOut) continue;
      RecordOnDemand record({*vault_, view_, &at}, {item.type, item.id}, header);
      if (!TACENDA_TRY(is_shown(permit, record))) continue;
      if (!TACENDA_TRY(shows_now(permit, item.type, item.id, at))) continue;
      page.entries.push_back(TACENDA_TRY(shown(permit, TACENDA_TRY(record.take()))));
    }
    if (items.size() < wanted) return page;  // the listing reached its end
  }
}

}  // namespace tacenda::records

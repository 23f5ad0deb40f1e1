// History on instance, type and system (R4 http.html#history): newest first, paged by position.
#include <algorithm>
#include <queue>

#include "fhir/types.hpp"
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

}  // namespace

Result<HistoryPage> Store::history_of(Permit const& permit, std::string_view type, ResourceId const& id,
                                      HistoryPosition position, std::size_t count) const {
  auto const at = vault_->read_point();
  auto const current = TACENDA_TRY(view_.get(current_key(type, id.view()), &at));
  if (!current) return fail(ErrorKind::kNotFound, "there is no such resource");
  auto const header = TACENDA_TRY(parse_row(*current));
  if (!permit.judge({type, id.view(), header.patients(), header.version, header.deleted})) {
    return fail(ErrorKind::kNotFound, "there is no such resource");
  }
  HistoryPage page;
  std::uint64_t version = position.before_version == 0 ? header.version : position.before_version - 1;
  for (; version > 0 && page.entries.size() < count; --version) {
    auto row = TACENDA_TRY(view_.get(version_key(type, id.view(), version), &at));
    if (!row && version == header.version) row = current;
    if (!row) return fail(ErrorKind::kCorrupt, "a version is missing from a history");
    auto const facts = TACENDA_TRY(parse_row(*row));
    if (!permit.judge({type, id.view(), facts.patients(), facts.version, facts.deleted})) continue;
    page.entries.push_back(TACENDA_TRY(open(type, id.view(), *row)));
  }
  if (version > 0) page.next = HistoryPosition{0, version + 1};
  return page;
}

Result<HistoryPage> Store::history(Permit const& permit, std::string_view type, HistoryPosition position,
                                   std::size_t count) const {
  auto const at = vault_->read_point();
  HistoryPage page;
  std::uint64_t before = position.before_sequence;
  while (page.entries.size() < count) {
    std::size_t const wanted = count - page.entries.size() + 1;  // one more: is there a next page?
    std::vector<Item> items;
    if (!type.empty()) {
      items = TACENDA_TRY(newest(view_, at, type, before, wanted));
    } else {
      // Sequences are unique over all types: merging the newest of each type gives the newest of all.
      for (std::string_view const each : fhir::resource_types()) {
        auto some = TACENDA_TRY(newest(view_, at, each, before, wanted));
        std::ranges::move(some, std::back_inserter(items));
      }
      std::ranges::sort(items, std::greater(), &Item::sequence);
      if (items.size() > wanted)
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(wanted), items.end());
    }
    for (auto const& item : items) {
      if (page.entries.size() == count) {
        page.next = HistoryPosition{before, 0};
        return page;
      }
      before = item.sequence;
      auto row = TACENDA_TRY(view_.get(version_key(item.type, item.id, item.version), &at));
      if (!row) row = TACENDA_TRY(view_.get(current_key(item.type, item.id), &at));
      if (!row) return fail(ErrorKind::kCorrupt, "a version is missing from a history");
      auto const header = TACENDA_TRY(parse_row(*row));
      if (header.version != item.version)
        return fail(ErrorKind::kCorrupt, "a version is missing from a history");
      if (!permit.judge({item.type, item.id, header.patients(), header.version, header.deleted})) continue;
      page.entries.push_back(TACENDA_TRY(open(item.type, item.id, *row)));
    }
    if (items.size() < wanted) break;  // the listing reached its end
  }
  return page;
}

}  // namespace tacenda::records

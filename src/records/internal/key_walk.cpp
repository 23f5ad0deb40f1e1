#include "records/internal/key_walk.hpp"

#include <algorithm>

#include "core/process.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/order.hpp"
#include "records/internal/row.hpp"

namespace tacenda::records {
namespace {

using fhir::SearchType;

// Rows of a lane that are read in one go.
constexpr std::size_t kReadAhead = 64;

std::string bytes_of(Time time) {
  std::string bytes;
  append_u64(bytes, to_unix_ms(time));
  return bytes;
}

}  // namespace

bool KeyWalk::serves(fhir::SortKey const& key) {
  if (key.parameter->code == "_id" || key.parameter->code == "_lastUpdated") return true;
  // Not tokens: facts do not tell which of several is the least. Not numbers, quantities and references:
  // their terms lie in another order than their values.
  auto const type = key.parameter->type;
  return type == SearchType::kDate || type == SearchType::kString || type == SearchType::kUri;
}

Result<KeyWalk> KeyWalk::make(SearchState const& state, std::string_view type, fhir::SortKey const& key,
                              std::optional<std::string> const& from) {
  TACENDA_ASSERT(serves(key));
  if (key.parameter->code == "_id") {
    KeyWalk walk(state, key.descending, [](ByteView row, ByteView value) -> Result<std::optional<Entry>> {
      auto const header = TACENDA_TRY(parse_row(value));
      if (header.deleted) return std::nullopt;
      return Entry{std::string(TACENDA_TRY(parse_current_key(row)).id), header.document_number()};
    });
    walk.add_lane(current_prefix(type), from ? current_key(type, *from) : Bytes());
    return walk;
  }
  if (key.parameter->code == "_lastUpdated") {
    // The history of the type has its versions in the order of their times: the current ones count.
    KeyWalk walk(
        state, key.descending,
        [&state, type = std::string(type)](ByteView, ByteView value) -> Result<std::optional<Entry>> {
          auto const& index = state.index();
          ByteReader reader(value);
          std::uint64_t const version = TACENDA_TRY(reader.u64());
          TACENDA_TRY_VOID(index.budget.spend(1));
          auto const row = TACENDA_TRY(index.view.get(current_key(type, as_text(reader.rest())), &index.at));
          if (!row) return std::nullopt;
          auto const header = TACENDA_TRY(parse_row(*row));
          if (header.deleted || header.version != version) return std::nullopt;
          return Entry{bytes_of(header.time), header.document_number()};
        });
    Bytes place;
    if (from) {
      std::string_view bytes = *from;
      auto const ms = static_cast<std::int64_t>(TACENDA_TRY(take_u64(bytes)));
      place = history_key_at(type,
                             TACENDA_TRY(history_sequence_at(state, type, key.descending ? ms + 1 : ms)));
    }
    walk.add_lane(history_prefix(type), std::move(place));
    return walk;
  }
  KeyWalk walk(state, key.descending, [](ByteView row, ByteView) -> Result<std::optional<Entry>> {
    auto const parsed = TACENDA_TRY(parse_index_key(row));
    auto value = sortable(parsed.bytes);
    if (!value) return std::nullopt;
    return Entry{std::move(*value), parsed.document};
  });
  walk.add_term_lanes(number_of(type, *key.parameter), key, from);
  return walk;
}

void KeyWalk::add_term_lanes(std::uint32_t parameter, fhir::SortKey const& key,
                             std::optional<std::string> const& from) {
  auto const add = [&](std::string const& prefix, std::string const& place) {
    Bytes start;
    if (from) start = descending_ ? index_end(parameter, place) : index_prefix(parameter, place);
    add_lane(index_prefix(parameter, prefix), std::move(start));
  };
  if (key.parameter->type == SearchType::kDate) {
    for (std::uint8_t width = 0; width < kDateWidths; ++width) {
      std::string const prefix{static_cast<char>(Section::kDate), static_cast<char>(width)};
      add(prefix, prefix + from.value_or(""));
    }
    return;
  }
  std::string const prefix(
      1, static_cast<char>(key.parameter->type == SearchType::kUri ? Section::kUri : Section::kString));
  std::string place = prefix;
  append_text(place, from.value_or(""));
  add(prefix, place);
}

Result<void> KeyWalk::read(Lane& lane) {
  auto const& index = state_->index();
  auto const direction = descending_ ? storage::Direction::kReverse : storage::Direction::kForward;
  std::size_t rows = 0;
  Bytes next;
  TACENDA_TRY_VOID(index.view.scan(
      lane.prefix, lane.from, direction,
      [&](ByteView key, ByteView value) -> Result<bool> {
        if (rows++ == kReadAhead) {
          next = tacenda::to_bytes(key);
          return false;
        }
        TACENDA_TRY_VOID(index.budget.spend(1));
        auto entry = TACENDA_TRY(parse_(key, value));
        if (entry) lane.entries.push_back(std::move(*entry));
        return true;
      },
      &index.at));
  lane.is_read = next.empty();
  lane.from = std::move(next);
  return {};
}

Result<KeyWalk::Lane*> KeyWalk::first() {
  Lane* best = nullptr;
  for (auto& lane : lanes_) {
    while (lane.entries.empty() && !lane.is_read) TACENDA_TRY_VOID(read(lane));
    if (lane.entries.empty()) continue;
    auto const& value = lane.entries.front().value;
    bool const is_better = best == nullptr || (descending_ ? value > best->entries.front().value
                                                           : value < best->entries.front().value);
    if (is_better) best = &lane;
  }
  return best;
}

Result<std::optional<KeyWalk::Group>> KeyWalk::next(std::size_t limit) {
  Lane* lane = TACENDA_TRY(first());
  if (lane == nullptr) return std::nullopt;
  Group group;
  group.value = lane->entries.front().value;
  for (; lane != nullptr && lane->entries.front().value == group.value; lane = TACENDA_TRY(first())) {
    if (group.documents.size() == limit) {
      group.is_whole = false;
      return group;
    }
    group.documents.push_back(lane->entries.front().document);
    lane->entries.pop_front();
  }
  std::ranges::sort(group.documents);
  group.documents.erase(std::ranges::unique(group.documents).begin(), group.documents.end());
  return group;
}

}  // namespace tacenda::records

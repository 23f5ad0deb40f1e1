#include "privacy/erasure.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "privacy/internal/row_fields.hpp"

namespace tacenda::privacy {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kFormatWaiting = 2;  // while records of others stand in its way

}  // namespace

std::string_view name_of(Erasure::State state) {
  switch (state) {
    case Erasure::State::kErasing:
      return "erasing";
    case Erasure::State::kDestroyed:
      return "keys-destroyed";
    case Erasure::State::kComplete:
      return "complete";
    case Erasure::State::kRefused:
      return "refused";
  }
  return {};
}

bool is_erasure_ground(std::string_view name) {
  constexpr auto kGrounds = std::to_array<std::string_view>(
      {"art17-1-a", "art17-1-b", "art17-1-c", "art17-1-d", "art17-1-e", "art17-1-f"});
  return std::ranges::find(kGrounds, name) != kGrounds.end();
}

Bytes encode_erasure(Erasure const& erasure) {
  Bytes row;
  ByteWriter writer(row);
  writer.u8(erasure.waiting > 0 ? kFormatWaiting : kFormat).u8(std::to_underlying(erasure.state));
  writer.u8(erasure.hold ? std::to_underlying(*erasure.hold) : 0).raw(erasure.key);
  for (auto const* text :
       {&erasure.id, &erasure.patient, &erasure.reason, &erasure.asker, &erasure.asker_name})
    writer.sized(*text);
  writer.u32(static_cast<std::uint32_t>(erasure.grounds.size()));
  for (auto const& ground : erasure.grounds) writer.sized(ground);
  writer.u64(to_unix_ms(erasure.ordered)).u64(ms_of(erasure.destroyed)).u64(ms_of(erasure.completed));
  writer.u64(erasure.versions).u64(erasure.rewritten).u64(erasure.purged);
  writer.u64(erasure.exports).u64(erasure.blocked);
  writer.u32(static_cast<std::uint32_t>(erasure.resources.size()));
  for (auto const& [type, count] : erasure.resources) writer.sized(type).u64(count);
  if (erasure.waiting > 0) writer.u64(erasure.waiting);
  return row;
}

Result<Erasure> decode_erasure(ByteView row) {
  ByteReader reader(row);
  auto const format = TACENDA_TRY(reader.u8());
  if (format != kFormat && format != kFormatWaiting)
    return fail(ErrorKind::kCorrupt, "an erasure has an unknown format");
  Erasure erasure;
  erasure.state = static_cast<Erasure::State>(TACENDA_TRY(reader.u8()));
  if (name_of(erasure.state).empty()) return fail(ErrorKind::kCorrupt, "an erasure has an unknown state");
  if (auto const hold = static_cast<HoldGround>(TACENDA_TRY(reader.u8())); std::to_underlying(hold) != 0) {
    if (name_of(hold).empty()) return fail(ErrorKind::kCorrupt, "an erasure has an unknown hold");
    erasure.hold = hold;
  }
  std::ranges::copy(TACENDA_TRY(reader.raw(erasure.key.size())), erasure.key.begin());
  for (auto* text : {&erasure.id, &erasure.patient, &erasure.reason, &erasure.asker, &erasure.asker_name})
    *text = TACENDA_TRY(read_text(reader));
  for (auto count = TACENDA_TRY(reader.u32()); count > 0; --count) erasure.grounds.push_back(TACENDA_TRY(read_text(reader)));
  erasure.ordered = from_unix_ms(TACENDA_TRY(reader.u64()));
  erasure.destroyed = TACENDA_TRY(read_time(reader));
  erasure.completed = TACENDA_TRY(read_time(reader));
  for (auto* number :
       {&erasure.versions, &erasure.rewritten, &erasure.purged, &erasure.exports, &erasure.blocked})
    *number = TACENDA_TRY(reader.u64());
  for (auto count = TACENDA_TRY(reader.u32()); count > 0; --count) {
    auto type = TACENDA_TRY(read_text(reader));
    if (!erasure.resources.empty() && type <= erasure.resources.rbegin()->first)
      return fail(ErrorKind::kCorrupt, "the counts of an erasure are out of order");
    erasure.resources[std::move(type)] = TACENDA_TRY(reader.u64());
  }
  if (format == kFormatWaiting) {
    erasure.waiting = TACENDA_TRY(reader.u64());
    if (erasure.waiting == 0) return fail(ErrorKind::kCorrupt, "an erasure waits for nothing");
  }
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "an erasure is longer than its fields");
  return erasure;
}

}  // namespace tacenda::privacy

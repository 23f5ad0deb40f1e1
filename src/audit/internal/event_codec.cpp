#include "audit/internal/event_codec.hpp"

#include <algorithm>
#include <array>

namespace tacenda::audit {
namespace {

// Body, format 4 (1 had the query itself; 2 says that the body lies in a row of its own; 3 had no
// explanation), and format 5, of what is watched:
//   u8      format = 4 or 5
//   number  HTTP status, resource version, count
//   text    the 14 of kTexts, in that order, the explanation (not in format 3), the labels (format 5), and
//   the
//           reason
//   number  patients, then one text each
//   u8      query: 0 none; 1 kept, then number of entries back and 32 bytes SHA-256 of its row; 2 erased
//   u8      1 and 32 bytes of record digest, or 0
//   zero bytes up to a multiple of 16
// number: LEB128, at most 10 bytes, no superfluous zero byte at its end.
// text: one byte length below 0xfe and the bytes; or 0xfe, u32 length and the bytes; or 0xff and the 16
// bytes of a UUID in its usual spelling (36 lower-case characters): ids are most of an entry.
constexpr std::uint8_t kFormat = 4;
constexpr std::uint8_t kWithoutExplanation = 3;
constexpr std::uint8_t kWatched = 5;
constexpr std::uint8_t kLongText = 0xfe;
constexpr std::uint8_t kUuid = 0xff;
constexpr std::size_t kUuidText = 36;
constexpr std::size_t kPadding = 16;

constexpr std::array kTexts{
    &Event::actor_id,      &Event::actor_name,  &Event::role,           &Event::authentication,
    &Event::token_id,      &Event::client,      &Event::network,        &Event::request_id,
    &Event::resource_type, &Event::resource_id, &Event::purpose_of_use, &Event::target,
    &Event::old_value,     &Event::new_value,
};

constexpr bool is_dash(std::size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::array<std::byte, 16>> parse_uuid(std::string_view text) {
  if (text.size() != kUuidText) return std::nullopt;
  std::array<std::byte, 16> out{};
  std::size_t nibbles = 0;
  for (std::size_t i = 0; i < kUuidText; ++i) {
    if (is_dash(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    int const value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    auto& byte = out[nibbles / 2];
    byte = (byte << 4U) | static_cast<std::byte>(value);
    ++nibbles;
  }
  return out;
}

std::string format_uuid(ByteView bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(kUuidText);
  for (std::byte const byte : bytes) {
    if (is_dash(out.size())) out += '-';
    out += kDigits[std::to_integer<std::size_t>(byte >> 4U)];
    out += kDigits[std::to_integer<std::size_t>(byte & std::byte{0x0f})];
  }
  return out;
}

void put_number(ByteWriter& out, std::uint64_t value) {
  while (value >= 0x80U) {
    out.u8(static_cast<std::uint8_t>(value | 0x80U));
    value >>= 7U;
  }
  out.u8(static_cast<std::uint8_t>(value));
}

void put_text(ByteWriter& out, std::string_view text) {
  if (auto const uuid = parse_uuid(text)) {
    out.u8(kUuid).raw(*uuid);
  } else if (text.size() < kLongText) {
    out.u8(static_cast<std::uint8_t>(text.size())).raw(as_bytes(text));
  } else {
    out.u8(kLongText).sized(text);
  }
}

Result<std::uint64_t> read_number(ByteReader& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    std::uint64_t const byte = TACENDA_TRY(in.u8());
    if (shift == 63 && byte > 1) break;
    value |= (byte & 0x7fU) << shift;
    if ((byte & 0x80U) != 0) continue;
    if (byte == 0 && shift != 0) break;
    return value;
  }
  return fail(ErrorKind::kCorrupt, "audit entry: number is malformed");
}

Result<std::string> read_text(ByteReader& in) {
  std::uint8_t const first = TACENDA_TRY(in.u8());
  if (first == kUuid) return format_uuid(TACENDA_TRY(in.raw(16)));
  if (first == kLongText) return std::string(as_text(TACENDA_TRY(in.sized())));
  return std::string(as_text(TACENDA_TRY(in.raw(first))));
}

Result<QueryMark> read_mark(ByteReader& in) {
  QueryMark mark;
  std::uint8_t const kind = TACENDA_TRY(in.u8());
  if (kind > std::to_underlying(QueryMark::Kind::kErased))
    return fail(ErrorKind::kCorrupt, "audit entry: mark of the query is malformed");
  mark.kind = static_cast<QueryMark::Kind>(kind);
  if (mark.kind == QueryMark::Kind::kKept) {
    mark.back = TACENDA_TRY(read_number(in));
    ByteView const digest = TACENDA_TRY(in.raw(sizeof(Digest)));
    std::ranges::copy(digest, mark.digest.begin());
  }
  return mark;
}

}  // namespace

void encode_event(Event const& event, QueryMark const& mark, Bytes& out) {
  std::size_t const start = out.size();
  ByteWriter writer(out);
  writer.u8(event.labels.empty() ? kFormat : kWatched);
  put_number(writer, event.http_status);
  put_number(writer, event.resource_version);
  put_number(writer, event.count);
  for (auto const text : kTexts) put_text(writer, event.*text);
  put_text(writer, event.explained_by);
  if (!event.labels.empty()) put_text(writer, event.labels);
  put_text(writer, event.reason);
  put_number(writer, event.patients.size());
  for (auto const& patient : event.patients) put_text(writer, patient);
  writer.u8(std::to_underlying(mark.kind));
  if (mark.kind == QueryMark::Kind::kKept) {
    put_number(writer, mark.back);
    writer.raw(mark.digest);
  }
  writer.u8(event.record_digest ? 1 : 0);
  if (event.record_digest) writer.raw(*event.record_digest);
  while ((out.size() - start) % kPadding != 0) out.push_back(std::byte{0});
}

Result<QueryMark> decode_event(ByteView body, Event& event) {
  ByteReader in(body);
  auto const format = TACENDA_TRY(in.u8());
  if (format != kFormat && format != kWithoutExplanation && format != kWatched) {
    return fail(ErrorKind::kUnsupported, "audit entry: body was written by a newer version");
  }
  std::uint64_t const status = TACENDA_TRY(read_number(in));
  if (status > 0xffff) return fail(ErrorKind::kCorrupt, "audit entry: HTTP status out of range");
  event.http_status = static_cast<std::uint16_t>(status);
  event.resource_version = TACENDA_TRY(read_number(in));
  event.count = TACENDA_TRY(read_number(in));
  for (auto const text : kTexts) event.*text = TACENDA_TRY(read_text(in));
  event.explained_by.clear();
  if (format != kWithoutExplanation) event.explained_by = TACENDA_TRY(read_text(in));
  event.labels.clear();
  if (format == kWatched) {
    event.labels = TACENDA_TRY(read_text(in));
    if (event.labels.empty()) return fail(ErrorKind::kCorrupt, "audit entry: labels are missing");
  }
  event.reason = TACENDA_TRY(read_text(in));
  std::uint64_t const patients = TACENDA_TRY(read_number(in));
  if (patients > in.rest().size()) return fail(ErrorKind::kCorrupt, "audit entry: more patients than bytes");
  event.patients.clear();
  for (std::uint64_t i = 0; i < patients; ++i) event.patients.push_back(TACENDA_TRY(read_text(in)));
  QueryMark const mark = TACENDA_TRY(read_mark(in));
  std::uint8_t const has_digest = TACENDA_TRY(in.u8());
  if (has_digest > 1) return fail(ErrorKind::kCorrupt, "audit entry: digest mark is malformed");
  event.record_digest.reset();
  if (has_digest == 1) {
    ByteView const bytes = TACENDA_TRY(in.raw(sizeof(Digest)));
    std::ranges::copy(bytes, event.record_digest.emplace().begin());
  }
  bool const zeros = std::ranges::all_of(in.rest(), [](std::byte b) { return b == std::byte{0}; });
  if (in.rest().size() >= kPadding || !zeros)
    return fail(ErrorKind::kCorrupt, "audit entry: bytes after its end");
  return mark;
}

}  // namespace tacenda::audit

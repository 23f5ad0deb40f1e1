#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "authorization/launch.hpp"
#include "codec/scope.hpp"
#include "core/bytes.hpp"
#include "core/error.hpp"
#include "vault/view.hpp"

/// What every row of the authorization server is written and read by. All errors are kCorrupt.
namespace tacenda::authorization::row {

inline constexpr auto kKeeper = vault::Keeper::kAuthorization;

inline std::unexpected<Error> corrupt() {
  return fail(ErrorKind::kCorrupt, "a row of the authorization server has another form");
}

inline Result<void> read_format(ByteReader& reader, std::uint8_t format) {
  if (TACENDA_TRY(reader.u8()) != format) return corrupt();
  return {};
}

/// Of a row that had other forms before: 1 to `newest`.
inline Result<std::uint8_t> read_format_up_to(ByteReader& reader, std::uint8_t newest) {
  auto const format = TACENDA_TRY(reader.u8());
  if (format == 0 || format > newest) return corrupt();
  return format;
}

inline Result<void> check_end(ByteReader const& reader) {
  if (!reader.done()) return corrupt();
  return {};
}

inline Result<bool> read_flag(ByteReader& reader) {
  auto const value = TACENDA_TRY(reader.u8());
  if (value > 1) return corrupt();
  return value == 1;
}

inline Result<std::string> read_text(ByteReader& reader) {
  return std::string(as_text(TACENDA_TRY(reader.sized())));
}

inline Result<std::vector<codec::Scope>> read_scopes(ByteReader& reader) {
  auto scopes = codec::parse_scopes(TACENDA_TRY(read_text(reader)));
  if (!scopes.has_value()) return corrupt();
  return std::move(*scopes);
}

inline void put_texts(ByteWriter& writer, std::vector<std::string> const& texts) {
  writer.u32(static_cast<std::uint32_t>(texts.size()));
  for (auto const& text : texts) writer.sized(text);
}

inline Result<std::vector<std::string>> read_texts(ByteReader& reader) {
  auto const count = TACENDA_TRY(reader.u32());
  // Each has its length in 4 bytes: a count that the rest cannot hold is damage, and reserves nothing.
  if (count > reader.rest().size() / 4) return corrupt();
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < count; ++i) texts.push_back(TACENDA_TRY(read_text(reader)));
  return texts;
}

inline void put_digest(ByteWriter& writer, std::optional<Digest> const& digest) {
  writer.u8(digest ? 1 : 0);
  if (digest) writer.raw(*digest);
}

inline Result<std::optional<Digest>> read_digest(ByteReader& reader) {
  if (!TACENDA_TRY(read_flag(reader))) return std::nullopt;
  Digest digest;
  std::ranges::copy(TACENDA_TRY(reader.raw(digest.size())), digest.begin());
  return digest;
}

inline void put_launch(ByteWriter& writer, LaunchContext const& context) {
  writer.sized(context.encounter).sized(context.intent).u8(context.need_patient_banner ? 1 : 0);
}

inline Result<LaunchContext> read_launch(ByteReader& reader) {
  LaunchContext context;
  context.encounter = TACENDA_TRY(read_text(reader));
  context.intent = TACENDA_TRY(read_text(reader));
  context.need_patient_banner = TACENDA_TRY(read_flag(reader));
  return context;
}

}  // namespace tacenda::authorization::row

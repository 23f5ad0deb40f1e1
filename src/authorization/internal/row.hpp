#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

}  // namespace tacenda::authorization::row

// Rows of factors and standing.
#include <utility>

#include "core/limits.hpp"
#include "identity/internal/account.hpp"
#include "identity/internal/row.hpp"

namespace tacenda::identity {
namespace {

constexpr std::uint8_t kStandingFormat = 2;  // the first had no end

void write_passkey(ByteWriter& writer, Passkey const& passkey) {
  writer.sized(passkey.credential_id).u32(static_cast<std::uint32_t>(passkey.algorithm));
  writer.sized(passkey.public_key).u32(passkey.sign_count).sized(passkey.name);
  writer.u64(to_unix_ms(passkey.created)).u64(passkey.last_used ? to_unix_ms(*passkey.last_used) : 0);
}

Result<Passkey> read_passkey(ByteReader& reader) {
  Passkey passkey;
  passkey.credential_id = TACENDA_TRY(row::read_text(reader));
  passkey.algorithm = static_cast<std::int32_t>(TACENDA_TRY(reader.u32()));
  auto const key = TACENDA_TRY(reader.sized());
  passkey.public_key.assign(key.begin(), key.end());
  passkey.sign_count = TACENDA_TRY(reader.u32());
  passkey.name = TACENDA_TRY(row::read_text(reader));
  passkey.created = from_unix_ms(TACENDA_TRY(reader.u64()));
  if (auto const used = TACENDA_TRY(reader.u64()); used != 0) passkey.last_used = from_unix_ms(used);
  return passkey;
}

}  // namespace

Bytes encode_factors(Account const& account) {
  Bytes row;
  ByteWriter writer(row);
  writer.u8(row::kFormat).u32(static_cast<std::uint32_t>(account.recovery_codes.size()));
  for (auto const& code : account.recovery_codes) writer.raw(code);
  writer.u32(static_cast<std::uint32_t>(account.passkeys.size()));
  for (auto const& passkey : account.passkeys) write_passkey(writer, passkey);
  writer.u32(static_cast<std::uint32_t>(account.notices.size()));
  for (auto const& notice : account.notices)
    writer.u8(std::to_underlying(notice.kind)).u64(to_unix_ms(notice.at));
  return row;
}

Result<void> decode_factors(ByteView row, Account& account) {
  ByteReader reader(row);
  TACENDA_TRY_VOID(row::read_format(reader));
  for (auto left = TACENDA_TRY(row::read_count(reader, limits::kRecoveryCodes)); left > 0; --left) {
    Digest code;
    std::ranges::copy(TACENDA_TRY(reader.raw(code.size())), code.begin());
    account.recovery_codes.push_back(code);
  }
  for (auto left = TACENDA_TRY(row::read_count(reader, limits::kPasskeysPerUser)); left > 0; --left)
    account.passkeys.push_back(TACENDA_TRY(read_passkey(reader)));
  for (auto left = TACENDA_TRY(row::read_count(reader, limits::kNoticesKept)); left > 0; --left) {
    Notice notice;
    notice.kind = static_cast<Notice::Kind>(TACENDA_TRY(reader.u8()));
    notice.at = from_unix_ms(TACENDA_TRY(reader.u64()));
    account.notices.push_back(notice);
  }
  return row::check_end(reader);
}

Bytes encode_standing(Standing const& standing) {
  Bytes row;
  ByteWriter writer(row);
  writer.u8(kStandingFormat).u8(standing.networks ? 1 : 0);
  if (standing.networks) {
    writer.u32(static_cast<std::uint32_t>(standing.networks->size()));
    for (auto const& network : *standing.networks) writer.sized(network);
  }
  writer.u32(static_cast<std::uint32_t>(standing.acknowledgements.size()));
  for (auto const& read : standing.acknowledgements)
    writer.sized(read.topic).u32(read.version).u64(to_unix_ms(read.at));
  writer.u64(standing.until ? to_unix_ms(*standing.until) : 0);
  return row;
}

Result<std::shared_ptr<Standing const>> decode_standing(ByteView row) {
  ByteReader reader(row);
  std::uint8_t const format = TACENDA_TRY(reader.u8());
  if (format != row::kFormat && format != kStandingFormat)
    return fail(ErrorKind::kCorrupt, "a directory row has an unknown format");
  Standing standing;
  if (TACENDA_TRY(reader.u8()) != 0) {
    standing.networks.emplace();
    for (auto left = TACENDA_TRY(row::read_count(reader, limits::kNetworksPerList)); left > 0; --left)
      standing.networks->push_back(TACENDA_TRY(row::read_text(reader)));
  }
  for (auto left = TACENDA_TRY(row::read_count(reader, limits::kAwarenessTopics)); left > 0; --left) {
    Acknowledgement read;
    read.topic = TACENDA_TRY(row::read_text(reader));
    read.version = TACENDA_TRY(reader.u32());
    read.at = from_unix_ms(TACENDA_TRY(reader.u64()));
    standing.acknowledgements.push_back(std::move(read));
  }
  if (format == kStandingFormat) {
    if (auto const until = TACENDA_TRY(reader.u64()); until != 0) standing.until = from_unix_ms(until);
  }
  TACENDA_TRY_VOID(row::check_end(reader));
  return std::make_shared<Standing const>(std::move(standing));
}

}  // namespace tacenda::identity

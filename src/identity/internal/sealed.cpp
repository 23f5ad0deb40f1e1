// Rows of emergency accounts and of emergency mode, and how printed credentials are written and typed.
#include "codec/text.hpp"
#include "identity/internal/account.hpp"
#include "identity/internal/row.hpp"
#include "identity/internal/state.hpp"

namespace tacenda::identity {

Bytes encode_sealed(Sealed const& sealed) {
  Bytes row;
  ByteWriter(row)
      .u8(row::kFormat)
      .u64(to_unix_ms(sealed.made))
      .sized(sealed.opened_in)
      .u64(sealed.opened ? to_unix_ms(*sealed.opened) : 0);
  return row;
}

Result<std::shared_ptr<Sealed const>> decode_sealed(ByteView bytes) {
  ByteReader reader(bytes);
  TACENDA_TRY_VOID(row::read_format(reader));
  auto sealed = std::make_shared<Sealed>();
  sealed->made = from_unix_ms(TACENDA_TRY(reader.u64()));
  sealed->opened_in = TACENDA_TRY(row::read_text(reader));
  if (auto const opened = TACENDA_TRY(reader.u64()); opened != 0) sealed->opened = from_unix_ms(opened);
  TACENDA_TRY_VOID(row::check_end(reader));
  return sealed;
}

Bytes encode_emergency_mode(EmergencyMode const& mode) {
  Bytes row;
  ByteWriter(row)
      .u8(row::kFormat)
      .sized(mode.id)
      .u64(to_unix_ms(mode.begun))
      .u64(to_unix_ms(mode.until))
      .sized(mode.reason)
      .sized(mode.by);
  return row;
}

Result<EmergencyMode> decode_emergency_mode(ByteView bytes) {
  ByteReader reader(bytes);
  TACENDA_TRY_VOID(row::read_format(reader));
  EmergencyMode mode;
  mode.id = TACENDA_TRY(row::read_text(reader));
  mode.begun = from_unix_ms(TACENDA_TRY(reader.u64()));
  mode.until = from_unix_ms(TACENDA_TRY(reader.u64()));
  mode.reason = TACENDA_TRY(row::read_text(reader));
  mode.by = TACENDA_TRY(row::read_text(reader));
  TACENDA_TRY_VOID(row::check_end(reader));
  return mode;
}

std::string printed_code(std::string_view base32) {
  std::string grouped;
  for (std::size_t at = 0; at < base32.size(); at += 4)
    grouped.append(at == 0 ? "" : "-").append(base32.substr(at, 4));
  return grouped;
}

SecretBuffer plain_code(std::string_view typed) {
  SecretBuffer plain(typed.size());
  std::size_t size = 0;
  for (char const c : typed) {
    if (c == '-' || c == ' ') continue;
    plain.reveal_mutable()[size++] = static_cast<std::byte>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return SecretBuffer(plain.reveal().first(size));
}

bool Directory::State::opens(Account const& account, Time now) const {
  if (!account.sealed) return true;
  auto const& opened_in = account.sealed->opened_in;
  return emergency && emergency->is_on(now) && (opened_in.empty() || opened_in == emergency->id);
}

bool Directory::State::is_usable(Account const& account, Time now) const {
  return account.is_active(now) && opens(account, now);
}

Result<void> Directory::State::still_opens(Account const& account) const {
  ReadLock const lock(mutex);
  if (opens(account, clock.now())) return {};
  return fail(ErrorKind::kUnauthenticated, "the emergency has ended meanwhile");
}

std::vector<std::shared_ptr<Account>> Directory::State::emergency_accounts() const {
  std::vector<std::shared_ptr<Account>> accounts;
  for (auto const& [id, account] : by_id) {
    if (account->sealed) accounts.push_back(account);
  }
  return accounts;
}

void Directory::State::open_seal(Account& account, Attempt& attempt) const {
  attempt.emergency = emergency;
  if (!account.sealed->opened_in.empty()) return;
  Sealed opened = *account.sealed;
  opened.opened_in = emergency->id;
  opened.opened = clock.now();
  account.sealed = std::make_shared<Sealed const>(std::move(opened));
}

Result<void> Directory::State::put_emergency(vault::WriteSet& set,
                                             std::optional<EmergencyMode> const& mode) const {
  auto const key = as_bytes(kEmergencyKey);
  set.depends_on(rows.guard(key));
  set.touches(rows.guard(key));
  if (mode) return rows.put(set, key, encode_emergency_mode(*mode));
  rows.erase(set, key);
  return {};
}

}  // namespace tacenda::identity

#include "authorization/used_assertions.hpp"

#include <algorithm>

#include "authorization/internal/row.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"
#include "crypto/hash.hpp"

namespace tacenda::authorization {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kErasedAtOnce = 64;

Digest name_of(std::string_view client, std::string_view id) {
  Bytes text;
  ByteWriter(text).sized(client).sized(id);
  return crypto::sha256(text);
}

}  // namespace

Bytes encode_used(std::string_view client, Time until) {
  Bytes row;
  ByteWriter(row).u8(kFormat).sized(client).u64(to_unix_ms(until));
  return row;
}

Result<std::pair<std::string, Time>> decode_used(ByteView row) {
  ByteReader reader(row);
  TACENDA_TRY_VOID(row::read_format(reader, kFormat));
  auto client = TACENDA_TRY(row::read_text(reader));
  Time const until = from_unix_ms(TACENDA_TRY(reader.u64()));
  TACENDA_TRY_VOID(row::check_end(reader));
  return std::pair(std::move(client), until);
}

UsedAssertions::UsedAssertions(vault::Vault& vault)
    : rows_(vault.sealed_view(row::kKeeper, vault::Purpose::kAuth)) {}

Bytes UsedAssertions::key_of(Digest const& name) {
  Bytes key;
  ByteWriter(key).u8('j').raw(name);
  return key;
}

Result<void> UsedAssertions::load(Time now) {
  MutexLock const lock(mutex_);
  auto* self = this;
  TACENDA_TRY_VOID(rows_.scan(
      as_bytes("j"), [self](ByteView key, ByteView row) TACENDA_REQUIRES(self->mutex_) -> Result<bool> {
        Digest name{};
        if (key.size() != 1 + name.size()) return row::corrupt();
        std::ranges::copy(key.subspan(1), name.begin());
        auto [client, until] = TACENDA_TRY(decode_used(row));
        self->insert(name, {std::move(client), until});
        return true;
      }));
  forget(now);
  return {};
}

void UsedAssertions::insert(Digest const& name, Entry entry) {
  by_end_.emplace(entry.until, name);
  ++of_client_[entry.client];
  used_.insert_or_assign(name, std::move(entry));
}

void UsedAssertions::forget(Time now) {
  while (!by_end_.empty() && by_end_.begin()->first < now) {
    auto const name = by_end_.begin()->second;
    by_end_.erase(by_end_.begin());
    auto const found = used_.find(name);
    auto const count = of_client_.find(found->second.client);
    if (--count->second == 0) of_client_.erase(count);
    used_.erase(found);
    dead_.push_back(name);
  }
}

Result<Digest> UsedAssertions::use(std::string_view client, std::string_view id, Time expires, Time now) {
  auto const name = name_of(client, id);
  MutexLock const lock(mutex_);
  forget(now);
  if (used_.contains(name)) return fail(ErrorKind::kUnauthenticated, "the assertion was used before");
  auto const count = of_client_.find(client);
  if (count != of_client_.end() && count->second >= limits::kAssertionsPerClient)
    return fail(ErrorKind::kThrottled, "the application shows too many assertions");
  // Longer than it would be taken, whichever way the clocks differ.
  insert(name, {std::string(client), expires + 2 * limits::kAssertionSkew});
  return name;
}

Result<void> UsedAssertions::write(Digest const& used, vault::WriteSet& set) const {
  MutexLock const lock(mutex_);
  auto const found = used_.find(used);
  if (found != used_.end())
    TACENDA_TRY_VOID(rows_.put(set, key_of(used), encode_used(found->second.client, found->second.until)));
  // A row that is left, because this commit fails, is read and forgotten at the next start.
  for (std::size_t i = 0; i < kErasedAtOnce && !dead_.empty(); ++i) {
    rows_.erase(set, key_of(dead_.back()));
    dead_.pop_back();
  }
  return {};
}

}  // namespace tacenda::authorization

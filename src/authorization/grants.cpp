#include "authorization/grants.hpp"

#include <algorithm>
#include <utility>

#include "authorization/internal/row.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/process.hpp"
#include "crypto/hash.hpp"

namespace tacenda::authorization {
namespace {

constexpr std::uint8_t kFormat = 3;  // format 1 has no launch, format 2 no certificate
constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kErasedAtOnce = 64;

}  // namespace

Bytes encode_grant(Grant const& grant) {
  Bytes row;
  ByteWriter writer(row);
  writer.u8(kFormat)
      .sized(grant.client)
      .sized(grant.user.view())
      .u32(grant.account_epoch)
      .u8(std::to_underlying(grant.method))
      .sized(codec::write_scopes(grant.scopes))
      .sized(grant.patient.value_or(std::string()))
      .u8(std::to_underlying(grant.refresh))
      .u32(grant.generation)
      .u64(to_unix_ms(grant.created))
      .u64(to_unix_ms(grant.expires))
      .u8(grant.launch ? 1 : 0);
  if (grant.launch) row::put_launch(writer, *grant.launch);
  row::put_digest(writer, grant.certificate);
  return row;
}

Result<Grant> decode_grant(ByteView bytes) {
  ByteReader reader(bytes);
  auto const format = TACENDA_TRY(row::read_format_up_to(reader, kFormat));
  auto client = TACENDA_TRY(row::read_text(reader));
  auto user = UserId::parse(TACENDA_TRY(row::read_text(reader)));
  if (!user.has_value()) return row::corrupt();
  Grant grant(std::move(*user));
  grant.client = std::move(client);
  grant.account_epoch = TACENDA_TRY(reader.u32());
  auto const method = TACENDA_TRY(reader.u8());
  if (method > std::to_underlying(identity::Method::kSealed)) return row::corrupt();
  grant.method = static_cast<identity::Method>(method);
  grant.scopes = TACENDA_TRY(row::read_scopes(reader));
  if (auto patient = TACENDA_TRY(row::read_text(reader)); !patient.empty()) grant.patient = std::move(patient);
  auto const refresh = TACENDA_TRY(reader.u8());
  if (refresh > std::to_underlying(Grant::Refresh::kOffline)) return row::corrupt();
  grant.refresh = static_cast<Grant::Refresh>(refresh);
  grant.generation = TACENDA_TRY(reader.u32());
  grant.created = from_unix_ms(TACENDA_TRY(reader.u64()));
  grant.expires = from_unix_ms(TACENDA_TRY(reader.u64()));
  if (format >= 2 && TACENDA_TRY(row::read_flag(reader))) grant.launch = TACENDA_TRY(row::read_launch(reader));
  if (format >= 3) grant.certificate = TACENDA_TRY(row::read_digest(reader));
  TACENDA_TRY_VOID(row::check_end(reader));
  return grant;
}

void tell_context(Grant const& grant, codec::Json& answer) {
  using codec::Json;
  if (grant.patient) answer.set("patient", Json::string(*grant.patient));
  if (!grant.launch) return;
  answer.set("need_patient_banner", Json::boolean(grant.launch->need_patient_banner));
  if (!grant.launch->encounter.empty()) answer.set("encounter", Json::string(grant.launch->encounter));
  if (!grant.launch->intent.empty()) answer.set("intent", Json::string(grant.launch->intent));
}

Grants::Grants(vault::Vault& vault, identity::Directory& directory, Clock const& clock,
               crypto::MacKey const& key)
    : vault_(vault),
      directory_(directory),
      clock_(clock),
      rows_(vault.sealed_view(row::kKeeper, vault::Purpose::kAuth)),
      refresh_key_(key) {}

Bytes Grants::key_of(std::string_view id) {
  Bytes key;
  ByteWriter(key).u8('g').raw(as_bytes(id));
  return key;
}

Result<void> Grants::load() {
  WriteLock const lock(mutex_);
  auto* self = this;
  return rows_.scan(as_bytes("g"),
                    [self](ByteView key, ByteView row) TACENDA_REQUIRES(self->mutex_) -> Result<bool> {
                      auto grant = std::make_shared<Grant>(TACENDA_TRY(decode_grant(row)));
                      grant->id = as_text(key.subspan(1));
                      self->grants_.emplace(grant->id, grant);
                      return true;
                    });
}

Result<std::string> Grants::new_id() const {
  return codec::base64url_encode(TACENDA_TRY(vault_.random_bytes16()));
}

Result<void> Grants::put(vault::WriteSet& set, Grant const& grant) const {
  auto const key = key_of(grant.id);
  set.depends_on(rows_.guard(key));
  set.touches(rows_.guard(key));
  return rows_.put(set, key, encode_grant(grant));
}

Result<void> Grants::may_begin(std::string_view id) const {
  ReadLock const lock(mutex_);
  if (!ended_early_.contains(id)) return {};
  return fail(ErrorKind::kUnauthenticated, "what this application was allowed has ended");
}

bool Grants::is_over(Grant const& grant) const {
  return clock_.now() >= grant.expires;
}

void Grants::erase_over(vault::WriteSet& set) {
  WriteLock const lock(mutex_);
  std::size_t erased = 0;
  for (auto at = grants_.begin(); at != grants_.end() && erased < kErasedAtOnce;) {
    if (!is_over(*at->second)) {
      ++at;
      continue;
    }
    // A row that is left, because this commit fails, is read and erased after the next start.
    rows_.erase(set, key_of(at->first));
    at = grants_.erase(at);
    ++erased;
  }
}

Result<identity::Pending> Grants::begin(Grant grant) {
  if (of(grant.user).size() >= limits::kGrantsPerUser)
    return fail(ErrorKind::kThrottled, "this person has allowed too many applications: end some");
  auto const begun = std::make_shared<Grant const>(std::move(grant));  // shared with the map
  return identity::Pending(
      [this, begun]() -> Result<vault::WriteSet> {
        vault::WriteSet set;
        set.read_at(vault_.order().committed());
        TACENDA_TRY_VOID(may_begin(begun->id));
        TACENDA_TRY_VOID(put(set, *begun));
        erase_over(set);
        return set;
      },
      [this, begun](bool committed) {
        if (!committed) return;
        WriteLock const lock(mutex_);
        if (!ended_early_.contains(begun->id)) grants_.emplace(begun->id, begun);
      });
}

Result<identity::Pending> Grants::advance(Grant const& grant, Time expires) {
  auto next = std::make_shared<Grant>(grant);
  ++next->generation;
  next->expires = expires;
  std::shared_ptr<Grant const> before;
  {
    WriteLock const lock(mutex_);
    auto const found = grants_.find(grant.id);
    // Of two that show the same token at once the second shows one that was used.
    if (found == grants_.end() || found->second->generation != grant.generation)
      return fail(ErrorKind::kConflict, "the refresh token was used meanwhile");
    before = std::exchange(found->second, next);
  }
  return identity::Pending(
      [this, next]() -> Result<vault::WriteSet> {
        vault::WriteSet set;
        set.read_at(vault_.order().committed());
        TACENDA_TRY_VOID(confirm(next->id));  // not what was ended meanwhile
        TACENDA_TRY_VOID(put(set, *next));
        return set;
      },
      [this, next, before](bool committed) {
        if (committed) return;
        WriteLock const lock(mutex_);
        auto const found = grants_.find(next->id);
        if (found != grants_.end() && found->second == next) found->second = before;
      });
}

identity::Pending Grants::end(std::string_view id) {
  {
    WriteLock const lock(mutex_);
    Time const now = clock_.now();
    std::erase_if(ended_early_, [&](auto const& item) { return item.second <= now; });
    auto const found = grants_.find(id);
    if (found != grants_.end()) {
      grants_.erase(found);
    } else {
      ended_early_.insert_or_assign(std::string(id), now + limits::kCodeMemory);
    }
  }
  // shared by the two closures of one Pending
  auto const tokens = std::make_shared<identity::Pending>(directory_.end_application_tokens(
      [&](identity::Application const& application) { return application.grant == id; }));
  return identity::Pending(
      [this, key = key_of(id), tokens]() -> Result<vault::WriteSet> {
        auto set = TACENDA_TRY(tokens->set());
        // What depends on the grant and is not yet committed must not be.
        set.touches(rows_.guard(key));
        rows_.erase(set, key);
        return set;
      },
      [tokens](bool committed) {
        if (committed) tokens->committed();
      });
}

std::shared_ptr<Grant const> Grants::find(std::string_view id) const {
  ReadLock const lock(mutex_);
  auto const found = grants_.find(id);
  return found == grants_.end() || is_over(*found->second) ? nullptr : found->second;
}

std::vector<std::shared_ptr<Grant const>> Grants::of(UserId const& user) const {
  std::vector<std::shared_ptr<Grant const>> own;
  {
    ReadLock const lock(mutex_);
    for (auto const& [id, grant] : grants_) {
      if (grant->user == user && !is_over(*grant)) own.push_back(grant);
    }
  }
  std::ranges::sort(own, {}, [](auto const& grant) { return grant->created; });
  return own;
}

Digest Grants::mac_of(ByteView id, std::uint32_t generation) const {
  Bytes text;
  ByteWriter(text).raw(id).u32(generation);
  return refresh_key_.sign({text});
}

std::string Grants::refresh_token(Grant const& grant) const {
  auto const id = codec::base64url_decode(grant.id);
  TACENDA_ASSERT(id.has_value() && id->size() == kIdBytes);
  Bytes token;
  ByteWriter(token).raw(*id).u32(grant.generation).raw(mac_of(*id, grant.generation));
  return codec::base64url_encode(token);
}

std::optional<Grants::Shown> Grants::read(std::string_view refresh_token) const {
  auto const bytes = codec::base64url_decode(refresh_token);
  if (!bytes.has_value() || bytes->size() != kIdBytes + 4 + Digest().size()) return std::nullopt;
  ByteView const token(*bytes);
  auto const id = token.first(kIdBytes);
  auto const generation = ByteReader(token.subspan(kIdBytes)).u32();
  if (!generation.has_value() || *generation == 0 ||
      !crypto::equal_constant_time(mac_of(id, *generation), token.subspan(kIdBytes + 4)))
    return std::nullopt;
  auto grant = find(codec::base64url_encode(id));
  if (!grant) return std::nullopt;
  bool const is_newest = grant->generation == *generation;
  return Shown{std::move(grant), is_newest};
}

Result<void> Grants::confirm(std::string_view id) const {
  if (find(id)) return {};
  return fail(ErrorKind::kUnauthenticated, "what this application was allowed has ended");
}

Result<void> Grants::confirm(std::string_view id, vault::WriteSet& set) const {
  // First as of when, then the question: a change that commits in between is later than what was asked.
  set.read_at(vault_.order().committed());
  set.depends_on(rows_.guard(key_of(id)));
  return confirm(id);
}

}  // namespace tacenda::authorization

#include "authorization/remote_keys.hpp"

#include <algorithm>
#include <charconv>

#include "codec/field_text.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "crypto/hash.hpp"

namespace tacenda::authorization {
namespace {

using std::chrono::seconds;

constexpr std::size_t kDigestShown = 16;
constexpr Literal kNotNow("the keys of the application cannot be had now");

std::shared_ptr<ClientKey const> key_in(std::shared_ptr<std::vector<ClientKey> const> const& keys,
                                        std::string_view key_id) {
  auto const found = std::ranges::find(*keys, key_id, &ClientKey::key_id);
  return found == keys->end() ? nullptr : std::shared_ptr<ClientKey const>(keys, &*found);
}

}  // namespace

std::chrono::seconds keys_lifetime(std::string_view cache_control) {
  std::optional<seconds> said;
  auto const say = [&](seconds life) { said = said ? std::min(*said, life) : life; };
  while (!cache_control.empty()) {
    auto const end = std::min(cache_control.find(','), cache_control.size());
    auto const directive = codec::trim(cache_control.substr(0, end));
    cache_control.remove_prefix(std::min(end + 1, cache_control.size()));
    auto const equals = directive.find('=');
    auto const name = directive.substr(0, equals);
    if (codec::equal_ignoring_case(name, "no-store") || codec::equal_ignoring_case(name, "no-cache"))
      say(seconds(0));
    if (!codec::equal_ignoring_case(name, "max-age")) continue;
    auto const digits = equals == std::string_view::npos ? std::string_view() : directive.substr(equals + 1);
    std::uint32_t value = 0;
    auto const [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range) {
      say(limits::kKeysLifeMax);
    } else {
      // What is no number may mean anything: the least.
      bool const is_number = error == std::errc() && rest == digits.data() + digits.size();
      say(is_number ? seconds(value) : seconds(0));
    }
  }
  return std::clamp<seconds>(said.value_or(limits::kKeysLife), limits::kKeysLifeMin, limits::kKeysLifeMax);
}

std::string names_of_keys(std::vector<ClientKey> const& keys) {
  std::string text = "keys:";
  for (auto const& key : keys) text.append(" ").append(key.key_id);
  return text;
}

std::shared_ptr<RemoteKeys::Entry> RemoteKeys::entry_of(Client const& client) {
  auto& entry = entries_[client.id];
  // Keys of an address that is not the application's any more are not its keys.
  if (!entry || entry->url != client.jwks_url) {
    entry = std::make_shared<Entry>();
    entry->url = client.jwks_url;
  }
  return entry;
}

bool RemoteKeys::wait(Entry& entry) {
  if (entry.waiting >= limits::kKeysWaiting || held_ >= slots_) return false;
  ++entry.waiting;
  ++held_;
  while (entry.is_asked) changed_.wait(mutex_);
  --held_;
  --entry.waiting;
  return true;
}

void RemoteKeys::take(Client const& client, Entry& entry, Result<FetchedKeys> const& fetched,
                      std::vector<KeysNotice>& notices) {
  Time const now = clock_.now();
  auto keys = fetched.has_value() ? client_keys(fetched->jwks) : std::unexpected(fetched.error());
  if (!keys.has_value()) {
    entry.next = now + limits::kKeysRetry;
    notices.push_back({client.id, entry.told, {}, keys.error().literal()});
    return;
  }
  // By all of the set: another key under the same kid is another key.
  auto const digest = codec::hex_encode(crypto::sha256(as_bytes(fetched->jwks)));
  std::string now_told = names_of_keys(*keys) + ", sha256 " + digest.substr(0, kDigestShown);
  if (now_told != entry.told) notices.push_back({client.id, entry.told, now_told, std::nullopt});
  entry.told = std::move(now_told);
  seconds const life = keys_lifetime(fetched->cache_control);
  entry.keys = std::make_shared<Keys const>(std::move(*keys));
  entry.expires = now + life;
  entry.renewed = entry.expires - life / 5;
}

Result<std::shared_ptr<ClientKey const>> RemoteKeys::find(Client const& client, std::string_view key_id,
                                                          std::vector<KeysNotice>& notices) {
  MutexLock const lock(mutex_);
  while (true) {
    Time const now = clock_.now();
    auto const entry = entry_of(client);
    bool const is_good = entry->keys && now < entry->expires;
    auto key = is_good ? key_in(entry->keys, key_id) : nullptr;
    bool const is_time = now >= entry->next && fetch_;
    bool const may_ask = is_time && held_ < slots_;
    // Who has his key waits for nobody; one of those who come shortly before the end asks for all.
    if (key && (now < entry->renewed || entry->is_asked || !may_ask)) return key;
    if (entry->is_asked) {
      if (!wait(*entry)) return fail(ErrorKind::kUnavailable, kNotNow);
      continue;
    }
    if (!may_ask) {
      if (is_good && !is_time)
        return fail(ErrorKind::kUnauthenticated, "the application has no key of this kid");
      return fail(ErrorKind::kUnavailable, kNotNow);
    }
    entry->is_asked = true;
    entry->next = now + limits::kKeysLifeMin;
    ++held_;
    mutex_.unlock();
    auto const fetched = fetch_(entry->url);
    mutex_.lock();
    --held_;
    entry->is_asked = false;
    take(client, *entry, fetched, notices);
    changed_.notify_all();
  }
}

}  // namespace tacenda::authorization

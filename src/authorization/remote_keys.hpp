#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "authorization/client.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"

namespace tacenda::authorization {

/// What the address of a set of keys answered.
struct FetchedKeys {
  std::string jwks;
  std::string cache_control;  // of the answer; empty: it had none
};
/// Gets a set from its https address: verified, not beyond its bounds of size and time, from no address that
/// the operator has not opened. May block for limits::kKeysTime. Must be thread-safe.
/// Errors: any kind; the message is for the log.
using FetchKeys = std::function<Result<FetchedKeys>(std::string const& url)>;

/// That keys of an application came, went, or could not be had: for the audit log.
struct KeysNotice {
  std::string client;
  std::string before;  // "keys: a b, sha256 0123456789abcdef" (of the whole set); empty: there were none
  std::string after;
  std::optional<Literal> problem;  // nullopt: they were had
};

/// Keys that applications show at an address of their own. A set is kept as long as its answer says, within
/// limits::kKeysLifeMin and limits::kKeysLifeMax; one that is too old is good for nothing. A kid that is not
/// in it has it asked for anew, limits::kKeysLifeMin after the last time at the earliest; an address that
/// failed is left alone for limits::kKeysRetry.
///
/// Owner: Server. Thread-safe. One thread at a time asks for the keys of one application, at most `slots` for
/// those of all, and few wait for it: an address that does not answer holds nobody else up.
/// Source: SMART App Launch 2.2, client-confidential-asymmetric.html; RFC 7517; REQUIREMENTS F-13.
class RemoteKeys {
 public:
  /// `fetch` not set: nothing is ever had.
  RemoteKeys(Clock const& clock, FetchKeys fetch, std::size_t slots)
      : clock_(clock), fetch_(std::move(fetch)), slots_(slots) {}

  /// The key of this kid. `notices` gets what the log is to know. Errors: kUnauthenticated (the set has
  /// none), kUnavailable (the keys cannot be had now).
  Result<std::shared_ptr<ClientKey const>> find(Client const& client, std::string_view key_id,
                                                std::vector<KeysNotice>& notices);

 private:
  using Keys = std::vector<ClientKey>;
  struct Entry {
    std::string url;
    std::string told;                  // as KeysNotice has them
    std::shared_ptr<Keys const> keys;  // shared: lookups in flight keep theirs; nullptr: never had
    Time expires{};
    Time renewed{};  // from when on it is asked for before it expires
    Time next{};     // not asked for before
    bool is_asked = false;
    std::size_t waiting = 0;
  };
  std::shared_ptr<Entry> entry_of(Client const& client) TACENDA_REQUIRES(mutex_);
  /// Waits until it is asked for no more. False: too many wait.
  bool wait(Entry& entry) TACENDA_REQUIRES(mutex_);
  void take(Client const& client, Entry& entry, Result<FetchedKeys> const& fetched,
            std::vector<KeysNotice>& notices) TACENDA_REQUIRES(mutex_);

  Clock const& clock_;
  FetchKeys const fetch_;
  std::size_t const slots_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::size_t held_ TACENDA_GUARDED_BY(mutex_) = 0;  // threads that ask or wait
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_ TACENDA_GUARDED_BY(mutex_);
};

/// How long an answer with this Cache-Control may be kept, within the bounds; of several directives the
/// shortest. Source: RFC 9111 section 5.2.2.
std::chrono::seconds keys_lifetime(std::string_view cache_control);

/// How the log names keys: "keys: a b".
std::string names_of_keys(std::vector<ClientKey> const& keys);

}  // namespace tacenda::authorization

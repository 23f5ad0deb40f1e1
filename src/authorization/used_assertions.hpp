#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "vault/vault.hpp"

namespace tacenda::authorization {

/// Which assertions were shown before: each `jti` of a client is good once, also behind a restart. In memory
/// and in rows `j` of SealedView(kAuthorization, kAuth), until the assertion could not be taken any more.
///
/// Owner: Server. Thread-safe. Source: RFC 7523 section 3, 7; SMART Backend Services.
class UsedAssertions {
 public:
  explicit UsedAssertions(vault::Vault& vault);
  /// Reads the rows. Once, before anything else. Errors: kCorrupt, kUnavailable.
  Result<void> load(Time now);

  /// Marks one as used, from now on and whatever becomes of the commit. Errors: kUnauthenticated (it was
  /// used), kThrottled (limits::kAssertionsPerClient of the client are remembered).
  Result<Digest> use(std::string_view client, std::string_view id, Time expires, Time now);
  /// Puts into `set` what makes it durable, and takes rows out that nobody needs any more.
  Result<void> write(Digest const& used, vault::WriteSet& set) const;

 private:
  struct Entry {
    std::string client;
    Time until{};  // remembered
  };
  static Bytes key_of(Digest const& name);
  void insert(Digest const& name, Entry entry) TACENDA_REQUIRES(mutex_);
  void forget(Time now) TACENDA_REQUIRES(mutex_);

  vault::SealedView rows_;
  mutable Mutex mutex_;
  std::map<Digest, Entry> used_ TACENDA_GUARDED_BY(mutex_);
  std::set<std::pair<Time, Digest>> by_end_ TACENDA_GUARDED_BY(mutex_);
  std::map<std::string, std::size_t, std::less<>> of_client_ TACENDA_GUARDED_BY(mutex_);
  mutable std::vector<Digest> dead_ TACENDA_GUARDED_BY(mutex_);  // whose rows are still there
};

// Row (docs/data-file.md, "Authorization rows").
Bytes encode_used(std::string_view client, Time until);
/// Errors: kCorrupt.
Result<std::pair<std::string, Time>> decode_used(ByteView row);

}  // namespace tacenda::authorization

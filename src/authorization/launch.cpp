#include "authorization/launch.hpp"

#include <algorithm>

#include "core/application_limits.hpp"
#include "crypto/hash.hpp"

namespace tacenda::authorization {

void Launches::forget(Time now) {
  std::erase_if(launches_, [&](auto const& item) { return item.second.forgotten <= now; });
}

Result<void> Launches::add(std::string_view handle, Launch launch) {
  Time const now = clock_.now();
  MutexLock const lock(mutex_);
  forget(now);
  auto const own = std::ranges::count_if(
      launches_, [&](auto const& item) { return item.second.launch.user == launch.user; });
  if (launches_.size() >= limits::kLaunches || static_cast<std::size_t>(own) >= limits::kLaunchesPerUser)
    return fail(ErrorKind::kThrottled, "too many applications are being started at once");
  Time const expires = now + limits::kLaunchLife;
  launches_.insert_or_assign(crypto::sha256(as_bytes(handle)),
                             Entry{std::move(launch), std::nullopt, expires, expires});
  return {};
}

std::optional<ShownLaunch> Launches::show(std::string_view handle, std::string_view client,
                                          Digest const& browser) {
  Time const now = clock_.now();
  auto const name = crypto::sha256(as_bytes(handle));
  MutexLock const lock(mutex_);
  forget(now);
  auto const found = launches_.find(name);
  if (found == launches_.end() || now >= found->second.expires) return std::nullopt;
  auto& entry = found->second;
  // The same browser may load its page again; a handle that somebody caught is of no use in another.
  if (entry.launch.client != client || (entry.browser && *entry.browser != browser)) return std::nullopt;
  entry.browser = browser;
  entry.forgotten = now + limits::kAuthorizationTime;
  return ShownLaunch{name, entry.launch.user, entry.launch.patient, entry.launch.context};
}

bool Launches::take(Digest const& name) {
  MutexLock const lock(mutex_);
  return launches_.erase(name) == 1;
}

bool is_intent(std::string_view text) {
  constexpr auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._:/-").contains(c);
  };
  return !text.empty() && text.size() <= limits::kIntentBytes && std::ranges::all_of(text, is_allowed);
}

}  // namespace tacenda::authorization

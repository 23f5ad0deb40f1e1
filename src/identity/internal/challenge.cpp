#include "identity/internal/challenge.hpp"

#include <algorithm>
#include <utility>

#include "core/limits.hpp"

namespace tacenda::identity {
namespace {

constexpr std::size_t kRandomBytes = 16;
constexpr std::size_t kEndBytes = 8;
constexpr std::size_t kMacBytes = 16;

std::uint64_t ms_of(std::chrono::steady_clock::time_point time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

/// When a challenge of the right length ends.
std::uint64_t end_of(ByteView challenge) {
  std::uint64_t end = 0;
  for (auto const byte : challenge.subspan(kRandomBytes, kEndBytes))
    end = end << 8U | std::to_integer<std::uint64_t>(byte);
  return end;
}

}  // namespace

Digest ChallengeBook::mac_of(ByteView random_and_end, Ceremony ceremony, std::string_view user) const {
  std::byte const which{std::to_underlying(ceremony)};
  return mac_.sign({ByteView(&which, 1), random_and_end, as_bytes(user)});
}

Result<Bytes> ChallengeBook::offer(Ceremony ceremony, std::string_view user,
                                   std::chrono::steady_clock::time_point now, crypto::Random& random) const {
  Bytes challenge(kRandomBytes);
  TACENDA_TRY_VOID(random.fill(challenge));
  ByteWriter(challenge).u64(ms_of(now + limits::kPasskeyChallenge));
  Digest const mac = mac_of(challenge, ceremony, user);
  append(challenge, ByteView(mac).first(kMacBytes));
  return challenge;
}

bool ChallengeBook::is_open(ByteView challenge, Ceremony ceremony, std::string_view user,
                            std::chrono::steady_clock::time_point now) const {
  if (challenge.size() != kBytes) return false;
  Digest const mac = mac_of(challenge.first(kRandomBytes + kEndBytes), ceremony, user);
  if (!crypto::equal_constant_time(challenge.last(kMacBytes), ByteView(mac).first(kMacBytes))) return false;
  return ms_of(now) < end_of(challenge) && !used_.contains(to_bytes(challenge));
}

bool ChallengeBook::use(ByteView challenge, Holder holder, std::chrono::steady_clock::time_point now) {
  std::erase_if(used_, [now_ms = ms_of(now)](auto const& used) { return used.second.end <= now_ms; });
  auto const own =
      std::ranges::count_if(used_, [&](auto const& used) { return used.second.holder == holder.name; });
  if (static_cast<std::size_t>(own) >= holder.used_max || used_.size() >= limits::kPasskeyChallengesUsed)
    return false;
  return used_.emplace(to_bytes(challenge), Used{end_of(challenge), std::string(holder.name)}).second;
}

}  // namespace tacenda::identity

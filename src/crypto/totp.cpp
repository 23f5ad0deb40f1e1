#include "crypto/totp.hpp"

#include <array>
#include <limits>

#include <openssl/crypto.h>

#include "crypto/hash.hpp"
#include "crypto/internal/openssl.hpp"

namespace tacenda::crypto {
namespace {

constexpr std::size_t kSha1Bytes = 20;

// RFC 4226 section 5.3: dynamic truncation.
std::uint32_t truncate(std::array<std::byte, kSha1Bytes> const& mac) {
  auto const offset = std::to_integer<std::size_t>(mac.back() & std::byte{0x0f});
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | std::to_integer<std::uint32_t>(mac[offset + i]);
  return value & 0x7fff'ffffU;
}

}  // namespace

std::uint64_t totp_step(Time time) {
  return to_unix_ms(time) / 1'000 / kTotpStepSeconds;
}

std::string totp_code(SecretBuffer const& seed, std::uint64_t step) {
  std::array<std::byte, 8> message{};
  std::uint64_t rest = step;
  for (std::size_t i = message.size(); i-- > 0; rest >>= 8U)
    message[i] = static_cast<std::byte>(rest & 0xffU);
  std::array<std::byte, kSha1Bytes> mac{};
  std::size_t size = 0;
  internal::must(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA1", nullptr, internal::in(seed.reveal()),
                           seed.size(), internal::in(message), message.size(), internal::out(mac), mac.size(),
                           &size));
  std::string code(kTotpDigits, '0');
  std::uint32_t value = truncate(mac);
  for (std::size_t i = code.size(); i-- > 0; value /= 10) code[i] = static_cast<char>('0' + value % 10);
  ::OPENSSL_cleanse(mac.data(), mac.size());
  return code;
}

std::optional<std::uint64_t> match_totp(SecretBuffer const& seed, std::string_view code, std::uint64_t step,
                                        TotpWindow window) {
  std::uint64_t const first = step - std::min(step, window.before);
  std::uint64_t const last = step + std::min(std::numeric_limits<std::uint64_t>::max() - step, window.after);
  std::optional<std::uint64_t> matched;
  // No early end: how long it takes must not tell which step, if any, the code is of.
  for (std::uint64_t at = first;; ++at) {
    if (equal_constant_time(as_bytes(totp_code(seed, at)), as_bytes(code))) matched = at;
    if (at == last) return matched;
  }
}

}  // namespace tacenda::crypto

#include "crypto/secret_sharing.hpp"

#include <algorithm>
#include <array>

namespace tacenda::crypto {
namespace {

using Element = std::uint8_t;

/// All ones when the lowest bit of `value` is set, else zero.
constexpr Element mask_of(unsigned value) {
  return static_cast<Element>(0U - (value & 1U));
}

constexpr Element multiply(Element a, Element b) {
  unsigned product = 0;
  unsigned power = a;  // a * x^i, reduced
  for (unsigned i = 0; i < 8; ++i) {
    product ^= power & mask_of(unsigned{b} >> i);
    power = (power << 1U) ^ (0x11bU & (0U - (power >> 7U)));
  }
  return static_cast<Element>(product);
}

/// a^254, which is 1/a; 0 of 0.
constexpr Element invert(Element a) {
  Element result = 1;
  Element square = a;
  for (int i = 0; i < 7; ++i) {
    square = multiply(square, square);
    result = multiply(result, square);
  }
  return result;
}

// FIPS 197, sections 4.2 and 4.2.1.
static_assert(multiply(0x57, 0x83) == 0xc1);
static_assert(multiply(0x57, 0x13) == 0xfe);
static_assert(multiply(0x53, invert(0x53)) == 1);

std::byte multiply(std::byte a, Element b) {
  return std::byte{multiply(std::to_integer<Element>(a), b)};
}

/// How much of the value at 0 the share `at` gives: the product of x_j / (x_j - x_at) over all others
/// (Lagrange). Indexes are no secret.
Element weight_of(std::span<Share const> shares, std::size_t at) {
  Element above = 1;
  Element below = 1;
  for (std::size_t other = 0; other < shares.size(); ++other) {
    if (other == at) continue;
    above = multiply(above, shares[other].index);
    below = multiply(below, shares[other].index ^ shares[at].index);
  }
  return multiply(above, invert(below));
}

Result<void> check(std::span<Share const> shares) {
  if (shares.size() < 2) return fail(ErrorKind::kInvalid, "fewer than two shares give nothing");
  std::array<bool, 256> seen{};
  seen[0] = true;  // no share lies there
  for (auto const& share : shares) {
    if (seen[share.index]) return fail(ErrorKind::kInvalid, "two shares have one index, or one has none");
    seen[share.index] = true;
    if (share.bytes.empty() || share.bytes.size() != shares.front().bytes.size())
      return fail(ErrorKind::kInvalid, "shares of one secret have one length");
  }
  return {};
}

}  // namespace

Result<std::vector<Share>> split_secret(ByteView secret, ShareCounts counts, Random& random) {
  if (secret.empty() || counts.threshold < 2 || counts.shares < counts.threshold)
    return fail(ErrorKind::kInvalid, "at least two shares must be needed, and as many made as are needed");
  // The coefficients of x, x^2 ...; those of 1 are the secret. The highest may be zero: if it could not, a
  // share would rule out one value of each byte.
  std::vector<SecretBuffer> coefficients;
  for (unsigned degree = 1; degree < counts.threshold; ++degree)
    TACENDA_TRY_VOID(random.fill(coefficients.emplace_back(secret.size()).reveal_mutable()));
  std::vector<Share> shares;
  shares.reserve(counts.shares);
  for (unsigned index = 1; index <= counts.shares; ++index) {
    auto const x = static_cast<Element>(index);
    Share& share = shares.emplace_back(Share{x, SecretBuffer(secret.size())});
    auto const out = share.bytes.reveal_mutable();
    for (std::size_t i = 0; i < secret.size(); ++i) {
      std::byte value{0};  // Horner's rule
      for (std::size_t at = coefficients.size(); at > 0; --at)
        value = multiply(value ^ coefficients[at - 1].reveal()[i], x);
      out[i] = value ^ secret[i];
    }
  }
  return shares;
}

Result<SecretBuffer> combine_shares(std::span<Share const> shares) {
  TACENDA_TRY_VOID(check(shares));
  SecretBuffer secret(shares.front().bytes.size());
  auto const out = secret.reveal_mutable();
  for (std::size_t at = 0; at < shares.size(); ++at) {
    Element const weight = weight_of(shares, at);
    auto const bytes = shares[at].bytes.reveal();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] ^= multiply(bytes[i], weight);
  }
  return secret;
}

}  // namespace tacenda::crypto

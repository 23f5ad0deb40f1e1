#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "core/secret.hpp"
#include "crypto/random.hpp"

/// Shamir's secret sharing, each byte by itself, over GF(2^8) with the polynomial of AES (0x11b): any
/// `threshold` shares give the secret back, fewer tell nothing of it, whatever computing power there is.
///
/// It tells nothing of a share that is wrong, either: the wrong ones give another secret of the same length.
/// Who combines must check what comes out (in the vault, the commitment of the slot).
///
/// Time and memory access depend on numbers and lengths of the shares, and not on their bytes: products are
/// made by shift and mask, without tables and branches.
///
/// Source: A. Shamir, "How to share a secret", CACM 22 (1979); FIPS 197 section 4.2 for the field.
namespace tacenda::crypto {

/// The value of the polynomials at `index`, which is not 0: there lies the secret.
struct Share {
  std::uint8_t index = 0;
  SecretBuffer bytes;  // as long as the secret
};

struct ShareCounts {
  std::uint8_t threshold = 0;  // so many give the secret back
  std::uint8_t shares = 0;     // so many are made
};

/// Shares 1 to `shares`. Errors: kInvalid (an empty secret, fewer than 2 needed, fewer made than needed),
/// kUnavailable (no randomness).
Result<std::vector<Share>> split_secret(ByteView secret, ShareCounts counts, Random& random);

/// What the shares give together; all of them are used, so give as many as the threshold. Errors: kInvalid
/// (fewer than 2, of different or no length, one of index 0, or two of one index).
Result<SecretBuffer> combine_shares(std::span<Share const> shares);

}  // namespace tacenda::crypto

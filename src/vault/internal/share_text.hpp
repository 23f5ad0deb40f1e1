#pragma once

#include <array>

#include "core/secret.hpp"
#include "vault/internal/slots.hpp"

/// A share as a person writes it down and types it in (docs/data-file.md, "Share"), version 1:
///
///   "TCS1" and 18 groups of four characters, with hyphens between: base32 (Crockford: no I, L, O, U) of
///   store(4) | slot(2) | index(1) | threshold(1) | share(32) | check(5)
///
/// store: the first bytes of the store's id. check: the first bytes of SHA-256("tacenda/share/1" ||
/// everything before it). It finds slips of the pen; anybody can make it, so it tells nothing of whether the
/// share is right. Read without regard to capitals, hyphens and blanks; O is 0, and I and L are 1.
namespace tacenda::vault {

inline constexpr std::size_t kShareBytes = 32;
inline constexpr std::size_t kShareTextBytes = 4 + 18 * 5;

struct ShareText {
  std::array<std::byte, 4> store{};
  std::uint16_t slot = 0;
  std::uint8_t threshold = 0;
  crypto::Share share;  // kShareBytes
};

SecretBuffer encode_share(ShareText const& share);
/// Errors: kInvalid.
Result<ShareText> decode_share(ByteView text);
/// True of what begins like a share, whatever version it is of: it is none of a passphrase.
bool begins_like_share(ByteView text);

}  // namespace tacenda::vault

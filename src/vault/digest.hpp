#pragma once

#include "core/bytes.hpp"
#include "crypto/hash.hpp"

namespace tacenda::vault {

/// SHA-256 of sealed bytes, for rooms above that bind them into the audit log.
inline Digest digest(ByteView sealed) {
  return crypto::sha256(sealed);
}

}  // namespace tacenda::vault

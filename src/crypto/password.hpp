#pragma once

#include <cstdint>
#include <string>

#include "core/bytes.hpp"
#include "core/secret.hpp"
#include "crypto/random.hpp"

namespace tacenda::crypto {

struct Argon2idCost {
  std::uint32_t memory_kib = 64 * 1024;
  std::uint32_t passes = 2;
};

/// Argon2id raw output (parallelism 1, as libsodium has it). Source: RFC 9106.
/// Errors: kInvalid (cost out of range, salt not 16 bytes), kUnavailable (memory).
Result<SecretBuffer> argon2id(ByteView password, ByteView salt, Argon2idCost cost, std::size_t size_bytes);

/// PHC string `$argon2id$v=19$m=..,t=..,p=1$salt$hash` over a secret that was already peppered.
Result<std::string> hash_password(ByteView peppered, Argon2idCost cost, Random& random);
/// Errors: kCorrupt when `phc` cannot be read.
Result<bool> verify_password(ByteView peppered, std::string const& phc);
/// True when `phc` was made with a lower cost than `cost`: hash again at the next log-in.
bool needs_rehash(std::string const& phc, Argon2idCost cost);

}  // namespace tacenda::crypto

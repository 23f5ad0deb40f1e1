#pragma once

#include <cstdint>
#include <initializer_list>

#include "core/bytes.hpp"

namespace tacenda::crypto {

/// A number for the concatenation of the parts, for tables in memory: under a random key of this process, so
/// that nobody can choose texts that meet in one. Never stored, and no proof of anything. Thread-safe.
/// Source: SipHash-2-4 (Aumasson and Bernstein 2012), libsodium's crypto_shorthash.
std::uint64_t table_hash(std::initializer_list<ByteView> parts);

}  // namespace tacenda::crypto

#pragma once

#include <climits>
#include <memory>
#include <span>

#include <openssl/evp.h>

#include "core/bytes.hpp"
#include "core/process.hpp"

/// Glue to OpenSSL, for crypto/ alone.
///
/// Calls that can only fail when memory is gone or when the library lacks an algorithm that the product
/// is built on are wrapped in `must`: there is nothing a caller could do about either.
namespace tacenda::crypto::internal {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Free<kFree>>;

using MdContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

inline void must(int status) {
  TACENDA_ASSERT(status == 1);
}
template <typename T>
T* must(T* object) {
  TACENDA_ASSERT(object != nullptr);
  return object;
}

// OpenSSL takes no null pointer even for nothing, and an empty span has one.
inline unsigned char const* in(ByteView bytes) {
  static unsigned char const nothing = 0;
  return bytes.empty() ? &nothing : reinterpret_cast<unsigned char const*>(bytes.data());
}
inline unsigned char* out(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}
inline int int_size(ByteView bytes) {
  TACENDA_ASSERT(bytes.size() <= INT_MAX);
  return static_cast<int>(bytes.size());
}

// Algorithms are fetched once and never freed: a thread may still use them while the process ends.
inline EVP_MD const* sha256_algorithm() {
  static EVP_MD const* const algorithm = must(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  return algorithm;
}

/// The EVP_MD_CTX of this thread. Holds no state between two calls that use it.
inline EVP_MD_CTX* thread_md_context() {
  thread_local MdContext const context(must(EVP_MD_CTX_new()));
  return context.get();
}

/// The EVP_CIPHER_CTX of this thread; whoever uses it resets it, which wipes the key schedule.
inline EVP_CIPHER_CTX* thread_cipher_context() {
  thread_local CipherContext const context(must(EVP_CIPHER_CTX_new()));
  return context.get();
}

}  // namespace tacenda::crypto::internal

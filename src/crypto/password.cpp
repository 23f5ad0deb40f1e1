#include "crypto/password.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>

#include <sodium.h>

#include "core/process.hpp"

namespace tacenda::crypto {
namespace {

constexpr std::size_t kSaltBytes = crypto_pwhash_argon2id_SALTBYTES;
constexpr std::size_t kHashBytes = 32;

void start_sodium() {
  static int const started = sodium_init();  // 0: done, 1: was done before
  TACENDA_ASSERT(started >= 0);
}

// libsodium takes no null pointer even for nothing, and an empty span has one.
char const* chars(ByteView bytes) {
  return bytes.empty() ? "" : reinterpret_cast<char const*>(bytes.data());
}
unsigned char const* uchars(ByteView bytes) {
  return reinterpret_cast<unsigned char const*>(bytes.data());
}

std::string base64(ByteView bytes) {
  // PHC strings have the standard alphabet without padding.
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
  std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), uchars(bytes), bytes.size(), kVariant);
  text.pop_back();  // the terminating zero
  return text;
}

Result<std::uint32_t> number_after(std::string_view& rest, std::string_view label) {
  std::uint32_t value = 0;
  if (!rest.starts_with(label)) return fail(ErrorKind::kCorrupt, "password hash is not a PHC string");
  rest.remove_prefix(label.size());
  auto const [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc()) return fail(ErrorKind::kCorrupt, "password hash is not a PHC string");
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return value;
}

Result<Argon2idCost> cost_of(std::string_view phc) {
  Argon2idCost cost;
  cost.memory_kib = TACENDA_TRY(number_after(phc, "$argon2id$v=19$m="));
  cost.passes = TACENDA_TRY(number_after(phc, ",t="));
  TACENDA_TRY_VOID(number_after(phc, ",p="));
  return cost;
}

}  // namespace

Result<SecretBuffer> argon2id(ByteView password, ByteView salt, Argon2idCost cost, std::size_t size_bytes) {
  start_sodium();
  std::size_t const memory_bytes = std::size_t{cost.memory_kib} * 1024;
  if (salt.size() != kSaltBytes) return fail(ErrorKind::kInvalid, "Argon2id salt is not 16 bytes");
  if (cost.passes < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
      memory_bytes < crypto_pwhash_argon2id_MEMLIMIT_MIN ||
      memory_bytes > crypto_pwhash_argon2id_MEMLIMIT_MAX) {
    return fail(ErrorKind::kInvalid, "Argon2id cost is out of range");
  }
  if (size_bytes < crypto_pwhash_argon2id_BYTES_MIN || size_bytes > 1'024) {
    return fail(ErrorKind::kInvalid, "Argon2id output is not 16 to 1,024 bytes");
  }
  SecretBuffer hash(size_bytes);
  if (crypto_pwhash_argon2id(reinterpret_cast<unsigned char*>(hash.reveal_mutable().data()), size_bytes,
                             chars(password), password.size(), uchars(salt), cost.passes, memory_bytes,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return fail(ErrorKind::kUnavailable, "no memory for Argon2id");
  }
  return hash;
}

Result<std::string> hash_password(ByteView peppered, Argon2idCost cost, Random& random) {
  // crypto_pwhash_str would do all of this, with a salt from libsodium's own random source.
  std::array<std::byte, kSaltBytes> salt{};
  TACENDA_TRY_VOID(random.fill(salt));
  SecretBuffer const hash = TACENDA_TRY(argon2id(peppered, salt, cost, kHashBytes));
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_kib) + ",t=" + std::to_string(cost.passes) +
         ",p=1$" + base64(salt) + "$" + base64(hash.reveal());
}

Result<bool> verify_password(ByteView peppered, std::string const& phc) {
  start_sodium();
  auto const cost = TACENDA_TRY(cost_of(phc));
  // The library answers "no" alike to a wrong password and to a string it cannot read; this one tells.
  if (crypto_pwhash_argon2id_str_needs_rehash(phc.c_str(), cost.passes, std::size_t{cost.memory_kib} * 1024) <
      0) {
    return fail(ErrorKind::kCorrupt, "password hash is not a PHC string");
  }
  errno = 0;
  if (crypto_pwhash_argon2id_str_verify(phc.c_str(), chars(peppered), peppered.size()) == 0) return true;
  if (errno == EINVAL) return false;
  return fail(ErrorKind::kUnavailable, "no memory for Argon2id");
}

bool needs_rehash(std::string const& phc, Argon2idCost cost) {
  auto const made_with = cost_of(phc);
  return !made_with || made_with->memory_kib < cost.memory_kib || made_with->passes < cost.passes;
}

}  // namespace tacenda::crypto

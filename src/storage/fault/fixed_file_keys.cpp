#include "storage/fault/fixed_file_keys.hpp"

#include <algorithm>

namespace tacenda::storage {
namespace {

crypto::AeadKey fixed_key() {
  crypto::AeadKey key;
  std::ranges::fill(key.reveal_mutable(), std::byte{0x5A});
  return key;
}

}  // namespace

FixedFileKeys::FixedFileKeys() : wrapping_(fixed_key()) {}

Result<NewFileKey> FixedFileKeys::make(FileClass) {
  NewFileKey fresh;
  fresh.key = TACENDA_TRY(crypto::random_secret<crypto::AeadKey>(random_));
  crypto::XaesNonce nonce;
  TACENDA_TRY_VOID(random_.fill(nonce));
  fresh.wrapped = to_bytes(ByteView(nonce));
  wrapping_.seal(nonce, {}, fresh.key.reveal(), fresh.wrapped);
  return fresh;
}

Result<crypto::AeadKey> FixedFileKeys::open(ByteView wrapped) {
  if (wrapped.size() != crypto::kXaesNonceBytes + crypto::AeadKey::kSize + crypto::kTagBytes) {
    return fail(ErrorKind::kCorrupt, "wrapped key has a wrong length");
  }
  {
    MutexLock const lock(mutex_);
    if (destroyed_.contains(to_bytes(wrapped))) return fail(ErrorKind::kGone, "file key was destroyed");
  }
  crypto::XaesNonce nonce;
  std::ranges::copy(wrapped.first(nonce.size()), nonce.begin());
  Bytes bytes;
  TACENDA_TRY_VOID(wrapping_.open(nonce, {}, wrapped.subspan(nonce.size()), bytes));
  crypto::AeadKey key;
  std::ranges::copy(bytes, key.reveal_mutable().begin());
  return key;
}

void FixedFileKeys::destroyed(ByteView wrapped) {
  MutexLock const lock(mutex_);
  destroyed_.insert(to_bytes(wrapped));
}

std::size_t FixedFileKeys::destroyed_count() const {
  MutexLock const lock(mutex_);
  return destroyed_.size();
}

}  // namespace tacenda::storage

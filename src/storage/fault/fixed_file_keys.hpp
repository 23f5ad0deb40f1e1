#pragma once

#include <set>

#include "core/mutex.hpp"
#include "crypto/aead.hpp"
#include "crypto/random.hpp"
#include "storage/file_keys.hpp"

namespace tacenda::storage {

/// File keys for tests: wrapped under one fixed key with XAES-256-GCM; remembers which were destroyed.
class FixedFileKeys final : public FileKeys {
 public:
  FixedFileKeys();
  Result<NewFileKey> make(FileClass file_class) override;
  Result<crypto::AeadKey> open(ByteView wrapped) override;
  void destroyed(ByteView wrapped) override;
  std::size_t destroyed_count() const;

 private:
  crypto::SystemRandom random_;
  crypto::Xaes256Gcm wrapping_;
  mutable Mutex mutex_;
  std::set<Bytes> destroyed_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::storage

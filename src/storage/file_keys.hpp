#pragma once

#include <cstdint>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "crypto/aead.hpp"

namespace tacenda::storage {

/// What a sealed file holds. Written nowhere by storage; the lender may keep each class its own way.
enum class FileClass : std::uint8_t {
  kIndexOrData = 1,  // tables: keys and values in order (*.sst, *.blob)
  kLog = 2,          // write-ahead log and MANIFEST: holds keys too, short-lived
  kBookkeeping = 3,  // registry, marks, CURRENT, OPTIONS, IDENTITY: hold no key and no value
};

/// The longest wrapped form that fits a file header.
inline constexpr std::size_t kWrappedKeyBytesMax = 384;

struct NewFileKey {
  crypto::AeadKey key;
  Bytes wrapped;  // 1 to kWrappedKeyBytesMax bytes, stored in the file's header
};

/// The keys of sealed files, as the vault lends them. Each file has its own random key. Implementations
/// must be thread-safe and must not call the engine that they are lent to.
class FileKeys {
 public:
  FileKeys() = default;
  FileKeys(FileKeys const&) = delete;
  FileKeys& operator=(FileKeys const&) = delete;
  virtual ~FileKeys() = default;

  /// A fresh random key and the form in which the file's header keeps it. Errors: kUnavailable.
  virtual Result<NewFileKey> make(FileClass file_class) = 0;

  /// The key behind a wrapped form, which comes from the disk and may be anything.
  /// Errors: kCorrupt (was never made here, or altered), kGone (destroyed), kUnavailable.
  virtual Result<crypto::AeadKey> open(ByteView wrapped) = 0;

  /// The file was unlinked: nobody will ask for this key again, so the lender may destroy it.
  virtual void destroyed(ByteView wrapped) = 0;
};

}  // namespace tacenda::storage

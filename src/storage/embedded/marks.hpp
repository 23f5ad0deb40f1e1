#pragma once

#include <array>
#include <memory>
#include <optional>

#include "core/mutex.hpp"
#include "storage/embedded/folder.hpp"
#include "storage/embedded/sealed_format.hpp"

namespace tacenda::storage {

// MARKS, byte layout version 1 (docs/data-file.md, "Sealed files"): the header of every sealed file, then
// six slots of 512 bytes: two each for the write-ahead log, MANIFEST and registry. A slot:
//     0  24  nonce
//    24  32  sealed: counter (8) || file id (16) || file offset below which an fsync has succeeded (8)
//    56  16  tag
//    72      zeros to byte 512
// Associated data = "tacenda/mark/1" || header digest || slot index (1). Of two slots the higher counter
// counts. A slot is rewritten in place after the fsync that it tells of, and not synced itself: it costs
// a system call and no disk write, a power cut may lose or tear it (then less is known, nothing wrong),
// and a log that was cut or flipped at its end while the machine lived on is found out.

inline constexpr std::string_view kMarksName = "MARKS";

/// Which log a mark is about.
enum class MarkSlot : std::uint8_t { kWriteAheadLog = 0, kManifest = 1, kRegistry = 2 };
inline constexpr std::size_t kMarkSlots = 3;

struct Mark {
  FileId file;
  std::uint64_t synced;
  bool operator==(Mark const&) const = default;
};
using MarkSet = std::array<std::optional<Mark>, kMarkSlots>;

/// What MARKS says. Errors: kNotFound, kCorrupt (the header; a torn slot only says nothing), kUnavailable.
Result<MarkSet> read_marks(Folder& folder);

/// Keeps MARKS of a running engine. Thread-safe; writes under its lock, which orders the slots.
class Marks {
 public:
  /// Puts a new MARKS under a new key in the place of the old one; durable before return.
  static Result<std::unique_ptr<Marks>> create(Folder& folder, MarkSet const& initial);

  /// Notes that `mark.file` is durable up to `mark.synced`. Errors: kUnavailable.
  Result<void> note(MarkSlot slot, Mark const& mark);
  /// Makes the newest notes durable.
  Result<void> sync();
  /// Reads all slots back. Errors: kCorrupt (one does not open), kUnavailable.
  Result<void> verify();

 private:
  Marks(Folder& folder, HeaderBytes const& header, crypto::AeadKey const& key,
        crypto::MacKey const& nonce_key);
  Result<Bytes> seal(std::size_t index, Mark const& mark) TACENDA_REQUIRES(mutex_);

  Folder& folder_;
  Digest header_digest_;
  crypto::Xaes256Gcm aead_;
  Mutex mutex_;
  crypto::HedgedNonces nonces_;
  std::unique_ptr<rocksdb::FSRandomRWFile> file_ TACENDA_GUARDED_BY(mutex_);
  MarkSet newest_ TACENDA_GUARDED_BY(mutex_);
  std::uint64_t counter_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::array<bool, kMarkSlots> second_ TACENDA_GUARDED_BY(mutex_){};  // which of the two was written last
};

}  // namespace tacenda::storage

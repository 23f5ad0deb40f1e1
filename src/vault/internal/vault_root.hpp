#pragma once

#include <array>
#include <filesystem>
#include <optional>

#include "crypto/aead.hpp"
#include "crypto/random.hpp"
#include "storage/files.hpp"
#include "vault/internal/slots.hpp"

/// The root of the key vault's secure-deletion tree, in a two-slot file beside the key file
/// (docs/data-file.md, "Vault root"), format 1. Each slot is 4,096 bytes, so that a torn write of one never
/// touches the other:
///
///   "TCNDROOT" | version(2) = 1 | generation(8) | nonce(24) | wrapped key(48) | zeros
///
/// The engine's root row names the generation that counts; start-up overwrites the other slot with it.
namespace tacenda::vault {

struct VaultRoot {
  std::uint64_t generation = 0;
  crypto::AeadKey key;
};

class VaultRootFile {
 public:
  VaultRootFile(storage::Files& files, std::filesystem::path path, RootKey const& root,
                std::array<std::byte, 16> const& store_id);

  /// A new file whose two slots both hold `root`.
  Result<void> create(VaultRoot const& root, crypto::Random& random);
  /// Writes `root` over the slot that does not hold `keep`, durably.
  Result<void> write_beside(std::uint64_t keep, VaultRoot const& root, crypto::Random& random);
  /// Writes `root` over the slot that does not hold it, sealed under `next`: a start under either Root Key
  /// finds it.
  Result<void> write_beside_under(RootKey const& next, VaultRoot const& root, crypto::Random& random);
  /// `next` is the Root Key from here on.
  void change_key(RootKey const& next);
  /// Makes both slots hold `root`: what the other one held is gone. Writes and syncs both whatever they show:
  /// a slot whose fsync failed shows what the disk does not hold.
  Result<void> overwrite_all(VaultRoot const& root, crypto::Random& random);
  /// The slot of that generation. Errors: kCorrupt (neither slot holds it), kUnavailable.
  Result<VaultRoot> read(std::uint64_t generation);
  /// The generations that open, one per slot; nullopt: that slot does not open.
  Result<std::array<std::optional<std::uint64_t>, 2>> generations();

 private:
  Result<Bytes> seal(VaultRoot const& root, crypto::Random& random) const;
  Result<Bytes> seal(crypto::AeadKey const& under, VaultRoot const& root, crypto::Random& random) const;
  Result<void> write_other_slot(std::uint64_t keep, ByteView slot);
  Result<VaultRoot> open(ByteView slot) const;

  storage::Files& files_;
  std::filesystem::path const path_;
  crypto::AeadKey wrapping_key_;
  std::array<std::byte, 16> const store_id_;
};

}  // namespace tacenda::vault

#include "vault/internal/vault_root.hpp"

#include <algorithm>

#include "vault/internal/envelope.hpp"

namespace tacenda::vault {
namespace {

constexpr std::string_view kMagic = "TCNDROOT";
constexpr std::string_view kKeyLabel = "tacenda/vault-root/1";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kSlotBytes = 4096;
constexpr std::size_t kSealedBytes = crypto::kXaesNonceBytes + crypto::AeadKey::kSize + crypto::kTagBytes;

Bytes header_of(std::uint64_t generation) {
  Bytes header;
  ByteWriter(header).raw(as_bytes(kMagic)).u16(kVersion).u64(generation);
  return header;
}

}  // namespace

VaultRootFile::VaultRootFile(storage::Files& files, std::filesystem::path path, RootKey const& root,
                             std::array<std::byte, 16> const& store_id)
    : files_(files),
      path_(std::move(path)),
      wrapping_key_(derive_aead_key(root.reveal(), kKeyLabel)),
      store_id_(store_id) {}

Result<Bytes> VaultRootFile::seal(VaultRoot const& root, crypto::Random& random) const {
  return seal(wrapping_key_, root, random);
}

Result<Bytes> VaultRootFile::seal(crypto::AeadKey const& under, VaultRoot const& root,
                                  crypto::Random& random) const {
  Bytes slot = header_of(root.generation);
  Bytes associated_data = slot;
  append(associated_data, store_id_);
  TACENDA_TRY_VOID(seal_once(under, random, associated_data, root.key.reveal(), slot));
  slot.resize(kSlotBytes);
  return slot;
}

Result<VaultRoot> VaultRootFile::open(ByteView slot) const {
  ByteReader reader(slot);
  if (as_text(TACENDA_TRY(reader.raw(kMagic.size()))) != kMagic)
    return fail(ErrorKind::kCorrupt, "a slot of the vault root is something else");
  if (TACENDA_TRY(reader.u16()) != kVersion)
    return fail(ErrorKind::kUnsupported, "the vault root was made by a newer version");
  VaultRoot root;
  root.generation = TACENDA_TRY(reader.u64());
  Bytes associated_data = header_of(root.generation);
  append(associated_data, store_id_);
  Bytes key;
  key.reserve(crypto::AeadKey::kSize);
  TACENDA_TRY_VOID(
      open_with(crypto::Xaes256Gcm(wrapping_key_), associated_data,
                TACENDA_TRY(reader.raw(kSealedBytes)), key));
  std::ranges::copy(key, root.key.reveal_mutable().begin());
  ::explicit_bzero(key.data(), key.size());
  return root;
}

Result<void> VaultRootFile::create(VaultRoot const& root, crypto::Random& random) {
  Bytes file = TACENDA_TRY(seal(root, random));
  append(file, TACENDA_TRY(seal(root, random)));
  return files_.create(path_, file);
}

Result<std::array<std::optional<std::uint64_t>, 2>> VaultRootFile::generations() {
  Bytes const file = TACENDA_TRY(files_.read(path_, 2 * kSlotBytes));
  if (file.size() != 2 * kSlotBytes) return fail(ErrorKind::kCorrupt, "the vault root has another length");
  std::array<std::optional<std::uint64_t>, 2> found;
  for (std::size_t i = 0; i < 2; ++i) {
    if (auto const root = open(ByteView(file).subspan(i * kSlotBytes, kSlotBytes)); root.has_value())
      found[i] = root->generation;
  }
  return found;
}

Result<void> VaultRootFile::write_beside(std::uint64_t keep, VaultRoot const& root, crypto::Random& random) {
  return write_other_slot(keep, TACENDA_TRY(seal(root, random)));
}

Result<void> VaultRootFile::write_beside_under(RootKey const& next, VaultRoot const& root,
                                               crypto::Random& random) {
  auto const under = derive_aead_key(next.reveal(), kKeyLabel);
  return write_other_slot(root.generation, TACENDA_TRY(seal(under, root, random)));
}

void VaultRootFile::change_key(RootKey const& next) {
  wrapping_key_ = derive_aead_key(next.reveal(), kKeyLabel);
}

Result<void> VaultRootFile::write_other_slot(std::uint64_t keep, ByteView slot) {
  auto const found = TACENDA_TRY(generations());
  std::size_t const kept = found[0] == keep ? 0 : 1;
  if (found[kept] != keep)
    return fail(ErrorKind::kCorrupt, "the vault root does not hold the generation in force");
  return files_.overwrite(path_, (1 - kept) * kSlotBytes, slot);
}

Result<void> VaultRootFile::overwrite_all(VaultRoot const& root, crypto::Random& random) {
  Bytes const file = TACENDA_TRY(files_.read(path_, 2 * kSlotBytes));
  if (file.size() != 2 * kSlotBytes) return fail(ErrorKind::kCorrupt, "the vault root has another length");
  std::array<std::optional<Bytes>, 2> kept;  // slots that already hold it, byte for byte
  for (std::size_t i = 0; i < 2; ++i) {
    ByteView const slot = ByteView(file).subspan(i * kSlotBytes, kSlotBytes);
    auto const held = open(slot);
    if (held.has_value() && held->generation == root.generation && held->key == root.key)
      kept[i] = to_bytes(slot);
  }
  // What the file shows may be the page cache's: after a failed fsync the disk still holds the old root.
  // Slots that show the new one are written again, with the same bytes, so that a torn write changes nothing
  // of them; and last, when the other one surely holds it.
  for (bool const same : {false, true}) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (kept[i].has_value() != same) continue;
      TACENDA_TRY_VOID(files_.overwrite(path_, i * kSlotBytes, same ? *kept[i] : TACENDA_TRY(seal(root, random))));
    }
  }
  return {};
}

Result<VaultRoot> VaultRootFile::read(std::uint64_t generation) {
  Bytes const file = TACENDA_TRY(files_.read(path_, 2 * kSlotBytes));
  if (file.size() != 2 * kSlotBytes) return fail(ErrorKind::kCorrupt, "the vault root has another length");
  for (std::size_t i = 0; i < 2; ++i) {
    auto root = open(ByteView(file).subspan(i * kSlotBytes, kSlotBytes));
    if (root.has_value() && root->generation == generation) return root;
  }
  return fail(
      ErrorKind::kCorrupt,
      "the vault root does not hold the generation that the store names: it was exchanged or rolled back");
}

}  // namespace tacenda::vault

#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/mutex.hpp"
#include "vault/internal/envelope.hpp"
#include "vault/internal/key_files.hpp"
#include "vault/internal/key_tree.hpp"
#include "vault/internal/vault_root.hpp"
#include "vault/vault.hpp"

namespace tacenda::vault {

/// One term of a purpose, ready to use. Whoever seals for the store holds a share until what he sealed is
/// stored: only then is it known what is under the term.
struct PurposeKeys {
  PurposeKeys(Term const& term, crypto::Random& random);
  std::uint32_t number;
  crypto::Xaes256Gcm aead;
  crypto::HedgedNonces nonces;
  crypto::AeadKey share;  // of keys that need this term and others
};

/// Shared by those who began to read while it was the newest. Keeps the one that came after it: one that is
/// let go of ends after all before it.
struct Readers {
  Readers() = default;
  Readers(Readers const&) = delete;
  Readers& operator=(Readers const&) = delete;
  ~Readers();
  std::shared_ptr<Readers> next;
};

/// What an unsealed vault is made of. The lock order: the commit order's Turn, `mutex`, the key tree's,
/// `terms_mutex` or `reading_mutex`.
struct Vault::State final : storage::FileKeys {
  State(storage::Files& the_files, Places the_places, Slots const& slots, RootKey root_key, Keyring ring,
        crypto::Random& the_random, Clock const& the_clock);

  using Terms = std::vector<std::shared_ptr<PurposeKeys>>;  // those that open, in order; the last is active
  using AllTerms = std::map<std::uint8_t, Terms>;           // by purpose

  std::shared_ptr<PurposeKeys> newest(Purpose purpose) const;
  /// nullptr: the keyring has none of that number, or not any more.
  std::shared_ptr<PurposeKeys> term(Purpose purpose, std::uint32_t number) const;
  std::shared_ptr<void const> reading() const;

  Bytes purpose_data(Purpose purpose, ByteView associated_data) const;
  Result<Bytes> seal(PurposeKeys& keys, Purpose purpose, ByteView associated_data, ByteView plaintext) const;
  Result<Bytes> seal(Purpose purpose, ByteView associated_data, ByteView plaintext) const;
  Result<Bytes> open(Purpose purpose, ByteView associated_data, ByteView sealed) const;

  /// After a write of which nobody knows what is on the disk, only a start can tell.
  Result<void> check_settled() const TACENDA_REQUIRES(mutex);

  /// Makes `next` the keyring, as the next generation: first on the disk, then in memory. What a change of
  /// the Root Key left undone is done before. When it fails, the keyring is what it was.
  Result<void> change(Keyring next) TACENDA_REQUIRES(mutex);
  /// Overwrites what lies under the Root Key before the one in force, unless that is done.
  Result<void> finish_root() TACENDA_REQUIRES(mutex);
  /// Has the engine go on in new files, under keys that the newest term wraps. Waits for the disk: nobody
  /// holds a lock meanwhile.
  Result<void> begin_new_files();

  // storage::FileKeys: random per file, wrapped under the file purpose key.
  Result<storage::NewFileKey> make(storage::FileClass file_class) override;
  Result<crypto::AeadKey> open(ByteView wrapped) override;
  void destroyed(ByteView) override {}  // the wrapped form goes with the file

  storage::Files& files;
  Places const places;
  StoreId const store_id;
  TenantId const tenant_id;
  crypto::Random& random;
  Clock const& clock;
  mutable Mutex mutex;
  RootKey root TACENDA_GUARDED_BY(mutex);
  Keyring keyring TACENDA_GUARDED_BY(mutex);
  bool unsettled TACENDA_GUARDED_BY(mutex) = false;
  std::string undecided_root TACENDA_GUARDED_BY(mutex);       // id of the Root Key that may be in force, too
  bool has_old_root_files TACENDA_GUARDED_BY(mutex) = false;  // see finish_root
  bool has_old_engine_files TACENDA_GUARDED_BY(mutex) = false;  // see begin_new_files
  VaultRootFile root_file;                                      // the key tree's
  std::uint32_t opened_slot = 0;
  mutable Mutex terms_mutex;
  AllTerms terms TACENDA_GUARDED_BY(terms_mutex);
  mutable Mutex reading_mutex;
  std::shared_ptr<Readers> readers TACENDA_GUARDED_BY(reading_mutex) = std::make_shared<Readers>();
  CommitOrder order;
  // Destroyed in the opposite order: the tree before the engine it reads from.
  std::unique_ptr<storage::Engine> engine;
  std::unique_ptr<KeyTree> tree;
};

}  // namespace tacenda::vault

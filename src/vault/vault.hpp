#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "crypto/random.hpp"
#include "crypto/signature.hpp"
#include "storage/engine.hpp"
#include "storage/file_keys.hpp"
#include "storage/files.hpp"
#include "vault/commit_order.hpp"
#include "vault/key_states.hpp"
#include "vault/subject.hpp"
#include "vault/view.hpp"

namespace tacenda::audit {
class Committer;  // the only caller of Vault::commit
}

namespace tacenda::vault {

using StoreId = std::array<std::byte, 16>;
using TenantId = std::array<std::byte, 16>;

/// Where the parts of a store lie. The key file and what lies beside it (`<key file>.root`,
/// `<key file>.keyring`, `<key file>.anchor`) belong on another filesystem than the data.
struct Places {
  std::filesystem::path data;  // the data folder
  std::filesystem::path key_file;
};

/// The vault root lies beside the key file and nowhere else, and no slot opens the store without it. Errors:
/// kNotFound (it is not there).
Result<void> check_vault_root(storage::Files& files, Places const& places);

/// How the Root Key is reached: the key file, a passphrase, or shares (vault/key_slots.hpp).
struct Unlock {
  std::optional<SecretBuffer> passphrase;           // nullopt: Places::key_file
  std::optional<SecretBuffer> passphrase_as_typed;  // tried next: slots were once made of what was typed
  std::optional<SecretBuffer> share_secret;         // what ShareCollection gives; then there is no passphrase
};

/// The unsealed key hierarchy and the only door to storage.
///
/// Owner: start (one per process while unsealed); destroying it is sealing: every key is wiped.
/// Thread-safe unless said otherwise.
/// Source: SECURITY_DESIGN sections 1 and 2; docs/data-file.md.
class Vault {
 public:
  /// Makes key file (0600, 32 random bytes, refuses an existing one), slots, keyring (two copies), vault
  /// root and the data folder (0700), all durable. Errors: kConflict (something is there), kUnavailable.
  static Result<void> create(storage::Files& files, Places const& places, crypto::Random& random,
                             Clock const& clock);

  /// Opens a slot and the keyring; changes nothing on the disk. The engine is attached afterwards. `files`,
  /// `random` and `clock` outlive the Vault.
  /// Errors: kUnauthenticated (no slot opens), kCorrupt (names no secret), kNotFound (no store, no key file
  /// or no vault root), kUnsupported (written by a newer version).
  static Result<std::unique_ptr<Vault>> unseal(storage::Files& files, Places const& places,
                                               Unlock const& unlock, crypto::Random& random,
                                               Clock const& clock);
  ~Vault();
  Vault(Vault const&) = delete;
  Vault& operator=(Vault const&) = delete;

  StoreId const& store_id() const;
  TenantId const& tenant_id() const;
  Places const& places() const;
  /// What `unseal` was given: the audit anchor is kept through it.
  storage::Files& files() const;

  /// Lent to storage when the engine is opened. Valid as long as the Vault.
  storage::FileKeys& file_keys();

  /// Takes the opened engine, and with it the folder's lock: mends damaged copies of slots and keyring,
  /// checks that the key rows fit the vault root and finishes an erase that was cut off. Call once, before
  /// everything below. Errors: kCorrupt, kUnavailable (also when the keyring changed since `unseal`: begin
  /// again).
  Result<void> attach(std::unique_ptr<storage::Engine> engine);
  storage::Engine const& engine() const;

  View view(Keeper keeper) const;
  SealedView sealed_view(Keeper keeper, Purpose purpose) const;
  ReadPoint read_point() const;
  CommitOrder& order();
  CommitOrder const& order() const;

  /// ver(1) | alg(1) | term(4) | nonce(24) | ciphertext | tag(16) under the active term of `purpose`. What is
  /// to be stored is sealed through a SealedView, or would be lost when the term is destroyed.
  Result<Bytes> seal(Purpose purpose, ByteView associated_data, ByteView plaintext) const;
  /// Errors: kCorrupt.
  Result<Bytes> open(Purpose purpose, ByteView associated_data, ByteView sealed) const;
  /// Seals under a key of its own that needs the newest term of `purpose` and the audit keys of **all**
  /// `subjects`: with any one of them destroyed, nobody opens it. Nothing of the key is stored. Appends
  /// ver(1) | alg(1) | term(4) | commitment(32) | nonce(24) | ciphertext | tag(16) to `out`.
  /// Errors: kUnavailable (no randomness).
  Result<void> seal_for_all(Purpose purpose, std::span<std::shared_ptr<SubjectKeys const> const> subjects,
                            ByteView associated_data, ByteView plaintext, Bytes& out) const;
  /// `subjects`: the same, in any order. Errors: kCorrupt (also when it is another set).
  Result<Bytes> open_for_all(Purpose purpose, std::span<std::shared_ptr<SubjectKeys const> const> subjects,
                             ByteView associated_data, ByteView sealed) const;

  /// A key of its own for `label`, derived from the first term of `purpose` (HKDF-SHA-256): the password
  /// pepper, the state key. Never changes during the life of the store.
  Result<crypto::MacKey> derived_key(Purpose purpose, std::string_view label) const;
  /// 16 bytes nobody can predict: ids and salts of the rooms above. Errors: kUnavailable.
  Result<std::array<std::byte, 16>> random_bytes16() const;
  /// A small secret kept in the keyring under `name` (checkpoint signing seed, TLS key), made by `create`
  /// or `keep_secret`.
  Result<SecretBuffer> kept_secret(std::string_view name) const;
  Result<void> keep_secret(std::string_view name, SecretBuffer const& secret);

  /// Keys of a subject, from a cache of unwrapped keys or the key vault.
  /// Errors: kNotFound (never made), kGone (shredded), kCorrupt.
  Result<std::shared_ptr<SubjectKeys const>> subject(Subject const& subject) const;
  /// The same, but makes the keys as part of `set` when the subject has none. Errors: kGone.
  Result<std::shared_ptr<SubjectKeys const>> subject_for_write(Subject const& subject, WriteSet& set) const;
  /// Keys of a record that belongs to all `subjects` (one: its own; several: SubjectKeys::combine, whatever
  /// their order). Errors: kInvalid (none).
  Result<std::shared_ptr<SubjectKeys const>> subjects(std::span<Subject const> subjects) const;
  Result<std::shared_ptr<SubjectKeys const>> subjects_for_write(std::span<Subject const> subjects,
                                                                WriteSet& set) const;
  /// Subject behind an alias; nullopt after its erasure.
  Result<std::optional<std::string>> subject_of(Alias const& alias) const;

  /// Destroys the keys of `subject` for good: new page key, new vault root (secure-deletion tree). Returns
  /// after the old root is overwritten. A second call changes nothing. The id never gets keys again. Write
  /// sets that found keys before and are not yet committed are refused (kConflict). Not from within a
  /// commit's `done`. Errors: kNotFound, kForbidden (the tenant), kCorrupt, kUnavailable (also when keys on
  /// the same page are being made and not yet committed: try again; after a failed write of the store:
  /// whether the erasure is stored shows at the next start, and until then nothing is tried again).
  Result<void> shred(Subject const& subject);

  /// Rewrites the files that hold a keeper's rows, so that what was erased or replaced leaves them. Takes as
  /// long as it takes to write them; others read and write meanwhile. Errors: kCorrupt, kUnavailable.
  Result<void> compact(Keeper keeper) const;

  /// Checks every row of the key vault and both keyring copies. Errors: kCorrupt.
  Result<void> verify_keys() const;

 private:
  friend class audit::Committer;
  friend class KeyRotation;
  friend class SealedView;
  friend struct VaultTestAccess;  // store_testing.hpp: commits in tests of the rooms below audit
  /// One durable batch out of admitted write sets, whose stamps are filled in here.
  struct Stamped {
    WriteSet* set;
    std::uint64_t first_sequence;  // leaf sequence of the set's event 0
    std::uint64_t time_ms;
  };
  Result<void> commit(std::span<Stamped const> sets,
                      storage::WhenDamaged when_damaged = storage::WhenDamaged::kRefuse);

  /// As `seal`; the term is in use until `set` is committed or dropped.
  Result<Bytes> seal_for(WriteSet& set, Purpose purpose, ByteView associated_data, ByteView plaintext) const;
  /// Held while sealed rows are read and opened: see KeyRotation::readers_of_now.
  std::shared_ptr<void const> reading() const;

  struct State;
  explicit Vault(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// True when key file and data lie on one filesystem: who takes one takes both.
bool key_file_shares_filesystem(Places const& places);

}  // namespace tacenda::vault

#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "crypto/random.hpp"
#include "storage/engine.hpp"
#include "vault/commit_order.hpp"
#include "vault/internal/vault_root.hpp"
#include "vault/subject.hpp"
#include "vault/view.hpp"
#include "vault/write_set.hpp"

/// The key vault: a secure-deletion tree (docs/data-file.md, "Key vault rows"), format 1. Rows of the keys
/// view:
///
///   r                       generation(8) of the vault root in force
///   p page(4)               format(1) | root generation(8) | page generation(4) | nonce | sealed page key
///   s subject               format(1) | 0 | page(4) | page generation(4) | alias(16) | key generation(4) |
///                           nonce | sealed {DEK(32) | audit key(32)};   format(1) | 1 for an erased subject
///   a alias(16)             subject
///   m page(4) subject       (empty) the subjects of a page
///
/// Page keys lie under the vault root key, subjects' keys under their page's key; the associated data binds
/// store, tenant, and every field in front of the nonce.
namespace tacenda::vault {

class KeyTree {
 public:
  KeyTree(storage::Engine& engine, View view, std::array<std::byte, 16> store_id, crypto::Random& random,
          VaultRootFile& root_file, CommitOrder& order);

  /// Reads the root that the engine names, or starts a new tree; finishes an erase that was cut off.
  /// Errors: kCorrupt, kUnavailable.
  Result<void> open();

  Result<std::shared_ptr<SubjectKeys const>> find(Subject const& subject) const;
  Result<std::shared_ptr<SubjectKeys const>> find_or_make(Subject const& subject, WriteSet& set,
                                                          std::uint64_t read_at);
  Result<std::optional<std::string>> subject_of(Alias const& alias) const;
  /// See Vault::shred. The caller has the commit order's Turn.
  Result<void> shred(Subject const& subject);
  /// A new root over all pages, the old one overwritten. Gives its generation. Errors and Turn: as `shred`.
  Result<std::uint64_t> rotate_root();
  /// The root lies under the Root Key `next` from when `decide` succeeds on. When that fails, nobody knows
  /// under which of the two keys a start will look: until then the root stays what it is, and no subject can
  /// be erased. Keys are found and made all the same. The caller has the Turn, and calls `finish_root_key`
  /// next.
  Result<void> change_root_key(RootKey const& next, std::function<Result<void>()> const& decide);
  /// Overwrites what lies under the key before, unless that is done. Errors: kUnavailable.
  Result<void> finish_root_key();
  struct Counts {
    std::uint64_t root = 0;  // generation
    std::uint64_t pages = 0;
    std::uint64_t subjects = 0;  // made, erased ones with them
  };
  Counts counts() const;
  /// Opens every row, and checks aliases and pages' lists of subjects. Errors: kCorrupt.
  Result<void> verify() const;

 private:
  static constexpr std::uint32_t kRowsPerPage = 1024;
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kCachedPerShard = 4096;

  struct Page {
    std::uint32_t generation = 0;
    crypto::AeadKey key;
    // Held by every write set that makes a row under this key, until it is committed or dropped.
    std::shared_ptr<int const> makers = std::make_shared<int const>(0);
  };
  struct NewRowPlace {
    std::uint32_t number = 0;
    std::shared_ptr<Page const> page;  // shared: the page may be re-keyed while the row is sealed
    std::shared_ptr<int const> makers;
  };
  struct Row {
    bool shredded = false;
    std::uint32_t page = 0;
    std::uint32_t page_generation = 0;
    Alias alias{};
    std::uint32_t generation = 0;
    ByteView sealed;
  };
  struct Shard {
    mutable Mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<SubjectKeys const>> keys TACENDA_GUARDED_BY(mutex);
  };

  Shard& shard_of(std::string const& text) const;
  static Result<Row> parse_row(ByteView row);
  Bytes row_header(std::uint32_t page, std::uint32_t page_generation, Alias const& alias,
                   std::uint32_t generation) const;
  Bytes associated_data(std::string_view kind, ByteView name, ByteView header) const;
  Result<Bytes> make_row(std::string_view subject, std::uint32_t page, Page const& under, Alias const& alias,
                         std::uint32_t generation, ByteView keys) const;
  Result<SecretBuffer> open_row(std::string_view subject, Row const& row, Page const& under) const;
  Result<Bytes> make_page_row(std::uint32_t page, Page const& content, VaultRoot const& root) const;
  Result<std::shared_ptr<Page const>> page(std::uint32_t number) const;
  Result<std::shared_ptr<Page const>> read_page(std::uint32_t number) const TACENDA_REQUIRES(mutex_);
  Result<NewRowPlace> page_for_new_row();
  Result<std::shared_ptr<SubjectKeys const>> load(Subject const& subject) const;
  Result<void> rewrap_siblings(Subject const& erased, std::uint32_t page, Page const& old, Page const& fresh,
                               storage::WriteBatch& batch) const;
  Result<void> verify_rows() const;
  Result<void> start_new();
  Result<void> finish_open(std::uint64_t generation);
  Result<void> check_root() const TACENDA_REQUIRES(mutex_);
  Result<void> destroy_old_root() TACENDA_REQUIRES(mutex_);
  Result<void> check_settled() const TACENDA_REQUIRES(mutex_);
  Result<void> check_root_can_change() const TACENDA_REQUIRES(mutex_);
  Result<void> write(storage::WriteBatch const& batch) TACENDA_REQUIRES(mutex_);

  storage::Engine& engine_;
  View view_;
  std::array<std::byte, 16> const store_id_;
  crypto::Random& random_;
  VaultRootFile& root_file_;
  CommitOrder& order_;

  mutable Mutex mutex_;  // held over an engine write only when a page is made or shredded: rare
  VaultRoot root_ TACENDA_GUARDED_BY(mutex_);
  bool old_root_remains_ TACENDA_GUARDED_BY(mutex_) = false;  // the last step of an erasure failed
  bool unsettled_ TACENDA_GUARDED_BY(mutex_) = false;  // an engine write failed: nobody knows what is stored
  bool root_key_unsettled_ TACENDA_GUARDED_BY(mutex_) = false;  // nobody knows which Root Key is in force
  mutable std::unordered_map<std::uint32_t, std::shared_ptr<Page const>> pages_ TACENDA_GUARDED_BY(mutex_);
  std::uint32_t last_page_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::uint32_t rows_in_last_page_ TACENDA_GUARDED_BY(mutex_) = 0;
  mutable std::array<Shard, kShards> shards_;
};

}  // namespace tacenda::vault

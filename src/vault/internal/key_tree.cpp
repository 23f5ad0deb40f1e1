#include "vault/internal/key_tree.hpp"

#include <algorithm>

#include "vault/internal/envelope.hpp"

namespace tacenda::vault {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kKeysBytes = 2 * crypto::AeadKey::kSize;

Bytes key_of(char kind, ByteView rest) {
  Bytes key;
  key.reserve(1 + rest.size());
  key.push_back(static_cast<std::byte>(kind));
  append(key, rest);
  return key;
}

Bytes page_key(std::uint32_t page) {
  Bytes key{std::byte{'p'}};
  ByteWriter(key).u32(page);
  return key;
}

Bytes member_key(std::uint32_t page, std::string_view subject) {
  Bytes key{std::byte{'m'}};
  ByteWriter(key).u32(page).raw(as_bytes(subject));
  return key;
}

/// Rows of the tree's own making: pages and re-wrapping, which no commit carries.
void put(storage::WriteBatch& batch, View const& view, ByteView key, Bytes value) {
  batch.put(view.full_key(key), std::move(value));
}

}  // namespace

KeyTree::KeyTree(storage::Engine& engine, View view, std::array<std::byte, 16> store_id,
                 crypto::Random& random, VaultRootFile& root_file, CommitOrder& order)
    : engine_(engine),
      view_(std::move(view)),
      store_id_(store_id),
      random_(random),
      root_file_(root_file),
      order_(order) {}

KeyTree::Shard& KeyTree::shard_of(std::string const& text) const {
  return shards_[std::hash<std::string>()(text) % kShards];
}

Bytes KeyTree::associated_data(std::string_view kind, ByteView name, ByteView header) const {
  Bytes data;
  // The view's own prefix holds the tenant.
  ByteWriter(data).sized(kind).raw(store_id_).sized(view_.full_key(name)).sized(header);
  return data;
}

Result<void> KeyTree::open() {
  auto const row = TACENDA_TRY(view_.get(as_bytes("r")));
  if (!row) return start_new();
  ByteReader reader(*row);
  return finish_open(TACENDA_TRY(reader.u64()));
}

Result<void> KeyTree::start_new() {
  auto const generations = TACENDA_TRY(root_file_.generations());
  // An engine without keys goes with the vault root that `create` made, and with no other.
  if (generations[0] != 1 || generations[1] != 1) {
    return fail(ErrorKind::kCorrupt,
                "the data folder has no keys, and the vault root is not that of a new store");
  }
  storage::WriteBatch batch;
  Bytes generation;
  ByteWriter(generation).u64(1);
  put(batch, view_, as_bytes("r"), std::move(generation));
  TACENDA_TRY_VOID(engine_.write(batch));
  return finish_open(1);
}

Result<void> KeyTree::finish_open(std::uint64_t generation) {
  MutexLock const lock(mutex_);
  root_ = TACENDA_TRY(root_file_.read(generation));
  bool any = false;
  TACENDA_TRY_VOID(
      view_.scan(as_bytes("p"), [&](ByteView key, ByteView) TACENDA_REQUIRES(mutex_) -> Result<bool> {
        ByteReader reader(key.subspan(1));
        last_page_ = TACENDA_TRY(reader.u32());
        any = true;
        return true;
      }));
  TACENDA_TRY_VOID(check_root());
  // An erase that was cut off before or after its commit: the other slot goes in either case.
  TACENDA_TRY_VOID(destroy_old_root());
  rows_in_last_page_ = any ? 0 : kRowsPerPage;
  if (!any) return {};
  return view_.scan(member_key(last_page_, ""),
                    [&](ByteView, ByteView) TACENDA_REQUIRES(mutex_) -> Result<bool> {
                      ++rows_in_last_page_;
                      return true;
                    });
}

/// One page must open under the root before the other slot, which may hold the right one, is overwritten. One
/// that does not is damaged, or the root is another of the same number.
Result<void> KeyTree::check_root() const {
  Result<void> result;
  for (std::uint32_t number = 1; number <= last_page_; ++number) {
    auto const opened = read_page(number);
    if (opened.has_value()) return {};
    if (opened.error().kind() == ErrorKind::kUnavailable) return std::unexpected(opened.error());
    if (number == 1) result = std::unexpected(opened.error());
  }
  return result;
}

Result<void> KeyTree::destroy_old_root() {
  old_root_remains_ = true;
  TACENDA_TRY_VOID(root_file_.overwrite_all(root_, random_));
  old_root_remains_ = false;
  return {};
}

/// After an error whose outcome nobody knows, the batch may be durable: a root that it names must not be
/// overwritten, neither by a second erasure nor by finishing the first. Only a start can tell. Of a full disk
/// and of a damaged file it is known: nothing is stored.
Result<void> KeyTree::write(storage::WriteBatch const& batch) {
  auto written = engine_.write(batch);
  bool const is_known = written.has_value() || written.error().kind() == ErrorKind::kNoSpace ||
                        written.error().kind() == ErrorKind::kCorrupt;
  if (!is_known) unsettled_ = true;
  return written;
}

Result<void> KeyTree::check_settled() const {
  if (!unsettled_) return {};
  return fail(ErrorKind::kUnavailable,
              "a write of the key vault failed: it can be used again after a restart");
}

/// Each slot of the root file may be the one that the next start needs. What the engine holds is as it was.
Result<void> KeyTree::check_root_can_change() const {
  TACENDA_TRY_VOID(check_settled());
  if (!root_key_unsettled_) return {};
  return fail(ErrorKind::kUnavailable,
              "a change of the root key failed on its way to the disk: the vault root can be changed after a "
              "restart");
}

Result<Bytes> KeyTree::make_page_row(std::uint32_t page, Page const& content, VaultRoot const& root) const {
  Bytes row;
  ByteWriter(row).u8(kFormat).u64(root.generation).u32(content.generation);
  auto const data = associated_data("page", page_key(page), row);
  TACENDA_TRY_VOID(seal_once(root.key, random_, data, content.key.reveal(), row));
  return row;
}

Result<std::shared_ptr<KeyTree::Page const>> KeyTree::page(std::uint32_t number) const {
  MutexLock const lock(mutex_);
  return read_page(number);
}

Result<std::shared_ptr<KeyTree::Page const>> KeyTree::read_page(std::uint32_t number) const {
  TACENDA_TRY_VOID(check_settled());
  if (auto const found = pages_.find(number); found != pages_.end()) return found->second;
  auto const row = TACENDA_TRY(view_.get(page_key(number)));
  if (!row) return fail(ErrorKind::kCorrupt, "a page of the key vault is missing");
  ByteReader reader(*row);
  if (TACENDA_TRY(reader.u8()) != kFormat)
    return fail(ErrorKind::kCorrupt, "a page of the key vault has an unknown format");
  auto fresh = std::make_shared<Page>();
  if (TACENDA_TRY(reader.u64()) != root_.generation)
    return fail(ErrorKind::kCorrupt, "a page of the key vault is of another root");
  fresh->generation = TACENDA_TRY(reader.u32());
  ByteView const header = ByteView(*row).first(row->size() - reader.rest().size());
  Bytes key;
  key.reserve(crypto::AeadKey::kSize);
  TACENDA_TRY_VOID(open_with(crypto::Xaes256Gcm(root_.key), associated_data("page", page_key(number), header),
                             reader.rest(), key));
  if (key.size() != crypto::AeadKey::kSize) return fail(ErrorKind::kCorrupt, "a page key has another length");
  std::ranges::copy(key, fresh->key.reveal_mutable().begin());
  ::explicit_bzero(key.data(), key.size());
  pages_.emplace(number, fresh);
  return fresh;
}

Result<KeyTree::NewRowPlace> KeyTree::page_for_new_row() {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(check_settled());
  if (rows_in_last_page_ < kRowsPerPage) {
    ++rows_in_last_page_;
    auto under = TACENDA_TRY(read_page(last_page_));
    return NewRowPlace{last_page_, under, under->makers};
  }
  auto fresh = std::make_shared<Page>();
  fresh->generation = 1;
  TACENDA_TRY_VOID(random_.fill(fresh->key.reveal_mutable()));
  std::uint32_t const number = last_page_ + 1;
  storage::WriteBatch batch;
  put(batch, view_, page_key(number), TACENDA_TRY(make_page_row(number, *fresh, root_)));
  TACENDA_TRY_VOID(write(batch));
  pages_.emplace(number, fresh);
  last_page_ = number;
  rows_in_last_page_ = 1;
  return NewRowPlace{number, fresh, fresh->makers};
}

Result<KeyTree::Row> KeyTree::parse_row(ByteView bytes) {
  ByteReader reader(bytes);
  Row row;
  if (TACENDA_TRY(reader.u8()) != kFormat)
    return fail(ErrorKind::kCorrupt, "a row of the key vault has an unknown format");
  std::uint8_t const state = TACENDA_TRY(reader.u8());
  if (state > 1) return fail(ErrorKind::kCorrupt, "a row of the key vault has an unknown state");
  row.shredded = state == 1;
  if (row.shredded) return row;
  row.page = TACENDA_TRY(reader.u32());
  row.page_generation = TACENDA_TRY(reader.u32());
  std::ranges::copy(TACENDA_TRY(reader.raw(row.alias.size())), row.alias.begin());
  row.generation = TACENDA_TRY(reader.u32());
  row.sealed = reader.rest();
  return row;
}

Bytes KeyTree::row_header(std::uint32_t page, std::uint32_t page_generation, Alias const& alias,
                          std::uint32_t generation) const {
  Bytes header;
  ByteWriter(header).u8(kFormat).u8(0).u32(page).u32(page_generation).raw(alias).u32(generation);
  return header;
}

Result<Bytes> KeyTree::make_row(std::string_view subject, std::uint32_t page, Page const& under,
                                Alias const& alias, std::uint32_t generation, ByteView keys) const {
  Bytes row = row_header(page, under.generation, alias, generation);
  auto const data = associated_data("subject", key_of('s', as_bytes(subject)), row);
  TACENDA_TRY_VOID(seal_once(under.key, random_, data, keys, row));
  return row;
}

Result<SecretBuffer> KeyTree::open_row(std::string_view subject, Row const& row, Page const& under) const {
  if (row.page_generation != under.generation)
    return fail(ErrorKind::kCorrupt, "a row of the key vault is of another page");
  auto const header = row_header(row.page, row.page_generation, row.alias, row.generation);
  Bytes keys;
  keys.reserve(kKeysBytes);
  TACENDA_TRY_VOID(open_with(crypto::Xaes256Gcm(under.key),
                             associated_data("subject", key_of('s', as_bytes(subject)), header), row.sealed,
                             keys));
  SecretBuffer secret{ByteView(keys)};
  ::explicit_bzero(keys.data(), keys.size());
  if (secret.size() != kKeysBytes)
    return fail(ErrorKind::kCorrupt, "a row of the key vault has another length");
  return secret;
}

namespace {

std::shared_ptr<SubjectKeys const> keys_of(Alias const& alias, std::uint32_t generation,
                                           SecretBuffer const& secret, crypto::Random& random) {
  crypto::AeadKey dek;
  crypto::AeadKey audit_key;
  std::ranges::copy(secret.reveal().first(32), dek.reveal_mutable().begin());
  std::ranges::copy(secret.reveal().last(32), audit_key.reveal_mutable().begin());
  return std::make_shared<SubjectKeys const>(alias, generation, std::move(dek), std::move(audit_key), random);
}

}  // namespace

Result<std::shared_ptr<SubjectKeys const>> KeyTree::find(Subject const& subject) const {
  Shard& shard = shard_of(subject.text());
  for (;;) {
    std::uint64_t const erasures = order_.erasures();
    {
      MutexLock const lock(shard.mutex);
      if (auto const found = shard.keys.find(subject.text()); found != shard.keys.end()) return found->second;
    }
    auto keys = load(subject);
    MutexLock const lock(shard.mutex);
    // An erasure went on meanwhile: row and page may be of two states, and keys that were read before it
    // must not enter the cache after it.
    if (order_.erasures() != erasures) continue;
    if (!keys.has_value()) return keys;
    if (shard.keys.size() >= kCachedPerShard) shard.keys.clear();
    return shard.keys.emplace(subject.text(), std::move(*keys)).first->second;
  }
}

Result<std::shared_ptr<SubjectKeys const>> KeyTree::load(Subject const& subject) const {
  auto const bytes = TACENDA_TRY(view_.get(key_of('s', as_bytes(subject.text()))));
  if (!bytes) return fail(ErrorKind::kNotFound, "the subject has no keys");
  auto const row = TACENDA_TRY(parse_row(*bytes));
  if (row.shredded) return fail(ErrorKind::kGone, "the subject was erased");
  auto const under = TACENDA_TRY(page(row.page));
  return keys_of(row.alias, row.generation, TACENDA_TRY(open_row(subject.text(), row, *under)), random_);
}

Result<std::shared_ptr<SubjectKeys const>> KeyTree::find_or_make(Subject const& subject, WriteSet& set,
                                                                 std::uint64_t read_at) {
  if (auto const made = set.new_subjects().find(subject.text()); made != set.new_subjects().end())
    return made->second;
  std::uint64_t const erasures = order_.erasures();
  auto found = find(subject);
  if (found.has_value()) set.found_keys_at(erasures);
  if (found.has_value() || found.error().kind() != ErrorKind::kNotFound) return found;
  auto const place = TACENDA_TRY(page_for_new_row());
  set.pin(place.makers);  // no erasure re-keys the page until this set is committed or dropped
  Alias alias;
  SecretBuffer secret(kKeysBytes);
  TACENDA_TRY_VOID(random_.fill(alias));
  TACENDA_TRY_VOID(random_.fill(secret.reveal_mutable()));
  Bytes const key = key_of('s', as_bytes(subject.text()));
  // Two makers of one subject's keys: the second to commit is refused and finds the keys of the first.
  set.read_at(read_at);
  set.depends_on(view_.guard(key));
  set.touches(view_.guard(key));
  view_.put(set, key,
            TACENDA_TRY(make_row(subject.text(), place.number, *place.page, alias, 1, secret.reveal())));
  view_.put(set, key_of('a', alias), to_bytes(std::string_view(subject.text())));
  view_.put(set, member_key(place.number, subject.text()), Bytes());
  auto keys = keys_of(alias, 1, secret, random_);
  set.new_subjects().emplace(subject.text(), keys);
  return keys;
}

Result<std::optional<std::string>> KeyTree::subject_of(Alias const& alias) const {
  auto const row = TACENDA_TRY(view_.get(key_of('a', alias)));
  if (!row) return std::nullopt;
  return std::string(as_text(*row));
}

Result<void> KeyTree::shred(Subject const& subject) {
  if (subject == Subject::tenant())
    return fail(ErrorKind::kForbidden, "the keys of the store are no subject's");
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(check_root_can_change());
  Bytes const key = key_of('s', as_bytes(subject.text()));
  auto const bytes = TACENDA_TRY(view_.get(key));
  if (!bytes) return fail(ErrorKind::kNotFound, "the subject has no keys");
  auto const row = TACENDA_TRY(parse_row(*bytes));
  // Erased already; but the last step may have failed: done again, it changes nothing.
  if (row.shredded) return destroy_old_root();
  // The erasure before this one: the slot that is overwritten next may be the only one that surely holds the
  // root in force.
  if (old_root_remains_) TACENDA_TRY_VOID(destroy_old_root());
  auto const old = TACENDA_TRY(read_page(row.page));
  // No new row may come under the page that goes. One that is not yet stored would be lost with it.
  std::uint32_t const rows_before = rows_in_last_page_;
  if (row.page == last_page_) rows_in_last_page_ = kRowsPerPage;
  if (old->makers.use_count() > 1) {
    return fail(ErrorKind::kUnavailable, "keys beside those to be erased are just being made: try again");
  }
  // Orders what the last maker did before this.
  std::atomic_thread_fence(std::memory_order_acquire);

  // New keys all the way up: whatever lies in old files, blocks or backups under the old root opens no more.
  VaultRoot next{root_.generation + 1, {}};
  TACENDA_TRY_VOID(random_.fill(next.key.reveal_mutable()));
  auto fresh = std::make_shared<Page>();
  fresh->generation = old->generation + 1;
  TACENDA_TRY_VOID(random_.fill(fresh->key.reveal_mutable()));

  storage::WriteBatch batch;
  TACENDA_TRY_VOID(rewrap_siblings(subject, row.page, *old, *fresh, batch));
  for (std::uint32_t number = 1; number <= last_page_; ++number) {
    auto const content = number == row.page ? std::shared_ptr<Page const>(fresh) : TACENDA_TRY(read_page(number));
    put(batch, view_, page_key(number), TACENDA_TRY(make_page_row(number, *content, next)));
  }
  Bytes tombstone;
  ByteWriter(tombstone).u8(kFormat).u8(1);
  put(batch, view_, key, std::move(tombstone));
  batch.erase(view_.full_key(key_of('a', row.alias)));
  batch.erase(view_.full_key(member_key(row.page, subject.text())));
  Bytes generation;
  ByteWriter(generation).u64(next.generation);
  put(batch, view_, as_bytes("r"), std::move(generation));

  TACENDA_TRY_VOID(root_file_.write_beside(root_.generation, next, random_));
  TACENDA_TRY_VOID(write(batch));
  root_ = std::move(next);
  pages_.insert_or_assign(row.page, std::shared_ptr<Page const>(fresh));
  if (row.page == last_page_) rows_in_last_page_ = rows_before;
  // Before: nobody puts keys into the cache any more that he read before the erasure. After: whoever still
  // found the erased ones there is refused.
  order_.note_erasure(subject.is_patient());
  {
    Shard& shard = shard_of(subject.text());
    MutexLock const shard_lock(shard.mutex);
    shard.keys.erase(subject.text());
  }
  order_.note_erasure(subject.is_patient());
  return destroy_old_root();
}

Result<std::uint64_t> KeyTree::rotate_root() {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(check_root_can_change());
  if (old_root_remains_) TACENDA_TRY_VOID(destroy_old_root());
  VaultRoot next{root_.generation + 1, {}};
  TACENDA_TRY_VOID(random_.fill(next.key.reveal_mutable()));
  storage::WriteBatch batch;
  for (std::uint32_t number = 1; number <= last_page_; ++number) {
    auto const content = TACENDA_TRY(read_page(number));
    put(batch, view_, page_key(number), TACENDA_TRY(make_page_row(number, *content, next)));
  }
  Bytes generation;
  ByteWriter(generation).u64(next.generation);
  put(batch, view_, as_bytes("r"), std::move(generation));
  TACENDA_TRY_VOID(root_file_.write_beside(root_.generation, next, random_));
  TACENDA_TRY_VOID(write(batch));
  root_ = std::move(next);
  TACENDA_TRY_VOID(destroy_old_root());
  return root_.generation;
}

Result<void> KeyTree::change_root_key(RootKey const& next, std::function<Result<void>()> const& decide) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(check_root_can_change());
  if (old_root_remains_) TACENDA_TRY_VOID(destroy_old_root());
  // Whatever fails from here on: the other slot is not that of the key in force.
  old_root_remains_ = true;
  TACENDA_TRY_VOID(root_file_.write_beside_under(next, root_, random_));
  auto const decided = decide();
  if (decided.has_value()) {
    root_file_.change_key(next);
  } else {
    root_key_unsettled_ = true;
  }
  return decided;
}

Result<void> KeyTree::finish_root_key() {
  MutexLock const lock(mutex_);
  // It may be tried again long after the change: an erasure since then may have left a root in either slot
  // that only a start can choose, or may have done this itself.
  TACENDA_TRY_VOID(check_root_can_change());
  return old_root_remains_ ? destroy_old_root() : Result<void>();
}

KeyTree::Counts KeyTree::counts() const {
  MutexLock const lock(mutex_);
  std::uint64_t const full = last_page_ == 0 ? 0 : last_page_ - 1;
  return {root_.generation, last_page_, last_page_ == 0 ? 0 : full * kRowsPerPage + rows_in_last_page_};
}

Result<void> KeyTree::rewrap_siblings(Subject const& erased, std::uint32_t page, Page const& old,
                                      Page const& fresh, storage::WriteBatch& batch) const {
  return view_.scan(member_key(page, ""), [&](ByteView member, ByteView) -> Result<bool> {
    auto const name = as_text(member.subspan(5));
    if (name == erased.text()) return true;
    Bytes const key = key_of('s', as_bytes(name));
    auto const bytes = TACENDA_TRY(view_.get(key));
    if (!bytes) return fail(ErrorKind::kCorrupt, "a row of the key vault is missing");
    auto const row = TACENDA_TRY(parse_row(*bytes));
    auto const secret = TACENDA_TRY(open_row(name, row, old));
    put(batch, view_, key,
        TACENDA_TRY(make_row(name, page, fresh, row.alias, row.generation, secret.reveal())));
    return true;
  });
}

Result<void> KeyTree::verify() const {
  for (;;) {
    std::uint64_t const erasures = order_.erasures();
    auto result = verify_rows();
    // Rows were read while an erasure changed them: once more.
    if (result.has_value() || order_.erasures() == erasures) return result;
  }
}

Result<void> KeyTree::verify_rows() const {
  TACENDA_TRY_VOID(view_.scan(as_bytes("s"), [&](ByteView key, ByteView bytes) -> Result<bool> {
    auto const row = TACENDA_TRY(parse_row(bytes));
    if (row.shredded) return true;
    auto const under = TACENDA_TRY(page(row.page));
    TACENDA_TRY_VOID(open_row(as_text(key.subspan(1)), row, *under));
    auto const name = TACENDA_TRY(subject_of(row.alias));
    if (!name || *name != as_text(key.subspan(1))) {
      return fail(ErrorKind::kCorrupt, "an alias of the key vault leads to another subject");
    }
    // Without it, the erasure of a neighbour would forget to re-wrap this row.
    if (!TACENDA_TRY(view_.get(member_key(row.page, *name))))
      return fail(ErrorKind::kCorrupt, "a subject is missing from its page of the key vault");
    return true;
  }));
  return view_.scan(as_bytes("m"), [&](ByteView key, ByteView) -> Result<bool> {
    if (key.size() < 5 || !TACENDA_TRY(view_.get(key_of('s', key.subspan(5)))))
      return fail(ErrorKind::kCorrupt, "a row of the key vault is missing");
    return true;
  });
}

}  // namespace tacenda::vault

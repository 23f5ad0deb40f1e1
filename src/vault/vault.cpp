#include "vault/vault.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "core/process.hpp"
#include "crypto/hash.hpp"
#include "vault/internal/envelope.hpp"
#include "vault/internal/key_files.hpp"
#include "vault/internal/vault_state.hpp"

namespace tacenda::vault {
Vault::Vault(std::unique_ptr<State> state) : state_(std::move(state)) {}
Vault::~Vault() = default;

Result<void> Vault::create(storage::Files& files, Places const& places, crypto::Random& random,
                           Clock const& clock) {
  if (TACENDA_TRY(files.exists(places.data)))
    return fail(ErrorKind::kConflict, "the data folder exists: init makes a new one");
  for (auto const* suffix : {"", ".root", ".keyring", ".slots", ".anchor"}) {
    if (TACENDA_TRY(files.exists(beside(places, suffix)))) {
      return fail(ErrorKind::kConflict,
                  "the key file, or a file of another store beside it, exists: it is not overwritten");
    }
  }
  SecretBuffer key(kKeyFileBytes);
  TACENDA_TRY_VOID(random.fill(key.reveal_mutable()));
  auto const root = TACENDA_TRY(crypto::random_secret<RootKey>(random));
  Slots slots;
  TACENDA_TRY_VOID(random.fill(slots.store_id));
  TACENDA_TRY_VOID(add_slot(
      slots, {.kind = SlotKind::kKeyFile, .secret = key.reveal(), .created = to_unix_ms(clock.now())}, root,
      random));
  auto const keyring = TACENDA_TRY(make_keyring(random, clock.now()));
  auto const sealed = TACENDA_TRY(seal_keyring(keyring, root, slots.store_id, random));
  VaultRoot vault_root{1, {}};
  TACENDA_TRY_VOID(random.fill(vault_root.key.reveal_mutable()));

  TACENDA_TRY_VOID(files.create(places.key_file, key.reveal()));
  TACENDA_TRY_VOID(
      VaultRootFile(files, beside(places, ".root"), root, slots.store_id).create(vault_root, random));
  TACENDA_TRY_VOID(files.create(beside(places, ".keyring"), sealed));
  TACENDA_TRY_VOID(files.make_folder(places.data));
  TACENDA_TRY_VOID(files.create(places.data / "keyring", sealed));
  // Last: a folder without slots is no store.
  return write_slot_files(files, places, slots, root);
}

Result<void> check_vault_root(storage::Files& files, Places const& places) {
  if (TACENDA_TRY(files.exists(beside(places, ".root")))) return {};
  return fail(
      ErrorKind::kNotFound,
      "the vault root, <key file>.root, is not there: without it nothing opens the store, neither the "
      "key file nor a passphrase nor shares");
}

Result<std::unique_ptr<Vault>> Vault::unseal(storage::Files& files, Places const& places,
                                             Unlock const& unlock, crypto::Random& random,
                                             Clock const& clock) {
  auto [slots, root, opened] = TACENDA_TRY(open_slot_files(files, places, unlock));
  TACENDA_TRY_VOID(check_vault_root(files, places));
  auto ring = TACENDA_TRY(read_keyring(files, places, root, slots.store_id));
  auto state = std::make_unique<State>(files, places, slots, std::move(root), std::move(ring), random, clock);
  state->opened_slot = opened;
  return std::unique_ptr<Vault>(new Vault(std::move(state)));
}

StoreId const& Vault::store_id() const {
  return state_->store_id;
}
TenantId const& Vault::tenant_id() const {
  return state_->tenant_id;
}
Places const& Vault::places() const {
  return state_->places;
}
storage::Files& Vault::files() const {
  return state_->files;
}
storage::FileKeys& Vault::file_keys() {
  return *state_;
}
storage::Engine const& Vault::engine() const {
  return *state_->engine;
}
CommitOrder& Vault::order() {
  return state_->order;
}
CommitOrder const& Vault::order() const {
  return state_->order;
}

Result<void> Vault::attach(std::unique_ptr<storage::Engine> engine) {
  TACENDA_ASSERT(state_->engine == nullptr);
  state_->engine = std::move(engine);
  {
    // Not before the engine is open: until then the folder may be another process's.
    MutexLock const lock(state_->mutex);
    TACENDA_TRY_VOID(heal_key_files(state_->files, state_->places, state_->keyring, state_->root,
                                    state_->store_id, state_->random));
    TACENDA_TRY_VOID(
        note_opened(state_->files, state_->places, state_->root, state_->opened_slot, state_->clock.now()));
  }
  state_->tree = std::make_unique<KeyTree>(*state_->engine, view(Keeper::kKeys), state_->store_id,
                                           state_->random, state_->root_file, state_->order);
  TACENDA_TRY_VOID(state_->tree->open());
  auto const tenant = state_->tree->find(Subject::tenant());
  if (tenant.has_value()) return {};
  if (tenant.error().kind() != ErrorKind::kNotFound) return std::unexpected(tenant.error());
  WriteSet set;
  TACENDA_TRY_VOID(state_->tree->find_or_make(Subject::tenant(), set, 0));
  Stamped const only{&set, 0, 0};
  return commit(std::span(&only, 1));
}

View Vault::view(Keeper keeper) const {
  Bytes prefix{static_cast<std::byte>(keeper)};
  append(prefix, state_->tenant_id);
  return View(*state_->engine, std::move(prefix));
}

SealedView Vault::sealed_view(Keeper keeper, Purpose purpose) const {
  return SealedView(*this, view(keeper), static_cast<std::uint8_t>(purpose));
}

ReadPoint Vault::read_point() const {
  auto in_use = state_->reading();
  // The sequence first: the snapshot then holds at least what it promises.
  std::uint64_t const sequence = state_->order.committed();
  return ReadPoint(state_->engine->snapshot(), sequence, std::move(in_use));
}

Result<Bytes> Vault::seal(Purpose purpose, ByteView associated_data, ByteView plaintext) const {
  return state_->seal(purpose, associated_data, plaintext);
}

Result<Bytes> Vault::seal_for(WriteSet& set, Purpose purpose, ByteView associated_data,
                              ByteView plaintext) const {
  auto const keys = state_->newest(purpose);
  set.pin(keys);
  return state_->seal(*keys, purpose, associated_data, plaintext);
}

std::shared_ptr<void const> Vault::reading() const {
  return state_->reading();
}

Result<Bytes> Vault::open(Purpose purpose, ByteView associated_data, ByteView sealed) const {
  return std::as_const(*state_).open(purpose, associated_data, sealed);
}

// The nonce is the salt of the derivation, too: the key is new for each text.
Result<void> Vault::seal_for_all(Purpose purpose,
                                 std::span<std::shared_ptr<SubjectKeys const> const> subjects,
                                 ByteView associated_data, ByteView plaintext, Bytes& out) const {
  auto const keys = state_->newest(purpose);
  Bytes const data = state_->purpose_data(purpose, associated_data);
  auto const nonce = TACENDA_TRY(keys->nonces.next(data, plaintext));
  KeyForAll const derived = SubjectKeys::for_all(keys->share, subjects, nonce);
  ByteWriter(out)
      .u8(kEnvelopeVersion)
      .u8(kXaes256GcmForAll)
      .u32(keys->number)
      .raw(derived.commitment)
      .raw(nonce);
  crypto::Xaes256Gcm(derived.key).seal(nonce, data, plaintext, out);
  return {};
}

Result<Bytes> Vault::open_for_all(Purpose purpose,
                                  std::span<std::shared_ptr<SubjectKeys const> const> subjects,
                                  ByteView associated_data, ByteView sealed) const {
  ByteReader reader(sealed);
  if (TACENDA_TRY(reader.u8()) != kEnvelopeVersion || TACENDA_TRY(reader.u8()) != kXaes256GcmForAll)
    return fail(ErrorKind::kCorrupt, "an envelope has an unknown version or algorithm");
  auto const keys = state_->term(purpose, TACENDA_TRY(reader.u32()));
  if (keys == nullptr)
    return fail(ErrorKind::kCorrupt, "an envelope names a term that the keyring does not have");
  ByteView const commitment = TACENDA_TRY(reader.raw(sizeof(Digest)));
  crypto::XaesNonce nonce;
  std::ranges::copy(TACENDA_TRY(reader.raw(nonce.size())), nonce.begin());
  KeyForAll const derived = SubjectKeys::for_all(keys->share, subjects, nonce);
  if (!crypto::equal_constant_time(derived.commitment, commitment))
    return fail(ErrorKind::kCorrupt, "an envelope lies under other keys");
  Bytes plaintext;
  TACENDA_TRY_VOID(
      crypto::Xaes256Gcm(derived.key)
          .open(nonce, state_->purpose_data(purpose, associated_data), reader.rest(), plaintext));
  return plaintext;
}

Result<crypto::MacKey> Vault::derived_key(Purpose purpose, std::string_view label) const {
  MutexLock const lock(state_->mutex);
  auto const& first = state_->keyring.purposes.at(static_cast<std::uint8_t>(purpose)).front();
  std::string const full = "tacenda/derived/1/" + std::string(label);
  if (first.derivation) return derive_from_seed(*first.derivation, full);
  return derive_mac_key(first.key.reveal(), full);
}

Result<std::array<std::byte, 16>> Vault::random_bytes16() const {
  std::array<std::byte, 16> bytes;
  TACENDA_TRY_VOID(state_->random.fill(bytes));
  return bytes;
}

Result<SecretBuffer> Vault::kept_secret(std::string_view name) const {
  MutexLock const lock(state_->mutex);
  auto const found = state_->keyring.secrets.find(name);
  if (found == state_->keyring.secrets.end())
    return fail(ErrorKind::kNotFound, "the keyring has no such secret");
  return SecretBuffer(found->second.reveal());
}

Result<void> Vault::keep_secret(std::string_view name, SecretBuffer const& secret) {
  MutexLock const lock(state_->mutex);
  auto next = state_->keyring.clone();
  next.secrets.insert_or_assign(std::string(name), SecretBuffer(secret.reveal()));
  return state_->change(std::move(next));
}

Result<std::shared_ptr<SubjectKeys const>> Vault::subject(Subject const& subject) const {
  return state_->tree->find(subject);
}

Result<std::shared_ptr<SubjectKeys const>> Vault::subject_for_write(Subject const& subject,
                                                                    WriteSet& set) const {
  return state_->tree->find_or_make(subject, set, state_->order.committed());
}

namespace {

/// Sorted, each once: SubjectKeys::combine gives the same key whatever the order they were named in.
std::vector<Subject> in_order(std::span<Subject const> subjects) {
  std::vector<Subject> all(subjects.begin(), subjects.end());
  std::ranges::sort(all);
  auto const repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

}  // namespace

Result<std::shared_ptr<SubjectKeys const>> Vault::subjects(std::span<Subject const> subjects) const {
  if (subjects.empty()) return fail(ErrorKind::kInvalid, "a record without a subject has no keys");
  if (subjects.size() == 1) return subject(subjects.front());
  std::vector<std::shared_ptr<SubjectKeys const>> all;
  for (auto const& each : in_order(subjects)) all.push_back(TACENDA_TRY(subject(each)));
  if (all.size() == 1) return all.front();
  return SubjectKeys::combine(all, *TACENDA_TRY(subject(Subject::tenant())), state_->random);
}

Result<std::shared_ptr<SubjectKeys const>> Vault::subjects_for_write(std::span<Subject const> subjects,
                                                                     WriteSet& set) const {
  if (subjects.empty()) return fail(ErrorKind::kInvalid, "a record without a subject has no keys");
  if (subjects.size() == 1) return subject_for_write(subjects.front(), set);
  std::vector<std::shared_ptr<SubjectKeys const>> all;
  for (auto const& each : in_order(subjects)) all.push_back(TACENDA_TRY(subject_for_write(each, set)));
  if (all.size() == 1) return all.front();
  return SubjectKeys::combine(all, *TACENDA_TRY(subject(Subject::tenant())), state_->random);
}

Result<std::optional<std::string>> Vault::subject_of(Alias const& alias) const {
  return state_->tree->subject_of(alias);
}

Result<void> Vault::shred(Subject const& subject) {
  CommitOrder::Turn const turn(state_->order);
  return state_->tree->shred(subject);
}

Result<void> Vault::compact(Keeper keeper) const {
  return state_->engine->compact(storage::prefix_range(view(keeper).full_key({})));
}

Result<void> Vault::verify_keys() const {
  {
    MutexLock const lock(state_->mutex);
    TACENDA_TRY_VOID(
        verify_key_files(state_->files, state_->places, state_->keyring, state_->root, state_->store_id));
  }
  return state_->tree->verify();
}

Result<void> Vault::commit(std::span<Stamped const> sets, storage::WhenDamaged when_damaged) {
  storage::WriteBatch batch;
  batch.set_when_damaged(when_damaged);
  for (auto const& stamped : sets) {
    for (auto& operation : stamped.set->operations()) {
      std::uint64_t const sequence = stamped.first_sequence + operation.event;
      Bytes stamp;
      ByteWriter(stamp).u64(sequence).u64(stamped.time_ms);
      if (operation.stamp == WriteSet::Stamp::kValue) {
        TACENDA_ASSERT(operation.value && operation.value->size() >= stamp.size());
        std::ranges::copy(stamp, operation.value->begin());
      } else if (operation.stamp == WriteSet::Stamp::kKey) {
        TACENDA_ASSERT(operation.key.size() >= 8);
        std::ranges::copy(ByteView(stamp).first(8), operation.key.end() - 8);
      }
      if (operation.value) {
        batch.put(std::move(operation.key), std::move(*operation.value));
      } else {
        batch.erase(std::move(operation.key));
      }
    }
  }
  TACENDA_TRY_VOID(state_->engine->write(batch));
  for (auto const& stamped : sets) stamped.set->stored();
  return {};
}

bool key_file_shares_filesystem(Places const& places) {
  struct stat data{};
  struct stat key{};
  return ::stat(places.data.c_str(), &data) == 0 && ::stat(places.key_file.c_str(), &key) == 0 &&
         data.st_dev == key.st_dev;
}

}  // namespace tacenda::vault

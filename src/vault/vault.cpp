#include "vault/vault.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "core/process.hpp"
#include "crypto/fresh_key.hpp"
#include "crypto/hash.hpp"
#include "vault/internal/envelope.hpp"
#include "vault/internal/key_files.hpp"
#include "vault/internal/key_tree.hpp"
#include "vault/internal/vault_root.hpp"

namespace tacenda::vault {
namespace {

constexpr std::size_t kKeyFileBytes = 32;
constexpr crypto::Argon2idCost kPassphraseCost{256 * 1024, 4};

/// The keys of one purpose, ready to use.
struct PurposeKeys {
  PurposeKeys(Term const& term, crypto::Random& random)
      : number(term.number),
        aead(term.key),
        nonces(derive_mac_key(term.key.reveal(), "tacenda/nonce/purpose/1"), random),
        share(derive_aead_key(term.key.reveal(), "tacenda/for-all-share/1")) {}
  std::uint32_t number;
  crypto::Xaes256Gcm aead;
  crypto::HedgedNonces nonces;
  crypto::AeadKey share;  // of keys that need this term and others
};

}  // namespace

struct Vault::State final : storage::FileKeys {
  State(storage::Files& the_files, Places the_places, Slots const& slots, RootKey root_key, Keyring ring,
        crypto::Random& the_random, Clock const& the_clock)
      : files(the_files),
        places(std::move(the_places)),
        store_id(slots.store_id),
        tenant_id(ring.tenant_id),
        root(std::move(root_key)),
        random(the_random),
        clock(the_clock),
        root_file(files, beside(places, ".root"), root, store_id),
        keyring(std::move(ring)) {
    for (auto const& [purpose, terms] : keyring.purposes) {
      for (auto const& term : terms) purposes[purpose].push_back(std::make_unique<PurposeKeys>(term, random));
    }
  }

  PurposeKeys& newest(Purpose purpose) const {
    return *purposes.at(static_cast<std::uint8_t>(purpose)).back();
  }
  PurposeKeys* term(Purpose purpose, std::uint32_t number) const {
    for (auto const& keys : purposes.at(static_cast<std::uint8_t>(purpose))) {
      if (keys->number == number) return keys.get();
    }
    return nullptr;
  }
  Bytes purpose_data(Purpose purpose, ByteView associated_data) const {
    Bytes data;
    data.reserve(associated_data.size() + 64);
    ByteWriter(data).raw(store_id).raw(tenant_id).u8(static_cast<std::uint8_t>(purpose)).raw(associated_data);
    return data;
  }
  Result<Bytes> seal(Purpose purpose, ByteView associated_data, ByteView plaintext) const {
    auto& keys = newest(purpose);
    Bytes out;
    ByteWriter(out).u8(kEnvelopeVersion).u8(kXaes256Gcm).u32(keys.number);
    TACENDA_TRY_VOID(
        seal_with(keys.aead, keys.nonces, purpose_data(purpose, associated_data), plaintext, out));
    return out;
  }
  Result<Bytes> open(Purpose purpose, ByteView associated_data, ByteView sealed) const {
    ByteReader reader(sealed);
    TACENDA_TRY_VOID(check_envelope(reader));
    auto const* keys = term(purpose, TACENDA_TRY(reader.u32()));
    if (keys == nullptr)
      return fail(ErrorKind::kCorrupt, "an envelope names a term that the keyring does not have");
    Bytes plaintext;
    TACENDA_TRY_VOID(open_with(keys->aead, purpose_data(purpose, associated_data), reader.rest(), plaintext));
    return plaintext;
  }

  // storage::FileKeys: random per file, wrapped under the file purpose key.
  Result<storage::NewFileKey> make(storage::FileClass) override {
    storage::NewFileKey fresh;
    // Chunks of a table are sealed under counted nonces: a key that comes twice would be the end of both
    // files.
    TACENDA_TRY_VOID(crypto::fresh_key(random, clock, fresh.key.reveal_mutable()));
    fresh.wrapped = TACENDA_TRY(seal(Purpose::kFile, as_bytes("tacenda/file-key/1"), fresh.key.reveal()));
    return fresh;
  }
  Result<crypto::AeadKey> open(ByteView wrapped) override {
    auto bytes = TACENDA_TRY(open(Purpose::kFile, as_bytes("tacenda/file-key/1"), wrapped));
    if (bytes.size() != crypto::AeadKey::kSize)
      return fail(ErrorKind::kCorrupt, "a file key has another length");
    crypto::AeadKey key;
    std::ranges::copy(bytes, key.reveal_mutable().begin());
    ::explicit_bzero(bytes.data(), bytes.size());
    return key;
  }
  void destroyed(ByteView) override {}  // the wrapped form goes with the file

  storage::Files& files;
  Places const places;
  StoreId const store_id;
  TenantId const tenant_id;
  RootKey const root;
  crypto::Random& random;
  Clock const& clock;
  VaultRootFile root_file;
  std::map<std::uint8_t, std::vector<std::unique_ptr<PurposeKeys>>> purposes;
  Mutex mutex;
  Keyring keyring TACENDA_GUARDED_BY(mutex);
  CommitOrder order;
  // Destroyed in the opposite order: the tree before the engine it reads from.
  std::unique_ptr<storage::Engine> engine;
  std::unique_ptr<KeyTree> tree;
};

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
  TACENDA_TRY_VOID(add_slot(slots, SlotKind::kKeyFile, key.reveal(), {}, root, random));
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

Result<void> Vault::add_passphrase(storage::Files& files, Places const& places, Unlock const& unlock,
                                   SecretBuffer const& passphrase, crypto::Random& random) {
  auto [slots, root] = TACENDA_TRY(open_slot_files(files, places, unlock));
  TACENDA_TRY_VOID(
      add_slot(slots, SlotKind::kPassphrase, passphrase.reveal(), kPassphraseCost, root, random));
  return write_slot_files(files, places, slots, root);
}

Result<std::unique_ptr<Vault>> Vault::unseal(storage::Files& files, Places const& places,
                                             Unlock const& unlock, crypto::Random& random,
                                             Clock const& clock) {
  auto [slots, root] = TACENDA_TRY(open_slot_files(files, places, unlock));
  auto ring = TACENDA_TRY(read_keyring(files, places, root, slots.store_id));
  auto state = std::make_unique<State>(files, places, slots, std::move(root), std::move(ring), random, clock);
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
  // The sequence first: the snapshot then holds at least what it promises.
  std::uint64_t const sequence = state_->order.committed();
  return ReadPoint(state_->engine->snapshot(), sequence);
}

Result<Bytes> Vault::seal(Purpose purpose, ByteView associated_data, ByteView plaintext) const {
  return state_->seal(purpose, associated_data, plaintext);
}

Result<Bytes> Vault::open(Purpose purpose, ByteView associated_data, ByteView sealed) const {
  return std::as_const(*state_).open(purpose, associated_data, sealed);
}

// The nonce is the salt of the derivation, too: the key is new for each text.
Result<void> Vault::seal_for_all(Purpose purpose,
                                 std::span<std::shared_ptr<SubjectKeys const> const> subjects,
                                 ByteView associated_data, ByteView plaintext, Bytes& out) const {
  auto& keys = state_->newest(purpose);
  Bytes const data = state_->purpose_data(purpose, associated_data);
  auto const nonce = TACENDA_TRY(keys.nonces.next(data, plaintext));
  KeyForAll const derived = SubjectKeys::for_all(keys.share, subjects, nonce);
  ByteWriter(out)
      .u8(kEnvelopeVersion)
      .u8(kXaes256GcmForAll)
      .u32(keys.number)
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
  auto const* keys = state_->term(purpose, TACENDA_TRY(reader.u32()));
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
  return derive_mac_key(first.key.reveal(), "tacenda/derived/1/" + std::string(label));
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
  auto& secrets = state_->keyring.secrets;
  auto const found = secrets.find(name);
  std::optional<SecretBuffer> old;
  if (found != secrets.end()) old.emplace(found->second.reveal());
  secrets.insert_or_assign(std::string(name), SecretBuffer(secret.reveal()));
  // Counted even when the write fails half-way: no two keyrings may bear one number.
  ++state_->keyring.generation;
  auto written = write_keyring(state_->files, state_->places, state_->keyring, state_->root, state_->store_id,
                               state_->random);
  if (!written.has_value()) {
    secrets.erase(std::string(name));
    if (old) secrets.emplace(name, std::move(*old));
  }
  return written;
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
  return state_->engine->write(batch);
}

bool key_file_shares_filesystem(Places const& places) {
  struct stat data{};
  struct stat key{};
  return ::stat(places.data.c_str(), &data) == 0 && ::stat(places.key_file.c_str(), &key) == 0 &&
         data.st_dev == key.st_dev;
}

}  // namespace tacenda::vault

#include "vault/internal/slots.hpp"

#include <algorithm>

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "vault/internal/envelope.hpp"

namespace tacenda::vault {
namespace {

constexpr std::string_view kMagic = "TCNDSLOT";
constexpr std::uint16_t kVersion = 3;
constexpr std::uint16_t kVersionWithoutTimes = 2;
constexpr std::uint16_t kVersionWithoutMac = 1;
constexpr std::size_t kWrappedBytes = crypto::kXaesNonceBytes + RootKey::kSize + crypto::kTagBytes;
constexpr std::uint16_t kSlotsMax = 32;
// What a slot read from a disk may ask of this machine before anything in it is authenticated.
constexpr std::uint32_t kMemoryKibMax = 1U * 1024 * 1024;
constexpr std::uint32_t kPassesMax = 64;

struct SlotKeys {
  crypto::AeadKey key;
  Digest commitment;
};

/// What of a slot depends on its kind, as the file has it.
std::pair<std::uint32_t, std::uint32_t> parameters_of(Slot const& slot) {
  if (slot.kind == SlotKind::kShares) return {slot.counts.threshold, slot.counts.shares};
  return {slot.cost.memory_kib, slot.cost.passes};
}

Result<void> set_parameters(Slot& slot, std::uint32_t first, std::uint32_t second) {
  if (slot.kind == SlotKind::kShares) {
    if (first < 2 || second < first || second > kSharesMax)
      return fail(ErrorKind::kCorrupt, "the slots file has a slot of shares that cannot be");
    slot.counts = {static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(second)};
    return {};
  }
  if (first > kMemoryKibMax || second > kPassesMax)
    return fail(ErrorKind::kCorrupt, "the slots file asks for more work than any slot needs");
  slot.cost = {first, second};
  return {};
}

Bytes context_of(Slots const& slots, Slot const& slot) {
  Bytes context;
  ByteWriter(context)
      .sized("tacenda/slot/1")
      .raw(slots.store_id)
      .u32(slot.id)
      .u8(static_cast<std::uint8_t>(slot.kind))
      .u32(parameters_of(slot).first)
      .u32(parameters_of(slot).second);
  return context;
}

Result<SlotKeys> derive(Slots const& slots, Slot const& slot, ByteView secret) {
  SecretBuffer stretched;
  if (slot.kind == SlotKind::kPassphrase) {
    stretched = TACENDA_TRY(crypto::argon2id(secret, slot.salt, slot.cost, 32));
    secret = stretched.reveal();
  }
  auto const bytes =
      TACENDA_TRY(crypto::hkdf(crypto::HkdfHash::kSha512, secret, slot.salt, context_of(slots, slot), 64));
  SlotKeys keys;
  std::ranges::copy(bytes.reveal().first(32), keys.key.reveal_mutable().begin());
  std::ranges::copy(bytes.reveal().last(32), keys.commitment.begin());
  return keys;
}

Bytes associated_data(Slots const& slots, Slot const& slot) {
  Bytes data = context_of(slots, slot);
  append(data, slot.salt);
  append(data, slot.commitment);
  return data;
}

Result<Slot> decode_slot(ByteReader& reader, std::uint16_t version) {
  Slot slot;
  slot.id = TACENDA_TRY(reader.u32());
  auto const kind = TACENDA_TRY(reader.u8());
  if (kind < 1 || kind > (version < kVersion ? 2 : 3))
    return fail(ErrorKind::kUnsupported, "the slots file has a kind of slot this version does not know");
  slot.kind = static_cast<SlotKind>(kind);
  auto const first = TACENDA_TRY(reader.u32());
  auto const second = TACENDA_TRY(reader.u32());
  TACENDA_TRY_VOID(set_parameters(slot, first, second));
  std::ranges::copy(TACENDA_TRY(reader.raw(slot.salt.size())), slot.salt.begin());
  std::ranges::copy(TACENDA_TRY(reader.raw(slot.commitment.size())), slot.commitment.begin());
  slot.wrapped = to_bytes(TACENDA_TRY(reader.raw(kWrappedBytes)));
  if (version < kVersion) return slot;
  slot.created = TACENDA_TRY(reader.u64());
  slot.opened = TACENDA_TRY(reader.u64());
  return slot;
}

std::uint32_t id_after(std::vector<Slot> const& slots) {
  std::uint32_t next = 0;
  for (auto const& slot : slots) next = std::max(next, slot.id + 1);
  return next;
}

/// Everything but the MAC.
Bytes encode_content(Slots const& slots, std::uint16_t version) {
  Bytes file;
  ByteWriter writer(file);
  writer.raw(as_bytes(kMagic)).u16(version);
  if (version != kVersionWithoutMac) writer.u64(slots.generation);
  writer.raw(slots.store_id);
  if (version >= kVersion) writer.u32(slots.next_id);
  writer.u16(static_cast<std::uint16_t>(slots.slots.size()));
  for (auto const& slot : slots.slots) {
    writer.u32(slot.id)
        .u8(static_cast<std::uint8_t>(slot.kind))
        .u32(parameters_of(slot).first)
        .u32(parameters_of(slot).second);
    writer.raw(slot.salt).raw(slot.commitment).raw(slot.wrapped);
    if (version >= kVersion) writer.u64(slot.created).u64(slot.opened);
  }
  return file;
}

}  // namespace

Bytes encode_slots(Slots const& slots) {
  Bytes file = encode_content(slots, slots.mac ? slots.version : kVersionWithoutMac);
  if (slots.mac) append(file, ByteView(*slots.mac));
  return file;
}

void sign_slots(Slots& slots, RootKey const& root) {
  slots.version = kVersion;
  crypto::Hmac const mac(derive_mac_key(root.reveal(), "tacenda/slots/1"));
  slots.mac = mac.sign({encode_content(slots, kVersion)});
}

bool is_signed(Slots const& slots, RootKey const& root) {
  if (!slots.mac) return false;
  crypto::Hmac const mac(derive_mac_key(root.reveal(), "tacenda/slots/1"));
  return mac.verify({encode_content(slots, slots.version)}, *slots.mac);
}

Result<Slots> decode_slots(ByteView file) {
  ByteReader reader(file);
  if (as_text(TACENDA_TRY(reader.raw(kMagic.size()))) != kMagic)
    return fail(ErrorKind::kCorrupt, "the slots file is something else");
  std::uint16_t const version = TACENDA_TRY(reader.u16());
  if (version == 0 || version > kVersion)
    return fail(ErrorKind::kUnsupported, "the store was made by a newer version");
  Slots slots;
  slots.version = version;
  if (version >= kVersionWithoutTimes) slots.generation = TACENDA_TRY(reader.u64());
  std::ranges::copy(TACENDA_TRY(reader.raw(slots.store_id.size())), slots.store_id.begin());
  if (version >= kVersion) slots.next_id = TACENDA_TRY(reader.u32());
  std::uint16_t const count = TACENDA_TRY(reader.u16());
  if (count == 0 || count > kSlotsMax)
    return fail(ErrorKind::kCorrupt, "the slots file has no slot or too many");
  for (std::uint16_t i = 0; i < count; ++i) slots.slots.push_back(TACENDA_TRY(decode_slot(reader, version)));
  if (version < kVersion) slots.next_id = id_after(slots.slots);
  if (version >= kVersionWithoutTimes)
    std::ranges::copy(TACENDA_TRY(reader.raw(sizeof(Digest))), slots.mac.emplace().begin());
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "the slots file is longer than its slots");
  return slots;
}

Result<void> add_slot(Slots& slots, NewSlot const& fresh, RootKey const& root, crypto::Random& random) {
  if (slots.slots.size() >= kSlotsMax)
    return fail(ErrorKind::kTooLarge, "the store has as many slots as it may have: remove one first");
  Slot slot;
  slot.id = std::max(slots.next_id, id_after(slots.slots));
  slot.kind = fresh.kind;
  if (fresh.kind == SlotKind::kPassphrase) slot.cost = fresh.cost;
  if (fresh.kind == SlotKind::kShares) slot.counts = fresh.counts;
  slot.created = fresh.created;
  TACENDA_TRY_VOID(random.fill(slot.salt));
  auto const keys = TACENDA_TRY(derive(slots, slot, fresh.secret));
  slot.commitment = keys.commitment;
  TACENDA_TRY_VOID(seal_once(keys.key, random, associated_data(slots, slot), root.reveal(), slot.wrapped));
  slots.next_id = slot.id + 1;
  slots.slots.push_back(std::move(slot));
  return {};
}

Result<OpenedSlot> open_slots(Slots const& slots, SlotKind kind, ByteView secret) {
  for (auto const& slot : slots.slots) {
    if (slot.kind != kind) continue;
    auto const keys = derive(slots, slot, secret);
    // No memory for Argon2: the passphrase may well be right. Every other error is of a damaged slot, which
    // must not keep a good one from opening.
    if (!keys.has_value() && keys.error().kind() == ErrorKind::kUnavailable)
      return std::unexpected(keys.error());
    if (!keys.has_value() || !crypto::equal_constant_time(keys->commitment, slot.commitment)) continue;
    Bytes opened;
    opened.reserve(RootKey::kSize);
    if (!open_with(crypto::Xaes256Gcm(keys->key), associated_data(slots, slot), slot.wrapped, opened))
      continue;
    OpenedSlot found;
    std::ranges::copy(opened, found.root.reveal_mutable().begin());
    ::explicit_bzero(opened.data(), opened.size());
    found.id = slot.id;
    found.commitment = slot.commitment;
    return found;
  }
  return fail(ErrorKind::kUnauthenticated, "no slot of the store opens with this key");
}

}  // namespace tacenda::vault

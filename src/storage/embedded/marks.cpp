#include "storage/embedded/marks.hpp"

#include <algorithm>
#include <string_view>

#include "crypto/hash.hpp"
#include "storage/embedded/log_writer.hpp"

namespace tacenda::storage {
namespace {

constexpr std::string_view kMarkLabel = "tacenda/mark/1";
constexpr std::string_view kNewName = "MARKS.new";
constexpr std::size_t kSlotBytes = 512;
constexpr std::size_t kPlainBytes = 32;
constexpr std::size_t kSealedBytes = kPlainBytes + crypto::kTagBytes;
constexpr std::size_t kFileBytes = kHeaderBytes + 2 * kMarkSlots * kSlotBytes;

Bytes mark_data(Digest const& header_digest, std::size_t index) {
  Bytes data;
  ByteWriter(data).raw(as_bytes(kMarkLabel)).raw(header_digest).u8(static_cast<std::uint8_t>(index));
  return data;
}

struct NumberedMark {
  std::uint64_t counter;
  Mark mark;
};

Result<NumberedMark> open_slot(crypto::Xaes256Gcm const& aead, Digest const& header_digest, std::size_t index,
                               ByteView slot) {
  crypto::XaesNonce nonce;
  std::ranges::copy(slot.first(nonce.size()), nonce.begin());
  Bytes plain;
  TACENDA_TRY_VOID(
      aead.open(nonce, mark_data(header_digest, index), slot.subspan(nonce.size(), kSealedBytes), plain));
  ByteReader reader(plain);
  NumberedMark numbered{};
  numbered.counter = TACENDA_TRY(reader.u64());
  std::ranges::copy(TACENDA_TRY(reader.raw(kFileIdBytes)), numbered.mark.file.begin());
  numbered.mark.synced = TACENDA_TRY(reader.u64());
  return numbered;
}

}  // namespace

Result<MarkSet> read_marks(Folder& folder) {
  Bytes const file = TACENDA_TRY(folder.read_file(kMarksName, kFileBytes + 1));
  FileHeader const header = TACENDA_TRY(parse_header(file));
  if (header.kind != FileKind::kMarks || file.size() != kFileBytes) {
    return fail(ErrorKind::kCorrupt, "MARKS has a wrong kind or length");
  }
  crypto::AeadKey const key = TACENDA_TRY(folder.keys.open(header.wrapped_key));
  crypto::Xaes256Gcm const aead(key);
  Digest const digest = crypto::sha256(ByteView(file).first(kHeaderBytes));
  MarkSet marks;
  for (std::size_t slot = 0; slot < kMarkSlots; ++slot) {
    std::uint64_t newest = 0;
    for (std::size_t index = 2 * slot; index <= 2 * slot + 1; ++index) {
      auto const opened = open_slot(aead, digest, index,
                                    ByteView(file).subspan(kHeaderBytes + index * kSlotBytes, kSlotBytes));
      if (!opened || (marks[slot] && opened->counter <= newest)) continue;
      newest = opened->counter;
      marks[slot] = opened->mark;
    }
    if (marks[slot] && marks[slot]->synced == 0) marks[slot].reset();  // a fresh slot: no log yet
  }
  return marks;
}

Marks::Marks(Folder& folder, HeaderBytes const& header, crypto::AeadKey const& key,
             crypto::MacKey const& nonce_key)
    : folder_(folder),
      header_digest_(crypto::sha256(ByteView(header))),
      aead_(key),
      nonces_(nonce_key, folder.random) {}

Result<std::unique_ptr<Marks>> Marks::create(Folder& folder, MarkSet const& initial) {
  auto const nonce_key = TACENDA_TRY(crypto::random_secret<crypto::MacKey>(folder.random));
  StartedFile file = TACENDA_TRY(start_file(folder, kNewName, FileKind::kMarks, FileClass::kBookkeeping, {}));
  auto marks = std::unique_ptr<Marks>(new Marks(folder, file.header_bytes, file.key, nonce_key));
  MutexLock const lock(marks->mutex_);
  Bytes slots;
  for (std::size_t index = 0; index < 2 * kMarkSlots; ++index) {
    append(slots, TACENDA_TRY(marks->seal(index, initial[index / 2].value_or(Mark{}))));
  }
  marks->newest_ = initial;
  marks->second_.fill(true);
  auto status = file.base->Append(to_slice(slots), {}, nullptr);
  if (status.ok()) status = folder.judge_sync(file.base->Sync({}, nullptr));
  if (status.ok()) status = file.base->Close({}, nullptr);
  if (status.ok()) {
    status = folder.base->RenameFile(folder.path_of(kNewName), folder.path_of(kMarksName), {}, nullptr);
  }
  if (status.ok()) status = folder.sync();
  if (status.ok()) {
    status = folder.base->NewRandomRWFile(folder.path_of(kMarksName), {}, &marks->file_, nullptr);
  }
  if (!status.ok()) return std::unexpected(to_error(status));
  return marks;
}

Result<void> Marks::note(MarkSlot slot, Mark const& mark) {
  auto const number = static_cast<std::size_t>(slot);
  MutexLock const lock(mutex_);
  if (newest_[number] && newest_[number]->file == mark.file && newest_[number]->synced >= mark.synced)
    return {};
  std::size_t const index = 2 * number + (second_[number] ? 0 : 1);
  Bytes const sealed = TACENDA_TRY(seal(index, mark));
  auto const status = file_->Write(kHeaderBytes + index * kSlotBytes, to_slice(sealed), {}, nullptr);
  if (!status.ok()) {
    folder_.health.stop();
    return fail(ErrorKind::kUnavailable, "write to MARKS failed");
  }
  second_[number] = !second_[number];
  newest_[number] = mark;
  return {};
}

Result<void> Marks::sync() {
  MutexLock const lock(mutex_);
  if (auto const status = folder_.judge_sync(file_->Sync({}, nullptr)); !status.ok()) {
    return fail(ErrorKind::kUnavailable, "fsync of MARKS failed");
  }
  return {};
}

Result<void> Marks::verify() {
  MutexLock const lock(mutex_);
  Bytes const file = TACENDA_TRY(folder_.read_file(kMarksName, kFileBytes + 1));
  if (file.size() != kFileBytes || crypto::sha256(ByteView(file).first(kHeaderBytes)) != header_digest_) {
    return fail(ErrorKind::kCorrupt, "MARKS was exchanged");
  }
  for (std::size_t index = 0; index < 2 * kMarkSlots; ++index) {
    ByteView const slot = ByteView(file).subspan(kHeaderBytes + index * kSlotBytes, kSlotBytes);
    TACENDA_TRY_VOID(open_slot(aead_, header_digest_, index, slot));
    auto const rest = slot.subspan(sizeof(crypto::XaesNonce) + kSealedBytes);
    if (!std::ranges::all_of(rest, [](std::byte b) { return b == std::byte{0}; })) {
      return fail(ErrorKind::kCorrupt, "MARKS has bytes behind a slot");
    }
  }
  return {};
}

Result<Bytes> Marks::seal(std::size_t index, Mark const& mark) {
  Bytes plain;
  ByteWriter(plain).u64(++counter_).raw(mark.file).u64(mark.synced);
  Bytes const data = mark_data(header_digest_, index);
  auto const nonce = TACENDA_TRY(nonces_.next(data, plain));
  Bytes slot = to_bytes(ByteView(nonce));
  aead_.seal(nonce, data, plain, slot);
  slot.resize(kSlotBytes);
  return slot;
}

}  // namespace tacenda::storage

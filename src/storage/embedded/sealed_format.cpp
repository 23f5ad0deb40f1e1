#include "storage/embedded/sealed_format.hpp"

#include <algorithm>
#include <string_view>

#include "core/process.hpp"
#include "crypto/hash.hpp"
#include "storage/file_keys.hpp"

namespace tacenda::storage {
namespace {

constexpr std::string_view kMagic = "TACENDA\x01";
constexpr std::size_t kWrappedOffset = 28;
constexpr std::string_view kChunkLabel = "tacenda/chunk/1";
constexpr std::string_view kRecordLabel = "tacenda/record/1";
constexpr std::size_t kClearFieldsBytes = 37;  // of a record's frame: all but the nonce

static_assert(kWrappedOffset + kWrappedKeyBytesMax <= kHeaderBytes);

std::byte algorithm_of(FileKind kind) {
  return kind == FileKind::kChunks ? std::byte{1} : std::byte{2};
}

crypto::GcmNonce chunk_nonce(std::uint64_t index) {
  crypto::GcmNonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[11 - i] = static_cast<std::byte>(index >> (8 * i));
  return nonce;
}

Bytes chunk_data(Digest const& header_digest, std::uint64_t index, ChunkPlace place) {
  Bytes data;
  data.reserve(kChunkLabel.size() + header_digest.size() + 9);
  ByteWriter(data).raw(as_bytes(kChunkLabel)).raw(header_digest).u64(index).u8(std::to_underlying(place));
  return data;
}

Chain first_chain(Digest const& header_digest) {
  Digest const digest = crypto::sha256(ByteView(header_digest));
  Chain chain;
  std::copy_n(digest.begin(), chain.size(), chain.begin());
  return chain;
}

Chain next_chain(Chain const& before, ByteView tag) {
  Digest const digest = crypto::sha256({ByteView(before), tag});
  Chain chain;
  std::copy_n(digest.begin(), chain.size(), chain.begin());
  return chain;
}

Bytes record_data(Digest const& header_digest, ByteView clear_fields) {
  Bytes data;
  data.reserve(kRecordLabel.size() + header_digest.size() + clear_fields.size());
  ByteWriter(data).raw(as_bytes(kRecordLabel)).raw(header_digest).raw(clear_fields);
  return data;
}

struct Frame {
  std::size_t payload_size;
  GroupEnd end;
  std::uint64_t number;
  std::uint64_t synced;
  ByteView chain;
};

std::uint64_t load(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::byte const byte : bytes) value = value << 8U | std::to_integer<std::uint64_t>(byte);
  return value;
}

/// The clear fields of the record at the start of `rest`; nullopt when no record can start so.
std::optional<Frame> parse_frame(ByteView rest) {
  if (rest.size() < kRecordOverheadBytes) return std::nullopt;
  Frame frame{.payload_size = static_cast<std::size_t>(load(rest.first(4))),
              .end = rest[4] == std::byte{1} ? GroupEnd::kYes : GroupEnd::kNo,
              .number = load(rest.subspan(5, 8)),
              .synced = load(rest.subspan(13, 8)),
              .chain = rest.subspan(21, 16)};
  bool const sane = std::to_integer<unsigned>(rest[4]) <= 1 && frame.payload_size <= kRecordBytesMax &&
                    frame.payload_size + kRecordOverheadBytes <= rest.size();
  return sane ? std::optional(frame) : std::nullopt;
}

/// Walks the records of one file.
class LogReader {
 public:
  LogReader(crypto::AeadKey const& key, ByteView file)
      : aead_(key), file_(file), header_digest_(crypto::sha256(file.first(kHeaderBytes))) {}

  LogContent read_groups() {
    LogContent content;
    std::size_t group_start = 0;  // in the plaintext
    Chain chain = first_chain(header_digest_);
    std::size_t offset = kHeaderBytes;
    while (true) {
      ByteView const rest = file_.subspan(offset);
      auto const frame = parse_frame(rest);
      if (!frame || frame->number != number_ || frame->synced > offset || !equal(frame->chain, chain)) break;
      if (!open(rest, *frame, content.plaintext)) break;
      std::size_t const size = frame->payload_size + kRecordOverheadBytes;
      chain = next_chain(chain, rest.subspan(size - crypto::kTagBytes, crypto::kTagBytes));
      offset += size;
      ++number_;
      if (frame->end == GroupEnd::kYes) {
        content.end = offset;
        group_start = content.plaintext.size();
      }
    }
    content.plaintext.resize(group_start);
    return content;
  }

  /// True when a record behind `end` opens that was sealed after an fsync of bytes behind `end`: the
  /// records between are lost though they were promised. Records number from the first unread on, so few
  /// offsets pass the cheap checks; a file with more of them than any writer leaves was made up.
  bool promises_more_than(std::uint64_t end) const {
    constexpr std::size_t kTriesMax = 4'096;
    std::size_t tries = 0;
    for (std::size_t offset = static_cast<std::size_t>(end); offset < file_.size(); ++offset) {
      ByteView const rest = file_.subspan(offset);
      if (rest.size() < kRecordOverheadBytes) return false;
      auto const frame = parse_frame(rest);
      if (!frame || frame->synced <= end || frame->synced > offset) continue;
      if (frame->number < number_ || frame->number > number_ + file_.size() / kRecordOverheadBytes) continue;
      if (++tries > kTriesMax) return true;
      Bytes ignored;
      if (open(rest, *frame, ignored)) return true;
    }
    return false;
  }

 private:
  bool open(ByteView rest, Frame const& frame, Bytes& out) const {
    crypto::XaesNonce nonce;
    std::ranges::copy(rest.subspan(kClearFieldsBytes, nonce.size()), nonce.begin());
    Bytes const data = record_data(header_digest_, rest.first(kClearFieldsBytes));
    ByteView const sealed = rest.subspan(kRecordFrameBytes, frame.payload_size + crypto::kTagBytes);
    return aead_.open(nonce, data, sealed, out).has_value();
  }

  crypto::Xaes256Gcm aead_;
  ByteView file_;
  Digest header_digest_;
  std::uint64_t number_ = 0;
};

}  // namespace

HeaderBytes encode_header(FileHeader const& header) {
  TACENDA_ASSERT(!header.wrapped_key.empty() && header.wrapped_key.size() <= kWrappedKeyBytesMax);
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.raw(as_bytes(kMagic)).u8(std::to_underlying(header.kind));
  writer.u8(std::to_integer<std::uint8_t>(algorithm_of(header.kind))).raw(header.id);
  writer.u16(static_cast<std::uint16_t>(header.wrapped_key.size())).raw(header.wrapped_key);
  HeaderBytes encoded{};
  std::ranges::copy(bytes, encoded.begin());
  return encoded;
}

Result<FileHeader> parse_header(ByteView bytes) {
  if (bytes.size() < kHeaderBytes || !equal(bytes.first(kMagic.size()), as_bytes(kMagic))) {
    return fail(ErrorKind::kCorrupt, "not a sealed file of version 1");
  }
  ByteReader reader(bytes.first(kHeaderBytes).subspan(kMagic.size()));
  auto const kind_byte = TACENDA_TRY(reader.u8());
  if (kind_byte < 1 || kind_byte > 4) return fail(ErrorKind::kCorrupt, "sealed file of an unknown kind");
  FileHeader header{.kind = FileKind{kind_byte}, .id = {}, .wrapped_key = {}};
  auto const algorithm = TACENDA_TRY(reader.u8());
  if (std::byte{algorithm} != algorithm_of(header.kind)) {
    return fail(ErrorKind::kCorrupt, "sealed file with an unknown algorithm");
  }
  std::ranges::copy(TACENDA_TRY(reader.raw(kFileIdBytes)), header.id.begin());
  auto const wrapped_size = TACENDA_TRY(reader.u16());
  if (wrapped_size == 0 || wrapped_size > kWrappedKeyBytesMax) {
    return fail(ErrorKind::kCorrupt, "sealed file with a wrapped key of a wrong length");
  }
  header.wrapped_key = to_bytes(TACENDA_TRY(reader.raw(wrapped_size)));
  if (!std::ranges::all_of(reader.rest(), [](std::byte b) { return b == std::byte{0}; })) {
    return fail(ErrorKind::kCorrupt, "sealed file with bytes behind its header");
  }
  return header;
}

Result<std::uint64_t> plain_size(std::uint64_t sealed_size) {
  if (sealed_size < kHeaderBytes + crypto::kTagBytes)
    return fail(ErrorKind::kCorrupt, "sealed file is cut off");
  std::uint64_t const body = sealed_size - kHeaderBytes;
  std::uint64_t const rest = body % kSealedChunkBytes;
  if (rest == 0) return body / kSealedChunkBytes * kChunkBytes;
  if (rest < crypto::kTagBytes) return fail(ErrorKind::kCorrupt, "sealed file is cut off");
  return body / kSealedChunkBytes * kChunkBytes + rest - crypto::kTagBytes;
}

ChunkCodec::ChunkCodec(crypto::AeadKey const& key, HeaderBytes const& header)
    : aead_(key), header_digest_(crypto::sha256(ByteView(header))) {}

void ChunkCodec::seal(std::uint64_t index, ChunkPlace place, ByteView chunk, std::span<std::byte> out) const {
  aead_.seal(chunk_nonce(index), chunk_data(header_digest_, index, place), chunk, out);
}

Result<void> ChunkCodec::open(std::uint64_t index, ChunkPlace place, ByteView sealed,
                              std::span<std::byte> out) const {
  return aead_.open(chunk_nonce(index), chunk_data(header_digest_, index, place), sealed, out);
}

RecordSealer::RecordSealer(crypto::AeadKey const& key, HeaderBytes const& header,
                           crypto::MacKey const& nonce_key, crypto::Random& random)
    : aead_(key),
      nonces_(nonce_key, random),
      header_digest_(crypto::sha256(ByteView(header))),
      chain_(first_chain(header_digest_)) {}

Result<void> RecordSealer::seal(ByteView payload, GroupEnd end, std::uint64_t synced, Bytes& out) {
  TACENDA_ASSERT(payload.size() <= kRecordBytesMax);
  std::size_t const start = out.size();
  ByteWriter writer(out);
  writer.u32(static_cast<std::uint32_t>(payload.size())).u8(std::to_underlying(end));
  writer.u64(number_).u64(synced).raw(chain_);
  Bytes const data = record_data(header_digest_, ByteView(out).subspan(start));
  auto const nonce = nonces_.next(data, payload);
  if (!nonce) {
    out.resize(start);
    return std::unexpected(nonce.error());
  }
  writer.raw(*nonce);
  aead_.seal(*nonce, data, payload, out);
  chain_ = next_chain(chain_, ByteView(out).last(crypto::kTagBytes));
  ++number_;
  return {};
}

Result<LogContent> read_log(crypto::AeadKey const& key, ByteView file, std::uint64_t synced) {
  if (file.size() < kHeaderBytes) return fail(ErrorKind::kCorrupt, "log is cut off inside its header");
  LogReader reader(key, file);
  LogContent content = reader.read_groups();
  if (content.end < synced || reader.promises_more_than(content.end)) {
    return fail(ErrorKind::kCorrupt, "log has lost records that had been synced");
  }
  return content;
}

}  // namespace tacenda::storage

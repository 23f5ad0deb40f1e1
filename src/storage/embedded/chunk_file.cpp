#include "storage/embedded/chunk_file.hpp"

#include <algorithm>
#include <utility>

namespace tacenda::storage {

ChunkWriter::ChunkWriter(Folder& folder, StartedFile file)
    : folder_(folder),
      header_(std::move(file.header)),
      codec_(file.key, file.header_bytes),
      base_(std::move(file.base)),
      sealed_(kSealedChunkBytes) {
  pending_.reserve(kChunkBytes);
}

Result<void> ChunkWriter::append(ByteView bytes) {
  if (broken_ || finished_) return fail(ErrorKind::kUnavailable, "sealed file is already complete");
  while (!bytes.empty()) {
    if (pending_.size() == kChunkBytes) {
      TACENDA_TRY_VOID(write_chunk(ChunkPlace::kInner));
      pending_.clear();
      ++full_chunks_;
    }
    std::size_t const size = std::min(bytes.size(), kChunkBytes - pending_.size());
    tacenda::append(pending_, bytes.first(size));
    bytes = bytes.subspan(size);
  }
  return {};
}

Result<void> ChunkWriter::sync() {
  TACENDA_TRY_VOID(finish());
  if (auto const status = folder_.judge_sync(base_->Sync({}, nullptr)); !status.ok()) {
    broken_ = true;
    return fail(ErrorKind::kUnavailable, "fsync of a sealed file failed");
  }
  return {};
}

Result<void> ChunkWriter::close() {
  if (!base_) return {};
  Result<void> finished = broken_ ? Result<void>() : finish();
  auto const status = base_->Close({}, nullptr);
  base_.reset();
  broken_ = true;
  if (finished.has_value() && !status.ok()) return std::unexpected(to_error(status));
  return finished;
}

void ChunkWriter::start_writeback() {
  if (broken_) return;
  // A hint: what it fails to do, the sync does, and reports.
  (void)base_->RangeSync(0, kHeaderBytes + full_chunks_ * kSealedChunkBytes, {}, nullptr);
}

Result<void> ChunkWriter::finish() {
  if (broken_) return fail(ErrorKind::kUnavailable, "sealed file is closed after an error");
  if (finished_) return {};
  TACENDA_TRY_VOID(write_chunk(ChunkPlace::kLast));
  finished_ = true;
  return {};
}

Result<void> ChunkWriter::write_chunk(ChunkPlace place) {
  std::span<std::byte> const out = std::span(sealed_).first(pending_.size() + crypto::kTagBytes);
  codec_.seal(full_chunks_, place, pending_, out);
  if (auto const status = base_->Append(to_slice(out), {}, nullptr); !status.ok()) {
    broken_ = true;
    return std::unexpected(to_error(status));
  }
  return {};
}

ChunkReader::ChunkReader(std::unique_ptr<rocksdb::FSRandomAccessFile> base, ChunkCodec codec,
                         std::uint64_t plain_bytes)
    : base_(std::move(base)),
      codec_(std::move(codec)),
      plain_bytes_(plain_bytes),
      chunk_count_(plain_bytes == 0 ? 1 : (plain_bytes + kChunkBytes - 1) / kChunkBytes) {}

Result<std::unique_ptr<ChunkReader>> ChunkReader::open(Folder& folder, std::string_view name,
                                                       HeaderBytes const& header, crypto::AeadKey const& key,
                                                       rocksdb::FileOptions const& options) {
  std::string const path = folder.path_of(name);
  std::uint64_t sealed_bytes = 0;
  if (auto const status = folder.base->GetFileSize(path, {}, &sealed_bytes, nullptr); !status.ok()) {
    return std::unexpected(to_error(status));
  }
  std::uint64_t const plain_bytes = TACENDA_TRY(plain_size(sealed_bytes));
  std::unique_ptr<rocksdb::FSRandomAccessFile> base;
  if (auto const status = folder.base->NewRandomAccessFile(path, options, &base, nullptr); !status.ok()) {
    return std::unexpected(to_error(status));
  }
  auto reader =
      std::unique_ptr<ChunkReader>(new ChunkReader(std::move(base), ChunkCodec(key, header), plain_bytes));
  std::array<std::byte, 1> probe{};
  if (plain_bytes > 0) {
    TACENDA_TRY_VOID(reader->read(plain_bytes - 1, probe));
    return reader;
  }
  Bytes tag(crypto::kTagBytes);
  rocksdb::Slice got;
  auto const status =
      reader->base_->Read(kHeaderBytes, tag.size(), {}, &got, reinterpret_cast<char*>(tag.data()), nullptr);
  if (!status.ok()) return std::unexpected(to_error(status));
  TACENDA_TRY_VOID(reader->open_chunk(0, to_view(got), {}));
  return reader;
}

Result<std::size_t> ChunkReader::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset >= plain_bytes_ || out.empty()) return std::size_t{0};
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), plain_bytes_ - offset)));
  std::uint64_t const first = offset / kChunkBytes;
  std::uint64_t const last = (offset + out.size() - 1) / kChunkBytes;
  std::uint64_t const last_plain = std::min<std::uint64_t>(kChunkBytes, plain_bytes_ - last * kChunkBytes);
  auto const sealed_bytes =
      static_cast<std::size_t>((last - first) * kSealedChunkBytes + last_plain + crypto::kTagBytes);
  auto const buffer = std::make_unique_for_overwrite<std::byte[]>(sealed_bytes);
  rocksdb::Slice got;
  auto const status = base_->Read(kHeaderBytes + first * kSealedChunkBytes, sealed_bytes, {}, &got,
                                  reinterpret_cast<char*>(buffer.get()), nullptr);
  if (!status.ok()) return std::unexpected(to_error(status));
  ByteView sealed = to_view(got);
  if (sealed.size() != sealed_bytes) return fail(ErrorKind::kCorrupt, "sealed file became shorter");

  std::array<std::byte, kChunkBytes> part;
  std::size_t done = 0;
  for (std::uint64_t index = first; index <= last; ++index) {
    ByteView const chunk = sealed.first(std::min(sealed.size(), kSealedChunkBytes));
    sealed = sealed.subspan(chunk.size());
    std::size_t const plain = chunk.size() - crypto::kTagBytes;
    std::size_t const skipped = index == first ? static_cast<std::size_t>(offset % kChunkBytes) : 0;
    std::size_t const wanted = std::min(plain - skipped, out.size() - done);
    bool const whole = skipped == 0 && wanted == plain;  // open in place, without a copy
    std::span<std::byte> const target = whole ? out.subspan(done, plain) : std::span(part).first(plain);
    TACENDA_TRY_VOID(open_chunk(index, chunk, target));
    if (!whole) std::ranges::copy(target.subspan(skipped, wanted), out.subspan(done).begin());
    done += wanted;
  }
  return done;
}

Result<void> ChunkReader::open_chunk(std::uint64_t index, ByteView sealed, std::span<std::byte> out) const {
  if (sealed.size() < crypto::kTagBytes) return fail(ErrorKind::kCorrupt, "sealed file is cut off");
  ChunkPlace const place = index + 1 == chunk_count_ ? ChunkPlace::kLast : ChunkPlace::kInner;
  return codec_.open(index, place, sealed, out);
}

}  // namespace tacenda::storage

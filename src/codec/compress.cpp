#include "codec/compress.hpp"

#include <zstd.h>

#include "core/process.hpp"

namespace tacenda::codec {
namespace {

struct FreeCompress {
  void operator()(ZSTD_CCtx* context) const { (void)ZSTD_freeCCtx(context); }  // always 0
};
struct FreeDecompress {
  void operator()(ZSTD_DCtx* context) const { (void)ZSTD_freeDCtx(context); }  // always 0
};

ZSTD_CCtx* compress_context() {
  thread_local std::unique_ptr<ZSTD_CCtx, FreeCompress> const context(ZSTD_createCCtx());
  return context.get();
}

ZSTD_DCtx* decompress_context() {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeDecompress> const context(ZSTD_createDCtx());
  return context.get();
}

}  // namespace

struct Compressor::State {
  State(ByteView dictionary, int level)
      : compress(ZSTD_createCDict(dictionary.data(), dictionary.size(), level)),
        decompress(ZSTD_createDDict(dictionary.data(), dictionary.size())) {
    TACENDA_ASSERT(compress != nullptr && decompress != nullptr);
  }
  ~State() {
    (void)ZSTD_freeCDict(compress);    // always 0
    (void)ZSTD_freeDDict(decompress);  // always 0
  }
  State(State const&) = delete;
  State& operator=(State const&) = delete;
  ZSTD_CDict* compress;
  ZSTD_DDict* decompress;
};

Compressor::Compressor(ByteView dictionary, int level) : state_(std::make_unique<State>(dictionary, level)) {}
Compressor::~Compressor() = default;

Result<void> Compressor::compress(ByteView bytes, Bytes& out) const {
  auto* context = compress_context();
  if (context == nullptr) return fail(ErrorKind::kUnavailable, "there is no memory to compress with");
  std::size_t const start = out.size();
  out.resize(start + ZSTD_compressBound(bytes.size()));
  std::size_t const size = ZSTD_compress_usingCDict(context, out.data() + start, out.size() - start,
                                                    bytes.data(), bytes.size(), state_->compress);
  if (ZSTD_isError(size) != 0) {
    out.resize(start);
    return fail(ErrorKind::kUnavailable, "compressing failed");
  }
  out.resize(start + size);
  return {};
}

Result<void> Compressor::decompress(ByteView frame, std::size_t size_bytes_max, Bytes& out) const {
  auto* context = decompress_context();
  if (context == nullptr) return fail(ErrorKind::kUnavailable, "there is no memory to decompress with");
  // zstd would read several frames after each other: one text would have many forms.
  if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) {
    return fail(ErrorKind::kCorrupt, "a compressed text is not one whole frame");
  }
  auto const size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > size_bytes_max) {
    return fail(ErrorKind::kCorrupt, "a compressed text has no size, or one too large");
  }
  out.resize(static_cast<std::size_t>(size));
  std::size_t const done = ZSTD_decompress_usingDDict(context, out.data(), out.size(), frame.data(),
                                                      frame.size(), state_->decompress);
  if (ZSTD_isError(done) != 0 || done != out.size()) {
    out.clear();
    return fail(ErrorKind::kCorrupt, "a compressed text cannot be read");
  }
  return {};
}

}  // namespace tacenda::codec

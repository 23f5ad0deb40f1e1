#pragma once

#include <memory>

#include "core/bytes.hpp"

namespace tacenda::codec {

/// zstd with a prepared dictionary. Thread-safe: contexts are per thread, the dictionary is shared.
/// Source: RFC 8878.
class Compressor {
 public:
  /// `dictionary` is copied; empty: none.
  explicit Compressor(ByteView dictionary, int level = 1);
  ~Compressor();
  Compressor(Compressor const&) = delete;
  Compressor& operator=(Compressor const&) = delete;

  /// Appends one frame to `out`. Errors: kUnavailable (memory).
  Result<void> compress(ByteView bytes, Bytes& out) const;
  /// Puts what a frame holds into `out`, at most `size_bytes_max`. Errors: kCorrupt.
  Result<void> decompress(ByteView frame, std::size_t size_bytes_max, Bytes& out) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The dictionary of FHIR R4 JSON, version 1: trained on synthetic patients only, because what it holds
/// survives every erasure. Part of the record format: never change it, add a version 2.
ByteView fhir_dictionary_v1();

}  // namespace tacenda::codec

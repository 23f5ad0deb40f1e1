#pragma once

#include <cstdint>
#include <string_view>

#include "core/bytes.hpp"

namespace tacenda::identity {

/// Walks over the part of CBOR that WebAuthn uses: definite lengths, shortest heads, no tags and no floats.
/// libfido2 reads what this has walked over: it allocates by the counts that a head claims, so that they are
/// held to the bytes there are before it sees them. Views what it is given; copies nothing.
/// Source: RFC 8949 section 3; CTAP 2.1 section 8 (canonical form).
class CborReader {
 public:
  explicit CborReader(ByteView bytes) : rest_(bytes) {}

  /// Number of pairs of the map that starts here. Errors: kInvalid.
  Result<std::uint64_t> map();
  /// Errors: kInvalid.
  Result<std::string_view> text();
  Result<ByteView> bytes();
  /// Walks over one item with all that is in it. Errors: kInvalid (also deeper than `depth`).
  Result<void> skip(unsigned depth = 4);
  ByteView rest() const { return rest_; }
  bool done() const { return rest_.empty(); }

 private:
  enum class Major : std::uint8_t { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };
  struct Head {
    Major major;
    std::uint64_t value;
  };
  Result<Head> head();
  Result<ByteView> string(Major major);
  Result<ByteView> take(std::uint64_t size_bytes);

  ByteView rest_;
};

}  // namespace tacenda::identity

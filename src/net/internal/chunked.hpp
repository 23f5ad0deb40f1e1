#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/server.hpp"

namespace tacenda::net {

/// Decodes the chunked transfer coding of one request body. Trailer fields are checked and dropped: none
/// means anything to this server, and merging them into the fields is how checks are gone round.
/// Source: RFC 9112 section 7.1, without blanks around sizes and extensions.
class ChunkedDecoder {
 public:
  enum class State : std::uint8_t { kIncomplete, kComplete, kMalformed, kTooLarge };

  explicit ChunkedDecoder(Limits const& limits)
      : framing_bytes_left_(limits.header_bytes), trailer_fields_left_(limits.header_fields) {}

  /// Takes as much of `bytes` as it understands, appends data to `body` until it would hold more than
  /// `body_max` bytes, and sets `consumed`. An incomplete line is left to be given again with what follows.
  State decode(std::string_view bytes, std::string& body, std::size_t body_max, std::size_t& consumed);

 private:
  enum class Part : std::uint8_t { kSize, kData, kDataEnd, kTrailer, kDone };

  State take_size_line(std::string_view line, std::size_t room);
  State take_trailer(std::string_view line);

  Part part_ = Part::kSize;
  std::uint64_t data_left_ = 0;
  std::size_t framing_bytes_left_;  // extensions and trailers of the whole body together
  std::size_t trailer_fields_left_;
};

}  // namespace tacenda::net

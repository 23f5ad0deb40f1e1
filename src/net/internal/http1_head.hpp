#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "net/http.hpp"
#include "net/server.hpp"

namespace tacenda::net {

/// The request line and the fields of one HTTP/1.1 request, and what they say about the body.
struct Http1Head {
  enum class Framing : std::uint8_t { kNone, kLength, kChunked };

  Request request;  // without body and peer
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;  // of kLength
  bool close = false;
  bool expects_continue = false;
};

/// A request that is not taken; `status` is what it is answered with.
struct Refusal {
  std::uint16_t status;
};

/// Which scheme an absolute-form target must name on this listener.
enum class Scheme : std::uint8_t { kHttp, kHttps };

/// Finds the end of a request head in bytes that arrive piece by piece, looking at each byte once.
/// Lines end in CR LF and nothing else: a reader that takes a bare LF sees other requests than one that
/// does not (W-10). One empty line before the request line is passed over (RFC 9112 section 2.2).
class HeadScanner {
 public:
  enum class State : std::uint8_t { kIncomplete, kComplete, kMalformed };

  /// `bytes` starts at the first byte after the previous request and holds everything since.
  State scan(std::string_view bytes);

  std::size_t begin() const { return begin_; }  // where the request line starts
  std::size_t end() const { return line_; }     // after kComplete: first byte behind the empty line
  bool has_request_line() const { return line_ > begin_; }
  void reset() { *this = HeadScanner(); }

 private:
  std::size_t begin_ = 0;
  std::size_t line_ = 0;     // start of the line that is being scanned
  std::size_t scanned_ = 0;  // first byte not looked at
};

/// Reads one complete head: request line, fields, empty line.
/// Refuses with 400, 414 (target), 431 (fields) or 505 (any version but 1.1: HTTP/1.0 has no Host and no
/// chunks, and where the two meet is where requests are smuggled).
/// Source: RFC 9112 sections 2 to 7; stricter as the comments in the code say.
std::expected<Http1Head, Refusal> parse_http1_head(std::string_view head, Limits const& limits,
                                                   Scheme scheme);

}  // namespace tacenda::net

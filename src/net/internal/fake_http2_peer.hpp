#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "net/internal/fake_host.hpp"
#include "net/internal/http2_session.hpp"

// The other end of an HTTP/2 connection, for tests: makes frames and reads them.
namespace tacenda::net {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum FrameType : std::uint8_t {
  kData,
  kHeaders,
  kPriority,
  kReset,
  kSettings,
  kPush,
  kPing,
  kGoaway,
  kWindow,
  kContinuation
};
inline constexpr std::uint8_t kEndStream = 1;
inline constexpr std::uint8_t kAck = 1;
inline constexpr std::uint8_t kEndHeaders = 4;

struct Frame {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint32_t stream;
  std::string payload;
};

inline std::string number(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xFFU);
  return text;
}

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                         std::string const& payload = "") {
  return number(static_cast<std::uint32_t>(payload.size()), 3) + number(type, 1) + number(flags, 1) +
         number(stream, 4) + payload;
}

/// One field as an HPACK literal without indexing (RFC 7541 section 6.2.2), names and values under 127 bytes.
inline std::string literal(std::string const& name, std::string const& value) {
  return std::string(1, '\0') + number(static_cast<std::uint32_t>(name.size()), 1) + name +
         number(static_cast<std::uint32_t>(value.size()), 1) + value;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string block(Fields const& fields) {
  std::string text;
  for (auto const& [name, value] : fields) text += literal(name, value);
  return text;
}

Fields const kGet{{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/x?y=z"}};
Fields const kPost{{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/p"}};

inline Fields with(Fields fields, std::string name, std::string value) {
  fields.emplace_back(std::move(name), std::move(value));
  return fields;
}

inline std::string request(std::uint32_t stream, Fields const& fields, std::uint8_t flags = kEndStream) {
  return frame(kHeaders, flags | kEndHeaders, stream, block(fields));
}

inline std::vector<Frame> parse(std::string_view bytes) {
  std::vector<Frame> frames;
  auto const value = [&](std::size_t at, int count) {
    std::uint32_t result = 0;
    for (int i = 0; i < count; ++i)
      result = result << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
    return result;
  };
  while (bytes.size() >= 9) {
    auto const size = value(0, 3);
    frames.push_back({static_cast<std::uint8_t>(bytes[3]), static_cast<std::uint8_t>(bytes[4]), value(5, 4),
                      std::string(bytes.substr(9, size))});
    bytes.remove_prefix(9 + size);
  }
  return frames;
}

inline Response ok(std::string body = "") {
  Response response;
  response.status = 200;
  response.body = std::move(body);
  return response;
}

class Http2 : public ::testing::Test {
 protected:
  void SetUp() override { exchange(std::string(kPreface) + frame(kSettings, 0, 0)); }

  std::vector<Frame> exchange(std::string const& bytes) {
    if (session.wants_read()) session.receive(bytes);
    return parse(drain_output(session));
  }
  std::vector<Frame> answer(std::uint32_t stream, Response response) {
    session.respond(stream, std::move(response));
    return parse(drain_output(session));
  }
  /// The error code that stream `id` was reset with; nullopt when it was not.
  static std::optional<std::uint32_t> reset_code(std::vector<Frame> const& frames, std::uint32_t id) {
    for (auto const& one : frames) {
      if (one.type == kReset && one.stream == id) return static_cast<unsigned char>(one.payload.at(3));
    }
    return std::nullopt;
  }
  static bool has(std::vector<Frame> const& frames, std::uint8_t type, std::uint32_t id) {
    return std::ranges::any_of(frames,
                               [&](Frame const& one) { return one.type == type && one.stream == id; });
  }
  static std::optional<std::uint32_t> goaway_code(std::vector<Frame> const& frames) {
    for (auto const& one : frames) {
      if (one.type == kGoaway) return static_cast<unsigned char>(one.payload.at(7));
    }
    return std::nullopt;
  }

  FakeHost host;
  Limits limits;
  Http2Session session{host, limits, TimePoint{}};
};

}  // namespace tacenda::net

#include "net/internal/chunked.hpp"

#include <algorithm>
#include <array>

#include "net/internal/field.hpp"

namespace tacenda::net {
namespace {

constexpr std::size_t kSizeLineBytes = 1'024;
constexpr std::size_t kSizeDigits = 15;  // keeps the value below 2^60

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Length of the quoted string at the start of `text`, 0 when there is none.
std::size_t quoted_string_size(std::string_view text) {
  if (!text.starts_with('"')) return 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    auto const byte = static_cast<unsigned char>(text[i]);
    if (byte == '"') return i + 1;
    if (byte == '\\') ++i;
    if (i >= text.size()) return 0;
    auto const shown = static_cast<unsigned char>(text[i]);
    if ((shown < 0x20 && shown != '\t') || shown == 0x7f) return 0;
  }
  return 0;
}

std::size_t token_size(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && is_token(text.substr(size, 1))) ++size;
  return size;
}

/// *( ";" name [ "=" ( token / quoted-string ) ] )
bool are_extensions(std::string_view text) {
  while (!text.empty()) {
    if (text.front() != ';') return false;
    text.remove_prefix(1);
    auto const name = token_size(text);
    if (name == 0) return false;
    text.remove_prefix(name);
    if (!text.starts_with('=')) continue;
    text.remove_prefix(1);
    auto const value = std::max(token_size(text), quoted_string_size(text));
    if (value == 0) return false;
    text.remove_prefix(value);
  }
  return true;
}

bool is_forbidden_trailer(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kNames{
      "authorization", "connection", "content-encoding", "content-length",   "content-type", "cookie",
      "host",          "te",         "trailer",          "transfer-encoding"};
  return std::ranges::any_of(kNames,
                             [&](std::string_view known) { return equals_ignoring_case(name, known); });
}

}  // namespace

ChunkedDecoder::State ChunkedDecoder::take_size_line(std::string_view line, std::size_t room) {
  std::size_t digits = 0;
  std::uint64_t size = 0;
  while (digits < line.size() && hex_value(line[digits]) >= 0) {
    if (digits == kSizeDigits) return State::kMalformed;
    size = size * 16 + static_cast<std::uint64_t>(hex_value(line[digits]));
    ++digits;
  }
  auto const extensions = line.substr(digits);
  if (digits == 0 || !are_extensions(extensions)) return State::kMalformed;
  if (extensions.size() > framing_bytes_left_) return State::kTooLarge;
  framing_bytes_left_ -= extensions.size();
  if (size > room) return State::kTooLarge;
  data_left_ = size;
  part_ = size == 0 ? Part::kTrailer : Part::kData;
  return State::kIncomplete;
}

ChunkedDecoder::State ChunkedDecoder::take_trailer(std::string_view line) {
  if (line.empty()) {
    part_ = Part::kDone;
    return State::kComplete;
  }
  if (line.size() > framing_bytes_left_ || trailer_fields_left_ == 0) return State::kTooLarge;
  framing_bytes_left_ -= line.size();
  --trailer_fields_left_;
  auto const colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return State::kMalformed;
  if (is_forbidden_trailer(line.substr(0, colon))) return State::kMalformed;
  return is_field_value(trim_blanks(line.substr(colon + 1))) ? State::kIncomplete : State::kMalformed;
}

ChunkedDecoder::State ChunkedDecoder::decode(std::string_view bytes, std::string& body, std::size_t body_max,
                                             std::size_t& consumed) {
  consumed = 0;
  while (true) {
    auto const rest = bytes.substr(consumed);
    if (part_ == Part::kData) {
      auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), data_left_));
      body.append(rest.substr(0, size));
      consumed += size;
      data_left_ -= size;
      if (data_left_ > 0) return State::kIncomplete;
      part_ = Part::kDataEnd;
      continue;
    }
    if (part_ == Part::kDataEnd) {
      if (!rest.empty() && rest[0] != '\r') return State::kMalformed;
      if (rest.size() < 2) return State::kIncomplete;
      if (rest[1] != '\n') return State::kMalformed;
      consumed += 2;
      part_ = Part::kSize;
      continue;
    }
    auto const newline = rest.find('\n');
    auto const line = rest.substr(0, std::min(newline, rest.size()));
    auto const carriage = line.find('\r');
    bool const misplaced = carriage != std::string_view::npos && carriage + 1 != line.size();
    if (misplaced) return State::kMalformed;
    if (newline == std::string_view::npos) {
      auto const line_max = part_ == Part::kSize ? kSizeLineBytes : framing_bytes_left_ + 2;
      return line.size() > line_max ? State::kTooLarge : State::kIncomplete;
    }
    if (carriage == std::string_view::npos) return State::kMalformed;
    consumed += newline + 1;
    auto const content = line.substr(0, carriage);
    auto const state =
        part_ == Part::kSize ? take_size_line(content, body_max - body.size()) : take_trailer(content);
    if (state != State::kIncomplete) return state;
  }
}

}  // namespace tacenda::net

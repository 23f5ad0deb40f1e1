#pragma once

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "core/bytes.hpp"
#include "crypto/random.hpp"

/// Reads the known answers of tests/vectors/, for the tests of crypto/ alone.
namespace tacenda::crypto::testing {

inline std::string vector_path(std::string_view name) {
  return std::string(TACENDA_SOURCE_DIR "/tests/vectors/") + std::string(name);
}

inline Bytes from_hex(std::string_view text) {
  constexpr auto digit = [](char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  };
  if (text.size() % 2 != 0) throw std::invalid_argument("odd number of hex digits");
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(digit(text[i]) << 4U | digit(text[i + 1])));
  }
  return bytes;
}

inline std::string to_hex(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::byte const byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte >> 4U)];
    text += kDigits[std::to_integer<unsigned>(byte & std::byte{0x0f})];
  }
  return text;
}

inline Bytes hex_of(simdjson::dom::element object, std::string_view name) {
  return from_hex(std::string_view(object[name]));
}

/// Makes a fixed-size value out of bytes that must have its length.
template <typename Array>
Array array_of(ByteView bytes) {
  Array array{};
  if (bytes.size() != array.size()) throw std::invalid_argument("vector has another length");
  std::ranges::copy(bytes, array.begin());
  return array;
}
template <typename Key>
Key secret_of(ByteView bytes) {
  Key key;
  if (bytes.size() != Key::kSize) throw std::invalid_argument("vector has another length");
  std::ranges::copy(bytes, key.reveal_mutable().begin());
  return key;
}

/// Calls `check` with group and test of a Wycheproof file; a failure in it names the tcId. Returns the
/// number of tests for which `check` did not say false ("does not apply").
template <typename Check>
std::size_t for_each_wycheproof(std::string_view file, Check check) {
  simdjson::dom::parser parser;
  simdjson::dom::element const root = parser.load(vector_path("wycheproof/" + std::string(file)));
  std::size_t count = 0;
  for (simdjson::dom::element const group : simdjson::dom::array(root["testGroups"])) {
    for (simdjson::dom::element const test : simdjson::dom::array(group["tests"])) {
      SCOPED_TRACE(std::string(file) + " tcId " + std::to_string(std::int64_t(test["tcId"])));
      if (check(group, test)) ++count;
    }
  }
  return count;
}

inline bool is_valid(simdjson::dom::element test) {
  return std::string_view(test["result"]) == "valid";
}

/// Botan's .vec format: [section], name = value; `output` is the last name of each case.
struct BotanFile {
  std::string_view file;
  std::string_view section;
  std::string_view output;
  enum class Values { kPerCase, kInherited } values = Values::kPerCase;
};
using BotanCase = std::map<std::string, std::string>;

inline std::size_t for_each_botan(BotanFile const& wanted,
                                  std::function<void(BotanCase const&)> const& check) {
  std::ifstream in(vector_path("botan-vectors/" + std::string(wanted.file)));
  std::string section;
  BotanCase values;
  std::size_t count = 0;
  std::size_t line_number = 0;
  for (std::string line; std::getline(in, line);) {
    ++line_number;
    if (line.starts_with('[')) {
      section = line.substr(1, line.find(']') - 1);
      values.clear();
    }
    std::size_t const equals = line.find('=');
    if (line.starts_with('#') || equals == std::string::npos || section != wanted.section) continue;
    std::string const name = line.substr(0, line.find(' '));
    std::size_t const value = line.find_first_not_of(' ', equals + 1);
    values[name] = value == std::string::npos ? "" : line.substr(value);
    if (name != wanted.output) continue;
    SCOPED_TRACE(std::string(wanted.file) + " line " + std::to_string(line_number));
    check(values);
    ++count;
    if (wanted.values == BotanFile::Values::kPerCase) values.clear();
  }
  return count;
}

/// Gives the same bytes for ever, as a cloned machine does.
class FrozenRandom final : public Random {
 public:
  Result<void> fill(std::span<std::byte> out) override {
    std::ranges::fill(out, std::byte{0x5a});
    return {};
  }
};

class BrokenRandom final : public Random {
 public:
  Result<void> fill(std::span<std::byte>) override { return fail(ErrorKind::kUnavailable, "broken"); }
};

}  // namespace tacenda::crypto::testing

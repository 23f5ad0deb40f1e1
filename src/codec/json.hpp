#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/limits.hpp"

namespace tacenda::codec {

/// One JSON value that keeps what a record must keep: the order of properties and the text of every
/// number ("405.70" stays "405.70"). Value semantics; owner: one thread.
class JsonParser;

class Json {
 public:
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
  struct Member;  // {std::string name; Json value;}

  Json() = default;  // null
  static Json boolean(bool value);
  static Json number(std::int64_t value);
  /// `text` must be a number of RFC 8259 section 6. Errors: kInvalid.
  static Result<Json> number_text(std::string_view text);
  static Json string(std::string_view value);  // UTF-8, unescaped
  static Json array();
  static Json object();

  Kind kind() const { return kind_; }
  bool is_object() const { return kind_ == Kind::kObject; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_number() const { return kind_ == Kind::kNumber; }
  bool is_boolean() const { return kind_ == Kind::kBoolean; }
  bool is_null() const { return kind_ == Kind::kNull; }

  bool as_boolean() const;               // the kind is the caller's promise (asserted)
  std::string_view as_string() const;    // value of a string
  std::string_view number_text() const;  // text of a number, byte for byte

  std::vector<Json> const& items() const;  // of an array
  std::vector<Json>& items();
  std::vector<Member> const& members() const;  // of an object, in document order
  std::vector<Member>& members();

  /// Member by name, nullptr when absent or when this is no object.
  Json const* find(std::string_view name) const;
  Json* find(std::string_view name);
  /// Value of a string member; empty when absent or no string.
  std::string_view text_of(std::string_view name) const;
  /// Replaces the member in its place, or appends it.
  Json& set(std::string_view name, Json value);
  bool remove(std::string_view name);
  void push(Json value);

  /// Same kind, same text, same members in the same order.
  friend bool operator==(Json const& a, Json const& b);

 private:
  friend class JsonParser;
  Kind kind_ = Kind::kNull;
  bool boolean_ = false;
  std::string text_;  // string value or number text
  std::vector<Json> items_;
  std::vector<Member> members_;
};

struct Json::Member {
  std::string name;
  Json value;
};

struct JsonLimits {
  std::size_t depth = limits::kJsonDepth;
  std::size_t size_bytes = limits::kBundleBodyBytes;
};

/// Parses exactly one JSON text of RFC 8259: UTF-8 without a byte-order mark, no duplicate member names
/// within one object, nothing after the value.
/// Errors: kInvalid (grammar, UTF-8, duplicate name, lone surrogate), kTooLarge (size), kInvalid (depth).
Result<Json> parse_json(std::string_view text, JsonLimits const& limits = {});

/// Appends the shortest faithful text: no white space, property order kept, only what must be escaped.
void write_json(Json const& value, std::string& out);
std::string write_json(Json const& value);

}  // namespace tacenda::codec

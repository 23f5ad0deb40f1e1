#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/limits.hpp"

namespace tacenda::codec {

/// One JSON value that keeps what a record must keep: the order of properties and the text of every
/// number ("405.70" stays "405.70"). Value semantics; owner: one thread. 32 bytes, so that a member of an
/// object fills one cache line; texts of up to 30 bytes lie inside.
///
/// Destroying a value of any depth is safe. Copying, comparing and writing need stack or heap in
/// proportion to the depth, which parse_json bounds.
class Json {
 public:
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
  struct Member;  // {std::string name; Json value;}

  Json() noexcept {}  // null
  Json(Json const& other);
  Json(Json&& other) noexcept { take(other); }
  Json& operator=(Json const& other);
  Json& operator=(Json&& other) noexcept;  // also from a value inside this one
  ~Json() {
    if (owns_memory()) destroy(0);
  }

  static Json boolean(bool value);
  static Json number(std::int64_t value);
  /// `text` must be a number of RFC 8259 section 6. Errors: kInvalid.
  static Result<Json> number_text(std::string_view text);
  static Json string(std::string_view value);  // UTF-8 (the caller's promise), unescaped
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
  std::string_view as_string() const;    // value of a string (asserted)
  std::string_view number_text() const;  // text of a number, byte for byte (asserted)

  std::vector<Json> const& items() const;      // of an array; empty for every other kind
  std::vector<Json>& items();                  // of an array (asserted)
  std::vector<Member> const& members() const;  // of an object, in document order; else empty
  std::vector<Member>& members();              // of an object (asserted)

  /// Member by name, nullptr when absent or when this is no object.
  Json const* find(std::string_view name) const;
  Json* find(std::string_view name);
  /// Value of a string member; empty when absent or no string.
  std::string_view text_of(std::string_view name) const;
  /// Replaces the member in its place, or appends it. On an object (asserted).
  Json& set(std::string_view name, Json value);
  bool remove(std::string_view name);  // false when there was none
  void push(Json value);               // on an array (asserted)

  /// Same kind, same text, same members in the same order.
  friend bool operator==(Json const& a, Json const& b);

 private:
  friend class JsonParser;  // has checked a number's text already

  static constexpr std::size_t kInlineBytes = 30;
  static constexpr std::uint8_t kOnHeap = 0xFF;
  struct HeapText {
    char* data;
    std::size_t size_bytes;
  };

  static Json text_value(Kind kind, std::string_view text);
  bool owns_memory() const { return kind_ >= Kind::kArray || size_ == kOnHeap; }
  std::string_view text() const;
  template <typename T>
  T& stored();
  template <typename T>
  T const& stored() const;
  template <typename Visit>
  void for_each_child(Visit visit);
  /// Moves `other` into this value, which owns nothing; leaves `other` null.
  void take(Json& other) noexcept {
    if (other.kind_ >= Kind::kArray) return take_container(other);
    storage_ = other.storage_;
    size_ = std::exchange(other.size_, std::uint8_t{0});
    kind_ = std::exchange(other.kind_, Kind::kNull);
  }
  void take_container(Json& other) noexcept;
  void destroy(unsigned depth) noexcept;
  void release_own() noexcept;
  void destroy_flat() noexcept;

  // What lies in storage_ follows from kind_: std::vector<Json>, std::vector<Member>, HeapText
  // (size_ == kOnHeap) or the text itself. A union would be padded to 40 bytes.
  alignas(8) std::array<std::byte, kInlineBytes> storage_;
  std::uint8_t size_ = 0;  // bytes of a text that lies inside; of a boolean: its value
  Kind kind_ = Kind::kNull;
};

struct Json::Member {
  std::string name;
  Json value;

  friend bool operator==(Member const& a, Member const& b) = default;
};

inline constexpr std::size_t kJsonDepthMax = 1'000;  // what copying and comparing can recurse through

struct JsonLimits {
  std::size_t depth = limits::kJsonDepth;  // nested arrays and objects; at most kJsonDepthMax
  std::size_t size_bytes = limits::kBundleBodyBytes;
  // A value costs 32 bytes of memory and may cost 2 bytes of text ("[0,0,0"): real records have one per
  // 14 bytes or more.
  std::size_t values = limits::kBundleBodyBytes / 8;
};

/// Parses exactly one JSON text of RFC 8259: UTF-8 without a byte-order mark, no duplicate member names
/// within one object, nothing after the value.
/// Names are compared after their escapes are resolved; \u0000 in a string is a NUL in its value.
/// Errors: kInvalid (grammar, UTF-8, duplicate name, lone surrogate, depth), kTooLarge (size, values,
/// one string over limits::kJsonStringBytes).
Result<Json> parse_json(std::string_view text, JsonLimits const& limits = {});

/// Appends the shortest faithful text: no white space, property order kept, only what must be escaped.
void write_json(Json const& value, std::string& out);
std::string write_json(Json const& value);

}  // namespace tacenda::codec

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>

#include "codec/internal/json_scan.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"

namespace tacenda::codec {
namespace {

// Up to here comparing each name with each other one is faster than sorting.
constexpr std::size_t kFewMembers = 16;

/// Sorting, unlike hashing, has no input that makes it quadratic.
bool has_duplicate(std::span<Json::Member const> members, std::vector<std::string_view>& names) {
  if (members.size() <= kFewMembers) {
    for (std::size_t i = 1; i < members.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (members[i].name == members[k].name) return true;
      }
    }
    return false;
  }
  names.clear();
  for (auto const& member : members) names.emplace_back(member.name);
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  auto const put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0U | code_point >> 6U);
    put(0x80U | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    put(0xE0U | code_point >> 12U);
    put(0x80U | (code_point >> 6U & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  } else {
    put(0xF0U | code_point >> 18U);
    put(0x80U | (code_point >> 12U & 0x3FU));
    put(0x80U | (code_point >> 6U & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  }
}

}  // namespace

/// Reads a text once, from left to right, without recursion. simdjson is not used here: On-Demand needs
/// the body copied, an index of four bytes for each byte of it, and checks of its own for what it lets pass
/// (numbers, what follows the value); json_fuzz compares the two.
class JsonParser {
 public:
  JsonParser(std::string_view text, JsonLimits const& limits)
      : at_(text.data()), end_(text.data() + text.size()), limits_(limits) {}

  Result<Json> parse() {
    skip_space();
    for (;;) {
      Next next = TACENDA_TRY(start_value());
      while (next == Next::kAfterValue) {
        if (frames_.empty()) return finish();
        next = TACENDA_TRY(continue_container());
      }
    }
  }

 private:
  enum class Next : std::uint8_t { kValue, kAfterValue };

  struct Frame {
    bool is_object;
    std::size_t first;  // of the container's children in members_ or items_
  };

  void skip_space() {
    constexpr std::uint64_t kBlanks = 0x2020202020202020U;
    for (; at_ != end_; ++at_) {
      while (end_ - at_ >= 8 && std::memcmp(at_, &kBlanks, 8) == 0)
        at_ += 8;  // the indentation of a printed bundle
      if (at_ == end_ || (*at_ != ' ' && *at_ != '\n' && *at_ != '\r' && *at_ != '\t')) return;
    }
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  /// Where the value that is read now belongs.
  Json& slot() {
    if (frames_.empty()) return root_;
    return frames_.back().is_object ? members_.back().value : items_.emplace_back();
  }

  /// Reads a scalar or an empty container, or opens a container whose first child is next.
  Result<Next> start_value() {
    if (at_ == end_) return fail(ErrorKind::kInvalid, "the JSON text ends where a value is expected");
    if (++values_ > limits_.values) return fail(ErrorKind::kTooLarge, "the JSON text has too many values");
    switch (*at_) {
      case '{':
        return open(true);
      case '[':
        return open(false);
      case '"': {
        ++at_;
        auto const text = TACENDA_TRY(string());
        return done(Json::text_value(Json::Kind::kString, text));
      }
      case 't':
        return word("true", Json::boolean(true));
      case 'f':
        return word("false", Json::boolean(false));
      case 'n':
        return word("null", Json());
      default:
        return number();
    }
  }

  Next done(Json value) {
    slot() = std::move(value);
    return Next::kAfterValue;
  }

  Result<Next> open(bool is_object) {
    ++at_;
    if (frames_.size() >= std::min(limits_.depth, kJsonDepthMax)) {
      return fail(ErrorKind::kInvalid, "the JSON text is nested too deeply");
    }
    skip_space();
    if (take(is_object ? '}' : ']')) return done(is_object ? Json::object() : Json::array());
    frames_.push_back({is_object, is_object ? members_.size() : items_.size()});
    if (is_object) TACENDA_TRY_VOID(name());
    return Next::kValue;
  }

  /// After a child: the next one is due, or the container is complete.
  Result<Next> continue_container() {
    bool const is_object = frames_.back().is_object;
    skip_space();
    if (take(',')) {
      skip_space();
      if (is_object) TACENDA_TRY_VOID(name());
      return Next::kValue;
    }
    if (!take(is_object ? '}' : ']'))
      return fail(ErrorKind::kInvalid, "a JSON array or object is not closed");
    return is_object ? close_object() : close_array();
  }

  /// Children wait in one long list, so that each container is allocated once and in its final size.
  Result<Next> close_object() {
    auto const first = members_.begin() + static_cast<std::ptrdiff_t>(frames_.back().first);
    if (has_duplicate({first, members_.end()}, names_)) {
      return fail(ErrorKind::kInvalid, "a JSON object has two members of one name");
    }
    Json json = Json::object();
    json.members().assign(std::move_iterator(first), std::move_iterator(members_.end()));
    members_.erase(first, members_.end());
    frames_.pop_back();
    return done(std::move(json));
  }

  Next close_array() {
    auto const first = items_.begin() + static_cast<std::ptrdiff_t>(frames_.back().first);
    Json json = Json::array();
    json.items().assign(std::move_iterator(first), std::move_iterator(items_.end()));
    items_.erase(first, items_.end());
    frames_.pop_back();
    return done(std::move(json));
  }

  /// Reads a member's name and its colon; the value is due next.
  Result<void> name() {
    if (!take('"')) return fail(ErrorKind::kInvalid, "a JSON object has a member without a name");
    auto const text = TACENDA_TRY(string());
    members_.emplace_back().name = text;
    skip_space();
    if (!take(':')) return fail(ErrorKind::kInvalid, "a JSON member has no colon after its name");
    skip_space();
    return {};
  }

  Result<Next> word(std::string_view expected, Json value) {
    if (!std::string_view(at_, end_).starts_with(expected))
      return fail(ErrorKind::kInvalid, "this is no JSON value");
    at_ += expected.size();
    return done(std::move(value));
  }

  Result<Next> number() {
    char const* const start = at_;
    at_ = internal::scan_number(at_, end_);
    if (at_ == start) return fail(ErrorKind::kInvalid, "this is no JSON value");
    return done(Json::text_value(Json::Kind::kNumber, {start, at_}));
  }

  /// Reads a string whose opening quote was taken. The view holds until the next call.
  Result<std::string_view> string() {
    char const* start = at_;
    at_ = internal::find_special(at_, end_);
    if (static_cast<std::size_t>(at_ - start) > limits::kJsonStringBytes) return too_long();
    if (at_ != end_ && *at_ == '"') return std::string_view(start, at_++);
    unescaped_.assign(start, at_);
    while (at_ != end_ && *at_ != '"') {
      if (!take('\\')) return fail(ErrorKind::kInvalid, "a JSON string has a control character");
      TACENDA_TRY_VOID(escape());
      start = at_;
      at_ = internal::find_special(at_, end_);
      unescaped_.append(start, at_);
      if (unescaped_.size() > limits::kJsonStringBytes) return too_long();
    }
    if (!take('"')) return fail(ErrorKind::kInvalid, "a JSON string has no end");
    return unescaped_;
  }

  static std::unexpected<Error> too_long() { return fail(ErrorKind::kTooLarge, "a JSON string is too long"); }

  Result<void> escape() {
    if (at_ == end_) return fail(ErrorKind::kInvalid, "a JSON string has no end");
    switch (*at_++) {
      case '"':
        unescaped_.push_back('"');
        return {};
      case '\\':
        unescaped_.push_back('\\');
        return {};
      case '/':
        unescaped_.push_back('/');
        return {};
      case 'b':
        unescaped_.push_back('\b');
        return {};
      case 'f':
        unescaped_.push_back('\f');
        return {};
      case 'n':
        unescaped_.push_back('\n');
        return {};
      case 'r':
        unescaped_.push_back('\r');
        return {};
      case 't':
        unescaped_.push_back('\t');
        return {};
      case 'u':
        return unicode_escape();
      default:
        return fail(ErrorKind::kInvalid, "a JSON string has an unknown escape");
    }
  }

  /// \uXXXX, or two of them that make one character above U+FFFF.
  Result<void> unicode_escape() {
    std::uint32_t const first = TACENDA_TRY(code_unit());
    if (first < 0xD800 || first > 0xDFFF) {
      append_utf8(unescaped_, first);
      return {};
    }
    if (first > 0xDBFF || !take('\\') || !take('u'))
      return fail(ErrorKind::kInvalid, "a JSON string has a lone surrogate");
    std::uint32_t const second = TACENDA_TRY(code_unit());
    if (second < 0xDC00 || second > 0xDFFF)
      return fail(ErrorKind::kInvalid, "a JSON string has a lone surrogate");
    append_utf8(unescaped_, 0x10000U + ((first - 0xD800U) << 10U) + (second - 0xDC00U));
    return {};
  }

  Result<std::uint32_t> code_unit() {
    std::uint32_t value = 0;
    if (end_ - at_ < 4) return fail(ErrorKind::kInvalid, "a JSON string has a broken \\u escape");
    for (int i = 0; i < 4; ++i) {
      char const c = *at_++;
      char const lower = static_cast<char>(c | 0x20);
      if (internal::is_digit(c)) {
        value = value << 4U | static_cast<std::uint32_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        value = value << 4U | static_cast<std::uint32_t>(lower - 'a' + 10);
      } else {
        return fail(ErrorKind::kInvalid, "a JSON string has a broken \\u escape");
      }
    }
    return value;
  }

  Result<Json> finish() {
    skip_space();
    if (at_ != end_) return fail(ErrorKind::kInvalid, "the JSON text goes on after its value");
    return std::move(root_);
  }

  char const* at_;
  char const* end_;
  JsonLimits limits_;
  std::size_t values_ = 0;
  Json root_;
  std::vector<Frame> frames_;
  std::vector<Json::Member> members_;  // of all open objects, innermost last
  std::vector<Json> items_;            // of all open arrays, innermost last
  std::string unescaped_;
  std::vector<std::string_view> names_;
};

Result<Json> parse_json(std::string_view text, JsonLimits const& limits) {
  if (text.size() > limits.size_bytes) return fail(ErrorKind::kTooLarge, "the JSON text is too large");
  if (!is_utf8(text)) return fail(ErrorKind::kInvalid, "the JSON text is not UTF-8");
  return JsonParser(text, limits).parse();
}

}  // namespace tacenda::codec

#include "codec/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_set>

#include "codec/text.hpp"
#include "core/process.hpp"

namespace tacenda::codec {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Length of the number that `text` starts with (RFC 8259 section 6); 0: none.
std::size_t number_length(std::string_view text) {
  std::size_t i = 0;
  auto const at = [&](std::size_t index) { return index < text.size() ? text[index] : '\0'; };
  auto const digits = [&] {
    std::size_t const start = i;
    while (is_digit(at(i))) ++i;
    return i > start;
  };
  if (at(i) == '-') ++i;
  if (at(i) == '0') {
    ++i;
  } else if (!digits()) {
    return 0;
  }
  if (at(i) == '.') {
    ++i;
    if (!digits()) return 0;
  }
  if (at(i) == 'e' || at(i) == 'E') {
    ++i;
    if (at(i) == '+' || at(i) == '-') ++i;
    if (!digits()) return 0;
  }
  return i;
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0U | code >> 6U));
    out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0U | code >> 12U));
    out.push_back(static_cast<char>(0x80U | (code >> 6U & 0x3FU)));
    out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
  } else {
    out.push_back(static_cast<char>(0xF0U | code >> 18U));
    out.push_back(static_cast<char>(0x80U | (code >> 12U & 0x3FU)));
    out.push_back(static_cast<char>(0x80U | (code >> 6U & 0x3FU)));
    out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
  }
}

/// Bytes that end a run of plain characters in a string: quote, backslash, control characters.
constexpr auto kStops = [] {
  std::array<bool, 256> stops{};
  for (std::size_t i = 0; i < 0x20; ++i) stops[i] = true;
  stops['"'] = stops['\\'] = true;
  return stops;
}();

}  // namespace

/// Recursive descent over one text, at most limits.depth deep.
class JsonParser {
 public:
  JsonParser(std::string_view text, JsonLimits const& limits) : rest_(text), limits_(limits) {}

  Result<Json> parse() {
    Json root;
    skip_space();
    TACENDA_TRY_VOID(value(root, 0));
    skip_space();
    if (!rest_.empty()) return fail(ErrorKind::kInvalid, "JSON with something after its end");
    return root;
  }

 private:
  void skip_space() {
    std::size_t i = 0;
    while (i < rest_.size() && (rest_[i] == ' ' || rest_[i] == '\n' || rest_[i] == '\t' || rest_[i] == '\r'))
      ++i;
    rest_.remove_prefix(i);
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  Result<void> value(Json& out, std::size_t depth) {
    if (rest_.empty()) return fail(ErrorKind::kInvalid, "JSON that is cut off");
    switch (rest_.front()) {
      case '{':
        return object(out, depth + 1);
      case '[':
        return array(out, depth + 1);
      case '"':
        out.kind_ = Json::Kind::kString;
        return string(out.text_);
      case 't':
        if (!take_word("true")) break;
        out = Json::boolean(true);
        return {};
      case 'f':
        if (!take_word("false")) break;
        out = Json::boolean(false);
        return {};
      case 'n':
        if (!take_word("null")) break;
        return {};
      default: {
        std::size_t const length = number_length(rest_);
        if (length == 0) break;
        out.kind_ = Json::Kind::kNumber;
        out.text_.assign(rest_.substr(0, length));
        rest_.remove_prefix(length);
        return {};
      }
    }
    return fail(ErrorKind::kInvalid, "JSON with something that is no value");
  }

  Result<void> array(Json& out, std::size_t depth) {
    if (depth > limits_.depth) return fail(ErrorKind::kInvalid, "JSON that is nested too deeply");
    out.kind_ = Json::Kind::kArray;
    rest_.remove_prefix(1);
    skip_space();
    if (take(']')) return {};
    do {
      skip_space();
      TACENDA_TRY_VOID(value(out.items_.emplace_back(), depth));
      skip_space();
    } while (take(','));
    if (!take(']')) return fail(ErrorKind::kInvalid, "a JSON array that does not end");
    return {};
  }

  Result<void> object(Json& out, std::size_t depth) {
    if (depth > limits_.depth) return fail(ErrorKind::kInvalid, "JSON that is nested too deeply");
    out.kind_ = Json::Kind::kObject;
    rest_.remove_prefix(1);
    skip_space();
    if (take('}')) return {};
    do {
      skip_space();
      if (rest_.empty() || rest_.front() != '"')
        return fail(ErrorKind::kInvalid, "a JSON object with a member without a name");
      auto& member = out.members_.emplace_back();
      TACENDA_TRY_VOID(string(member.name));
      skip_space();
      if (!take(':')) return fail(ErrorKind::kInvalid, "a JSON object with a member without a value");
      skip_space();
      TACENDA_TRY_VOID(value(member.value, depth));
      skip_space();
    } while (take(','));
    if (!take('}')) return fail(ErrorKind::kInvalid, "a JSON object that does not end");
    return check_names(out.members_);
  }

  /// Two members of one name: readers would disagree on which counts.
  static Result<void> check_names(std::vector<Json::Member> const& members) {
    constexpr std::size_t kFew = 12;  // up to here comparing all pairs is cheaper than a set
    bool duplicate = false;
    if (members.size() <= kFew) {
      for (std::size_t i = 1; i < members.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) duplicate = duplicate || members[i].name == members[j].name;
      }
    } else {
      std::unordered_set<std::string_view> names;
      names.reserve(members.size());
      for (auto const& member : members) duplicate = !names.insert(member.name).second || duplicate;
    }
    if (duplicate) return fail(ErrorKind::kInvalid, "a JSON object with two members of one name");
    return {};
  }

  Result<void> string(std::string& out) {
    rest_.remove_prefix(1);
    while (true) {
      std::size_t run = 0;
      while (run < rest_.size() && !kStops[static_cast<unsigned char>(rest_[run])]) ++run;
      out.append(rest_.substr(0, run));
      rest_.remove_prefix(run);
      if (rest_.empty()) return fail(ErrorKind::kInvalid, "a JSON string that does not end");
      if (take('"')) return {};
      if (!take('\\')) return fail(ErrorKind::kInvalid, "a JSON string with a control character");
      TACENDA_TRY_VOID(escape(out));
    }
  }

  Result<void> escape(std::string& out) {
    if (rest_.empty()) return fail(ErrorKind::kInvalid, "a JSON string that does not end");
    char const kind = rest_.front();
    rest_.remove_prefix(1);
    switch (kind) {
      case '"':
        out.push_back('"');
        return {};
      case '\\':
        out.push_back('\\');
        return {};
      case '/':
        out.push_back('/');
        return {};
      case 'b':
        out.push_back('\b');
        return {};
      case 'f':
        out.push_back('\f');
        return {};
      case 'n':
        out.push_back('\n');
        return {};
      case 'r':
        out.push_back('\r');
        return {};
      case 't':
        out.push_back('\t');
        return {};
      case 'u':
        break;
      default:
        return fail(ErrorKind::kInvalid, "a JSON string with an unknown escape");
    }
    std::uint32_t code = TACENDA_TRY(hex4());
    if (code >= 0xDC00 && code <= 0xDFFF)
      return fail(ErrorKind::kInvalid, "a JSON string with half a surrogate pair");
    if (code >= 0xD800 && code <= 0xDBFF) {
      if (!take_word("\\u")) return fail(ErrorKind::kInvalid, "a JSON string with half a surrogate pair");
      std::uint32_t const low = TACENDA_TRY(hex4());
      if (low < 0xDC00 || low > 0xDFFF)
        return fail(ErrorKind::kInvalid, "a JSON string with half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    }
    append_utf8(out, code);
    return {};
  }

  Result<std::uint32_t> hex4() {
    std::uint32_t code = 0;
    if (rest_.size() < 4) return fail(ErrorKind::kInvalid, "a JSON string with a broken \\u escape");
    auto const [end, error] = std::from_chars(rest_.data(), rest_.data() + 4, code, 16);
    if (error != std::errc() || end != rest_.data() + 4 || rest_.front() == '-') {
      return fail(ErrorKind::kInvalid, "a JSON string with a broken \\u escape");
    }
    rest_.remove_prefix(4);
    return code;
  }

  std::string_view rest_;
  JsonLimits const& limits_;
};

namespace {

void write_string(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out.push_back('"');
  while (true) {
    std::size_t run = 0;
    while (run < text.size() && !kStops[static_cast<unsigned char>(text[run])]) ++run;
    out.append(text.substr(0, run));
    if (run == text.size()) break;
    auto const c = static_cast<unsigned char>(text[run]);
    text.remove_prefix(run + 1);
    switch (c) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\b':
        out.append("\\b");
        break;
      case '\f':
        out.append("\\f");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      default:
        out.append("\\u00");
        out.push_back(kDigits[c >> 4U]);
        out.push_back(kDigits[c & 15U]);
    }
  }
  out.push_back('"');
}

}  // namespace

Json Json::boolean(bool value) {
  Json json;
  json.kind_ = Kind::kBoolean;
  json.boolean_ = value;
  return json;
}

Json Json::number(std::int64_t value) {
  Json json;
  json.kind_ = Kind::kNumber;
  json.text_ = std::to_string(value);
  return json;
}

Result<Json> Json::number_text(std::string_view text) {
  if (text.empty() || number_length(text) != text.size())
    return fail(ErrorKind::kInvalid, "a text that is no JSON number");
  Json json;
  json.kind_ = Kind::kNumber;
  json.text_ = text;
  return json;
}

Json Json::string(std::string_view value) {
  Json json;
  json.kind_ = Kind::kString;
  json.text_ = value;
  return json;
}

Json Json::array() {
  Json json;
  json.kind_ = Kind::kArray;
  return json;
}

Json Json::object() {
  Json json;
  json.kind_ = Kind::kObject;
  return json;
}

bool Json::as_boolean() const {
  TACENDA_ASSERT(is_boolean());
  return boolean_;
}

std::string_view Json::as_string() const {
  TACENDA_ASSERT(is_string());
  return text_;
}

std::string_view Json::number_text() const {
  TACENDA_ASSERT(is_number());
  return text_;
}

std::vector<Json> const& Json::items() const {
  TACENDA_ASSERT(is_array());
  return items_;
}

std::vector<Json>& Json::items() {
  TACENDA_ASSERT(is_array());
  return items_;
}

std::vector<Json::Member> const& Json::members() const {
  TACENDA_ASSERT(is_object());
  return members_;
}

std::vector<Json::Member>& Json::members() {
  TACENDA_ASSERT(is_object());
  return members_;
}

Json const* Json::find(std::string_view name) const {
  auto const found = std::ranges::find(members_, name, &Member::name);
  return found == members_.end() ? nullptr : &found->value;
}

Json* Json::find(std::string_view name) {
  auto const found = std::ranges::find(members_, name, &Member::name);
  return found == members_.end() ? nullptr : &found->value;
}

std::string_view Json::text_of(std::string_view name) const {
  Json const* value = find(name);
  return value != nullptr && value->is_string() ? value->as_string() : std::string_view();
}

Json& Json::set(std::string_view name, Json value) {
  TACENDA_ASSERT(is_object());
  if (Json* old = find(name)) {
    *old = std::move(value);
    return *old;
  }
  return members_.emplace_back(std::string(name), std::move(value)).value;
}

bool Json::remove(std::string_view name) {
  return std::erase_if(members_, [name](Member const& member) { return member.name == name; }) > 0;
}

void Json::push(Json value) {
  TACENDA_ASSERT(is_array());
  items_.push_back(std::move(value));
}

bool operator==(Json const& a, Json const& b) {
  return a.kind_ == b.kind_ && a.boolean_ == b.boolean_ && a.text_ == b.text_ && a.items_ == b.items_ &&
         std::ranges::equal(a.members_, b.members_, [](Json::Member const& x, Json::Member const& y) {
           return x.name == y.name && x.value == y.value;
         });
}

Result<Json> parse_json(std::string_view text, JsonLimits const& limits) {
  if (text.size() > limits.size_bytes) return fail(ErrorKind::kTooLarge, "JSON that is too large");
  if (!is_utf8(text)) return fail(ErrorKind::kInvalid, "JSON that is not UTF-8");
  return JsonParser(text, limits).parse();
}

void write_json(Json const& value, std::string& out) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      out.append("null");
      return;
    case Json::Kind::kBoolean:
      out.append(value.as_boolean() ? "true" : "false");
      return;
    case Json::Kind::kNumber:
      out.append(value.number_text());
      return;
    case Json::Kind::kString:
      write_string(value.as_string(), out);
      return;
    case Json::Kind::kArray: {
      out.push_back('[');
      bool first = true;
      for (auto const& item : value.items()) {
        if (!std::exchange(first, false)) out.push_back(',');
        write_json(item, out);
      }
      out.push_back(']');
      return;
    }
    case Json::Kind::kObject: {
      out.push_back('{');
      bool first = true;
      for (auto const& member : value.members()) {
        if (!std::exchange(first, false)) out.push_back(',');
        write_string(member.name, out);
        out.push_back(':');
        write_json(member.value, out);
      }
      out.push_back('}');
      return;
    }
  }
}

std::string write_json(Json const& value) {
  std::string out;
  write_json(value, out);
  return out;
}

}  // namespace tacenda::codec

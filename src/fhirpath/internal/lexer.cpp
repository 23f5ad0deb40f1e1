#include "fhirpath/internal/lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "fhirpath/internal/text.hpp"

namespace tacenda::fhirpath {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

constexpr std::array<std::string_view, 4> kLongSymbols{"<=", ">=", "!=", "!~"};
constexpr std::string_view kSymbols = "+-*/|&=~<>.,()[]{}%";

}  // namespace

Result<void> Lexer::skip_blanks() {
  while (position_ < text_.size()) {
    if (std::string_view(" \t\r\n").contains(peek())) {
      ++position_;
    } else if (at("//")) {
      position_ = std::min(text_.find_first_of("\r\n", position_), text_.size());
    } else if (at("/*")) {
      std::size_t const end = text_.find("*/", position_ + 2);
      if (end == std::string_view::npos) return fail(ErrorKind::kInvalid, "a comment is not closed");
      position_ = end + 2;
    } else {
      break;
    }
  }
  return {};
}

Result<void> Lexer::escape(std::string& out) {
  static constexpr std::string_view kFrom = "'\"`\\/rntf";
  static constexpr std::string_view kTo = "'\"`\\/\r\n\t\f";
  char const c = peek();
  ++position_;
  if (auto const at = kFrom.find(c); c != '\0' && at != std::string_view::npos) {
    out.push_back(kTo[at]);
    return {};
  }
  if (c != 'u') return fail(ErrorKind::kInvalid, "unknown escape in a string");
  auto unit = read_hex4(text_.substr(std::min(position_, text_.size())));
  if (!unit) return fail(ErrorKind::kInvalid, "an escape \\u needs four hexadecimal digits");
  position_ += 4;
  char32_t code_point = *unit;
  if (code_point >= 0xD800 && code_point <= 0xDBFF && at("\\u")) {
    auto const low = read_hex4(text_.substr(position_ + 2));
    if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
      code_point = 0x10000 + ((code_point - 0xD800) << 10U) + (*low - 0xDC00);
      position_ += 6;
    }
  }
  if (code_point >= 0xD800 && code_point <= 0xDFFF) return fail(ErrorKind::kInvalid, "half a surrogate pair");
  append_utf8(out, code_point);
  return {};
}

Result<std::string> Lexer::quoted(char quote) {
  std::string out;
  for (++position_; position_ < text_.size();) {
    char const c = text_[position_++];
    if (c == quote) return out;
    if (c == '\\') {
      TACENDA_TRY_VOID(escape(out));
    } else {
      out.push_back(c);
    }
  }
  return fail(ErrorKind::kInvalid, "a string is not closed");
}

Token Lexer::number() {
  std::size_t const start = position_;
  while (is_digit(peek())) ++position_;
  if (peek() == '.' && is_digit(peek(1))) {
    ++position_;
    while (is_digit(peek())) ++position_;
  }
  return {Token::Kind::kNumber, std::string(text_.substr(start, position_ - start))};
}

Result<Token> Lexer::temporal() {
  ++position_;  // @
  auto const take = [this](auto accepts) {
    std::size_t const start = position_;
    while (position_ < text_.size() && accepts(peek())) ++position_;
    return text_.substr(start, position_ - start);
  };
  // A time ends before a point that no digit follows: @T14:34.is(Time).
  auto const take_time = [&] {
    std::string out;
    while (is_digit(peek()) || (peek() == ':' && is_digit(peek(1))) || (peek() == '.' && is_digit(peek(1)))) {
      out.push_back(peek());
      ++position_;
    }
    return out;
  };
  if (peek() == 'T') {
    ++position_;
    return Token{Token::Kind::kTime, take_time()};
  }
  std::string text(take(is_digit));
  while (peek() == '-' && is_digit(peek(1)) && text.size() < 10) {
    ++position_;
    text.push_back('-');
    text += take(is_digit);
  }
  if (peek() != 'T') return Token{Token::Kind::kDate, std::move(text)};
  ++position_;
  text.push_back('T');
  std::string const time = take_time();
  text += time;
  if (!time.empty() && peek() == 'Z') {
    ++position_;
    text.push_back('Z');
  } else if (!time.empty() && (peek() == '+' || peek() == '-') && is_digit(peek(1)) && is_digit(peek(2)) &&
             peek(3) == ':') {
    text += text_.substr(position_, 6);
    position_ = std::min(position_ + 6, text_.size());
  }
  return Token{Token::Kind::kDateTime, std::move(text)};
}

Token Lexer::word() {
  std::size_t const start = position_;
  while (is_letter(peek()) || is_digit(peek())) ++position_;
  return {Token::Kind::kIdentifier, std::string(text_.substr(start, position_ - start))};
}

Result<Token> Lexer::next() {
  TACENDA_TRY_VOID(skip_blanks());
  if (position_ >= text_.size()) return Token{};
  char const c = peek();
  if (is_digit(c)) return number();
  if (is_letter(c)) return word();
  if (c == '\'') return Token{Token::Kind::kString, TACENDA_TRY(quoted('\''))};
  // The quote of DSTU2 and of %"vs-name".
  if (c == '`' || c == '"') return Token{Token::Kind::kIdentifier, TACENDA_TRY(quoted(c)), true};
  if (c == '@') return temporal();
  if (c == '$') {
    ++position_;
    Token token = word();
    token.kind = Token::Kind::kDollar;
    return token;
  }
  for (auto const symbol : kLongSymbols) {
    if (!at(symbol)) continue;
    position_ += symbol.size();
    return Token{Token::Kind::kSymbol, std::string(symbol)};
  }
  if (!kSymbols.contains(c)) return fail(ErrorKind::kInvalid, "a character that no expression has");
  ++position_;
  return Token{Token::Kind::kSymbol, std::string(1, c)};
}

}  // namespace tacenda::fhirpath

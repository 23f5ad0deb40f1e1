#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace tacenda::fhirpath {

struct Token {
  enum class Kind : std::uint8_t {
    kEnd,
    kIdentifier,  // text: with escapes resolved when delimited
    kString,      // text: with escapes resolved
    kNumber,
    kDate,      // text without @
    kDateTime,  // likewise
    kTime,      // text without @T
    kDollar,    // text: "this", "index", "total"
    kSymbol,    // text: one or two characters
  };
  Kind kind = Kind::kEnd;
  std::string text;
  bool delimited = false;  // `identifier`: never a keyword

  bool is_symbol(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
  bool is_word(std::string_view word) const {
    return kind == Kind::kIdentifier && !delimited && text == word;
  }
};

/// Splits the text of an expression into tokens; blanks and comments are passed over.
/// Source: FHIRPath N1 section 2, appendix B (grammar).
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  /// kEnd at the end, again and again. Errors: kInvalid.
  Result<Token> next();

 private:
  Result<void> skip_blanks();
  Result<std::string> quoted(char quote);
  Result<void> escape(std::string& out);
  Token number();
  Result<Token> temporal();
  Token word();
  bool at(std::string_view mark) const { return text_.substr(position_).starts_with(mark); }
  char peek(std::size_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }

  std::string_view text_;  // the caller's, for the length of the compilation
  std::size_t position_ = 0;
};

}  // namespace tacenda::fhirpath

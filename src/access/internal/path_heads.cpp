#include "access/internal/path_heads.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "fhir/elements.hpp"

namespace tacenda::access {
namespace {

constexpr std::array<std::string_view, 12> kWords{"and", "or",  "xor",  "implies", "in", "contains",
                                                  "div", "mod", "true", "false",   "as", "is"};

constexpr std::array<std::string_view, 9> kLocalFunctions{"where",  "exists", "all", "select",   "repeat",
                                                          "ofType", "as",     "is",  "extension"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// One token: a name, a string, a number, or one character. Empty at the end.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) { advance(); }

  std::string_view now() const { return now_; }
  bool is_name() const { return !now_.empty() && is_letter(now_.front()); }

  void advance() {
    std::size_t at = 0;
    while (at < text_.size() && (text_[at] == ' ' || (text_[at] >= '\t' && text_[at] <= '\r'))) ++at;
    text_.remove_prefix(at);
    std::size_t const size = token_size();
    now_ = text_.substr(0, size);
    text_.remove_prefix(size);
  }
  bool take(std::string_view wanted) {
    if (now_ != wanted) return false;
    advance();
    return true;
  }

 private:
  std::size_t token_size() const {
    if (text_.empty()) return 0;
    std::size_t size = 1;
    if (text_.front() == '\'') {
      while (size < text_.size() && text_[size] != '\'')
        size += text_[size] == '\\' ? std::size_t{2} : std::size_t{1};
      return std::min(size + 1, text_.size());
    }
    if (is_letter(text_.front()) || is_digit(text_.front())) {
      while (size < text_.size() && (is_letter(text_[size]) || is_digit(text_[size]))) ++size;
    }
    return size;
  }

  std::string_view text_;
  std::string_view now_;
};

class Reader {
 public:
  Reader(std::string_view expression, std::string_view type) : tokens_(expression), type_(type) {}

  std::optional<PathHeads> read() {
    while (!tokens_.now().empty()) {
      if (!read_term()) return std::nullopt;
    }
    return heads_;
  }

 private:
  /// A path, or a token that stands between paths.
  bool read_term() {
    if (tokens_.take("%")) return read_variable();
    if (tokens_.is_name()) return read_name();
    // ` delimits a name, $ begins a variable, / may begin a comment. A path goes on behind a bracket:
    // "(...).text".
    constexpr std::string_view kNotPlain = "`$/@{}";
    if (kNotPlain.contains(tokens_.now().front())) return false;
    bool const closes = tokens_.now() == ")";
    tokens_.advance();
    if (!closes) return true;
    bool const goes_on = tokens_.now() == "." || tokens_.now() == "[";
    return !(goes_on && heads_.is_whole) && read_steps();  // "(Patient).birthDate" begins nowhere plain
  }

  bool read_name() {
    auto const name = tokens_.now();
    tokens_.advance();
    if (name == "as" || name == "is") return read_type_name();
    if (std::ranges::find(kWords, name) != kWords.end()) return true;
    if (tokens_.now() == "(") return false;  // a function on the resource itself
    bool const is_own = name == type_ || name == "Resource" || name == "DomainResource";
    if (is_own) return read_root();
    bool const is_other = fhir::find_resource_node(name) != nullptr;
    if (!is_other) heads_.relative.push_back(name);
    return read_steps();
  }

  /// %resource, which is the resource wherever it stands; every other variable is not plain.
  bool read_variable() {
    if (!tokens_.take("resource")) return false;
    return read_root();
  }

  /// What follows the resource itself.
  bool read_root() {
    if (!tokens_.take(".")) {
      heads_.is_whole = true;
      return true;
    }
    if (!tokens_.is_name()) return false;
    auto const name = tokens_.now();
    tokens_.advance();
    // extension('url') is the element of that name; every other function may reach anything.
    if (tokens_.now() == "(" && name != "extension") return false;
    heads_.elements.push_back(name);
    return (tokens_.now() != "(" || read_arguments(name)) && read_steps();
  }

  bool read_type_name() {
    if (!tokens_.is_name()) return false;
    tokens_.advance();
    while (tokens_.take(".")) {
      if (!tokens_.is_name()) return false;
      tokens_.advance();
    }
    return true;
  }

  /// The rest of a path: ".given", ".where(...)", "[0]".
  bool read_steps() {
    for (;;) {
      if (tokens_.take("[")) {
        if (tokens_.now().empty() || !is_digit(tokens_.now().front())) return false;
        tokens_.advance();
        if (!tokens_.take("]")) return false;
      } else if (tokens_.take(".")) {
        if (!tokens_.is_name()) return false;
        auto const name = tokens_.now();
        tokens_.advance();
        if (tokens_.now() == "(" && !read_arguments(name)) return false;
        if (name == "resolve" && tokens_.now() == ".") return false;  // into another record
      } else {
        return true;
      }
    }
  }

  /// Arguments of these speak of what the path before them found, but for %resource and for resolve(), behind
  /// which lies another record: nothing but its type is looked at here. Arguments of other functions speak of
  /// where the whole expression began (`name.combine(birthDate)`) and must be literals.
  bool read_arguments(std::string_view function) {
    bool const is_local = std::ranges::find(kLocalFunctions, function) != kLocalFunctions.end();
    int depth = 0;
    do {
      auto const token = tokens_.now();
      if (token.empty() || token == "`" || token == "/" || token == "@") return false;
      bool const is_name = tokens_.is_name();
      if (token == "(") ++depth;
      if (token == ")") --depth;
      tokens_.advance();
      if (token == "%" && !read_variable()) return false;
      if (is_name && !is_local && token != "true" && token != "false") return false;
      if (token == type_ && tokens_.now() == ".") return false;
      if (token == "resolve" && !(tokens_.take("(") && tokens_.take(")") && tokens_.now() != "."))
        return false;
    } while (depth > 0);
    return true;
  }

  Tokens tokens_;
  std::string_view type_;
  PathHeads heads_;
};

}  // namespace

std::optional<PathHeads> path_heads(std::string_view expression, std::string_view type) {
  return Reader(expression, type).read();
}

}  // namespace tacenda::access

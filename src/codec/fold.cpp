#include "codec/fold.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <utf8proc.h>

namespace tacenda::codec {
namespace {

bool is_ascii_punctuation(char c) {
  // The others of ASCII ($ + < = > ^ ` | ~) are symbols to Unicode.
  return std::string_view("!\"#%&'()*,-./:;?@[\\]_{}").contains(c);
}

void add_blank(std::string& out) {
  if (!out.empty() && out.back() != ' ') out.push_back(' ');
}

std::string fold_ascii(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (char const c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      add_blank(folded);
    } else if (c >= 'A' && c <= 'Z') {
      folded.push_back(static_cast<char>(c - 'A' + 'a'));
    } else if (!is_ascii_punctuation(c)) {
      folded.push_back(c);
    }
  }
  if (folded.ends_with(' ')) folded.pop_back();
  return folded;
}

/// Drops punctuation and joins blanks in text that is folded otherwise.
std::string without_punctuation(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    utf8proc_int32_t code = 0;
    auto const size = utf8proc_iterate(reinterpret_cast<utf8proc_uint8_t const*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &code);
    if (size <= 0) break;  // not of what utf8proc made
    auto const category = utf8proc_category(code);
    bool const is_blank = (category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP) ||
                          (code >= 0x09 && code <= 0x0D);
    bool const is_dropped = (category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO) ||
                            (category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME);
    if (is_blank) {
      add_blank(out);
    } else if (!is_dropped) {
      out.append(text.substr(0, static_cast<std::size_t>(size)));
    }
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace

std::string fold(std::string_view text) {
  bool const plain = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (plain) return fold_ascii(text);
  constexpr auto kOptions = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT |
                                                           UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
  utf8proc_uint8_t* out = nullptr;
  auto const size = utf8proc_map(reinterpret_cast<utf8proc_uint8_t const*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &out, kOptions);
  std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> const owned(out, &std::free);
  if (size < 0) return std::string(text);
  return without_punctuation({reinterpret_cast<char const*>(out), static_cast<std::size_t>(size)});
}

}  // namespace tacenda::codec

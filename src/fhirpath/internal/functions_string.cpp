#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "codec/text.hpp"
#include "fhirpath/internal/evaluator.hpp"
#include "fhirpath/internal/functions.hpp"
#include "fhirpath/internal/text.hpp"

// Strings: FHIRPath N1 section 5.6, and those of the later draft.

namespace tacenda::fhirpath {
namespace {

/// The input's text and that of the arguments; nullopt when one of them is empty, for then the result is.
struct Texts {
  // The items own what the views show.
  std::array<Item, 3> items{Item::boolean(false), Item::boolean(false), Item::boolean(false)};
  std::array<std::string_view, 3> text;
};

Result<std::optional<Texts>> texts_of(Call& call, std::size_t arguments) {
  Texts out;
  for (std::size_t i = 0; i <= arguments; ++i) {
    auto const item = i == 0 ? TACENDA_TRY(call.one_text()) : TACENDA_TRY(call.text_argument(i - 1));
    if (!item) return std::nullopt;
    out.items[i] = *item;
    out.text[i] = *out.items[i].text();
    TACENDA_TRY_VOID(call.evaluator.budget().spend_text(out.text[i].size()));
  }
  return out;
}

template <bool (*kTest)(std::string_view, std::string_view)>
Result<void> test(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 1));
  return texts ? call.give_boolean(kTest(texts->text[0], texts->text[1])) : call.give_nothing();
}

bool begins_with(std::string_view text, std::string_view part) {
  return text.starts_with(part);
}
bool finishes_with(std::string_view text, std::string_view part) {
  return text.ends_with(part);
}
bool has_part(std::string_view text, std::string_view part) {
  return find_text(text, part) != std::string_view::npos;
}

template <std::size_t (*kFind)(std::string_view, std::string_view)>
Result<void> position(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 1));
  if (!texts) return call.give_nothing();
  std::size_t const at = kFind(texts->text[0], texts->text[1]);
  if (at == std::string_view::npos) return call.give(Item::integer(-1));
  return call.give(Item::integer(static_cast<std::int64_t>(count_characters(texts->text[0].substr(0, at)))));
}

std::size_t find_first(std::string_view text, std::string_view part) {
  return find_text(text, part);
}

template <typename Change>
Result<void> changed(Call& call, Change change) {
  auto const texts = TACENDA_TRY(texts_of(call, 0));
  return texts ? call.give_text(change(texts->text[0])) : call.give_nothing();
}

Result<void> to_upper(Call& call) {
  return changed(call, upper);
}
Result<void> to_lower(Call& call) {
  return changed(call, lower);
}
Result<void> trim(Call& call) {
  return changed(call, [](std::string_view text) { return std::string(trimmed(text)); });
}

Result<void> length(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 0));
  if (!texts) return call.give_nothing();
  return call.give(Item::integer(static_cast<std::int64_t>(count_characters(texts->text[0]))));
}

Result<void> substring(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 0));
  auto const start = TACENDA_TRY(call.integer_argument(0));
  if (!texts || !start || *start < 0) return call.give_nothing();
  std::string_view text = texts->text[0];
  std::size_t const from = offset_of_character(text, static_cast<std::size_t>(*start));
  if (from >= text.size()) return call.give_nothing();
  text.remove_prefix(from);
  if (call.has_argument(1)) {
    auto const count = TACENDA_TRY(call.integer_argument(1));
    if (count)
      text = text.substr(
          0, offset_of_character(text, static_cast<std::size_t>(std::max<std::int64_t>(*count, 0))));
  }
  return call.give_text(std::string(text));
}

/// Calls `visit(piece)` with what lies between the parts.
template <typename Visit>
Result<void> for_each_piece(std::string_view text, std::string_view part, Visit visit) {
  std::size_t from = 0;
  for (;;) {
    std::size_t const at = find_text(text, part, from);
    if (at == std::string_view::npos) return visit(text.substr(from));
    TACENDA_TRY_VOID(visit(text.substr(from, at - from)));
    from = at + part.size();
  }
}

Result<void> replace(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 2));
  if (!texts) return call.give_nothing();
  auto const [text, part, by] = texts->text;
  std::string out;
  if (part.empty()) {  // between all characters, and around them
    TACENDA_TRY_VOID(call.evaluator.budget().check_text(text.size() + (text.size() + 1) * by.size()));
    for (std::size_t at = 0; at < text.size(); at += length_of_character(text, at)) {
      out.append(by).append(text.substr(at, length_of_character(text, at)));
    }
    return call.give_text(out.append(by));
  }
  bool first = true;
  TACENDA_TRY_VOID(for_each_piece(text, part, [&](std::string_view piece) -> Result<void> {
    if (!first) out += by;
    first = false;
    out += piece;
    return call.evaluator.budget().check_growth(out.size());
  }));
  return call.give_text(std::move(out));
}

/// The regular expression of the call: compiled with the expression when it is a literal.
struct Pattern {
  std::unique_ptr<RE2 const> own;
  RE2 const* used = nullptr;
};
Result<Pattern> pattern_of(Call& call, std::string_view text) {
  Pattern out;
  out.used = call.node.pattern;
  if (out.used != nullptr) return out;
  TACENDA_TRY_VOID(call.evaluator.budget().spend(10'000 + text.size() * 8));  // what compiling costs
  out.own = compile_pattern(text);
  if (out.own == nullptr) return fail(ErrorKind::kInvalid, "a regular expression that cannot be used");
  out.used = out.own.get();
  return out;
}

re2::StringPiece piece_of(std::string_view text) {
  return {text.data(), text.size()};
}

template <bool kWhole>
Result<void> matches_pattern(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 1));
  if (!texts) return call.give_nothing();
  auto const pattern = TACENDA_TRY(pattern_of(call, texts->text[1]));
  TACENDA_TRY_VOID(call.evaluator.budget().spend(16 + texts->text[0].size() / 4));
  auto const text = piece_of(texts->text[0]);
  return call.give_boolean(kWhole ? RE2::FullMatch(text, *pattern.used)
                                  : RE2::PartialMatch(text, *pattern.used));
}

/// `$1` of FHIRPath as `\1` of RE2; a backslash stands for itself.
std::string substitution_of(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      out += "\\\\";
    } else if (text[i] == '$' && i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9') {
      out.push_back('\\');
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

Result<void> replace_matches(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 2));
  if (!texts) return call.give_nothing();
  auto const [text, expression, by] = texts->text;
  if (expression.empty()) return call.give_text(std::string(text));
  auto const pattern = TACENDA_TRY(pattern_of(call, expression));
  // Every character may be replaced by all groups: the largest result is known before.
  std::string const substitution = substitution_of(by);
  std::size_t const groups = static_cast<std::size_t>(std::ranges::count(substitution, '\\'));
  std::size_t const largest = text.size() * (1 + groups) + (text.size() + 1) * by.size();
  if (text.size() > 256) TACENDA_TRY_VOID(call.evaluator.budget().check_text(largest));
  TACENDA_TRY_VOID(call.evaluator.budget().spend(16 + text.size()));
  std::string error;
  if (!pattern.used->CheckRewriteString(piece_of(substitution), &error)) {
    return fail(ErrorKind::kInvalid, "a replacement names a group that is not there");
  }
  std::string out(text);
  RE2::GlobalReplace(&out, *pattern.used, piece_of(substitution));
  return call.give_text(std::move(out));
}

Result<void> to_chars(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 0));
  if (!texts) return call.give_nothing();
  call.evaluator.drop(call.base);
  std::string_view const text = texts->text[0];
  for (std::size_t at = 0; at < text.size(); at += length_of_character(text, at)) {
    TACENDA_TRY_VOID(
        call.evaluator.push(Item::string(std::string(text.substr(at, length_of_character(text, at))))));
  }
  return {};
}

Result<void> split(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 1));
  if (!texts) return call.give_nothing();
  auto const [text, part, unused] = texts->text;
  if (part.empty()) return to_chars(call);
  call.evaluator.drop(call.base);
  return for_each_piece(text, part, [&](std::string_view piece) {
    return call.evaluator.push(Item::string(std::string(piece)));
  });
}

Result<void> join(Call& call) {
  std::optional<Item> separator = Item::string_view("");
  if (call.has_argument(0)) separator = TACENDA_TRY(call.text_argument(0));
  if (!separator || call.count() == 0) return call.give_nothing();
  std::string out;
  for (std::size_t i = 0; i < call.count(); ++i) {
    auto const text = call.input()[i].text();
    if (!text) return fail(ErrorKind::kInvalid, "join() takes strings");
    if (i > 0) out += *separator->text();
    out += *text;
    TACENDA_TRY_VOID(call.evaluator.budget().check_growth(out.size()));
  }
  return call.give_text(std::move(out));
}

std::string padded_base64url(std::string_view text) {
  std::string out = codec::base64url_encode(as_bytes(text));
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

Result<void> encode(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 1));
  if (!texts) return call.give_nothing();
  auto const [text, format, unused] = texts->text;
  TACENDA_TRY_VOID(call.evaluator.budget().check_text(text.size() * 2));
  if (format == "base64") return call.give_text(codec::base64_encode(as_bytes(text)));
  if (format == "urlbase64") return call.give_text(padded_base64url(text));
  if (format == "hex") return call.give_text(codec::hex_encode(as_bytes(text)));
  return fail(ErrorKind::kInvalid, "an encoding that is not known");
}

Result<Bytes> decoded(std::string_view text, std::string_view format) {
  if (format == "base64") return codec::base64_decode(text);
  if (format == "hex") return codec::hex_decode(text);
  if (format != "urlbase64") return fail(ErrorKind::kInvalid, "an encoding that is not known");
  return codec::base64url_decode(text.substr(0, text.find_last_not_of('=') + 1));
}

Result<void> decode(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 1));
  if (!texts) return call.give_nothing();
  Bytes const bytes = TACENDA_TRY(decoded(texts->text[0], texts->text[1]));
  if (!codec::is_utf8(as_text(bytes))) return fail(ErrorKind::kInvalid, "what was encoded is no text");
  return call.give_text(std::string(as_text(bytes)));
}

struct Entity {
  char character;
  std::string_view text;
};
constexpr std::array kHtml{Entity{'&', "&amp;"}, Entity{'<', "&lt;"}, Entity{'>', "&gt;"},
                           Entity{'"', "&quot;"}, Entity{'\'', "&#39;"}};
constexpr std::array kJson{Entity{'"', "\\\""}, Entity{'\\', "\\\\"}, Entity{'\n', "\\n"},
                           Entity{'\r', "\\r"}, Entity{'\t', "\\t"},  Entity{'\f', "\\f"},
                           Entity{'\b', "\\b"}};

Result<std::span<Entity const>> entities_of(std::string_view target) {
  if (target == "html") return std::span<Entity const>(kHtml);
  if (target == "json") return std::span<Entity const>(kJson);
  return fail(ErrorKind::kInvalid, "an escape that is not known");
}

Result<void> escape(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 1));
  if (!texts) return call.give_nothing();
  auto const entities = TACENDA_TRY(entities_of(texts->text[1]));
  TACENDA_TRY_VOID(call.evaluator.budget().check_text(texts->text[0].size()));
  std::string out;
  for (char const c : texts->text[0]) {
    auto const at = std::ranges::find(entities, c, &Entity::character);
    if (at == entities.end()) {
      out.push_back(c);
    } else {
      out += at->text;
    }
  }
  return call.give_text(std::move(out));
}

Result<void> unescape(Call& call) {
  auto const texts = TACENDA_TRY(texts_of(call, 1));
  if (!texts) return call.give_nothing();
  auto const entities = TACENDA_TRY(entities_of(texts->text[1]));
  TACENDA_TRY_VOID(call.evaluator.budget().check_text(texts->text[0].size()));
  std::string out;
  for (std::string_view rest = texts->text[0]; !rest.empty();) {
    auto const at =
        std::ranges::find_if(entities, [&](Entity const& row) { return rest.starts_with(row.text); });
    if (at != entities.end()) {
      out.push_back(at->character);
      rest.remove_prefix(at->text.size());
      continue;
    }
    auto const unit = rest.starts_with("\\u") ? read_hex4(rest.substr(2)) : std::nullopt;
    if (unit && texts->text[1] == "json" && (*unit < 0xD800 || *unit > 0xDFFF)) {
      append_utf8(out, *unit);
      rest.remove_prefix(6);
      continue;
    }
    out.push_back(rest.front());
    rest.remove_prefix(1);
  }
  return call.give_text(std::move(out));
}

constexpr auto kNone = FunctionRow::kNone;
constexpr auto kPattern = FunctionRow::kTakesPattern;

constexpr std::array kFunctions{
    FunctionRow{"startsWith", 1, 1, kNone, test<begins_with>},
    FunctionRow{"endsWith", 1, 1, kNone, test<finishes_with>},
    FunctionRow{"contains", 1, 1, kNone, test<has_part>},
    FunctionRow{"indexOf", 1, 1, kNone, position<find_first>},
    FunctionRow{"lastIndexOf", 1, 1, kNone, position<find_last_text>},
    FunctionRow{"upper", 0, 0, kNone, to_upper},
    FunctionRow{"lower", 0, 0, kNone, to_lower},
    FunctionRow{"trim", 0, 0, kNone, trim},
    FunctionRow{"length", 0, 0, kNone, length},
    FunctionRow{"substring", 1, 2, kNone, substring},
    FunctionRow{"replace", 2, 2, kNone, replace},
    FunctionRow{"matches", 1, 1, kPattern, matches_pattern<false>},
    FunctionRow{"matchesFull", 1, 1, kPattern, matches_pattern<true>},
    FunctionRow{"replaceMatches", 2, 2, kPattern, replace_matches},
    FunctionRow{"toChars", 0, 0, kNone, to_chars},
    FunctionRow{"split", 1, 1, kNone, split},
    FunctionRow{"join", 0, 1, kNone, join},
    FunctionRow{"encode", 1, 1, kNone, encode},
    FunctionRow{"decode", 1, 1, kNone, decode},
    FunctionRow{"escape", 1, 1, kNone, escape},
    FunctionRow{"unescape", 1, 1, kNone, unescape},
};

}  // namespace

std::span<FunctionRow const> string_functions() {
  return kFunctions;
}

}  // namespace tacenda::fhirpath

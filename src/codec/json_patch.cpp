#include "codec/json_patch.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "codec/internal/json_scan.hpp"
#include "codec/json_equal.hpp"

namespace tacenda::codec {
namespace {

/// An array index of RFC 6901 section 4: digits without a zero in front.
std::optional<std::size_t> read_index(std::string_view token) {
  if (token.empty() || (token.size() > 1 && token.front() == '0')) return std::nullopt;
  if (!std::ranges::all_of(token, internal::is_digit)) return std::nullopt;
  std::size_t index = 0;
  auto const parsed = std::from_chars(token.data(), token.data() + token.size(), index);
  return parsed.ec == std::errc() ? std::optional(index) : std::nullopt;
}

/// What a value adds to its document.
struct Weight {
  std::size_t size_bytes = 0;
  std::size_t values = 0;
  std::size_t depth = 0;  // nested arrays and objects
};

// Recursion: the depth of every value in a document and in a patch is bounded by kJsonDepthMax.
Weight weigh(Json const& value) {
  Weight weight{.size_bytes = 1, .values = 1, .depth = value.is_array() || value.is_object() ? 1U : 0U};
  auto const add = [&weight](Json const& child) {
    Weight const inner = weigh(child);
    weight.size_bytes += inner.size_bytes;
    weight.values += inner.values;
    weight.depth = std::max(weight.depth, inner.depth + 1);
  };
  if (value.is_string()) weight.size_bytes += value.as_string().size() + 2;
  if (value.is_number()) weight.size_bytes += value.number_text().size();
  for (auto const& item : value.items()) add(item);
  for (auto const& member : value.members()) {
    weight.size_bytes += member.name.size() + 3;
    add(member.value);
  }
  return weight;
}

std::size_t parts_of(Json const& value) {
  return value.items().size() + value.members().size();
}

std::span<std::string const> parent_of(JsonPointer const& pointer) {
  return std::span(pointer).first(pointer.size() - 1);
}

bool begins(JsonPointer const& path, JsonPointer const& start) {
  return path.size() >= start.size() && std::equal(start.begin(), start.end(), path.begin());
}

/// The document while operations are applied to it: a copy, which a failure leaves behind.
class Patcher {
 public:
  Patcher(Json const& document, JsonPatchLimits const& limits)
      : document_(document), limits_(limits), total_(weigh(document)) {}

  Result<void> apply(Json const& operation) {
    if (!operation.is_object()) return fail(ErrorKind::kInvalid, "patch operation is no object");
    std::string_view const op = operation.text_of("op");
    JsonPointer const path = TACENDA_TRY(pointer(operation, "path"));
    if (op == "add") return add(path, Json(*TACENDA_TRY(value_of(operation))));
    if (op == "replace") return replace(path, *TACENDA_TRY(value_of(operation)));
    if (op == "test") return test(path, *TACENDA_TRY(value_of(operation)));
    if (op == "remove") return discard(take(path));
    if (op == "move") return move(TACENDA_TRY(pointer(operation, "from")), path);
    if (op == "copy") return copy(TACENDA_TRY(pointer(operation, "from")), path);
    return fail(ErrorKind::kInvalid, "patch operation has no known op");
  }

  Json result() && { return std::move(document_); }

 private:
  static Result<JsonPointer> pointer(Json const& operation, std::string_view name) {
    Json const* const text = operation.find(name);
    if (text == nullptr || !text->is_string()) {
      return fail(ErrorKind::kInvalid, "patch operation lacks a path");
    }
    return parse_json_pointer(text->as_string());
  }

  static Result<Json const*> value_of(Json const& operation) {
    Json const* const value = operation.find("value");
    if (value == nullptr) return fail(ErrorKind::kInvalid, "patch operation lacks its value");
    return value;
  }

  static Result<void> discard(Result<Json> value) {
    TACENDA_TRY_VOID(std::move(value));
    return {};
  }

  Result<void> spend(std::size_t work) {
    if (work > limits_.work - spent_) return fail(ErrorKind::kTooLarge, "patch is too much work");
    spent_ += work;
    return {};
  }

  Result<Json*> find(std::span<std::string const> pointer) {
    Json* at = &document_;
    for (std::string const& token : pointer) {
      TACENDA_TRY_VOID(spend(1 + (at->is_object() ? parts_of(*at) : 0)));
      if (at->is_array()) {
        auto const index = read_index(token);
        at = index.has_value() && *index < at->items().size() ? &at->items()[*index] : nullptr;
      } else {
        at = at->find(token);
      }
      if (at == nullptr) return fail(ErrorKind::kUnprocessable, "patch names a path that does not exist");
    }
    return at;
  }

  /// Counts a value that comes in `depth` levels down; fails when the document would become too large.
  Result<void> count_in(Json const& value, std::size_t depth) {
    Weight const weight = weigh(value);
    TACENDA_TRY_VOID(spend(weight.values));
    total_.size_bytes += weight.size_bytes;
    total_.values += weight.values;
    bool const fits = total_.size_bytes <= limits_.size_bytes && total_.values <= limits_.values &&
                      depth + weight.depth <= std::min(limits_.depth, kJsonDepthMax);
    return fits ? Result<void>() : fail(ErrorKind::kTooLarge, "patched document is too large");
  }

  Result<void> count_out(Json const& value) {
    Weight const weight = weigh(value);
    total_.size_bytes -= weight.size_bytes;
    total_.values -= weight.values;
    return spend(weight.values);
  }

  /// RFC 6902 section 4.1. What the value replaces stays counted until it is gone: a patch may not pass
  /// through a document over the limit.
  Result<void> add(JsonPointer const& path, Json value) {
    TACENDA_TRY_VOID(count_in(value, path.size()));
    if (path.empty()) return put(document_, std::move(value));
    Json& parent = *TACENDA_TRY(find(parent_of(path)));
    if (parent.is_object()) return add_member(parent, path.back(), std::move(value));
    if (!parent.is_array())
      return fail(ErrorKind::kUnprocessable, "patch adds below a value that has no parts");
    auto& items = parent.items();
    auto const index = path.back() == "-" ? items.size() : read_index(path.back());
    if (!index.has_value() || *index > items.size()) {
      return fail(ErrorKind::kUnprocessable, "patch names an index outside its array");
    }
    TACENDA_TRY_VOID(spend(items.size() - *index));
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
    return {};
  }

  Result<void> add_member(Json& parent, std::string const& name, Json value) {
    TACENDA_TRY_VOID(spend(2 * parent.members().size()));
    if (Json* const present = parent.find(name); present != nullptr) return put(*present, std::move(value));
    parent.members().push_back({name, std::move(value)});
    total_.size_bytes += name.size() + 3;
    return {};
  }

  /// `value` has been counted already.
  Result<void> put(Json& target, Json value) {
    TACENDA_TRY_VOID(count_out(target));
    target = std::move(value);
    return {};
  }

  /// Section 4.3.
  Result<void> replace(JsonPointer const& path, Json const& value) {
    Json& target = *TACENDA_TRY(find(path));
    TACENDA_TRY_VOID(count_in(value, path.size()));
    return put(target, value);
  }

  /// Section 4.2, and the first half of `move`.
  Result<Json> take(JsonPointer const& path) {
    if (path.empty()) return fail(ErrorKind::kUnprocessable, "patch removes the whole document");
    Json& target = *TACENDA_TRY(find(path));
    Json& parent = *TACENDA_TRY(find(parent_of(path)));
    TACENDA_TRY_VOID(count_out(target));
    Json taken = std::move(target);
    TACENDA_TRY_VOID(spend(parts_of(parent)));
    if (parent.is_array()) {
      parent.items().erase(parent.items().begin() + static_cast<std::ptrdiff_t>(*read_index(path.back())));
    } else {
      parent.remove(path.back());
      total_.size_bytes -= path.back().size() + 3;
    }
    return taken;
  }

  /// Section 4.4.
  Result<void> move(JsonPointer const& from, JsonPointer const& path) {
    if (from == path) return discard_found(find(path));
    if (begins(path, from)) return fail(ErrorKind::kInvalid, "patch moves a value into itself");
    return add(path, TACENDA_TRY(take(from)));
  }

  static Result<void> discard_found(Result<Json*> found) {
    TACENDA_TRY_VOID(std::move(found));
    return {};
  }

  /// Section 4.5.
  Result<void> copy(JsonPointer const& from, JsonPointer const& path) {
    Json const& source = *TACENDA_TRY(find(from));
    // Before the copy is made: a chain of copies doubles the document each time.
    Weight const weight = weigh(source);
    if (weight.values > limits_.values || weight.size_bytes > limits_.size_bytes) {
      return fail(ErrorKind::kTooLarge, "patched document is too large");
    }
    TACENDA_TRY_VOID(spend(2 * weight.values));
    return add(path, Json(source));
  }

  /// Section 4.6.
  Result<void> test(JsonPointer const& path, Json const& value) {
    Json const& target = *TACENDA_TRY(find(path));
    TACENDA_TRY_VOID(spend(weigh(value).values));
    if (!equal_by_value(target, value)) return fail(ErrorKind::kUnprocessable, "patch test failed");
    return {};
  }

  Json document_;
  JsonPatchLimits limits_;
  Weight total_;  // its depth is not kept up
  std::size_t spent_ = 0;
};

}  // namespace

Result<JsonPointer> parse_json_pointer(std::string_view text) {
  JsonPointer tokens;
  if (text.empty()) return tokens;
  if (text.front() != '/') return fail(ErrorKind::kInvalid, "JSON pointer starts without a slash");
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      if (tokens.size() == kJsonDepthMax) return fail(ErrorKind::kTooLarge, "JSON pointer is too deep");
      tokens.emplace_back();
    } else if (text[i] != '~') {
      tokens.back() += text[i];
    } else {
      char const escaped = ++i < text.size() ? text[i] : '\0';
      if (escaped != '0' && escaped != '1')
        return fail(ErrorKind::kInvalid, "JSON pointer has an unknown escape");
      tokens.back() += escaped == '0' ? '~' : '/';
    }
  }
  return tokens;
}

Json const* find_at(Json const& document, JsonPointer const& pointer) {
  Json const* at = &document;
  for (std::string const& token : pointer) {
    if (at->is_array()) {
      auto const index = read_index(token);
      at = index.has_value() && *index < at->items().size() ? &at->items()[*index] : nullptr;
    } else {
      at = at->find(token);
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

Result<Json> apply_json_patch(Json const& document, Json const& patch, JsonPatchLimits const& limits) {
  if (!patch.is_array()) return fail(ErrorKind::kInvalid, "patch is no array");
  if (patch.items().size() > limits.operations)
    return fail(ErrorKind::kTooLarge, "patch has too many operations");
  Patcher patcher(document, limits);
  for (Json const& operation : patch.items()) TACENDA_TRY_VOID(patcher.apply(operation));
  return std::move(patcher).result();
}

}  // namespace tacenda::codec

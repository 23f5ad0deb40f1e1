#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "core/limits.hpp"

namespace tacenda::codec {

/// A path into a JSON value: its reference tokens, escapes resolved. Empty is the whole document.
using JsonPointer = std::vector<std::string>;

/// Reads the text form of a JSON Pointer ("/a~1b/0"). Errors: kInvalid.
/// Source: RFC 6901 sections 3 and 4.
Result<JsonPointer> parse_json_pointer(std::string_view text);

/// The value that the pointer leads to, nullptr when there is none ("-" never leads to one).
/// Source: RFC 6901 section 4.
Json const* find_at(Json const& document, JsonPointer const& pointer);

struct JsonPatchLimits {
  std::size_t operations = 1'000;
  std::size_t depth = limits::kJsonDepth;       // of the document after each operation; at most kJsonDepthMax
  std::size_t size_bytes = limits::kBodyBytes;  // as written, but for escapes
  std::size_t values = limits::kBodyBytes / 8;
  // Members looked at and values moved, copied or measured, over all operations: a small patch can move all
  // items of a large array each time.
  std::size_t work = 50'000'000;
};

/// The document after all operations of `patch`. The operations see each other's results, and one that fails
/// fails the patch: `document` itself never changes. Members of an operation that the standard does not
/// define are ignored. The whole document can be replaced but not removed.
/// Errors: kInvalid (no patch: not an array, unknown operation, missing member, malformed pointer, moving a
/// value into itself), kUnprocessable (the document does not have the target, a test fails), kTooLarge.
/// Source: RFC 6902.
Result<Json> apply_json_patch(Json const& document, Json const& patch, JsonPatchLimits const& limits = {});

}  // namespace tacenda::codec

#pragma once

#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "core/error.hpp"

namespace tacenda::fhir {

/// A JSON document that is known to be a resource of R4 in its outer form: an object with a known
/// resourceType, a logical id by the grammar if it has one, a meta object if it has one, no empty objects,
/// arrays or strings, null in arrays only, contained resources of known types that contain none themselves.
/// Made by `parse` only; move-only, because copies of records should be seen in the code. Source: R4
/// json.html, resource.html, references.html#contained.
class Resource {
 public:
  /// Errors: kInvalid.
  static Result<Resource> parse(codec::Json json);

  Resource(Resource&&) noexcept = default;
  Resource& operator=(Resource&&) noexcept = default;
  Resource(Resource const&) = delete;
  Resource& operator=(Resource const&) = delete;
  ~Resource() = default;

  std::string_view type() const { return json_.text_of("resourceType"); }
  /// Empty when it has none.
  std::string_view id() const { return json_.text_of("id"); }
  codec::Json const& json() const { return json_; }
  codec::Json& json_mutable() { return json_; }
  Resource clone() const { return Resource(json_); }

 private:
  explicit Resource(codec::Json json) : json_(std::move(json)) {}
  codec::Json json_;
};

/// Parses JSON text into a resource. Errors: kInvalid, kTooLarge.
Result<Resource> parse_resource(std::string_view text);

}  // namespace tacenda::fhir

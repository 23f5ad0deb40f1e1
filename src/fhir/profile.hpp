#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhir/elements.hpp"
#include "fhir/validate_rules.hpp"

namespace tacenda::fhir {

inline constexpr std::size_t kProfileElementsMax = 10'000;
inline constexpr std::size_t kProfileDepthMax = 40;
inline constexpr std::size_t kProfileBasesMax = 8;  // profiles that one is derived through
inline constexpr std::string_view kBaseDefinitions = "http://hl7.org/fhir/StructureDefinition/";

/// Source: R4 profiling.html#discriminator.
enum class DiscriminatorKind : std::uint8_t { kValue, kExists, kPattern, kType, kProfile };

/// One step of a discriminator's path: `code`, `extension('url')`, `resolve()`, `ofType(Quantity)`.
struct DiscriminatorStep {
  enum class Kind : std::uint8_t { kName, kExtension, kResolve, kOfType };
  Kind kind = Kind::kName;
  std::string text;  // name, URL or type; empty for resolve()
};
struct Discriminator {
  DiscriminatorKind kind = DiscriminatorKind::kValue;
  std::vector<DiscriminatorStep> steps;  // none: $this
};

enum class SlicingRules : std::uint8_t { kOpen, kClosed, kOpenAtEnd };
struct Slicing {
  std::vector<Discriminator> discriminators;
  SlicingRules rules = SlicingRules::kOpen;
  bool is_ordered = false;
  bool is_decidable = false;  // has discriminators, and all are of the restricted FHIRPath
};

struct ProfileType {
  std::string code;                          // "Quantity"
  std::vector<std::string> profiles;         // the value must conform to one of these, if any
  std::vector<std::string> target_profiles;  // of Reference and canonical
};

struct ProfileConstraint {
  std::string key;
  std::string human;
  std::string expression;
  bool is_warning = false;

  ConstraintView view() const { return {key, human, expression, is_warning}; }
};

/// One ElementDefinition, without what the base definition says already: fields then have their defaults.
struct ProfileElement {
  static constexpr std::uint32_t kUnbounded = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  std::string name;   // last part of the path; of a choice without [x]
  std::string slice;  // empty: no slice
  std::uint32_t min = 0;
  std::uint32_t max = kUnbounded;
  std::vector<ProfileType> types;  // empty: as the base allows
  codec::Json fixed;               // null: none
  codec::Json pattern;
  codec::Json min_value;
  codec::Json max_value;
  std::size_t max_length = 0;  // in characters; 0: none
  BindingStrength strength = BindingStrength::kExample;
  std::string value_set;  // empty: no binding
  std::vector<ProfileConstraint> constraints;
  std::optional<Slicing> slicing;
  std::uint32_t content = kNone;        // the element whose children are this one's too (contentReference)
  std::vector<std::uint32_t> children;  // elements of the same profile
  std::vector<std::uint32_t> slices;
};

/// Where an extension may stand. Source: R4 defining-extensions.html#context.
struct ExtensionContext {
  std::string type;  // element, extension or fhirpath
  std::string expression;
};

/// Gives a StructureDefinition by its canonical URL, which may carry a version; nullptr: it is not known.
using DefinitionSource =
    std::function<Result<std::shared_ptr<codec::Json const>>(std::string_view canonical)>;

/// The snapshot of a StructureDefinition, or what its differential comes to over the definition that it is
/// derived from, as a tree that holds only what it says beyond the base definition of its type: an element
/// that restates the base is not there. Immutable. Source: R4 structuredefinition.html,
/// elementdefinition.html, profiling.html.
class Profile {
 public:
  /// `bases` is asked for what a profile without a snapshot is derived from, when that is another profile,
  /// and so on up to one that has a snapshot or is derived from a type of R4 itself. Errors: kInvalid (no
  /// StructureDefinition; an element that the base does not have; elements in no order; a profile derived
  /// from itself or from one of another type), kUnsupported (a logical model, an abstract or unknown type, a
  /// base that is not known), kTooLarge (over kProfileElementsMax, kProfileDepthMax or kProfileBasesMax),
  /// those of `bases`.
  static Result<Profile> parse(codec::Json const& structure_definition, DefinitionSource const& bases = {});

  std::string_view url() const { return url_; }
  std::string_view version() const { return version_; }
  /// The resource type or data type that it constrains.
  std::string_view type() const { return path_of(*node_); }
  Node const& node() const { return *node_; }
  /// Of an extension; empty otherwise.
  std::vector<ExtensionContext> const& contexts() const { return contexts_; }

  ProfileElement const& root() const { return elements_.front(); }
  ProfileElement const& operator[](std::uint32_t index) const { return elements_[index]; }
  std::size_t size() const { return elements_.size(); }
  /// The children of an element, or those of the element that its contentReference names.
  std::vector<std::uint32_t> const& children_of(ProfileElement const& element) const;

 private:
  friend class ProfileReader;
  Profile() = default;

  std::string url_;
  std::string version_;
  Node const* node_ = nullptr;  // of the generated tables
  std::vector<ExtensionContext> contexts_;
  std::vector<ProfileElement> elements_;  // the root is the first
};

}  // namespace tacenda::fhir

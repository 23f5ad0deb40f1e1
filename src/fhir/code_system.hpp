#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"

namespace tacenda::fhir {

/// How much of a code system its resource holds. Source: R4 codesystem-content-mode.
enum class CodeSystemContent : std::uint8_t { kNotPresent, kExample, kFragment, kComplete, kSupplement };

/// One concept of a code system. Its views and its `json` live as long as the CodeSystem.
struct Concept {
  std::string_view code;
  std::string_view display;           // empty: none
  codec::Json const* json = nullptr;  // definition, designations, properties
  std::vector<std::uint32_t> parents;
  std::vector<std::uint32_t> children;
  bool is_abstract = false;  // a heading, not to be recorded itself
  bool is_inactive = false;
};

/// What stands over a concept in its code system.
enum class Relation : std::uint8_t {
  kIsA,  // subsumption: there is none where hierarchyMeaning says that the hierarchy means another thing
  kHierarchy,  // whatever the hierarchy means
};

/// Source: R4 concept-subsumption-outcome.
enum class Subsumption : std::uint8_t { kEquivalent, kSubsumes, kSubsumedBy, kNotSubsumed };
std::string_view code_of(Subsumption outcome);

/// The concepts of a CodeSystem resource and what is above and below each: by nesting and by the properties
/// `parent` and `child`. A code that stands twice is one concept with several parents; circles are followed
/// once. Without hierarchyMeaning the hierarchy means is-a, as in R4's own value sets.
///
/// Immutable, so thread-safe. Source: R4 codesystem.html.
class CodeSystem {
 public:
  static constexpr std::size_t kConceptsMax = 500'000;
  static constexpr std::size_t kLinksMax = 2'000'000;

  /// Takes a CodeSystem over. Errors: kInvalid (no CodeSystem, no url, a concept without a code), kTooCostly.
  static Result<std::shared_ptr<CodeSystem const>> parse(codec::Json document);

  CodeSystem(CodeSystem const&) = delete;
  CodeSystem& operator=(CodeSystem const&) = delete;

  codec::Json const& json() const { return document_; }
  std::string_view url() const { return document_.text_of("url"); }
  std::string_view version() const { return document_.text_of("version"); }
  CodeSystemContent content() const { return content_; }
  bool is_complete() const { return content_ == CodeSystemContent::kComplete; }

  /// In the order of the document.
  std::size_t size() const { return concepts_.size(); }
  Concept const& operator[](std::size_t number) const { return concepts_[number]; }
  /// By code; letters of ASCII have no case where the code system says so.
  std::optional<std::uint32_t> find(std::string_view code) const;
  /// True for a property that the resource declares or that R4 defines for all.
  bool has_property(std::string_view code) const;

  /// True for a concept and all above it.
  bool is_below(std::uint32_t concept_number, std::uint32_t ancestor, Relation relation) const;
  /// By concept: true for this one and all below it.
  std::vector<bool> below(std::uint32_t ancestor, Relation relation) const;
  /// By concept: true for this one and all above it.
  std::vector<bool> above(std::uint32_t concept_number, Relation relation) const;
  Subsumption compare(std::uint32_t a, std::uint32_t b) const;

 private:
  explicit CodeSystem(codec::Json document) : document_(std::move(document)) {}
  Result<void> read();
  Result<void> read_concepts();
  Result<void> read_properties(std::uint32_t number);
  Result<void> link(std::uint32_t parent, std::uint32_t child);
  std::optional<std::uint32_t> add(std::string_view code, codec::Json const& json);
  std::vector<bool> reach(std::uint32_t from, Relation relation,
                          std::vector<std::uint32_t> Concept::* next) const;

  codec::Json const document_;
  CodeSystemContent content_ = CodeSystemContent::kNotPresent;
  bool ignores_case_ = false;
  bool is_a_ = true;
  std::vector<Concept> concepts_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
  std::deque<std::string> folded_;  // what numbers_ looks at where case does not count
  // Codes of properties by what R4 says they mean: notSelectable, inactive, status, parent, child.
  std::unordered_map<std::string_view, std::string_view> meanings_;
  std::unordered_set<std::string_view> properties_;  // that the resource declares
  std::size_t links_ = 0;
};

}  // namespace tacenda::fhir

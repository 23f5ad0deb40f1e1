#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <re2/re2.h>

#include "fhir/code_system.hpp"
#include "fhir/value_set.hpp"

namespace tacenda::fhir {

/// A regular expression for the values of a property: it must match the whole of one. Thread-safe.
class CodePattern {
 public:
  static constexpr std::size_t kPatternBytes = 4'096;
  static constexpr std::size_t kTextBytes = 4'096;  // longer values match nothing

  /// nullptr: it is too long, too large, or none that RE2 knows.
  static std::shared_ptr<CodePattern const> compile(std::string_view text);
  bool matches(std::string_view text) const;

 private:
  CodePattern(std::string_view text, RE2::Options const& options)
      : expression_(re2::StringPiece(text.data(), text.size()), options) {}

  RE2 expression_;
};

/// One filter of a value set, made ready for one code system. Outlived by both.
class ConceptFilter {
 public:
  /// How many concepts will be asked about: for all of them the hierarchy is walked once.
  enum class Use : std::uint8_t { kOne, kAll };
  /// Errors: kUnprocessable (a property that the code system does not have, a hierarchy of another property
  /// than the concept, no regular expression of RE2, exists with neither true nor false).
  static Result<ConceptFilter> make(CodeSystem const& system, ValueSetFilter const& filter, Use use);

  bool accepts(std::uint32_t concept_number) const;

 private:
  ConceptFilter(CodeSystem const& system, ValueSetFilter const& filter) : system_(&system), filter_(filter) {}
  Result<void> prepare_hierarchy(Use use);
  Result<void> prepare_value();
  bool is_related(std::uint32_t concept_number) const;

  CodeSystem const* system_;
  ValueSetFilter filter_;
  std::optional<std::uint32_t> other_;    // the concept that the filter names; nullopt: there is none
  std::vector<bool> related_;             // by concept; empty: each is looked at by itself
  std::vector<std::string_view> values_;  // of in and not-in
};

}  // namespace tacenda::fhir

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "fhir/code_system.hpp"
#include "fhir/validate_codes.hpp"
#include "fhir/value_set.hpp"

namespace tacenda::fhir {

/// Where code systems and value sets come from, by canonical URL with or without a version ("url|1.0").
/// nullptr: there is none. Errors end what asked.
struct TerminologySource {
  std::function<Result<std::shared_ptr<CodeSystem const>>(std::string_view canonical)> code_system;
  std::function<Result<std::shared_ptr<ValueSet const>>(std::string_view canonical)> value_set;
};

struct TerminologyLimits {
  std::size_t steps = 10'000'000;  // concepts looked at, of all that is asked
  std::size_t codes = 100'000;     // of one expansion
  std::size_t depth = 16;          // value sets within value sets
};

/// One code of a value set. The views live as long as the Terminology and the value set.
struct Member {
  std::string_view system;
  std::string_view version;  // of the code system; empty: not known
  std::string_view code;
  std::string_view display;                  // empty: none
  ListedCode const* listed = nullptr;        // where the value set names it
  Concept const* concept_of_code = nullptr;  // where the code system is known
  bool is_abstract = false;
  bool is_inactive = false;
};

struct Expansion {
  std::vector<Member> members;  // each code once, in the order of the value set
  bool is_unclosed = false;     // more codes may be in it: of a code system only a part is here
};

/// Answers questions about value sets. Sees each code system and value set as it was when it first asked for
/// it.
///
/// Owner: one thread, for one request. Source: R4 valueset.html, terminology-service.html.
class Terminology {
 public:
  explicit Terminology(TerminologySource source, TerminologyLimits limits = {})
      : source_(std::move(source)), limits_(limits), steps_(limits.steps) {}

  /// nullptr: not known. Errors: those of the source.
  Result<std::shared_ptr<CodeSystem const>> code_system(std::string_view url, std::string_view version = {});
  Result<std::shared_ptr<ValueSet const>> value_set(std::string_view canonical);

  struct Found {
    Membership membership = Membership::kUnknown;
    Member member;  // when it is in
  };
  /// Whether the value set has a code; kUnknown where a code system or value set that decides it is not here,
  /// or not in whole. Without a system any that has the code is meant. Errors: kUnprocessable (value sets in
  /// a circle, or too deep; a filter that cannot be understood), kTooCostly, those of the source.
  Result<Found> find(ValueSet const& set, BoundCode const& code);

  /// Errors: as find; kNotFound (a code system or value set is not here: its codes cannot be listed),
  /// kTooCostly (more codes than the limit).
  Result<Expansion> expand(ValueSet const& set);

 private:
  /// The value sets on the way to the present one, so that circles are seen.
  struct Path {
    ValueSet const& set;
    Path const* up;
    std::size_t depth;
  };
  using Sink = std::function<Result<void>(Member const&)>;

  Result<void> step(std::size_t count = 1);
  Result<Path> enter(ValueSet const& set, Path const* up) const;
  Result<Found> find_in(ValueSet const& set, BoundCode const& code, Path const* path);
  Result<Found> find_in(ValueSetPart const& part, BoundCode const& code, Path const* path);
  Result<Found> find_in_system(ValueSetPart const& part, std::string_view code);
  Result<Found> find_imported(ValueSetPart const& part, BoundCode const& code, Path const* path);
  Result<void> list(ValueSet const& set, Path const* path, Sink const& sink);
  Result<void> list(ValueSetPart const& part, Path const* path, Sink const& sink);
  Result<void> list_system(ValueSetPart const& part, Sink const& sink);
  Result<bool> has_all(ValueSetPart const& part, std::size_t first, Member const& member, Path const* path);
  Result<Member> listed_member(ValueSetPart const& part, ListedCode const& listed);

  TerminologySource const source_;
  TerminologyLimits const limits_;
  std::size_t steps_;
  bool is_unclosed_ = false;
  std::map<std::string, std::shared_ptr<CodeSystem const>, std::less<>> code_systems_;
  std::map<std::string, std::shared_ptr<ValueSet const>, std::less<>> value_sets_;
};

/// The texts of one property of a concept; `code`, `concept`, `display`, `definition`, `parent` and `child`
/// are properties of every concept. The views live as long as the code system. Source: R4
/// codesystem.html#defined-props.
std::vector<std::string_view> property_values(CodeSystem const& system, Concept const& of,
                                              std::string_view property);

/// What a concept is called in a language: the designation in it, or in a more special one; else its display.
std::string_view display_in(Member const& member, std::string_view language);

}  // namespace tacenda::fhir

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhirpath/context.hpp"
#include "fhirpath/item.hpp"

namespace tacenda::fhirpath {

struct Program;  // internal/program.hpp

struct CompileLimits {
  std::size_t text_bytes = std::size_t{16} * 1024;
  std::size_t nodes = 8'192;
  std::size_t depth = 200;  // of the syntax tree: what evaluation recurses through
};

/// A compiled FHIRPath expression. Immutable; cheap to copy; thread-safe.
///
/// Members that a type has not are empty; System and FHIR types are those of R4. Beyond FHIRPath N1 and the
/// functions of R4's fhirpath.html it has those of the later draft that the official suite asks for: sort,
/// trim, split, join, encode, decode, escape, unescape, indexOf, lastIndexOf, matchesFull, lowBoundary,
/// highBoundary, precision, comparable.
///
/// Source: FHIRPath N1 (2.0.0), R4 fhirpath.html. Exceptions: docs/fhirpath.md.
class Expression {
 public:
  /// Errors: kInvalid (syntax, unknown function or type, number of arguments, regular expression), kTooLarge
  /// (text, nodes, depth), kUnsupported (elementDefinition, slice).
  static Result<Expression> compile(std::string_view text, CompileLimits const& limits = {});

  /// The result's items point into the focus's document (and what hooks gave) and into this expression.
  /// Errors: kInvalid (operands that do not fit, several items where one is needed, the JSON name of a choice
  /// as in valueQuantity, an unknown variable), kTooLarge (the context's limits), kUnsupported (a hook is
  /// missing), kTooCostly (nothing is left of Context::steps_left), and what a hook gives.
  Result<Collection> evaluate(Context const& context, Item const& focus) const;
  /// With the whole resource as focus and nothing else known.
  Result<Collection> evaluate(codec::Json const& resource) const;
  /// The result as a condition: the Boolean, true for one item that is no Boolean, nullopt when it is empty.
  /// An invariant is broken only by false: R4's own ref-1, bdl-8 and ras-2 are empty where they say nothing.
  /// Errors: as evaluate; kInvalid also for several items.
  Result<std::optional<bool>> condition(Context const& context, Item const& focus) const;
  /// condition(), where empty is false.
  Result<bool> holds(Context const& context, Item const& focus) const;

  std::string_view text() const;  // as compiled

 private:
  explicit Expression(std::shared_ptr<Program const> program) : program_(std::move(program)) {}

  std::shared_ptr<Program const> program_;  // shared: copies of an expression are the same program
};

}  // namespace tacenda::fhirpath

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <re2/re2.h>

#include "fhirpath/expression.hpp"
#include "fhirpath/internal/types.hpp"
#include "fhirpath/item.hpp"

namespace tacenda::fhirpath {

struct FunctionRow;  // internal/functions.hpp

enum class Op : std::uint8_t {
  kLiteral,   // payload: literals
  kEmpty,     // {}
  kThis,      // $this
  kPosition,  // $index
  kTotal,     // $total
  kVariable,  // payload: names
  kMember,    // payload: names; at the head of a path also the name of the focus's type
  kFunction,  // function; children are its arguments
  kPath,      // children: a head, then what is invoked on it in turn
  kIndexer,   // child: the index
  kUnion,     // children: two or more operands
  kBinary,    // two children
  kSign,      // + or - before its child
  kIs,        // type; one child
  kAs,
};

enum class Operator : std::uint8_t {
  kImplies,
  kOr,
  kXor,
  kAnd,
  kIn,
  kContains,
  kEqual,
  kEquivalent,
  kNotEqual,
  kNotEquivalent,
  kLessOrEqual,
  kLess,
  kGreater,
  kGreaterOrEqual,
  kAdd,
  kSubtract,
  kConcatenate,
  kMultiply,
  kDivide,
  kDivideWhole,
  kModulo,
};

/// One node of the syntax tree; its children are children[first .. first + count).
struct SyntaxNode {
  Op op = Op::kEmpty;
  Operator code = Operator::kImplies;  // kBinary; kSign: kSubtract or kAdd
  bool type_only = false;              // resolve(): the type alone is asked for
  bool descending = false;             // an argument of sort() with a minus before it
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint32_t payload = 0;
  FunctionRow const* function = nullptr;
  std::optional<fhir::TypeCode> head_type;  // kMember: the type of that name
  TypeSpecifier type;                       // kIs, kAs, and functions that take a type
  RE2 const* pattern = nullptr;             // of a function whose regular expression is a literal
};

struct Program {
  std::string text;
  std::vector<SyntaxNode> nodes;
  std::vector<std::uint32_t> children;
  std::vector<Item> literals;
  std::deque<std::string> names;  // also texts of literals: a deque never moves them
  std::vector<std::unique_ptr<RE2 const>> patterns;
  std::uint32_t root = 0;

  std::uint32_t child(SyntaxNode const& node, std::size_t index) const {
    return children[node.first + index];
  }
};

Result<std::shared_ptr<Program const>> parse_program(std::string_view text, CompileLimits const& limits);

/// The word of a calendar duration ("week", "weeks"); nullopt when it is none.
std::optional<CalendarUnit> find_calendar_word(std::string_view word);

/// nullptr: no regular expression of RE2, or too large.
std::unique_ptr<RE2 const> compile_pattern(std::string_view text);

}  // namespace tacenda::fhirpath

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhirpath/context.hpp"
#include "fhirpath/internal/compare.hpp"
#include "fhirpath/internal/program.hpp"
#include "fhirpath/item.hpp"

namespace tacenda::fhirpath {

/// What $this, $index and $total mean at a place of the expression.
struct Scope {
  Item const* focus = nullptr;  // nullptr: the empty collection
  std::int64_t index = 0;
  Collection const* total = nullptr;
};

/// One evaluation. Collections lie one behind the other on a stack, which in the end is the result: no
/// collection of its own, and so no allocation, for each step of a path.
class Evaluator {
 public:
  Evaluator(Program const& program, Context const& context)
      : program_(program), context_(context), budget_(context.limits), comparer_(context, budget_) {}

  Result<Collection> run(Item const& focus);
  Result<std::optional<bool>> condition(Item const& focus);

  /// Pushes what the node selects. The recursion is as deep as the syntax tree, which compile bounds.
  Result<void> evaluate(std::uint32_t node, Scope const& scope);
  /// Pushes the children of that name.
  Result<void> push_member(Item const& item, std::string_view name);
  Result<void> push_children(Item const& item);
  Result<void> push(Item item);

  std::vector<Item>& stack() { return stack_; }
  std::span<Item const> from(std::size_t base) const { return std::span(stack_).subspan(base); }
  void drop(std::size_t base) {
    stack_.erase(stack_.begin() + static_cast<std::ptrdiff_t>(base), stack_.end());
  }
  /// Takes [base, end) out from below what lies above.
  void drop_below(std::size_t base, std::size_t end);
  /// Drops from [base, top) what equals something before it.
  Result<void> keep_distinct(std::size_t base);

  Program const& program() const { return program_; }
  Context const& context() const { return context_; }
  Budget& budget() { return budget_; }
  Comparer& comparer() { return comparer_; }
  Item const& root() const { return *root_; }

  /// Of [base, top): nullopt when empty; the Boolean; true for one item of another type.
  /// Errors: kInvalid for several items. Source: N1 section 4.5 (singleton evaluation).
  Result<std::optional<bool>> boolean_of(std::size_t base) const;

 private:
  Result<void> evaluate_path(SyntaxNode const& node, Scope const& scope);
  Result<void> invoke(SyntaxNode const& node, std::size_t base, Scope const& scope);
  Result<void> step(SyntaxNode const& node, std::size_t base);
  Result<void> index(SyntaxNode const& node, std::size_t base, Scope const& scope);
  Result<void> head(SyntaxNode const& node, Scope const& scope);
  Result<void> variable(std::string_view name);
  Result<void> unite(SyntaxNode const& node, Scope const& scope);
  Result<void> sign(SyntaxNode const& node, Scope const& scope);
  Result<void> type_operator(SyntaxNode const& node, Scope const& scope);
  Result<void> binary(SyntaxNode const& node, Scope const& scope);
  Result<void> logic(SyntaxNode const& node, Scope const& scope);
  Result<std::optional<Item>> combine(SyntaxNode const& node, std::size_t left, std::size_t right);
  Result<std::optional<bool>> compare_sides(Operator code, std::size_t left, std::size_t right);
  Result<std::optional<bool>> member_of_side(std::size_t one, std::size_t one_end, std::size_t many,
                                             std::size_t many_end);
  Result<void> push_element(fhir::Element const& element, codec::Json const* value, codec::Json const* shadow,
                            Item const& parent);
  Result<void> push_one(fhir::Element const& element, codec::Json const* value, codec::Json const* shadow,
                        Item const& parent);
  Result<void> push_of_primitive(Item const& item, std::string_view name);
  Result<void> push_choice(Item const& item, std::string_view name);

  Program const& program_;  // outlives the evaluation: the caller's
  Context const& context_;
  Budget budget_;
  Comparer comparer_;
  std::vector<Item> stack_;
  Item const* root_ = nullptr;
};

/// One call of a function: its input is [base, end) of the stack.
class Call {
 public:
  Call(Evaluator& running, SyntaxNode const& called, std::size_t start, Scope const& around)
      : evaluator(running), node(called), scope(around), base(start), end(running.stack().size()) {}

  Evaluator& evaluator;
  SyntaxNode const& node;
  Scope const& scope;
  std::size_t const base;
  std::size_t const end;

  std::size_t count() const { return end - base; }
  std::span<Item const> input() const { return evaluator.from(base).first(count()); }
  bool has_argument(std::size_t index) const { return index < node.count; }

  /// The one item of the input; nullopt when it is empty. Errors: kInvalid for several.
  Result<std::optional<Item>> one() const;
  /// The same as text. Errors: kInvalid also when it is none.
  Result<std::optional<Item>> one_text() const;
  /// Evaluates an argument and pushes what it gives; returns where that begins.
  Result<std::size_t> push_argument(std::size_t index) { return push_argument(index, scope); }
  Result<std::size_t> push_argument(std::size_t index, Scope const& inner);
  /// The one item that an argument gives. Errors: kInvalid for several.
  Result<std::optional<Item>> argument(std::size_t index);
  Result<std::optional<Item>> text_argument(std::size_t index);
  Result<std::optional<std::int64_t>> integer_argument(std::size_t index);
  /// The argument as condition with `item` as $this.
  Result<std::optional<bool>> holds(std::size_t index, Item const& item, std::int64_t position);

  // Replace everything from `base` on.
  Result<void> give(std::optional<Item> item);
  Result<void> give_nothing() { return give(std::nullopt); }
  Result<void> give_boolean(bool value) { return give(Item::boolean(value)); }
  Result<void> give_text(std::string text);
  /// What was pushed from `start` on is the result.
  Result<void> give_from(std::size_t start);
};

/// a + b and so on of two System values; nullopt is the empty collection.
Result<std::optional<Item>> arithmetic(Operator code, Item const& a, Item const& b);

}  // namespace tacenda::fhirpath

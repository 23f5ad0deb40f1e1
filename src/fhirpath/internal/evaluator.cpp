#include "fhirpath/internal/evaluator.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "fhirpath/internal/functions.hpp"

namespace tacenda::fhirpath {
namespace {

constexpr std::size_t kFewItems = 12;  // pairs are compared one by one up to here

}  // namespace

Result<Collection> Evaluator::run(Item const& focus) {
  root_ = &focus;
  Scope scope;
  scope.focus = &focus;
  TACENDA_TRY_VOID(evaluate(program_.root, scope));
  return std::move(stack_);
}

Result<std::optional<bool>> Evaluator::condition(Item const& focus) {
  stack_ = TACENDA_TRY(run(focus));
  return boolean_of(0);
}

Result<void> Evaluator::push(Item item) {
  if (stack_.size() >= budget_.items_max()) return fail(ErrorKind::kTooLarge, "a collection grows too long");
  if (stack_.capacity() == 0) stack_.reserve(8);
  stack_.push_back(std::move(item));
  return budget_.spend(1);
}

void Evaluator::drop_below(std::size_t base, std::size_t end) {
  if (base == end) return;
  stack_.erase(stack_.begin() + static_cast<std::ptrdiff_t>(base),
               stack_.begin() + static_cast<std::ptrdiff_t>(end));
}

Result<std::optional<bool>> Evaluator::boolean_of(std::size_t base) const {
  auto const items = from(base);
  if (items.empty()) return std::nullopt;
  if (items.size() > 1) return fail(ErrorKind::kInvalid, "a condition of several items");
  Item const& item = items.front();
  if (item.kind() == Item::Kind::kBoolean) return item.as_boolean();
  if (item.is_element() && item.type() == fhir::TypeCode::kBoolean) {
    auto const value = item.to_system();
    return value ? std::optional(value->as_boolean()) : std::nullopt;
  }
  return true;
}

Result<void> Evaluator::keep_distinct(std::size_t base) {
  std::size_t const count = stack_.size() - base;
  if (count < 2) return {};
  std::vector<std::size_t> kept;  // places on the stack
  std::unordered_multimap<std::uint64_t, std::size_t> by_hash;
  auto const seen = [&](std::size_t at, std::uint64_t hash) -> Result<bool> {
    if (count <= kFewItems) {
      for (std::size_t const other : kept) {
        if (TACENDA_TRY(comparer_.equal(stack_[other], stack_[at])) == true) return true;
      }
      return false;
    }
    auto const [first, last] = by_hash.equal_range(hash);
    for (auto place = first; place != last; ++place) {
      if (TACENDA_TRY(comparer_.equal(stack_[place->second], stack_[at])) == true) return true;
    }
    by_hash.emplace(hash, at);
    return false;
  };
  for (std::size_t at = base; at < base + count; ++at) {
    std::uint64_t const hash = count <= kFewItems ? 0 : TACENDA_TRY(comparer_.hash(stack_[at]));
    if (!TACENDA_TRY(seen(at, hash))) kept.push_back(at);
  }
  if (kept.size() == count) return {};
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] != base + i) stack_[base + i] = std::move(stack_[kept[i]]);
  }
  drop(base + kept.size());
  return {};
}

Result<void> Evaluator::evaluate(std::uint32_t index, Scope const& scope) {
  SyntaxNode const& node = program_.nodes[index];
  switch (node.op) {
    case Op::kLiteral:
      return push(program_.literals[node.payload]);
    case Op::kEmpty:
      return budget_.spend(1);
    case Op::kThis:
      return scope.focus == nullptr ? budget_.spend(1) : push(*scope.focus);
    case Op::kPosition:
      return push(Item::integer(scope.index));
    case Op::kTotal:
      if (scope.total == nullptr) return fail(ErrorKind::kInvalid, "$total stands outside of aggregate");
      for (Item const& item : *scope.total) TACENDA_TRY_VOID(push(item));
      return {};
    case Op::kVariable:
      return variable(program_.names[node.payload]);
    case Op::kPath:
      return evaluate_path(node, scope);
    case Op::kUnion:
      return unite(node, scope);
    case Op::kBinary:
      return node.code <= Operator::kAnd ? logic(node, scope) : binary(node, scope);
    case Op::kSign:
      return sign(node, scope);
    case Op::kIs:
    case Op::kAs:
      return type_operator(node, scope);
    default:
      return head(node, scope);
  }
}

/// A name or function that nothing stands before: it is asked of $this.
Result<void> Evaluator::head(SyntaxNode const& node, Scope const& scope) {
  std::size_t const base = stack_.size();
  if (scope.focus == nullptr) {
    return node.op == Op::kFunction ? invoke(node, base, scope) : budget_.spend(1);
  }
  if (node.head_type && scope.focus->is_element()) {
    // `Patient.name` of a Patient. Of another resource nothing, at once: no element is called like a type.
    if (is_subtype(scope.focus->type(), *node.head_type)) return push(*scope.focus);
    if (is_resource(scope.focus->type())) return budget_.spend(1);
  }
  if (node.op == Op::kMember) return push_member(*scope.focus, program_.names[node.payload]);
  TACENDA_TRY_VOID(push(*scope.focus));
  return invoke(node, base, scope);
}

Result<void> Evaluator::evaluate_path(SyntaxNode const& node, Scope const& scope) {
  std::size_t const base = stack_.size();
  TACENDA_TRY_VOID(evaluate(program_.child(node, 0), scope));
  for (std::size_t i = 1; i < node.count; ++i) {
    SyntaxNode const& next = program_.nodes[program_.child(node, i)];
    if (stack_.size() == base && next.op != Op::kFunction) continue;
    TACENDA_TRY_VOID(invoke(next, base, scope));
  }
  return {};
}

Result<void> Evaluator::invoke(SyntaxNode const& node, std::size_t base, Scope const& scope) {
  switch (node.op) {
    case Op::kMember:
      return step(node, base);
    case Op::kIndexer:
      return index(node, base, scope);
    case Op::kFunction: {
      TACENDA_TRY_VOID(budget_.spend(1));
      Call call(*this, node, base, scope);
      return node.function->run(call);
    }
    case Op::kThis:
      return {};
    default:
      return fail(ErrorKind::kInvalid, "$index and $total stand at the head of a path");
  }
}

Result<void> Evaluator::step(SyntaxNode const& node, std::size_t base) {
  std::size_t const end = stack_.size();
  std::string_view const name = program_.names[node.payload];
  for (std::size_t i = base; i < end; ++i) {
    Item const item = stack_[i];  // the stack may move
    TACENDA_TRY_VOID(push_member(item, name));
  }
  drop_below(base, end);
  return {};
}

Result<void> Evaluator::index(SyntaxNode const& node, std::size_t base, Scope const& scope) {
  Call call(*this, node, base, scope);
  auto const position = TACENDA_TRY(call.integer_argument(0));
  if (!position || *position < 0 || static_cast<std::uint64_t>(*position) >= call.count()) {
    return call.give_nothing();
  }
  return call.give(stack_[base + static_cast<std::size_t>(*position)]);
}

Result<void> Evaluator::variable(std::string_view name) {
  auto const root_of = [this]() -> Item const& { return context_.context ? *context_.context : *root_; };
  for (auto const& [known, value] : context_.variables) {
    if (known != name) continue;
    for (Item const& item : value) TACENDA_TRY_VOID(push(item));
    return {};
  }
  if (name == "context") return push(root_of());
  bool const outermost = name == "rootResource";
  if (!outermost && name != "resource") return fail(ErrorKind::kInvalid, "an unknown variable");
  auto const& given = outermost && context_.root_resource ? context_.root_resource : context_.resource;
  if (given) return push(*given);
  Item const& focus = root_of();
  if (!outermost && focus.is_element() && is_resource(focus.type())) return push(focus);
  return focus.resource() == nullptr ? budget_.spend(1) : push(item_of(*focus.resource()));
}

Result<void> Evaluator::unite(SyntaxNode const& node, Scope const& scope) {
  std::size_t const base = stack_.size();
  for (std::size_t i = 0; i < node.count; ++i) TACENDA_TRY_VOID(evaluate(program_.child(node, i), scope));
  return keep_distinct(base);
}

Result<void> Evaluator::type_operator(SyntaxNode const& node, Scope const& scope) {
  std::size_t const base = stack_.size();
  TACENDA_TRY_VOID(evaluate(program_.child(node, 0), scope));
  if (node.op == Op::kAs) {
    std::erase_if(stack_, [&, at = std::size_t{0}](Item const& item) mutable {
      return at++ >= base && !matches(item, node.type, TypeRule::kAs);
    });
    return {};
  }
  if (stack_.size() == base) return {};
  if (stack_.size() > base + 1) return fail(ErrorKind::kInvalid, "the type of several items is asked for");
  bool const result = matches(stack_.back(), node.type, TypeRule::kIsOperator);
  drop(base);
  return push(Item::boolean(result));
}

Result<std::optional<Item>> Call::one() const {
  if (count() == 0) return std::nullopt;
  if (count() > 1) return fail(ErrorKind::kInvalid, "a function takes one item and several are there");
  return input().front();
}

Result<std::optional<Item>> Call::one_text() const {
  auto item = TACENDA_TRY(one());
  if (item && !item->text()) {
    if (item->is_primitive() && item->value() == nullptr) return std::nullopt;
    return fail(ErrorKind::kInvalid, "a function takes a string");
  }
  return item;
}

Result<std::size_t> Call::push_argument(std::size_t index, Scope const& inner) {
  std::size_t const start = evaluator.stack().size();
  TACENDA_TRY_VOID(evaluator.evaluate(evaluator.program().child(node, index), inner));
  return start;
}

Result<std::optional<Item>> Call::argument(std::size_t index) {
  std::size_t const start = TACENDA_TRY(push_argument(index));
  auto const items = evaluator.from(start);
  if (items.size() > 1) return fail(ErrorKind::kInvalid, "an argument of several items");
  std::optional<Item> item;
  if (!items.empty()) item = items.front();
  evaluator.drop(start);
  return item;
}

Result<std::optional<Item>> Call::text_argument(std::size_t index) {
  auto item = TACENDA_TRY(argument(index));
  if (item && !item->text()) return fail(ErrorKind::kInvalid, "an argument that is no string");
  return item;
}

Result<std::optional<std::int64_t>> Call::integer_argument(std::size_t index) {
  auto const item = TACENDA_TRY(argument(index));
  if (!item) return std::nullopt;
  auto const value = item->to_system();
  if (!value || value->kind() != Item::Kind::kInteger) {
    return fail(ErrorKind::kInvalid, "an argument that is no integer");
  }
  return value->as_integer();
}

Result<std::optional<bool>> Call::holds(std::size_t index, Item const& item, std::int64_t position) {
  Scope inner;
  inner.focus = &item;
  inner.index = position;
  inner.total = scope.total;
  std::size_t const start = TACENDA_TRY(push_argument(index, inner));
  auto const result = TACENDA_TRY(evaluator.boolean_of(start));
  evaluator.drop(start);
  return result;
}

Result<void> Call::give(std::optional<Item> item) {
  evaluator.drop(base);
  if (!item) return {};
  return evaluator.push(*std::move(item));
}

Result<void> Call::give_text(std::string text) {
  TACENDA_TRY_VOID(evaluator.budget().check_text(text.size()));
  return give(Item::string(std::move(text)));
}

Result<void> Call::give_from(std::size_t start) {
  evaluator.drop_below(base, start);
  return {};
}

}  // namespace tacenda::fhirpath

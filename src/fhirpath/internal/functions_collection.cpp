#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fhirpath/internal/evaluator.hpp"
#include "fhirpath/internal/functions.hpp"

// Existence, filtering, subsetting, combining, navigation: FHIRPath N1 sections 5.1 to 5.4, 5.8, 7.

namespace tacenda::fhirpath {
namespace {

Result<void> is_empty(Call& call) {
  return call.give_boolean(call.count() == 0);
}

Result<void> exists(Call& call) {
  if (!call.has_argument(0)) return call.give_boolean(call.count() > 0);
  for (std::size_t i = 0; i < call.count(); ++i) {
    Item const item = call.input()[i];
    if (TACENDA_TRY(call.holds(0, item, static_cast<std::int64_t>(i))) == true) return call.give_boolean(true);
  }
  return call.give_boolean(false);
}

Result<void> all(Call& call) {
  for (std::size_t i = 0; i < call.count(); ++i) {
    Item const item = call.input()[i];
    if (TACENDA_TRY(call.holds(0, item, static_cast<std::int64_t>(i))) != true) return call.give_boolean(false);
  }
  return call.give_boolean(true);
}

/// Does any item of the input have this value? Errors: kInvalid for what is no Boolean.
Result<bool> any_is(Call const& call, bool wanted) {
  bool found = false;
  for (Item const& item : call.input()) {
    auto const value = item.to_system();
    if (!value || value->kind() != Item::Kind::kBoolean)
      return fail(ErrorKind::kInvalid, "items that are no Booleans");
    found = found || value->as_boolean() == wanted;
  }
  return found;
}

template <bool kValue>
Result<void> any(Call& call) {
  return call.give_boolean(TACENDA_TRY(any_is(call, kValue)));
}

template <bool kValue>
Result<void> all_are(Call& call) {
  return call.give_boolean(!TACENDA_TRY(any_is(call, !kValue)));
}

Result<bool> is_among(Evaluator& evaluator, Item const& item, std::span<Item const> items) {
  for (Item const& other : items) {
    if (TACENDA_TRY(evaluator.comparer().equal(item, other)) == true) return true;
  }
  return false;
}

Result<bool> are_among(Evaluator& evaluator, std::span<Item const> items, std::span<Item const> others) {
  for (Item const& item : items) {
    if (!TACENDA_TRY(is_among(evaluator, item, others))) return false;
  }
  return true;
}

Result<void> subset_of(Call& call) {
  std::size_t const start = TACENDA_TRY(call.push_argument(0));
  return call.give_boolean(TACENDA_TRY(are_among(call.evaluator, call.input(), call.evaluator.from(start))));
}

Result<void> superset_of(Call& call) {
  std::size_t const start = TACENDA_TRY(call.push_argument(0));
  return call.give_boolean(TACENDA_TRY(are_among(call.evaluator, call.evaluator.from(start), call.input())));
}

Result<void> count(Call& call) {
  return call.give(Item::integer(static_cast<std::int64_t>(call.count())));
}

Result<void> distinct(Call& call) {
  return call.evaluator.keep_distinct(call.base);
}

Result<void> is_distinct(Call& call) {
  std::size_t const before = call.count();
  TACENDA_TRY_VOID(call.evaluator.keep_distinct(call.base));
  return call.give_boolean(call.evaluator.stack().size() - call.base == before);
}

Result<void> where(Call& call) {
  std::size_t kept = call.base;
  for (std::size_t i = 0; i < call.count(); ++i) {
    Item const item = call.input()[i];
    if (TACENDA_TRY(call.holds(0, item, static_cast<std::int64_t>(i))) != true) continue;
    call.evaluator.stack()[kept++] = item;
  }
  call.evaluator.drop(kept);
  return {};
}

Result<void> select(Call& call) {
  for (std::size_t i = 0; i < call.count(); ++i) {
    Item const item = call.input()[i];
    Scope inner = call.scope;
    inner.focus = &item;
    inner.index = static_cast<std::int64_t>(i);
    TACENDA_TRY_VOID(call.push_argument(0, inner));
  }
  return call.give_from(call.end);
}

/// What `repeat` has found so far, by hash.
class Seen {
 public:
  explicit Seen(Evaluator& evaluator) : evaluator_(evaluator) {}
  Result<bool> add(std::size_t at) {
    Item const& item = evaluator_.stack()[at];
    std::uint64_t const hash = TACENDA_TRY(evaluator_.comparer().hash(item));
    auto const [first, last] = places_.equal_range(hash);
    for (auto place = first; place != last; ++place) {
      if (TACENDA_TRY(evaluator_.comparer().equal(evaluator_.stack()[place->second], item)) == true) return false;
    }
    places_.emplace(hash, at);
    return true;
  }

 private:
  Evaluator& evaluator_;
  std::unordered_multimap<std::uint64_t, std::size_t> places_;
};

/// Items are asked in the order in which they were found; what equals one that is there is not added.
Result<void> repeat(Call& call) {
  auto& stack = call.evaluator.stack();
  Seen seen(call.evaluator);
  for (std::size_t asked = call.base; asked < stack.size(); ++asked) {
    Item const item = stack[asked];
    Scope inner = call.scope;
    inner.focus = &item;
    inner.index = static_cast<std::int64_t>(asked - call.base);
    std::size_t kept = TACENDA_TRY(call.push_argument(0, inner));
    for (std::size_t at = kept; at < stack.size(); ++at) {
      if (kept != at) std::swap(stack[kept], stack[at]);
      if (TACENDA_TRY(seen.add(kept))) ++kept;
    }
    call.evaluator.drop(kept);
  }
  return call.give_from(call.end);
}

Result<void> children(Call& call) {
  for (std::size_t i = 0; i < call.count(); ++i) {
    Item const item = call.input()[i];
    TACENDA_TRY_VOID(call.evaluator.push_children(item));
  }
  return call.give_from(call.end);
}

Result<void> descendants(Call& call) {
  auto& stack = call.evaluator.stack();
  for (std::size_t at = call.base; at < stack.size(); ++at) {
    Item const item = stack[at];
    TACENDA_TRY_VOID(call.evaluator.push_children(item));
  }
  return call.give_from(call.end);
}

Result<void> of_type(Call& call) {
  std::size_t kept = call.base;
  auto& stack = call.evaluator.stack();
  for (std::size_t at = call.base; at < call.end; ++at) {
    if (!matches(stack[at], call.node.type, TypeRule::kAs)) continue;
    if (kept != at) stack[kept] = stack[at];
    ++kept;
  }
  call.evaluator.drop(kept);
  return {};
}

Result<void> as_type(Call& call) {
  if (call.count() > 1 && call.evaluator.context().as_takes_one_item) {
    return fail(ErrorKind::kInvalid, "the type of several items is asked for");
  }
  return of_type(call);
}

Result<void> is_type(Call& call) {
  auto const item = TACENDA_TRY(call.one());
  if (!item) return call.give_nothing();
  return call.give_boolean(matches(*item, call.node.type, TypeRule::kIsFunction));
}

Result<void> type(Call& call) {
  for (std::size_t i = 0; i < call.count(); ++i) {
    Item& item = call.evaluator.stack()[call.base + i];
    item = Item::type_info(item.is_element() ? "FHIR" : "System", item.type_name());
  }
  return {};
}

/// Keeps input[from, to).
Result<void> keep(Call& call, std::int64_t from, std::int64_t to) {
  auto const count = static_cast<std::int64_t>(call.count());
  auto const first = static_cast<std::size_t>(std::clamp(from, std::int64_t{0}, count));
  auto const last = static_cast<std::size_t>(std::clamp(to, std::int64_t{0}, count));
  if (first >= last) return call.give_nothing();
  call.evaluator.drop(call.base + last);
  call.evaluator.drop_below(call.base, call.base + first);
  return {};
}

Result<void> single(Call& call) {
  if (call.count() > 1) return fail(ErrorKind::kInvalid, "single() of several items");
  return {};
}

Result<void> first(Call& call) {
  return keep(call, 0, 1);
}

Result<void> last(Call& call) {
  auto const count = static_cast<std::int64_t>(call.count());
  return keep(call, count - 1, count);
}

Result<void> tail(Call& call) {
  return keep(call, 1, INT64_MAX);
}

Result<void> skip(Call& call) {
  auto const number = TACENDA_TRY(call.integer_argument(0));
  if (!number) return call.give_nothing();
  return keep(call, *number, INT64_MAX);
}

Result<void> take(Call& call) {
  auto const number = TACENDA_TRY(call.integer_argument(0));
  if (!number) return call.give_nothing();
  return keep(call, 0, *number);
}

/// Keeps what is among the items of the argument, or what is not.
Result<void> filter_by(Call& call, bool wanted) {
  std::size_t const start = TACENDA_TRY(call.push_argument(0));
  auto& stack = call.evaluator.stack();
  std::size_t kept = call.base;
  for (std::size_t at = call.base; at < call.end; ++at) {
    bool const among = TACENDA_TRY(is_among(call.evaluator, stack[at], call.evaluator.from(start)));
    if (among != wanted) continue;
    if (kept != at) stack[kept] = stack[at];
    ++kept;
  }
  call.evaluator.drop(kept);
  return {};
}

Result<void> intersect(Call& call) {
  TACENDA_TRY_VOID(filter_by(call, true));
  return call.evaluator.keep_distinct(call.base);
}

Result<void> exclude(Call& call) {
  return filter_by(call, false);
}

Result<void> combine(Call& call) {
  TACENDA_TRY_VOID(call.push_argument(0));
  return {};
}

Result<void> union_of(Call& call) {
  TACENDA_TRY_VOID(call.push_argument(0));
  return call.evaluator.keep_distinct(call.base);
}

Result<void> iif(Call& call) {
  auto const item = TACENDA_TRY(call.one());
  Scope inner = call.scope;
  inner.focus = item ? &*item : nullptr;
  std::size_t const start = TACENDA_TRY(call.push_argument(0, inner));
  auto const condition = TACENDA_TRY(call.evaluator.boolean_of(start));
  bool const is_boolean = !condition || call.evaluator.stack().back().type_name() == "Boolean" ||
                          call.evaluator.stack().back().type_name() == "boolean";
  if (!is_boolean) return fail(ErrorKind::kInvalid, "a condition that is no Boolean");
  call.evaluator.drop(start);
  std::size_t const chosen = condition == true ? 1 : 2;
  if (!call.has_argument(chosen)) return call.give_nothing();
  TACENDA_TRY_VOID(call.push_argument(chosen, inner));
  return call.give_from(call.end);
}

Result<void> aggregate(Call& call) {
  auto& evaluator = call.evaluator;
  Collection total;
  auto const take_from = [&](std::size_t start) {
    total.assign(evaluator.stack().begin() + static_cast<std::ptrdiff_t>(start), evaluator.stack().end());
    evaluator.drop(start);
  };
  if (call.has_argument(1)) take_from(TACENDA_TRY(call.push_argument(1)));
  for (std::size_t i = 0; i < call.count(); ++i) {
    Item const item = call.input()[i];
    Scope const inner{&item, static_cast<std::int64_t>(i), &total};
    std::size_t const start = TACENDA_TRY(call.push_argument(0, inner));
    take_from(start);
    TACENDA_TRY_VOID(evaluator.budget().spend(total.size()));
  }
  evaluator.drop(call.base);
  for (Item const& item : total) TACENDA_TRY_VOID(evaluator.push(item));
  return {};
}

/// Gives its input on; nothing is written down, for it may be a record.
Result<void> trace(Call& call) {
  TACENDA_TRY_VOID(call.text_argument(0));
  return {};
}

Result<void> negate(Call& call) {
  auto const value = TACENDA_TRY(call.evaluator.boolean_of(call.base));
  return value ? call.give_boolean(!*value) : call.give_nothing();
}

/// One item with what it is sorted by.
struct Sorted {
  Item item;
  std::vector<std::optional<Item>> keys;
};

bool is_descending(Call const& call, std::size_t argument) {
  auto const& program = call.evaluator.program();
  return call.has_argument(argument) && program.nodes[program.child(call.node, argument)].descending;
}

/// Stable insertion by halves: a comparison can fail, which std::sort has no way to say.
Result<std::size_t> place_of(Call& call, std::vector<Sorted> const& sorted, Sorted const& item) {
  std::size_t low = 0;
  for (std::size_t high = sorted.size(); low < high;) {
    std::size_t const middle = (low + high) / 2;
    int order = 0;
    for (std::size_t i = 0; i < item.keys.size() && order == 0; ++i) {
      auto const& a = item.keys[i];
      auto const& b = sorted[middle].keys[i];
      if (!a || !b) {
        order = (a ? 1 : 0) - (b ? 1 : 0);  // the empty collection comes first in both directions
        continue;
      }
      order = TACENDA_TRY(call.evaluator.comparer().order(*a, *b)).value_or(0);
      if (is_descending(call, i)) order = -order;
    }
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/// The key as argument `index` gives it for the item; its minus only means the direction.
Result<std::optional<Item>> sort_key(Call& call, std::size_t index, Item const& item, std::size_t position) {
  auto const& program = call.evaluator.program();
  std::uint32_t child = program.child(call.node, index);
  if (program.nodes[child].descending) child = program.child(program.nodes[child], 0);
  Scope inner = call.scope;
  inner.focus = &item;
  inner.index = static_cast<std::int64_t>(position);
  std::size_t const start = call.evaluator.stack().size();
  TACENDA_TRY_VOID(call.evaluator.evaluate(child, inner));
  auto const found = call.evaluator.from(start);
  if (found.size() > 1) return fail(ErrorKind::kInvalid, "a sort key of several items");
  std::optional<Item> key;
  if (!found.empty()) key = found.front();
  call.evaluator.drop(start);
  return key;
}

Result<void> sort(Call& call) {
  std::vector<Sorted> sorted;
  for (std::size_t i = 0; i < call.count(); ++i) {
    Sorted next{call.input()[i], {}};
    if (call.node.count == 0) next.keys.push_back(next.item);
    for (std::size_t key = 0; key < call.node.count; ++key) {
      next.keys.push_back(TACENDA_TRY(sort_key(call, key, next.item, i)));
    }
    std::size_t const place = TACENDA_TRY(place_of(call, sorted, next));
    TACENDA_TRY_VOID(call.evaluator.budget().spend(1 + (sorted.size() - place) / 4));
    sorted.insert(sorted.begin() + static_cast<std::ptrdiff_t>(place), std::move(next));
  }
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    call.evaluator.stack()[call.base + i] = std::move(sorted[i].item);
  }
  return {};
}

constexpr auto kType = FunctionRow::kTakesType;
constexpr auto kNone = FunctionRow::kNone;

constexpr std::array kFunctions{
    FunctionRow{"empty", 0, 0, kNone, is_empty},
    FunctionRow{"exists", 0, 1, kNone, exists},
    FunctionRow{"all", 1, 1, kNone, all},
    FunctionRow{"allTrue", 0, 0, kNone, all_are<true>},
    FunctionRow{"anyTrue", 0, 0, kNone, any<true>},
    FunctionRow{"allFalse", 0, 0, kNone, all_are<false>},
    FunctionRow{"anyFalse", 0, 0, kNone, any<false>},
    FunctionRow{"subsetOf", 1, 1, kNone, subset_of},
    FunctionRow{"supersetOf", 1, 1, kNone, superset_of},
    FunctionRow{"count", 0, 0, kNone, count},
    FunctionRow{"distinct", 0, 0, kNone, distinct},
    FunctionRow{"isDistinct", 0, 0, kNone, is_distinct},
    FunctionRow{"where", 1, 1, kNone, where},
    FunctionRow{"select", 1, 1, kNone, select},
    FunctionRow{"repeat", 1, 1, kNone, repeat},
    FunctionRow{"ofType", 0, 0, kType, of_type},
    FunctionRow{"as", 0, 0, kType, as_type},
    FunctionRow{"is", 0, 0, kType, is_type},
    FunctionRow{"type", 0, 0, kNone, type},
    FunctionRow{"single", 0, 0, kNone, single},
    FunctionRow{"first", 0, 0, kNone, first},
    FunctionRow{"last", 0, 0, kNone, last},
    FunctionRow{"tail", 0, 0, kNone, tail},
    FunctionRow{"skip", 1, 1, kNone, skip},
    FunctionRow{"take", 1, 1, kNone, take},
    FunctionRow{"intersect", 1, 1, kNone, intersect},
    FunctionRow{"exclude", 1, 1, kNone, exclude},
    FunctionRow{"combine", 1, 1, kNone, combine},
    FunctionRow{"union", 1, 1, kNone, union_of},
    FunctionRow{"children", 0, 0, kNone, children},
    FunctionRow{"descendants", 0, 0, kNone, descendants},
    FunctionRow{"iif", 2, 3, kNone, iif},
    FunctionRow{"aggregate", 1, 2, kNone, aggregate},
    FunctionRow{"trace", 1, 2, kNone, trace},
    FunctionRow{"not", 0, 0, kNone, negate},
    FunctionRow{"sort", 0, 8, FunctionRow::kSorts, sort},
};

}  // namespace

std::span<FunctionRow const> collection_functions() {
  return kFunctions;
}

}  // namespace tacenda::fhirpath

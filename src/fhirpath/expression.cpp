#include "fhirpath/expression.hpp"

#include <optional>
#include <type_traits>
#include <utility>

#include "fhirpath/internal/evaluator.hpp"
#include "fhirpath/internal/program.hpp"

namespace tacenda::fhirpath {

namespace {

/// Runs one evaluation and settles what it cost.
template <typename Run>
auto settled(Program const& program, Context const& context, Run run)
    -> std::invoke_result_t<Run, Evaluator&> {
  if (context.steps_left != nullptr && *context.steps_left <= 0) {
    return fail(ErrorKind::kTooCostly, "nothing is left of what the expressions may cost together");
  }
  Evaluator evaluator(program, context);
  auto result = run(evaluator);
  // At least one: an expression that takes no step is work as well.
  if (context.steps_left != nullptr) *context.steps_left -= 1 + evaluator.budget().spent();
  return result;
}

}  // namespace

Result<Expression> Expression::compile(std::string_view text, CompileLimits const& limits) {
  return Expression(TACENDA_TRY(parse_program(text, limits)));
}

Result<Collection> Expression::evaluate(Context const& context, Item const& focus) const {
  return settled(*program_, context, [&](Evaluator& evaluator) { return evaluator.run(focus); });
}

Result<Collection> Expression::evaluate(codec::Json const& resource) const {
  return evaluate(Context{}, item_of(resource));
}

Result<std::optional<bool>> Expression::condition(Context const& context, Item const& focus) const {
  return settled(*program_, context, [&](Evaluator& evaluator) { return evaluator.condition(focus); });
}

Result<bool> Expression::holds(Context const& context, Item const& focus) const {
  return TACENDA_TRY(condition(context, focus)).value_or(false);
}

std::string_view Expression::text() const {
  return program_->text;
}

}  // namespace tacenda::fhirpath

#include "fhirpath/expression.hpp"

#include <optional>
#include <utility>

#include "fhirpath/internal/evaluator.hpp"
#include "fhirpath/internal/program.hpp"

namespace tacenda::fhirpath {

Result<Expression> Expression::compile(std::string_view text, CompileLimits const& limits) {
  return Expression(TACENDA_TRY(parse_program(text, limits)));
}

Result<Collection> Expression::evaluate(Context const& context, Item const& focus) const {
  return Evaluator(*program_, context).run(focus);
}

Result<Collection> Expression::evaluate(codec::Json const& resource) const {
  return evaluate(Context{}, item_of(resource));
}

Result<std::optional<bool>> Expression::condition(Context const& context, Item const& focus) const {
  return Evaluator(*program_, context).condition(focus);
}

Result<bool> Expression::holds(Context const& context, Item const& focus) const {
  return TACENDA_TRY(condition(context, focus)).value_or(false);
}

std::string_view Expression::text() const {
  return program_->text;
}

}  // namespace tacenda::fhirpath

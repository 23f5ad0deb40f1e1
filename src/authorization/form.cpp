#include "authorization/form.hpp"

#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"

namespace tacenda::authorization {

Result<Form> Form::parse(std::string_view text) {
  if (text.size() > limits::kUnauthenticatedBodyBytes)
    return fail(ErrorKind::kTooLarge, "the form is too large");
  auto parameters = TACENDA_TRY(codec::parse_query(text));
  if (parameters.size() > limits::kFormFields)
    return fail(ErrorKind::kTooLarge, "the form has too many fields");
  Form form;
  for (auto& [name, value] : parameters) {
    // Of two values one would be checked and the other used by somebody.
    if (!form.fields_.emplace(std::move(name), std::move(value)).second)
      return fail(ErrorKind::kInvalid, "a parameter stands twice");
  }
  return form;
}

std::string_view Form::of(std::string_view name) const {
  auto const found = fields_.find(name);
  return found == fields_.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace tacenda::authorization

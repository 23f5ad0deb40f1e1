#include "operations/internal/arguments.hpp"

#include <algorithm>
#include <charconv>

namespace tacenda::operations {

using codec::Json;

Result<Arguments> Arguments::read(TerminologyRequest const& request,
                                  std::span<std::string_view const> known) {
  Arguments arguments;
  auto const check = [&](std::string_view name) -> Result<void> {
    if (std::ranges::find(known, name) != known.end()) return {};
    return fail(ErrorKind::kNotSupported, "this operation does not take one of the parameters");
  };
  Json const* list = request.body ? request.body->find("parameter") : nullptr;
  if (list != nullptr) {
    if (list->items().size() > kMax) return fail(ErrorKind::kTooLarge, "there are too many parameters");
    for (auto const& each : list->items()) {
      TACENDA_TRY_VOID(check(each.text_of("name")));
      TACENDA_TRY_VOID(arguments.add(each));
    }
  }
  for (auto const& [name, value] : request.parameters) {
    if (name == "_format" || name == "_pretty") continue;
    TACENDA_TRY_VOID(check(name));
    // Those of the body come first, and so win.
    arguments.texts_.emplace(name, value);
    if (arguments.texts_.size() > kMax) return fail(ErrorKind::kTooLarge, "there are too many parameters");
  }
  return arguments;
}

Result<void> Arguments::add(Json const& parameter) {
  auto const name = parameter.text_of("name");
  for (auto const& member : parameter.members()) {
    Json const& value = member.value;
    if (member.name == "resource" || (member.name.starts_with("value") && value.is_object())) {
      if (!objects_.emplace(name, &value).second) {
        return fail(ErrorKind::kInvalid, "a parameter stands there twice");
      }
    } else if (!member.name.starts_with("value")) {
      continue;
    } else if (value.is_string()) {
      texts_.emplace(name, value.as_string());
    } else if (value.is_number()) {
      texts_.emplace(name, value.number_text());
    } else if (value.is_boolean()) {
      texts_.emplace(name, value.as_boolean() ? "true" : "false");
    }
  }
  return {};
}

std::string_view Arguments::text(std::string_view name) const {
  auto const [begin, end] = texts_.equal_range(name);
  return begin == end ? std::string_view() : begin->second;
}

std::vector<std::string_view> Arguments::texts(std::string_view name) const {
  std::vector<std::string_view> found;
  auto const [begin, end] = texts_.equal_range(name);
  for (auto at = begin; at != end; ++at) found.push_back(at->second);
  return found;
}

Json const* Arguments::object(std::string_view name) const {
  auto const at = objects_.find(name);
  return at == objects_.end() ? nullptr : at->second;
}

Result<std::optional<bool>> Arguments::flag(std::string_view name) const {
  auto const value = text(name);
  if (value.empty()) return std::nullopt;
  if (value != "true" && value != "false") return fail(ErrorKind::kInvalid, "a parameter is true or false");
  return value == "true";
}

Result<std::optional<std::size_t>> Arguments::number(std::string_view name) const {
  auto const value = text(name);
  if (value.empty()) return std::nullopt;
  std::uint32_t number = 0;
  auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    return fail(ErrorKind::kInvalid, "a parameter is no whole number");
  }
  return number;
}

}  // namespace tacenda::operations

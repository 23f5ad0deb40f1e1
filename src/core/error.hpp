#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <source_location>
#include <string_view>
#include <utility>

namespace tacenda {

/// What went wrong, as the caller has to react to it. `api/outcome.cpp` maps each kind to one HTTP
/// status and one FHIR issue code; nothing else may.
enum class ErrorKind : std::uint8_t {
  kInvalid,
  kUnauthenticated,
  kForbidden,
  kNotFound,
  kGone,
  kConflict,
  kPrecondition,
  kUnprocessable,
  kUnsupported,
  kNotSupported,
  kTooCostly,
  kTooLarge,
  kThrottled,
  kUnavailable,
  kNoSpace,
  kCorrupt,
  kBug,
};

/// A text known at compile time. Error messages are of this type so that no run-time value, and so
/// no patient data, can reach a log or a client through an error.
class Literal {
 public:
  template <std::size_t N>
  consteval Literal(char const (&text)[N]) : text_(text, N - 1) {}  // NOLINT(google-explicit-constructor)
  constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

/// The one error type of the product. Cheap to copy, never thrown.
class [[nodiscard]] Error {
 public:
  Error(ErrorKind kind, Literal message, std::source_location where = std::source_location::current())
      : kind_(kind), message_(message), where_(where) {}

  ErrorKind kind() const { return kind_; }
  std::string_view message() const { return message_.view(); }
  Literal literal() const { return message_; }
  std::source_location where() const { return where_; }

 private:
  ErrorKind kind_;
  Literal message_;
  std::source_location where_;
};

template <typename T>
using Result = std::expected<T, Error>;

/// Shorthand for `return fail(ErrorKind::kNotFound, "...")`.
[[nodiscard]] inline std::unexpected<Error> fail(
    ErrorKind kind, Literal message, std::source_location where = std::source_location::current()) {
  return std::unexpected(Error(kind, message, where));
}

}  // namespace tacenda

// Each expansion names its variable anew: one TRY may stand in the argument of another.
#define TACENDA_JOIN_(a, b) a##b
#define TACENDA_JOIN(a, b) TACENDA_JOIN_(a, b)

#define TACENDA_TRY_AS(name, expression)               \
  __extension__({                                      \
    auto&& name = (expression);                        \
    if (!name.has_value()) [[unlikely]]                \
      return std::unexpected(std::move(name).error()); \
    *std::move(name);                                  \
  })

/// Evaluates a Result; on error returns it from the enclosing function, else yields the value.
/// Never inside a coroutine.
#define TACENDA_TRY(expression) TACENDA_TRY_AS(TACENDA_JOIN(tacenda_try_, __COUNTER__), expression)

#define TACENDA_TRY_VOID_AS(name, expression)          \
  do {                                                 \
    auto&& name = (expression);                        \
    if (!name.has_value()) [[unlikely]]                \
      return std::unexpected(std::move(name).error()); \
  } while (false)

/// TACENDA_TRY for a Result<void>, or for a value that is not wanted.
#define TACENDA_TRY_VOID(expression) TACENDA_TRY_VOID_AS(TACENDA_JOIN(tacenda_try_, __COUNTER__), expression)

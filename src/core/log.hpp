#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/id.hpp"

namespace tacenda {

/// A text that comes from the operator and not from a record: a path, a listener address, a file name of
/// the data folder. The explicit name is what a reviewer greps for.
struct OperatorText {
  std::string_view text;
};

/// One name and value of a log line. There is no constructor from text or from any type that could hold
/// part of a record, a query string or a resource id; what is missing here does not compile.
class LogField {
 public:
  template <std::integral T>
  LogField(Literal name, T value) : name_(name), text_(std::to_string(value)) {}
  LogField(Literal name, Literal value) : name_(name), text_(value.view()) {}
  LogField(Literal name, RequestId const& value) : name_(name), text_(value.view()) {}
  LogField(Literal name, OperatorText value);

  std::string_view name() const { return name_.view(); }
  std::string const& text() const { return text_; }

 private:
  Literal name_;
  std::string text_;
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// Writes one line to standard error: time, level, message, fields as name=value. Thread-safe; one
/// write per line. Lines below `set_log_level` (default kInfo) are dropped.
void log(LogLevel level, Literal message, std::initializer_list<LogField> fields = {});
void log(LogLevel level, Error const& error, std::initializer_list<LogField> fields = {});
void set_log_level(LogLevel level);

/// The line that `log` would write, without the time. For tests.
std::string format_log_line(LogLevel level, Literal message, std::initializer_list<LogField> fields);

}  // namespace tacenda

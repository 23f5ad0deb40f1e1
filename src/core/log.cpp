#include "core/log.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace tacenda {
namespace {

std::atomic<LogLevel> minimum_level{LogLevel::kInfo};

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string format_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  std::string line = fmt::format("{} {}", name_of(level), message);
  for (auto const& field : fields)
    fmt::format_to(std::back_inserter(line), " {}={}", field.name(), field.text());
  return line;
}

void write_line(std::string const& text) {
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::string const line = fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(now), text);
  // A log that cannot be written must not stop the server: the audit log is the one that must.
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

LogField::LogField(Literal name, OperatorText value) : name_(name) {
  // One field, one line: a path may hold any byte but NUL.
  for (char const c : value.text) text_ += (c >= ' ' && c != 0x7F) ? c : '?';
}

void set_log_level(LogLevel level) {
  minimum_level = level;
}

void log(LogLevel level, Literal message, std::initializer_list<LogField> fields) {
  if (level >= minimum_level.load()) write_line(format_line(level, message.view(), fields));
}

void log(LogLevel level, Error const& error, std::initializer_list<LogField> fields) {
  if (level >= minimum_level.load()) write_line(format_line(level, error.message(), fields));
}

std::string format_log_line(LogLevel level, Literal message, std::initializer_list<LogField> fields) {
  return format_line(level, message.view(), fields);
}

}  // namespace tacenda

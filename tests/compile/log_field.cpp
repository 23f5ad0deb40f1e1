// A log line takes numbers, literals and request ids; text that could come from a record has no way in.
#include <string>
#include <string_view>

#include "core/log.hpp"

namespace tacenda {

#ifdef TACENDA_MISTAKE_STRING
void note(std::string const& family_name) {
  log(LogLevel::kInfo, "patient read", {LogField("name", family_name)});
}
#endif

#ifdef TACENDA_MISTAKE_VIEW
void note(std::string_view query) {
  log(LogLevel::kInfo, "search", {LogField("query", query)});
}
#endif

#ifdef TACENDA_MISTAKE_MESSAGE
void note(std::string const& message) {
  log(LogLevel::kInfo, message);
}
#endif

void note(int count) {
  log(LogLevel::kInfo, "patients read", {LogField("count", count)});
}

}  // namespace tacenda

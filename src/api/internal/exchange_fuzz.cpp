// Prefer fields, a line each. What is found in them is written there, and fields that say nothing change
// nothing.
#include "api/internal/exchange.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  net::Request request;
  for (std::string_view rest = text; !rest.empty();) {
    auto const end = rest.find('\n');
    request.headers.push_back({"prefer", std::string(rest.substr(0, end))});
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  auto const found = api::prefer_of(request);
  TACENDA_ASSERT(found != api::Prefer::kMinimal || text.contains("minimal"));
  TACENDA_ASSERT(found != api::Prefer::kRepresentation || text.contains("representation"));
  TACENDA_ASSERT(found != api::Prefer::kOutcome || text.contains("OperationOutcome"));
  bool const is_strict = api::handling_of(request) == fhir::Handling::kStrict;
  TACENDA_ASSERT(!is_strict || text.contains("strict"));
  TACENDA_ASSERT(!(is_strict && api::says_lenient(request)));
  request.headers.insert(request.headers.begin(), {"prefer", " , wait=10"});
  TACENDA_ASSERT(api::prefer_of(request) == found);
  return 0;
}

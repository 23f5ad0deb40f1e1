// Range, Accept and the content type of a stored Binary, in that order, a line each. A part must lie within
// the content, and no field of the answer may hold what ends a line.
#include "api/internal/binary.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  std::string_view rest(reinterpret_cast<char const*>(data), size);
  auto const line = [&] {
    auto const end = rest.find('\n');
    std::string text(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return text;
  };
  net::Request request;
  request.headers.push_back({"range", line()});
  request.headers.push_back({"accept", line()});
  if (!codec::is_utf8(rest)) return 0;
  codec::Json json = codec::Json::object();
  json.set("resourceType", codec::Json::string("Binary"));
  json.set("contentType", codec::Json::string(rest));
  json.set("data", codec::Json::string("QUJDREVGR0g="));
  records::StoredVersion version;
  version.json = codec::write_json(json);
  auto const rendered = api::render_content(version, request);
  TACENDA_ASSERT(rendered.has_value());
  auto const& answer = *rendered;
  if (!answer) return 0;
  TACENDA_ASSERT(std::string_view("ABCDEFGH").contains(answer->body));
  TACENDA_ASSERT(answer->status != 200 || answer->body.size() == 8);
  TACENDA_ASSERT(answer->status != 206 || !answer->body.empty());
  for (auto const& field : answer->headers) {
    TACENDA_ASSERT(std::ranges::all_of(field.value, [](char c) { return c >= ' ' && c <= '~'; }));
  }
  return 0;
}

// Arbitrary bytes into an HTTP/1.1 session. The first byte says how the rest is cut into pieces; however it
// is cut, the same requests must come out.
#include <algorithm>
#include <string>
#include <string_view>

#include "core/process.hpp"
#include "net/internal/fake_host.hpp"
#include "net/internal/field.hpp"
#include "net/internal/http1_session.hpp"

namespace tacenda::net {
namespace {

/// Bodies are held whole, or taken while they come.
enum class Bodies : std::uint8_t { kHeld, kTaken };

/// All requests that come out of `bytes`, as one text.
std::string read(std::string_view bytes, std::size_t piece, Bodies bodies) {
  FakeHost host;
  host.takes_bodies = bodies == Bodies::kTaken;
  Collected collected;
  Limits limits;
  limits.header_bytes = 1'024;
  limits.uri_bytes = 256;
  host.body_max = 512;
  Http1Session session(host, limits, Scheme::kHttps, TimePoint{});
  std::string requests;
  while (!session.is_finished()) {
    (void)drain_output(session);
    if (!host.taken.empty()) {
      auto const& request = host.taken.back().request;
      TACENDA_ASSERT(is_token(request.method) && request.path.starts_with('/') &&
                     is_authority(request.authority));
      TACENDA_ASSERT(request.body.size() <= host.body_max);
      requests += request.method + " " + request.path + "?" + request.query + "\n";
      for (auto const& [name, value] : request.headers) {
        TACENDA_ASSERT(is_token(name) && is_field_value(value));
        requests.append(name).append(":").append(value).append("\n");
      }
      requests += request.body + "\n";
      host.taken.clear();
      Response response;
      response.status = 200;
      response.body = "x";
      session.respond(1, std::move(response));
      continue;
    }
    if (!host.begun.empty()) {
      requests += host.begun.back().head.path + "\n";
      collected = Collected();
      begin_taking(host, session, std::make_unique<CollectingSink>(collected));
      continue;
    }
    if (!host.steps.empty()) {
      take_step(host, session);
      TACENDA_ASSERT(collected.body.size() <= host.body_max);
      if (collected.is_finished) requests += collected.body + "\n";
      continue;
    }
    if (bytes.empty() || session.is_finished()) break;
    TACENDA_ASSERT(session.wants_read());
    auto const size = std::min(piece, bytes.size());
    session.receive(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return requests;
}

}  // namespace
}  // namespace tacenda::net

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view const bytes(reinterpret_cast<char const*>(data) + 1, size - 1);
  using tacenda::net::Bodies;
  for (auto const bodies : {Bodies::kHeld, Bodies::kTaken}) {
    auto const whole = tacenda::net::read(bytes, bytes.size(), bodies);
    auto const pieces = tacenda::net::read(bytes, std::size_t{data[0]} % 64 + 1, bodies);
    // A head over the limit is noticed at the piece that passes it, so that a cut may refuse sooner.
    TACENDA_ASSERT(whole == pieces || bytes.size() > 1'024);
  }
  return 0;
}

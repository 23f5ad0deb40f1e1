// Arbitrary frames into an HTTP/2 session that has seen a correct preface. The first byte says how the rest
// is cut into pieces and when requests are answered.
#include <algorithm>
#include <string>
#include <string_view>

#include "core/process.hpp"
#include "net/internal/fake_host.hpp"
#include "net/internal/field.hpp"
#include "net/internal/http2_session.hpp"

namespace tacenda::net {
namespace {

void answer_all(FakeHost& host, Http2Session& session) {
  auto const taken = std::exchange(host.taken, {});
  for (auto const& [stream, request, body] : taken) {
    TACENDA_ASSERT(is_token(request.method) && request.path.starts_with('/') &&
                   is_authority(request.authority));
    TACENDA_ASSERT(request.body.size() <= host.body_max);
    for (auto const& [name, value] : request.headers) TACENDA_ASSERT(is_token(name) && is_field_value(value));
    Response response;
    response.status = 200;
    response.body = request.body + "x";
    if (stream % 4 == 1) response = in_pieces("x", request.body + "y", 64, request.body.size() + 1);
    session.respond(stream, std::move(response));
  }
}

void take_all(FakeHost& host, Http2Session& session, Collected& collected) {
  while (!host.begun.empty())
    begin_taking(host, session, std::make_unique<CollectingSink>(collected, host.begun.size() % 2 * 100));
  while (!host.steps.empty()) take_step(host, session);
}

void run(std::string_view bytes, std::size_t piece, bool answers_late, bool takes_bodies) {
  // What is left of it: less than all streams can ask for.
  std::size_t const budget = takes_bodies ? 2 * IncomingBody::kReservedBytes : 16'384;
  FakeHost host;
  host.takes_bodies = takes_bodies;
  Collected collected;
  Limits limits;
  limits.header_bytes = 1'024;
  limits.http2_streams = 8;
  host.body_max = 4'096;
  host.budget.take(8 * 1024 * 1024 - budget);
  {
    Http2Session session(host, limits, TimePoint{});
    constexpr std::string_view kStart("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    session.receive(kStart);
    while (!bytes.empty() && session.wants_read()) {
      auto const size = std::min(piece, bytes.size());
      session.receive(bytes.substr(0, size));
      bytes.remove_prefix(size);
      if (!answers_late) {
        answer_all(host, session);
        take_all(host, session, collected);
      }
      (void)drain_output(session);
      while (!host.pulled.empty()) supply_pulled(host, session);
      host.time += std::chrono::milliseconds(1);
    }
    answer_all(host, session);
    take_all(host, session, collected);
    (void)session.expire();
    session.drain();
    (void)drain_output(session);
  }
  host.taken.clear();
  host.begun.clear();
  host.steps.clear();
  TACENDA_ASSERT(host.budget.used() == 8 * 1024 * 1024 - budget);
}

}  // namespace
}  // namespace tacenda::net

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view const bytes(reinterpret_cast<char const*>(data) + 1, size - 1);
  tacenda::net::run(bytes, std::size_t{data[0]} % 64 + 1, data[0] >= 128, false);
  tacenda::net::run(bytes, std::size_t{data[0]} % 64 + 1, data[0] >= 128, true);
  return 0;
}

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "net/internal/session.hpp"

namespace tacenda::net {

/// Carries a session in tests and fuzz targets: keeps what it hands over, has a clock that stands still.
class FakeHost final : public SessionHost {
 public:
  struct Taken {
    std::uint32_t stream;
    Request request;
    Reservation body;
  };

  std::size_t body_limit(Request const&) override { return body_max; }
  Budget& body_budget() override { return budget; }
  bool dispatch(std::uint32_t stream, Request&& request, Reservation&& body) override {
    if (is_full) return false;
    taken.push_back({stream, std::move(request), std::move(body)});
    return true;
  }
  Response refuse(std::uint16_t status) override {
    refusals.push_back(status);
    Response response;
    response.status = status;
    return response;
  }
  void failed(ConnectionFailure failure) override { failures.push_back(failure); }
  std::string_view date() override { return "Thu, 01 Jan 1970 00:00:00 GMT"; }
  Peer const& peer() const override { return peer_; }
  TimePoint now() const override { return time; }

  std::vector<Taken> taken;
  std::vector<std::uint16_t> refusals;
  std::vector<ConnectionFailure> failures;
  std::size_t body_max = 1024 * 1024;
  Budget budget{8 * 1024 * 1024};
  bool is_full = false;
  TimePoint time{};

 private:
  Peer peer_;
};

/// Takes all that the session has to send.
inline std::string drain_output(Session& session) {
  std::string all;
  while (true) {
    auto const bytes = session.output();
    if (bytes.empty()) return all;
    all += bytes;
    session.sent(bytes.size());
  }
}

}  // namespace tacenda::net

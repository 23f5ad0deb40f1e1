#pragma once

#include <memory>
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
  bool pull(std::uint32_t stream, std::unique_ptr<BodySource>&& source) override {
    if (is_full) return false;
    pulled.push_back({stream, std::move(source)});
    return true;
  }
  bool takes_body(Request const&) override { return takes_bodies; }
  bool begin(std::uint32_t stream, Request&& head) override {
    if (is_full) return false;
    begun.push_back({stream, std::move(head)});
    return true;
  }
  bool take(std::uint32_t stream, BodyStep&& step) override {
    if (is_full) return false;
    steps.push_back({stream, std::move(step)});
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

  struct Pulled {
    std::uint32_t stream;
    std::unique_ptr<BodySource> source;
  };

  struct Begun {
    std::uint32_t stream;
    Request head;
  };
  struct Step {
    std::uint32_t stream;
    BodyStep step;
  };

  std::vector<Taken> taken;
  std::vector<Begun> begun;
  std::vector<Step> steps;
  std::vector<Pulled> pulled;
  std::vector<std::uint16_t> refusals;
  std::vector<ConnectionFailure> failures;
  std::size_t body_max = 1024 * 1024;
  Budget budget{8 * 1024 * 1024};
  bool takes_bodies = false;  // while they come
  bool is_full = false;
  TimePoint time{};

 private:
  Peer peer_;
};

/// The rest of a body in pieces of one size; behind its end, or where it is damaged, an error.
class PieceSource final : public BodySource {
 public:
  PieceSource(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}

  Result<std::string> next() override {
    if (text_.empty()) return fail(ErrorKind::kCorrupt, "damaged");
    auto given = text_.substr(0, piece_);
    text_.erase(0, piece_);
    return given;
  }

 private:
  std::string text_;
  std::size_t piece_;
};

/// An answer of which `text` is made while it is sent, and `announced` bytes of it are announced.
inline Response in_pieces(std::string head, std::string text, std::size_t piece, std::size_t announced) {
  Response response;
  response.status = 200;
  response.body = std::move(head);
  response.rest = std::make_unique<PieceSource>(std::move(text), piece);
  response.rest_bytes = announced;
  return response;
}

/// What a worker does with the piece that was asked for last.
inline void supply_pulled(FakeHost& host, Session& session) {
  auto pulled = std::move(host.pulled.back());
  host.pulled.pop_back();
  auto piece = pulled.source->next();
  session.supply(pulled.stream, std::move(pulled.source), std::move(piece));
}

/// What a CollectingSink was told.
struct Collected {
  std::string body;
  std::size_t pieces = 0;
  bool is_finished = false;
  bool is_gone = false;
};

/// Keeps a body, and answers `status` when it is whole, or, where `until` is set, when so many bytes have
/// come.
class CollectingSink final : public BodySink {
 public:
  explicit CollectingSink(Collected& into, std::size_t until = 0) : into_(into), until_(until) {}
  ~CollectingSink() override { into_.is_gone = true; }

  std::optional<Response> take(std::string piece) override {
    into_.body += piece;
    ++into_.pieces;
    if (until_ == 0 || into_.body.size() < until_) return std::nullopt;
    return answer(403);
  }
  Response finish() override {
    into_.is_finished = true;
    return answer(201);
  }

  static Response answer(std::uint16_t status) {
    Response response;
    response.status = status;
    return response;
  }

 private:
  Collected& into_;  // the test's, outlives the session
  std::size_t until_;
};

/// What a worker does with the request that was begun last.
inline void begin_taking(FakeHost& host, Session& session, Uptake uptake) {
  auto const stream = host.begun.back().stream;
  host.begun.pop_back();
  session.taken(stream, std::move(uptake));
}

/// What a worker does with the step that was handed to it last.
inline void take_step(FakeHost& host, Session& session) {
  auto [stream, step] = std::move(host.steps.back());
  host.steps.pop_back();
  if (!step.piece.empty()) {
    if (auto ended = step.sink->take(std::move(step.piece))) return session.taken(stream, std::move(*ended));
  }
  if (step.is_last) return session.taken(stream, step.sink->finish());
  session.taken(stream, std::move(step.sink));
}

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

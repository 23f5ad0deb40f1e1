#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/internal/session.hpp"
#include "net/server.hpp"

struct nghttp2_session;

namespace tacenda::net {

/// What one HTTP/2 stream has received and has to send.
struct Http2Stream {
  enum class Phase : std::uint8_t { kHead, kBody, kRunning, kResponding };

  Phase phase = Phase::kHead;
  bool is_malformed = false;
  bool is_trailer = false;  // a second header block: checked and dropped
  bool expects_continue = false;
  std::uint16_t refusal = 0;  // status to refuse with once the header block is complete
  std::size_t header_bytes = 0;
  std::string scheme;
  Request request;
  Reservation reservation;
  std::size_t body_max = 0;
  std::string response_body;
  std::size_t response_sent = 0;
  std::unique_ptr<BodySource> rest = nullptr;  // what is behind response_body
  std::uint64_t rest_left = 0;
  bool is_pulling = false;                           // a worker has `rest`
  std::unique_ptr<IncomingBody> incoming = nullptr;  // a body that is taken while it comes
};

/// One HTTP/2 connection, server side, over nghttp2, which reads and writes frames, keeps the windows and
/// checks the order of pseudo-header fields. This class adds what nghttp2 leaves to the application: the
/// same checks of every field as for HTTP/1.1, limits, deadlines, and the defence against floods. The windows
/// open as bodies are taken: that of a stream whose body goes to a sink when the sink has it, that of the
/// connection at once, so that a sink holds up its own stream only.
///
/// Owner: one connection, one thread.
/// Source: RFC 9113; for the floods CVE-2019-9511 to 9518, CVE-2023-44487 (rapid reset), CVE-2024-28182.
class Http2Session final : public Session {
 public:
  /// `host` and `limits` outlive the session. `accepted`: when header time starts for the first request.
  Http2Session(SessionHost& host, Limits const& limits, TimePoint accepted);
  ~Http2Session() override;
  Http2Session(Http2Session const&) = delete;
  Http2Session& operator=(Http2Session const&) = delete;

  void receive(std::string_view bytes) override;
  void receive_end() override { is_broken_ = true; }
  bool wants_read() const override;
  void respond(std::uint32_t stream, Response&& response) override;
  void supply(std::uint32_t stream, std::unique_ptr<BodySource>&& source,
              Result<std::string>&& piece) override;
  void taken(std::uint32_t stream, Uptake&& uptake) override;
  std::string_view output() override;
  void sent(std::size_t bytes) override;
  bool is_finished() const override;
  void drain() override;
  std::optional<TimePoint> deadline() const override;
  bool expire() override;

 private:
  friend struct Http2Callbacks;  // the functions that nghttp2 calls, in http2_callbacks.cpp

  // Called by Http2Callbacks.
  bool begin_head(std::int32_t id);
  void take_field(Http2Stream& stream, std::string_view name, std::string_view value);
  void end_head(std::int32_t id, Http2Stream& stream, bool is_end);
  void take_data(std::int32_t id, Http2Stream& stream, std::string_view bytes);
  void finish_request(std::int32_t id, Http2Stream& stream);
  /// Copies the next bytes of a response body into nghttp2's frame; how many, or one of its errors.
  std::ptrdiff_t read_body(std::int32_t id, Http2Stream& stream, std::span<std::uint8_t> into,
                           std::uint32_t& flags);
  void stream_closed(std::int32_t id);
  void response_ended(std::int32_t id, bool is_request_ended);
  void made_progress(std::size_t bytes);
  void connection_error();
  bool spend(double tokens);
  Http2Stream* find(std::int32_t id);

  void begin_body(std::int32_t id, Http2Stream& stream);
  void grant_continue(std::int32_t id, Http2Stream& stream);
  // Of a body that is taken while it comes, in http2_incoming.cpp.
  void begin_incoming(std::int32_t id, Http2Stream& stream);
  void take_incoming(std::int32_t id, Http2Stream& stream, std::string_view bytes);
  void hand_on(std::int32_t id, Http2Stream& stream);
  /// Gives the peer's windows back what was taken of them.
  void consume(std::int32_t id, std::size_t bytes);
  std::optional<TimePoint> slowest_incoming() const;
  bool expire_incoming(TimePoint now);
  void refuse(std::int32_t id, Http2Stream& stream, std::uint16_t status);
  void reset(std::int32_t id, std::uint32_t error_code);
  void write(std::int32_t id, Http2Stream& stream, Response&& response);
  void terminate(std::uint32_t error_code);
  bool expire_bodies(TimePoint now);
  std::optional<TimePoint> oldest_body() const;

  SessionHost& host_;
  Limits const& limits_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<std::int32_t, Http2Stream> streams_;
  std::size_t running_ = 0;     // requests at the workers, those of reset streams too (rapid reset)
  std::size_t responding_ = 0;  // streams whose response is not sent to its end
  // Bodies that are being received, oldest first; entries of streams that are done are passed over.
  std::deque<std::pair<TimePoint, std::int32_t>> bodies_;
  std::vector<std::int32_t> incoming_;  // streams whose body is, or was, taken while it comes
  bool is_in_head_ = false;             // inside a header block
  bool has_request_ = false;
  bool is_draining_ = false;
  bool is_terminated_ = false;  // GOAWAY is queued, nothing more is taken
  bool is_broken_ = false;      // not even GOAWAY can be sent
  TimePoint phase_began_;  // of the header block, of the wait for the first request, of idleness, of the end
  TimePoint send_began_;   // of the last kSendProgress bytes
  std::size_t send_progress_ = 0;

  // Every frame that brings no request or response forward costs tokens; time and finished work bring
  // them back. One account for all kinds of flood.
  double tokens_;
  TimePoint tokens_at_;

  std::string out_;
  std::size_t out_sent_ = 0;
};

}  // namespace tacenda::net

#pragma once

#include <memory>
#include <string>

#include "net/internal/chunked.hpp"
#include "net/internal/http1_head.hpp"
#include "net/internal/session.hpp"
#include "net/server.hpp"

namespace tacenda::net {

/// One HTTP/1.1 connection, server side. Requests are taken one at a time: while a worker has one, no
/// further byte is read, so pipelined requests are answered in order and cannot pile up.
///
/// Own parser and not Beast's: Beast is in end-of-life maintenance and reads obs-fold and other forms
/// that a strict server must refuse. All of HTTP/1.1 is in this class, http1_head and chunked.
/// A body that is taken while it comes is read only as far as its sink is behind it: unread bytes hold the
/// peer back.
///
/// Owner: one connection, one thread.
/// Source: RFC 9110, 9112.
class Http1Session final : public Session {
 public:
  /// `host` and `limits` outlive the session. `accepted`: when header time starts for the first request.
  Http1Session(SessionHost& host, Limits const& limits, Scheme scheme, TimePoint accepted);

  void receive(std::string_view bytes) override;
  void receive_end() override;
  bool wants_read() const override;
  void respond(std::uint32_t stream, Response&& response) override;
  void supply(std::uint32_t stream, std::unique_ptr<BodySource>&& source,
              Result<std::string>&& piece) override;
  void taken(std::uint32_t stream, Uptake&& uptake) override;
  std::string_view output() override;
  void sent(std::size_t bytes) override;
  bool is_finished() const override { return state_ == State::kClosed && rest_left_ == 0; }
  void drain() override;
  std::optional<TimePoint> deadline() const override;
  bool expire() override;

 private:
  enum class State : std::uint8_t { kHead, kLengthBody, kChunkedBody, kIncomingBody, kRunning, kClosed };

  std::size_t process(std::string_view bytes);
  std::size_t take_head(std::string_view bytes);
  void begin_body(Http1Head&& head, bool body_follows);
  std::size_t take_length_body(std::string_view bytes);
  std::size_t take_chunked_body(std::string_view bytes);
  // Of a body that is taken while it comes, in http1_incoming.cpp.
  void begin_incoming(Http1Head const& head);
  std::size_t take_incoming_body(std::string_view bytes);
  void hand_on();
  void finish_request();
  void process_pending();
  void refuse(std::uint16_t status);
  void write(Response&& response);
  void send_continue(bool body_follows);
  bool is_writing() const { return has_output() || rest_left_ > 0; }
  bool has_output() const { return out_sent_ < out_.size() || body_sent_ < body_.size(); }
  void pull_rest();
  void cut_off();

  SessionHost& host_;
  Limits const& limits_;
  Scheme const scheme_;
  State state_ = State::kHead;
  bool close_ = false;    // no further request after the running one
  bool is_head_ = false;  // the running request is a HEAD
  bool is_first_ = true;  // no request has been taken yet
  bool expects_continue_ = false;
  TimePoint phase_began_;  // of the head (or the wait for it) or of the body
  TimePoint send_began_;   // of the last kSendProgress bytes
  std::size_t send_progress_ = 0;

  HeadScanner scanner_;
  std::string pending_;  // received and not understood yet; empty on an idle connection
  Request request_;
  Reservation reservation_;
  std::uint64_t body_left_ = 0;
  std::size_t body_max_ = 0;
  std::optional<ChunkedDecoder> chunked_;
  std::optional<IncomingBody> incoming_;

  std::string out_;  // heads, and bodies small enough to go with them
  std::size_t out_sent_ = 0;
  std::string body_;  // the body of a large response, behind out_
  std::size_t body_sent_ = 0;
  std::unique_ptr<BodySource> rest_;  // what is behind body_; nullptr while a worker has it
  std::uint64_t rest_left_ = 0;
};

}  // namespace tacenda::net

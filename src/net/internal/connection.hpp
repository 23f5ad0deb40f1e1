#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "net/internal/listener.hpp"
#include "net/internal/loop.hpp"
#include "net/internal/session.hpp"
#include "net/internal/transport.hpp"

namespace tacenda::net {

/// One accepted connection: carries bytes between its socket and its HTTP session, keeps its deadlines.
///
/// Owner: its Loop, on whose thread every call is made.
class Connection final : public SessionHost {
 public:
  Connection(Loop& loop, Listener& listener, ConnectionHandle handle, Descriptor&& socket, Tls tls,
             Peer&& peer, std::string&& address_key);
  ~Connection() override;

  void start();
  void socket_ready(bool for_read);
  void respond(std::uint32_t stream, Response&& response);
  void supply(std::uint32_t stream, std::unique_ptr<BodySource>&& source, Result<std::string>&& piece);
  void taken(std::uint32_t stream, Uptake&& uptake);
  void proceed();  // does all that can be done now, then says what to wait for
  void drain();
  void close() { stage_ = Stage::kClosed; }
  bool is_closed() const { return stage_ == Stage::kClosed; }
  /// The wheel has come to this connection. `now` may be before its deadline.
  void check_deadline(TimePoint now);

  std::size_t body_limit(Request const& head) override;
  Budget& body_budget() override { return listener_.budget(); }
  bool dispatch(std::uint32_t stream, Request&& request, Reservation&& body) override;
  bool pull(std::uint32_t stream, std::unique_ptr<BodySource>&& source) override;
  bool takes_body(Request const& head) override;
  bool begin(std::uint32_t stream, Request&& head) override;
  bool take(std::uint32_t stream, BodyStep&& step) override;
  Response refuse(std::uint16_t status) override;
  void failed(ConnectionFailure failure) override { listener_.failed(failure, peer_.address); }
  std::string_view date() override { return loop_.date(); }
  Peer const& peer() const override { return peer_; }
  TimePoint now() const override { return loop_.now(); }

 private:
  enum class Stage : std::uint8_t { kProxyHeader, kHandshake, kOpen, kEnding, kClosed };

  Job job_for(std::uint32_t stream) const;
  void read_proxy_header();
  void end_proxy_header();
  void handshake();
  void open_session();
  void exchange();
  bool read_once();
  bool flush();
  void begin_end();
  void discard();
  void wait_for_socket();
  void set_deadline(std::optional<TimePoint> deadline);

  Loop& loop_;
  Listener& listener_;
  ConnectionHandle const handle_;
  boost::asio::posix::stream_descriptor socket_;
  Transport transport_;
  Peer peer_;
  std::string const address_key_;
  std::string proxy_header_;  // what has come of it
  std::unique_ptr<Session> session_;
  TimePoint const accepted_;
  std::optional<TimePoint> deadline_;
  TimePoint scheduled_ = TimePoint::max();  // when the wheel looks at this connection next
  std::size_t discarded_ = 0;
  Stage stage_ = Stage::kHandshake;
  bool wants_read_ = false;
  bool wants_write_ = false;
  bool is_read_armed_ = false;
  bool is_write_armed_ = false;
  bool has_input_ended_ = false;
  bool has_input_ = false;  // any byte ever arrived
  bool is_draining_ = false;
};

}  // namespace tacenda::net

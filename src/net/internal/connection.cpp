#include "net/internal/connection.hpp"

#include <algorithm>
#include <utility>

#include "net/internal/http1_session.hpp"
#include "net/internal/http2_session.hpp"
#include "net/internal/proxy_header.hpp"

namespace tacenda::net {
namespace {

constexpr int kRounds = 8;  // reads in a row before other connections have their turn
constexpr std::chrono::milliseconds kEndTime{2'000};  // for the peer to take our last bytes and close
constexpr std::size_t kDiscardBytes = 1024 * 1024;    // what it may still send meanwhile

}  // namespace

Connection::Connection(Loop& loop, Listener& listener, ConnectionHandle handle, Descriptor&& socket, Tls tls,
                       Peer&& peer, std::string&& address_key)
    : loop_(loop),
      listener_(listener),
      handle_(handle),
      socket_(loop.io()),
      transport_(socket.get(), std::move(tls)),
      peer_(std::move(peer)),
      address_key_(std::move(address_key)),
      accepted_(loop.now()) {
  boost::system::error_code error;
  socket_.assign(socket.get(), error);
  if (error) {
    close();  // the kernel takes no more watched descriptors
  } else {
    (void)socket.release();  // now socket_'s
  }
}

Connection::~Connection() {
  listener_.release(address_key_);
}

void Connection::start() {
  if (is_closed()) return;
  auto const& sends_proxy_header = listener_.handlers().sends_proxy_header;
  if (sends_proxy_header && !peer_.uid && sends_proxy_header(peer_.address)) {
    stage_ = Stage::kProxyHeader;
    set_deadline(accepted_ + listener_.limits().header_time);
    wants_read_ = true;
    return wait_for_socket();
  }
  if (transport_.is_tls()) {
    set_deadline(accepted_ + listener_.limits().header_time);
    wants_read_ = true;
    return wait_for_socket();
  }
  open_session();
  proceed();
}

void Connection::open_session() {
  auto const scheme = transport_.is_tls() ? Scheme::kHttps : Scheme::kHttp;
  if (transport_.is_tls()) peer_.certificate = peer_certificate_digest(*transport_.tls());
  if (transport_.is_tls() && is_http2_chosen(*transport_.tls())) {
    session_ = std::make_unique<Http2Session>(*this, listener_.limits(), accepted_);
  } else {
    session_ = std::make_unique<Http1Session>(*this, listener_.limits(), scheme, accepted_);
  }
  stage_ = Stage::kOpen;
  if (is_draining_) session_->drain();
}

void Connection::socket_ready(bool for_read) {
  (for_read ? is_read_armed_ : is_write_armed_) = false;
  if (for_read) has_input_ = true;
  proceed();
}

void Connection::proceed() {
  wants_read_ = wants_write_ = false;
  if (stage_ == Stage::kProxyHeader) read_proxy_header();
  if (stage_ == Stage::kHandshake) handshake();
  if (stage_ == Stage::kOpen) exchange();
  if (stage_ == Stage::kEnding) discard();
  if (stage_ != Stage::kClosed) wait_for_socket();
}

/// Never a byte more than the header has: what follows is for TLS.
void Connection::read_proxy_header() {
  while (true) {
    auto const missing = missing_of_proxy_header(proxy_header_);
    if (!missing.has_value()) {
      failed(ConnectionFailure::kMalformedRequest);
      return close();
    }
    if (*missing == 0) return end_proxy_header();
    auto const scratch = loop_.scratch();
    auto const [status, bytes] = transport_.read_raw(scratch.first(std::min(*missing, scratch.size())));
    if (status == Transport::Status::kWantRead) {
      wants_read_ = true;
      return;
    }
    if (status != Transport::Status::kDone) {
      failed(ConnectionFailure::kMalformedRequest);
      return close();
    }
    proxy_header_.append(scratch.data(), bytes);
  }
}

void Connection::end_proxy_header() {
  auto client = client_of_proxy_header(proxy_header_);
  std::string().swap(proxy_header_);
  if (!client.has_value()) {
    failed(ConnectionFailure::kMalformedRequest);
    return close();
  }
  auto const& accept = listener_.handlers().accept;
  if (!client->empty() && accept && !accept(*client)) {
    failed(ConnectionFailure::kAddressRefused);
    return close();
  }
  peer_.forwarded = std::move(*client);
  if (transport_.is_tls()) {
    stage_ = Stage::kHandshake;
  } else {
    open_session();
  }
}

void Connection::handshake() {
  switch (transport_.handshake()) {
    case Transport::Status::kDone:
      return open_session();
    case Transport::Status::kWantRead:
      wants_read_ = true;
      return;
    case Transport::Status::kWantWrite:
      wants_write_ = true;
      return;
    case Transport::Status::kBadCertificate:
      failed(ConnectionFailure::kClientCertificate);
      break;
    case Transport::Status::kEnded:
    case Transport::Status::kFailed:
      failed(ConnectionFailure::kTlsHandshake);
      break;
  }
  close();
}

void Connection::exchange() {
  for (int round = 0; stage_ == Stage::kOpen; ++round) {
    if (!flush()) return close();
    if (session_->is_finished() && !wants_write_) {
      begin_end();
      return;
    }
    if (has_input_ended_ || !session_->wants_read()) break;
    if (round == kRounds) {
      loop_.continue_later(handle_);
      break;
    }
    if (!read_once()) break;
  }
  if (stage_ == Stage::kOpen) set_deadline(session_->deadline());
}

/// Returns false when there is nothing more to read now.
bool Connection::read_once() {
  auto const scratch = loop_.scratch();
  auto const [status, bytes] = transport_.read(scratch);
  switch (status) {
    case Transport::Status::kDone: {
      session_->receive({scratch.data(), bytes});
      bool const is_all = bytes < scratch.size() && !transport_.has_buffered();
      if (!is_all) return true;
      // Not read again to be told that there is nothing: waiting tells the same. But what came may
      // have to be answered first.
      if (!flush()) {
        close();
      } else if (session_->is_finished() && !wants_write_) {
        begin_end();
      } else {
        wants_read_ = session_->wants_read();
      }
      return false;
    }
    case Transport::Status::kWantRead:
      wants_read_ = true;
      return false;
    case Transport::Status::kWantWrite:
      wants_write_ = true;
      return false;
    case Transport::Status::kEnded:
      has_input_ended_ = true;
      session_->receive_end();
      return true;
    case Transport::Status::kFailed:
    case Transport::Status::kBadCertificate:
      close();
      return false;
  }
  return false;
}

/// Sends what there is to send. Returns false when the connection is broken.
bool Connection::flush() {
  while (true) {
    auto const bytes = session_->output();
    if (bytes.empty()) return true;
    auto const [status, sent] = transport_.write(bytes);
    switch (status) {
      case Transport::Status::kDone:
        session_->sent(sent);
        break;
      case Transport::Status::kWantWrite:
        wants_write_ = true;
        return true;
      case Transport::Status::kWantRead:
        wants_read_ = true;
        return true;
      case Transport::Status::kEnded:
      case Transport::Status::kFailed:
      case Transport::Status::kBadCertificate:
        return false;
    }
  }
}

/// Closing at once, with received bytes unread, would reset the connection and take our last answer from
/// the peer (RFC 9112 section 9.6).
void Connection::begin_end() {
  session_.reset();
  if (has_input_ended_) {
    transport_.end();
    return close();
  }
  transport_.end();
  stage_ = Stage::kEnding;
  set_deadline(now() + kEndTime);
}

void Connection::discard() {
  while (discarded_ < kDiscardBytes) {
    auto const [status, bytes] = transport_.discard(loop_.scratch());
    if (status == Transport::Status::kWantRead) {
      wants_read_ = true;
      return;
    }
    if (status != Transport::Status::kDone) break;
    discarded_ += bytes;
  }
  close();
}

void Connection::wait_for_socket() {
  using boost::asio::posix::stream_descriptor;
  if (wants_read_ && !is_read_armed_) {
    is_read_armed_ = true;
    socket_.async_wait(stream_descriptor::wait_read,
                       [loop = &loop_, handle = handle_](auto const&) { loop->socket_ready(handle, true); });
  }
  if (wants_write_ && !is_write_armed_) {
    is_write_armed_ = true;
    socket_.async_wait(stream_descriptor::wait_write,
                       [loop = &loop_, handle = handle_](auto const&) { loop->socket_ready(handle, false); });
  }
}

void Connection::set_deadline(std::optional<TimePoint> deadline) {
  deadline_ = deadline;
  if (deadline) loop_.schedule(handle_, *deadline, scheduled_);
}

void Connection::check_deadline(TimePoint now) {
  if (scheduled_ > now) return;  // an entry that a nearer one has replaced
  scheduled_ = TimePoint::max();
  if (!deadline_) return;
  if (*deadline_ > now) return loop_.schedule(handle_, *deadline_, scheduled_);
  deadline_.reset();
  switch (stage_) {
    case Stage::kProxyHeader:
    case Stage::kHandshake:
      failed(ConnectionFailure::kTimeout);
      close();
      return;
    case Stage::kOpen:
      if (!session_->expire()) return close();
      return proceed();
    case Stage::kEnding:
    case Stage::kClosed:
      close();
      return;
  }
}

void Connection::respond(std::uint32_t stream, Response&& response) {
  if (session_) session_->respond(stream, std::move(response));
}

void Connection::supply(std::uint32_t stream, std::unique_ptr<BodySource>&& source,
                        Result<std::string>&& piece) {
  if (session_) session_->supply(stream, std::move(source), std::move(piece));
}

void Connection::taken(std::uint32_t stream, Uptake&& uptake) {
  if (session_) session_->taken(stream, std::move(uptake));
}

void Connection::drain() {
  is_draining_ = true;
  bool const has_begun = stage_ != Stage::kHandshake && stage_ != Stage::kProxyHeader;
  if (!has_begun && !has_input_) return close();
  if (!session_) return;
  session_->drain();
  proceed();
}

std::size_t Connection::body_limit(Request const& head) {
  auto const& ask = listener_.handlers().body_limit;
  return (ask ? ask(head) : std::nullopt).value_or(listener_.limits().body_bytes);
}

bool Connection::dispatch(std::uint32_t stream, Request&& request, Reservation&& body) {
  return loop_.workers().try_push(
      {std::move(request), std::move(body), &listener_.handlers(), &loop_, handle_, stream});
}

Job Connection::job_for(std::uint32_t stream) const {
  Job job;
  job.handlers = &listener_.handlers();
  job.sink = &loop_;
  job.connection = handle_;
  job.stream = stream;
  return job;
}

bool Connection::pull(std::uint32_t stream, std::unique_ptr<BodySource>&& source) {
  Job job = job_for(stream);
  job.source = std::move(source);
  return loop_.workers().try_push(std::move(job));
}

bool Connection::takes_body(Request const& head) {
  auto const& ask = listener_.handlers().takes_body;
  return ask && ask(head);
}

bool Connection::begin(std::uint32_t stream, Request&& head) {
  Job job = job_for(stream);
  job.request = std::move(head);
  job.step.emplace();
  return loop_.workers().try_push(std::move(job));
}

bool Connection::take(std::uint32_t stream, BodyStep&& step) {
  Job job = job_for(stream);
  job.step = std::move(step);
  return loop_.workers().try_push(std::move(job));
}

Response Connection::refuse(std::uint16_t status) {
  Response response;
  if (auto const& make = listener_.handlers().refuse) {
    response = make(status);
  } else {
    response.status = status;
  }
  bool const retry_named =
      std::ranges::any_of(response.headers, [](auto const& field) { return field.name == "retry-after"; });
  if (status == 503 && !retry_named) response.headers.push_back({"retry-after", "1"});
  return response;
}

}  // namespace tacenda::net

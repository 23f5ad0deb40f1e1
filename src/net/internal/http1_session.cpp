#include "net/internal/http1_session.hpp"

#include <algorithm>
#include <utility>

#include "net/internal/response_head.hpp"

namespace tacenda::net {
namespace {

constexpr std::size_t kRecordBytes = 16 * 1024;   // of TLS: what is sent in one piece
constexpr std::size_t kSendProgress = 64 * 1024;  // a reader this slow per body_time is cut off
constexpr std::size_t kReserveStep = 64 * 1024;   // of a body whose length is not announced
constexpr std::size_t kBufferKept = 2 * 1024;     // output buffer that an idle connection keeps
constexpr std::uint32_t kStream = 1;

void release(std::string& text) {
  std::string().swap(text);
}

}  // namespace

Http1Session::Http1Session(SessionHost& host, Limits const& limits, Scheme scheme, TimePoint accepted)
    : host_(host), limits_(limits), scheme_(scheme), phase_began_(accepted), send_began_(accepted) {}

bool Http1Session::wants_read() const {
  // Answers that the peer does not fetch must not be followed by more work for it.
  return (state_ == State::kHead && !is_writing()) || state_ == State::kLengthBody ||
         state_ == State::kChunkedBody || (state_ == State::kIncomingBody && incoming_->takes_more());
}

void Http1Session::receive(std::string_view bytes) {
  if (bytes.empty()) return;
  if (pending_.empty()) {
    auto const used = process(bytes);
    if (used < bytes.size() && state_ != State::kClosed) pending_.assign(bytes.substr(used));
    return;
  }
  pending_.append(bytes);
  auto const used = process(pending_);
  if (used == pending_.size() || state_ == State::kClosed) {
    release(pending_);
  } else {
    pending_.erase(0, used);
  }
}

std::size_t Http1Session::process(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    auto const before = std::pair(used, state_);
    auto const rest = bytes.substr(used);
    switch (state_) {
      case State::kHead:
        used += take_head(rest);
        break;
      case State::kLengthBody:
        used += take_length_body(rest);
        break;
      case State::kChunkedBody:
        used += take_chunked_body(rest);
        break;
      case State::kIncomingBody:
        used += take_incoming_body(rest);
        break;
      case State::kRunning:
      case State::kClosed:
        return used;
    }
    if (before == std::pair(used, state_)) return used;  // an incomplete line waits for more
  }
  return used;
}

std::size_t Http1Session::take_head(std::string_view bytes) {
  if (is_writing()) return 0;
  if (!is_first_ && scanner_.begin() == 0 && !scanner_.has_request_line() && pending_.empty()) {
    phase_began_ = host_.now();  // header time of a kept connection starts with the first byte
  }
  switch (scanner_.scan(bytes)) {
    case HeadScanner::State::kMalformed:
      refuse(400);
      return bytes.size();
    case HeadScanner::State::kIncomplete:
      if (bytes.size() > limits_.header_bytes) refuse(scanner_.has_request_line() ? 431 : 414);
      return 0;
    case HeadScanner::State::kComplete:
      break;
  }
  auto const begin = scanner_.begin();
  auto const end = scanner_.end();
  scanner_.reset();
  is_first_ = false;
  auto head = parse_http1_head(bytes.substr(begin, end - begin), limits_, scheme_);
  if (!head) {
    refuse(head.error().status);
    return bytes.size();
  }
  begin_body(*std::move(head), end < bytes.size());
  return end;
}

void Http1Session::begin_body(Http1Head&& head, bool body_follows) {
  request_ = std::move(head.request);
  request_.peer = host_.peer();
  is_head_ = request_.method == "HEAD";
  close_ = close_ || head.close;
  expects_continue_ = head.expects_continue;
  if (head.framing == Http1Head::Framing::kNone) return finish_request();

  phase_began_ = host_.now();
  body_max_ = host_.body_limit(request_);
  reservation_ = Reservation(host_.body_budget());
  if (host_.takes_body(request_)) return begin_incoming(head);
  if (head.framing == Http1Head::Framing::kChunked) {
    chunked_.emplace(limits_);
    state_ = State::kChunkedBody;
    return send_continue(body_follows);
  }
  if (head.length > body_max_) return refuse(413);
  if (!reservation_.grow_to(static_cast<std::size_t>(head.length))) return refuse(503);
  body_left_ = head.length;
  request_.body.reserve(
      static_cast<std::size_t>(head.length));  // pages are not touched before they are filled
  state_ = State::kLengthBody;
  send_continue(body_follows);
}

void Http1Session::send_continue(bool body_follows) {
  if (!std::exchange(expects_continue_, false) || body_follows) return;
  out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  send_began_ = host_.now();
}

std::size_t Http1Session::take_length_body(std::string_view bytes) {
  auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), body_left_));
  request_.body.append(bytes.substr(0, size));
  body_left_ -= size;
  if (body_left_ == 0) finish_request();
  return size;
}

std::size_t Http1Session::take_chunked_body(std::string_view bytes) {
  // What one call can append is at most what came in, so the share grows before the bytes are kept.
  auto const wanted = (request_.body.size() + bytes.size()) / kReserveStep * kReserveStep + kReserveStep;
  if (!reservation_.grow_to(std::min(wanted, body_max_))) {
    refuse(503);
    return bytes.size();
  }
  std::size_t used = 0;
  switch (chunked_->decode(bytes, request_.body, body_max_, used)) {
    case ChunkedDecoder::State::kIncomplete:
      break;
    case ChunkedDecoder::State::kComplete:
      finish_request();
      break;
    case ChunkedDecoder::State::kMalformed:
      refuse(400);
      return bytes.size();
    case ChunkedDecoder::State::kTooLarge:
      refuse(413);
      return bytes.size();
  }
  return used;
}

void Http1Session::finish_request() {
  chunked_.reset();
  state_ = State::kRunning;
  if (host_.dispatch(kStream, std::move(request_), std::move(reservation_))) return;
  // The request was read to its end, so the connection stays in step and can be kept.
  write(host_.refuse(503));
}

void Http1Session::refuse(std::uint16_t status) {
  switch (status) {
    case 400:
    case 505:
      host_.failed(ConnectionFailure::kMalformedRequest);
      break;
    case 408:
      host_.failed(ConnectionFailure::kTimeout);
      break;
    case 414:
    case 431:
      host_.failed(ConnectionFailure::kHeaderTooLarge);
      break;
    default:
      break;
  }
  // Where the next request would start is not known any more.
  close_ = true;
  request_ = Request();
  reservation_ = Reservation();
  chunked_.reset();
  incoming_.reset();
  write(host_.refuse(status));
}

void Http1Session::respond(std::uint32_t stream, Response&& response) {
  if (stream == kStream && state_ == State::kRunning) write(std::move(response));
}

void Http1Session::write(Response&& raw) {
  Response response =
      sendable_or_500(std::move(raw), [&](std::uint16_t status) { return host_.refuse(status); });
  close_ = close_ || response.close;
  bool const is_length_known = has_body(response.status) && !(is_head_ && response.body.empty());
  auto const length = response.body.size() + response.rest_bytes;
  append_http1_head(out_, response, host_.date(), is_length_known ? &length : nullptr, close_);
  if (has_body(response.status) && !is_head_) {
    // The first record is filled; a body that does not fit is then sent from where it lies.
    auto const room = kRecordBytes - std::min(out_.size(), kRecordBytes);
    body_sent_ = std::min(room, response.body.size());
    out_.append(response.body, 0, body_sent_);
    if (body_sent_ < response.body.size()) body_ = std::move(response.body);
    rest_ = std::move(response.rest);
    rest_left_ = response.rest_bytes;
  }
  if (body_.empty()) body_sent_ = 0;
  is_head_ = false;
  phase_began_ = send_began_ = host_.now();
  send_progress_ = 0;
  state_ = close_ ? State::kClosed : State::kHead;
}

std::string_view Http1Session::output() {
  if (out_sent_ < out_.size()) return std::string_view(out_).substr(out_sent_);
  return std::string_view(body_).substr(body_sent_);
}

void Http1Session::sent(std::size_t bytes) {
  send_progress_ += bytes;
  if (send_progress_ >= kSendProgress) {
    send_progress_ = 0;
    send_began_ = host_.now();
  }
  (out_sent_ < out_.size() ? out_sent_ : body_sent_) += bytes;
  if (has_output()) return;
  out_.clear();
  out_sent_ = body_sent_ = 0;
  if (out_.capacity() > kBufferKept) release(out_);
  if (!body_.empty()) release(body_);
  if (rest_left_ > 0) return pull_rest();
  if (state_ != State::kHead) return;
  phase_began_ = host_.now();
  process_pending();
  if (close_ && state_ == State::kHead && pending_.empty()) state_ = State::kClosed;
}

void Http1Session::process_pending() {
  if (pending_.empty()) return;
  auto const used = process(pending_);
  used == pending_.size() ? release(pending_) : void(pending_.erase(0, used));
}

void Http1Session::pull_rest() {
  if (!rest_ || !host_.pull(kStream, std::move(rest_))) cut_off();
}

/// The length is announced and cannot be kept: that the connection ends before tells the peer that the answer
/// is incomplete (RFC 9112 section 8).
void Http1Session::cut_off() {
  rest_.reset();
  rest_left_ = 0;
  close_ = true;
  state_ = State::kClosed;
}

void Http1Session::supply(std::uint32_t stream, std::unique_ptr<BodySource>&& source,
                          Result<std::string>&& piece) {
  if (stream != kStream || rest_left_ == 0) return;
  if (!piece.has_value() || piece->empty() || piece->size() > rest_left_) return cut_off();
  rest_left_ -= piece->size();
  if (rest_left_ > 0) rest_ = std::move(source);
  body_ = *std::move(piece);
}

void Http1Session::receive_end() {
  switch (state_) {
    case State::kHead:
      pending_.empty() ? void(state_ = State::kClosed) : refuse(400);
      break;
    case State::kLengthBody:
    case State::kChunkedBody:
    case State::kIncomingBody:
      refuse(400);
      break;
    case State::kRunning:
      close_ = true;
      break;
    case State::kClosed:
      break;
  }
}

void Http1Session::drain() {
  close_ = true;
  if (state_ == State::kHead && pending_.empty() && !is_writing()) state_ = State::kClosed;
}

std::optional<TimePoint> Http1Session::deadline() const {
  if (is_writing() && (state_ == State::kHead || state_ == State::kClosed))
    return send_began_ + limits_.body_time;
  switch (state_) {
    case State::kHead:
      return phase_began_ + (is_first_ || !pending_.empty() ? limits_.header_time : limits_.idle_time);
    case State::kLengthBody:
    case State::kChunkedBody:
      return phase_began_ + limits_.body_time;
    case State::kIncomingBody:
      if (incoming_->takes_more()) return incoming_->too_slow_at(limits_.body_time);
      break;  // the peer waits for us
    case State::kRunning:
    case State::kClosed:
      break;
  }
  return std::nullopt;
}

bool Http1Session::expire() {
  if (is_writing() && (state_ == State::kHead || state_ == State::kClosed)) return false;
  if (state_ == State::kHead && pending_.empty()) {
    if (is_first_) host_.failed(ConnectionFailure::kTimeout);
    state_ = State::kClosed;
  } else if (state_ != State::kRunning && state_ != State::kClosed) {
    refuse(408);
  }
  return true;
}

}  // namespace tacenda::net

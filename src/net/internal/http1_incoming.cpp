// Bodies that are taken while they come, over HTTP/1.1.
#include <algorithm>
#include <utility>

#include "net/internal/http1_session.hpp"

namespace tacenda::net {
namespace {

constexpr std::uint32_t kStream = 1;

}  // namespace

void Http1Session::begin_incoming(Http1Head const& head) {
  bool const is_chunked = head.framing == Http1Head::Framing::kChunked;
  if (!is_chunked && head.length > body_max_) return refuse(413);
  if (!reservation_.grow_to(IncomingBody::kReservedBytes)) return refuse(503);
  if (is_chunked) chunked_.emplace(limits_);
  body_left_ = head.length;
  incoming_.emplace(std::move(reservation_), body_max_, host_.now());
  state_ = State::kIncomingBody;
  if (!host_.begin(kStream, std::move(request_))) refuse(503);
}

std::size_t Http1Session::take_incoming_body(std::string_view bytes) {
  if (!incoming_->takes_more()) return 0;
  std::size_t used = 0;
  auto& piece = incoming_->piece();
  if (chunked_) {
    switch (chunked_->decode(bytes, piece, static_cast<std::size_t>(incoming_->room()), used)) {
      case ChunkedDecoder::State::kIncomplete:
        break;
      case ChunkedDecoder::State::kComplete:
        incoming_->complete();
        break;
      case ChunkedDecoder::State::kMalformed:
        refuse(400);
        return bytes.size();
      case ChunkedDecoder::State::kTooLarge:
        refuse(413);
        return bytes.size();
    }
  } else {
    used = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), body_left_));
    piece.append(bytes.substr(0, used));
    body_left_ -= used;
    if (body_left_ == 0) incoming_->complete();
  }
  incoming_->came(used, host_.now());
  if (incoming_->is_complete()) {
    chunked_.reset();
    state_ = State::kRunning;
  }
  hand_on();
  return used;
}

void Http1Session::hand_on() {
  if (incoming_->is_due() && !host_.take(kStream, incoming_->next_step(host_.now()))) refuse(503);
}

void Http1Session::taken(std::uint32_t stream, Uptake&& uptake) {
  if (stream != kStream || !incoming_) return;
  if (auto* const response = std::get_if<Response>(&uptake)) {
    // Answered before its end: where the next request would start is not known.
    close_ = close_ || !incoming_->is_complete();
    incoming_.reset();
    chunked_.reset();
    return write(std::move(*response));
  }
  incoming_->returned(std::move(std::get<std::unique_ptr<BodySink>>(uptake)), host_.now());
  send_continue(!pending_.empty());
  hand_on();
  if (state_ == State::kIncomingBody) process_pending();
}

}  // namespace tacenda::net

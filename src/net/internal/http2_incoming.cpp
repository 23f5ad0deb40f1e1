// Bodies that are taken while they come, over HTTP/2.
#include <algorithm>
#include <utility>

#include <nghttp2/nghttp2.h>

#include "core/process.hpp"
#include "net/internal/http2_session.hpp"

namespace tacenda::net {

void Http2Session::begin_incoming(std::int32_t id, Http2Stream& stream) {
  if (!stream.reservation.grow_to(IncomingBody::kReservedBytes)) return refuse(id, stream, 503);
  stream.incoming =
      std::make_unique<IncomingBody>(std::move(stream.reservation), stream.body_max, host_.now());
  Request head = std::exchange(stream.request, Request());
  stream.request.method = head.method == "HEAD" ? "HEAD" : "";  // all that the response has to know
  if (!host_.begin(static_cast<std::uint32_t>(id), std::move(head))) return refuse(id, stream, 503);
  incoming_.push_back(id);
  ++running_;
}

void Http2Session::take_incoming(std::int32_t id, Http2Stream& stream, std::string_view bytes) {
  if (nghttp2_session_consume_connection(session_, bytes.size()) != 0) is_broken_ = true;
  auto& incoming = *stream.incoming;
  if (bytes.size() > incoming.room() - incoming.piece().size()) return refuse(id, stream, 413);
  incoming.piece().append(bytes);
  incoming.came(bytes.size(), host_.now());
  hand_on(id, stream);
}

void Http2Session::hand_on(std::int32_t id, Http2Stream& stream) {
  if (!stream.incoming->is_due()) return;
  if (!host_.take(static_cast<std::uint32_t>(id), stream.incoming->next_step(host_.now())))
    return refuse(id, stream, 503);
  ++running_;
}

void Http2Session::taken(std::uint32_t stream_id, Uptake&& uptake) {
  TACENDA_ASSERT(running_ > 0);
  --running_;
  auto const id = static_cast<std::int32_t>(stream_id);
  auto* const stream = find(id);
  if (stream == nullptr || !stream->incoming) return;
  if (auto* const response = std::get_if<Response>(&uptake)) {
    stream->incoming.reset();
    return write(id, *stream, std::move(*response));
  }
  auto const bytes =
      stream->incoming->returned(std::move(std::get<std::unique_ptr<BodySink>>(uptake)), host_.now());
  if (bytes > 0 && nghttp2_session_consume_stream(session_, id, bytes) != 0) is_broken_ = true;
  grant_continue(id, *stream);
  hand_on(id, *stream);
}

void Http2Session::consume(std::int32_t id, std::size_t bytes) {
  if (nghttp2_session_consume(session_, id, bytes) != 0) is_broken_ = true;
}

std::optional<TimePoint> Http2Session::slowest_incoming() const {
  std::optional<TimePoint> slowest;
  for (auto const id : incoming_) {
    auto const found = streams_.find(id);
    if (found == streams_.end() || !found->second.incoming || !found->second.incoming->takes_more()) continue;
    auto const at = found->second.incoming->too_slow_at(limits_.body_time);
    slowest = std::min(slowest.value_or(TimePoint::max()), at);
  }
  return slowest;
}

bool Http2Session::expire_incoming(TimePoint now) {
  bool has_expired = false;
  for (auto const id : incoming_) {
    auto* const stream = find(id);
    if (stream == nullptr || !stream->incoming || !stream->incoming->takes_more()) continue;
    if (stream->incoming->too_slow_at(limits_.body_time) > now) continue;
    host_.failed(ConnectionFailure::kTimeout);
    refuse(id, *stream, 408);
    has_expired = true;
  }
  return has_expired;
}

}  // namespace tacenda::net

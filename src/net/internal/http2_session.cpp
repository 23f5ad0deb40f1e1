#include "net/internal/http2_session.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <nghttp2/nghttp2.h>

#include "core/process.hpp"
#include "net/internal/http2_callbacks.hpp"
#include "net/internal/http2_head.hpp"
#include "net/internal/response_head.hpp"

namespace tacenda::net {
namespace {

constexpr std::size_t kRecordBytes = 16 * 1024;   // of TLS: what is sent in one piece
constexpr std::size_t kSendProgress = 64 * 1024;  // a reader this slow per body_time is cut off
constexpr std::size_t kReserveStep = 64 * 1024;   // of a body whose length is not announced
constexpr std::size_t kBufferKept = 2 * 1024;     // output buffer that an idle connection keeps
constexpr std::size_t kOutboundFrames = 1'000;    // answers to control frames that the peer does not fetch
constexpr std::uint32_t kStreamWindow = 256 * 1024;
constexpr std::int32_t kConnectionWindow = 1024 * 1024;
constexpr std::chrono::milliseconds kEndTime{2'000};  // for the peer to take GOAWAY
constexpr double kTokensMax = 1'000;
constexpr double kTokensPerSecond = 100;
constexpr double kTokensPerResponse = 4;
constexpr double kTokensPerByteSent = 1.0 / 1'024;

nghttp2_nv pair_of(std::string_view name, std::string_view value) {
  auto const bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(
        const_cast<char*>(text.data()));  // nghttp2 copies and never writes
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

Http2Session::Http2Session(SessionHost& host, Limits const& limits, TimePoint accepted)
    : host_(host),
      limits_(limits),
      phase_began_(accepted),
      send_began_(accepted),
      tokens_(kTokensMax),
      tokens_at_(accepted) {
  session_ = make_nghttp2_session(*this);
  std::array<nghttp2_settings_entry, 4> const settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.http2_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.header_bytes)},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 0},
  }};
  if (session_ == nullptr ||
      nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0 ||
      nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow) != 0) {
    die("out of memory for an HTTP/2 session");
  }
}

Http2Session::~Http2Session() {
  nghttp2_session_del(session_);
}

Http2Stream* Http2Session::find(std::int32_t id) {
  auto const found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

bool Http2Session::spend(double tokens) {
  if (tokens == 0) return true;
  auto const now = host_.now();
  if (now > tokens_at_) {
    tokens_ += std::chrono::duration<double>(now - tokens_at_).count() * kTokensPerSecond;
    tokens_at_ = now;
  }
  tokens_ = std::min(tokens_, kTokensMax) - tokens;
  return tokens_ >= 0;
}

void Http2Session::receive(std::string_view bytes) {
  if (is_broken_ || is_terminated_) return;
  auto const* const data = reinterpret_cast<std::uint8_t const*>(bytes.data());
  auto const taken = nghttp2_session_mem_recv(session_, data, bytes.size());
  if (taken >= 0) return;
  // Ours (CALLBACK_FAILURE): a flood. Otherwise no HTTP/2 at all (BAD_CLIENT_MAGIC) or nghttp2's own limits.
  host_.failed(ConnectionFailure::kMalformedRequest);
  terminate(NGHTTP2_ENHANCE_YOUR_CALM);
}

bool Http2Session::wants_read() const {
  return !is_broken_ && !is_terminated_ && nghttp2_session_want_read(session_) != 0 &&
         nghttp2_session_get_outbound_queue_size(session_) < kOutboundFrames;
}

bool Http2Session::is_finished() const {
  if (is_broken_) return true;
  if (out_sent_ < out_.size() || nghttp2_session_want_write(session_) != 0) return false;
  return is_terminated_ || nghttp2_session_want_read(session_) == 0;
}

void Http2Session::terminate(std::uint32_t error_code) {
  if (is_terminated_) return;
  is_terminated_ = true;
  phase_began_ = host_.now();
  if (nghttp2_session_terminate_session(session_, error_code) != 0) is_broken_ = true;
}

void Http2Session::connection_error() {
  if (!is_terminated_) host_.failed(ConnectionFailure::kMalformedRequest);
  if (!is_terminated_) phase_began_ = host_.now();
  is_terminated_ = true;
}

bool Http2Session::begin_head(std::int32_t id) {
  // A stream that was reset has left its request at the workers: without this, resets would be a way to
  // run any number of requests at once.
  if (is_draining_ || running_ + streams_.size() >= 2 * std::size_t{limits_.http2_streams} ||
      running_ >= limits_.http2_streams) {
    return false;
  }
  is_in_head_ = true;
  has_request_ = true;
  phase_began_ = host_.now();
  streams_.try_emplace(id);
  return true;
}

void Http2Session::take_field(Http2Stream& stream, std::string_view name, std::string_view value) {
  add_http2_field(stream, name, value, limits_);
}

void Http2Session::end_head(std::int32_t id, Http2Stream& stream, bool is_end) {
  using Phase = Http2Stream::Phase;
  if (stream.phase != Phase::kHead && stream.phase != Phase::kBody) return;  // refused already
  bool const is_trailer = stream.phase == Phase::kBody;
  if (!is_trailer) check_http2_head(stream, limits_);
  if (stream.is_malformed) {
    host_.failed(ConnectionFailure::kMalformedRequest);
    return reset(id, NGHTTP2_PROTOCOL_ERROR);
  }
  if (stream.refusal != 0) {
    host_.failed(ConnectionFailure::kHeaderTooLarge);
    return refuse(id, stream, stream.refusal);
  }
  if (!is_trailer) {
    stream.request.peer = host_.peer();
    if (!is_end) return begin_body(id, stream);
  }
  if (is_end) finish_request(id, stream);
}

void Http2Session::begin_body(std::int32_t id, Http2Stream& stream) {
  stream.phase = Http2Stream::Phase::kBody;
  stream.body_max = host_.body_limit(stream.request);
  stream.reservation = Reservation(host_.body_budget());
  bool const is_taken_meanwhile = host_.takes_body(stream.request);
  if (!is_taken_meanwhile) bodies_.emplace_back(host_.now(), id);
  if (auto const field = stream.request.header("content-length")) {
    std::uint64_t length = 0;  // check_http2_head has seen that these are digits
    std::from_chars(field->data(), field->data() + field->size(), length);
    if (length > stream.body_max) return refuse(id, stream, 413);
    if (is_taken_meanwhile) return begin_incoming(id, stream);
    if (!stream.reservation.grow_to(static_cast<std::size_t>(length))) return refuse(id, stream, 503);
    stream.request.body.reserve(static_cast<std::size_t>(length));
  }
  if (is_taken_meanwhile) return begin_incoming(id, stream);
  grant_continue(id, stream);
}

void Http2Session::grant_continue(std::int32_t id, Http2Stream& stream) {
  if (!std::exchange(stream.expects_continue, false)) return;
  auto const fields = pair_of(":status", "100");
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, &fields, 1, nullptr);
}

void Http2Session::take_data(std::int32_t id, Http2Stream& stream, std::string_view bytes) {
  if (stream.phase == Http2Stream::Phase::kBody && stream.incoming) return take_incoming(id, stream, bytes);
  consume(id, bytes.size());
  if (stream.phase != Http2Stream::Phase::kBody) return;  // refused: what still comes is dropped
  auto const size = stream.request.body.size() + bytes.size();
  if (size > stream.body_max) return refuse(id, stream, 413);
  if (size > stream.reservation.bytes()) {
    auto const wanted = size / kReserveStep * kReserveStep + kReserveStep;
    if (!stream.reservation.grow_to(std::min(wanted, stream.body_max))) return refuse(id, stream, 503);
  }
  stream.request.body.append(bytes);
}

void Http2Session::finish_request(std::int32_t id, Http2Stream& stream) {
  using Phase = Http2Stream::Phase;
  if (stream.phase != Phase::kHead && stream.phase != Phase::kBody) return;
  stream.phase = Phase::kRunning;
  if (stream.incoming) {
    stream.incoming->complete();
    return hand_on(id, stream);
  }
  bool const is_head = stream.request.method == "HEAD";
  bool const is_taken = host_.dispatch(static_cast<std::uint32_t>(id), std::move(stream.request),
                                       std::move(stream.reservation));
  stream.request = Request();
  stream.request.method = is_head ? "HEAD" : "";  // all that the response has to know
  if (is_taken) {
    ++running_;
  } else {
    write(id, stream, host_.refuse(503));
  }
}

void Http2Session::refuse(std::int32_t id, Http2Stream& stream, std::uint16_t status) {
  stream.request.body = std::string();
  stream.reservation = Reservation();
  stream.incoming.reset();
  write(id, stream, host_.refuse(status));
}

void Http2Session::reset(std::int32_t id, std::uint32_t error_code) {
  if (nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, error_code) != 0) is_broken_ = true;
}

void Http2Session::respond(std::uint32_t stream_id, Response&& response) {
  TACENDA_ASSERT(running_ > 0);
  --running_;
  auto const id = static_cast<std::int32_t>(stream_id);
  auto* const stream = find(id);
  if (stream == nullptr || stream->phase != Http2Stream::Phase::kRunning) return;
  write(id, *stream, std::move(response));
}

void Http2Session::write(std::int32_t id, Http2Stream& stream, Response&& raw) {
  Response response =
      sendable_or_500(std::move(raw), [&](std::uint16_t status) { return host_.refuse(status); });
  bool const is_head = stream.request.method == "HEAD";
  bool const is_length_known = has_body(response.status) && !(is_head && response.body.empty());
  auto const status = std::to_string(response.status);
  auto const length = std::to_string(response.body.size() + response.rest_bytes);
  std::vector<nghttp2_nv> fields;
  fields.reserve(response.headers.size() + 3);
  fields.push_back(pair_of(":status", status));
  fields.push_back(pair_of("date", host_.date()));
  for (auto& [name, value] : response.headers) {
    if (is_written_by_net(name)) continue;
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    fields.push_back(pair_of(name, value));
  }
  if (is_length_known) fields.push_back(pair_of("content-length", length));
  bool const has_data = has_body(response.status) && !is_head && !response.body.empty();
  stream.phase = Http2Stream::Phase::kResponding;
  stream.response_body = std::move(response.body);
  stream.response_sent = 0;
  stream.rest = std::move(response.rest);
  stream.rest_left = response.rest_bytes;
  if (responding_++ == 0) {
    send_began_ = host_.now();
    send_progress_ = 0;
  }
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;  // a node of the map: it stays where it is until the stream is closed
  provider.read_callback = [](nghttp2_session*, std::int32_t stream_id, std::uint8_t* into, std::size_t size,
                              std::uint32_t* flags, nghttp2_data_source* source, void* user_data) -> ssize_t {
    return static_cast<Http2Session*>(user_data)->read_body(
        stream_id, *static_cast<Http2Stream*>(source->ptr), {into, size}, *flags);
  };
  auto const submitted =
      nghttp2_submit_response(session_, id, fields.data(), fields.size(), has_data ? &provider : nullptr);
  if (submitted != 0) reset(id, NGHTTP2_INTERNAL_ERROR);
  if (response.close) drain();
}

std::ptrdiff_t Http2Session::read_body(std::int32_t id, Http2Stream& stream, std::span<std::uint8_t> into,
                                       std::uint32_t& flags) {
  auto const rest = std::string_view(stream.response_body).substr(stream.response_sent);
  if (rest.empty() && stream.rest_left > 0) {
    // Nothing is asked for before the peer's window has taken what was there: it sets the pace.
    stream.response_body = std::string();
    stream.response_sent = 0;
    if (!stream.rest || !host_.pull(static_cast<std::uint32_t>(id), std::move(stream.rest)))
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // the stream is reset
    stream.is_pulling = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  auto const count = std::min(into.size(), rest.size());
  std::memcpy(into.data(), rest.data(), count);
  stream.response_sent += count;
  if (count == rest.size() && stream.rest_left == 0) flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<std::ptrdiff_t>(count);
}

void Http2Session::supply(std::uint32_t stream_id, std::unique_ptr<BodySource>&& source,
                          Result<std::string>&& piece) {
  auto const id = static_cast<std::int32_t>(stream_id);
  auto* const stream = find(id);
  if (stream == nullptr || !stream->is_pulling) return;
  stream->is_pulling = false;
  // The length is announced and cannot be kept: the reset tells the peer that the answer is incomplete.
  if (!piece.has_value() || piece->empty() || piece->size() > stream->rest_left)
    return reset(id, NGHTTP2_INTERNAL_ERROR);
  stream->rest_left -= piece->size();
  if (stream->rest_left > 0) stream->rest = std::move(source);
  stream->response_body = *std::move(piece);
  stream->response_sent = 0;
  if (nghttp2_session_resume_data(session_, id) != 0) reset(id, NGHTTP2_INTERNAL_ERROR);
}

void Http2Session::response_ended(std::int32_t id, bool is_request_ended) {
  tokens_ = std::min(tokens_ + kTokensPerResponse, kTokensMax);
  // RFC 9113 section 8.1: answered before the request ended, so the rest of it is not wanted.
  if (!is_request_ended) reset(id, NGHTTP2_NO_ERROR);
}

void Http2Session::made_progress(std::size_t bytes) {
  tokens_ = std::min(tokens_ + static_cast<double>(bytes) * kTokensPerByteSent, kTokensMax);
  send_progress_ += bytes;
  if (send_progress_ < kSendProgress) return;
  send_progress_ = 0;
  send_began_ = host_.now();
}

void Http2Session::stream_closed(std::int32_t id) {
  auto const found = streams_.find(id);
  if (found == streams_.end()) return;
  if (found->second.phase == Http2Stream::Phase::kResponding) {
    --responding_;
    send_began_ = host_.now();
    send_progress_ = 0;
  }
  streams_.erase(found);
  std::erase(incoming_, id);
  if (streams_.empty()) {
    bodies_.clear();
    phase_began_ = host_.now();
  }
}

std::string_view Http2Session::output() {
  if (out_sent_ < out_.size()) return std::string_view(out_).substr(out_sent_);
  out_.clear();
  out_sent_ = 0;
  while (!is_broken_ && out_.size() < kRecordBytes) {
    std::uint8_t const* frame = nullptr;
    auto const size = nghttp2_session_mem_send(session_, &frame);
    if (size < 0) is_broken_ = true;
    if (size <= 0) break;
    out_.append(reinterpret_cast<char const*>(frame), static_cast<std::size_t>(size));
  }
  if (!out_.empty() && responding_ == 0) send_began_ = host_.now();
  if (out_.empty() && out_.capacity() > kBufferKept) std::string().swap(out_);
  return out_;
}

void Http2Session::sent(std::size_t bytes) {
  out_sent_ += bytes;
}

void Http2Session::drain() {
  if (is_draining_ || is_terminated_) return;
  is_draining_ = true;
  if (streams_.empty()) return terminate(NGHTTP2_NO_ERROR);
  auto const last = nghttp2_session_get_last_proc_stream_id(session_);
  if (nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0) != 0)
    is_broken_ = true;
}

std::optional<TimePoint> Http2Session::oldest_body() const {
  for (auto const& [began, id] : bodies_) {
    auto const found = streams_.find(id);
    if (found != streams_.end() && found->second.phase == Http2Stream::Phase::kBody) return began;
  }
  return std::nullopt;
}

std::optional<TimePoint> Http2Session::deadline() const {
  if (is_terminated_ || is_broken_) return phase_began_ + kEndTime;
  if (is_in_head_ || !has_request_) return phase_began_ + limits_.header_time;
  bool const is_sending = responding_ > 0 || out_sent_ < out_.size();
  if (streams_.empty() && !is_sending) return phase_began_ + limits_.idle_time;
  std::optional<TimePoint> nearest;
  if (is_sending) nearest = send_began_ + limits_.body_time;
  if (auto const began = oldest_body())
    nearest = std::min(nearest.value_or(TimePoint::max()), *began + limits_.body_time);
  if (auto const slowest = slowest_incoming())
    nearest = std::min(nearest.value_or(TimePoint::max()), *slowest);
  return nearest;
}

bool Http2Session::expire_bodies(TimePoint now) {
  bool expired = false;
  while (!bodies_.empty() && bodies_.front().first + limits_.body_time <= now) {
    auto const id = bodies_.front().second;
    bodies_.pop_front();
    auto* const stream = find(id);
    if (stream == nullptr || stream->phase != Http2Stream::Phase::kBody) continue;
    host_.failed(ConnectionFailure::kTimeout);
    refuse(id, *stream, 408);
    expired = true;
  }
  return expired;
}

bool Http2Session::expire() {
  if (is_terminated_ || is_broken_) return false;
  if (is_in_head_ || !has_request_) {
    host_.failed(ConnectionFailure::kTimeout);
    terminate(NGHTTP2_NO_ERROR);
    return true;
  }
  if (streams_.empty()) {
    if (out_sent_ < out_.size()) return false;  // the peer does not even take what is written
    terminate(NGHTTP2_NO_ERROR);
    return true;
  }
  bool const has_ended_bodies = expire_bodies(host_.now());
  if (expire_incoming(host_.now()) || has_ended_bodies) return true;
  bool const is_sending = responding_ > 0 || out_sent_ < out_.size();
  return !is_sending || send_began_ + limits_.body_time > host_.now();  // false: nobody fetches it
}

}  // namespace tacenda::net

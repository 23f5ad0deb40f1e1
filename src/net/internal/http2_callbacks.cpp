#include "net/internal/http2_callbacks.hpp"

#include <memory>
#include <string_view>

#include <nghttp2/nghttp2.h>

#include "net/internal/http2_session.hpp"

namespace tacenda::net {
namespace {

using Callbacks =
    std::unique_ptr<nghttp2_session_callbacks,
                    decltype([](nghttp2_session_callbacks* all) { nghttp2_session_callbacks_del(all); })>;
using Option =
    std::unique_ptr<nghttp2_option, decltype([](nghttp2_option* option) { nghttp2_option_del(option); })>;

constexpr double kControlFrameCost = 1;
constexpr double kResetCost = 10;
constexpr double kErrorCost = 20;

std::string_view as_text(std::uint8_t const* bytes, std::size_t size) {
  return {reinterpret_cast<char const*>(bytes), size};
}

bool is_end_of_stream(nghttp2_frame const& frame) {
  return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

/// What a frame costs that brings no request forward; 0 for one that does.
double cost_of(nghttp2_frame_hd const& header) {
  switch (header.type) {
    case NGHTTP2_HEADERS:
      return 0;
    case NGHTTP2_DATA:
      return header.length == 0 && (header.flags & NGHTTP2_FLAG_END_STREAM) == 0 ? kControlFrameCost : 0;
    case NGHTTP2_RST_STREAM:
      return kResetCost;
    default:
      return kControlFrameCost;
  }
}

}  // namespace

/// The functions that nghttp2 calls, with the session as their `user_data`. None may throw: out of memory
/// ends the process (CODE_STYLE section 4).
struct Http2Callbacks {
  static Http2Session& of(void* user_data) { return *static_cast<Http2Session*>(user_data); }

  static int begin_frame(nghttp2_session*, nghttp2_frame_hd const* header, void* user_data) noexcept {
    return of(user_data).spend(cost_of(*header)) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int begin_headers(nghttp2_session* raw, nghttp2_frame const* frame, void* user_data) noexcept {
    auto& session = of(user_data);
    auto const id = frame->hd.stream_id;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      if (!session.begin_head(id))
        nghttp2_submit_rst_stream(raw, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    } else if (auto* const stream = session.find(id)) {
      stream->is_trailer = true;
    }
    return 0;
  }

  static int header(nghttp2_session*, nghttp2_frame const* frame, std::uint8_t const* name,
                    std::size_t name_size, std::uint8_t const* value, std::size_t value_size, std::uint8_t,
                    void* user_data) noexcept {
    auto& session = of(user_data);
    auto* const stream = session.find(frame->hd.stream_id);
    if (stream != nullptr) session.take_field(*stream, as_text(name, name_size), as_text(value, value_size));
    // A block far over the limit is an attack and not a long cookie: no more of it is decoded.
    bool const is_flood = stream != nullptr && stream->header_bytes > 8 * session.limits_.header_bytes;
    return is_flood ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
  }

  // nghttp2 would drop such a field and go on; a field that one reader drops and another takes is how
  // requests are smuggled.
  static int invalid_header(nghttp2_session*, nghttp2_frame const* frame, std::uint8_t const*, std::size_t,
                            std::uint8_t const*, std::size_t, std::uint8_t, void* user_data) noexcept {
    if (auto* const stream = of(user_data).find(frame->hd.stream_id)) stream->is_malformed = true;
    return 0;
  }

  static int frame_received(nghttp2_session*, nghttp2_frame const* frame, void* user_data) noexcept {
    auto& session = of(user_data);
    auto const id = frame->hd.stream_id;
    auto* const stream = session.find(id);
    if (frame->hd.type == NGHTTP2_HEADERS) {
      session.is_in_head_ = false;
      if (stream != nullptr) session.end_head(id, *stream, is_end_of_stream(*frame));
    } else if (frame->hd.type == NGHTTP2_DATA && stream != nullptr && is_end_of_stream(*frame)) {
      session.finish_request(id, *stream);
    }
    return 0;
  }

  static int invalid_frame(nghttp2_session*, nghttp2_frame const* frame, int error,
                           void* user_data) noexcept {
    auto& session = of(user_data);
    session.is_in_head_ = false;
    // Over the limit of concurrent streams: not malformed, and usual before the peer has read our settings.
    if (error == NGHTTP2_ERR_REFUSED_STREAM)
      return session.spend(kControlFrameCost) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
    // nghttp2 has found the head malformed itself and resets the stream.
    if (frame->hd.type == NGHTTP2_HEADERS) session.host_.failed(ConnectionFailure::kMalformedRequest);
    return session.spend(kErrorCost) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int data(nghttp2_session*, std::uint8_t, std::int32_t id, std::uint8_t const* bytes,
                  std::size_t size, void* user_data) noexcept {
    auto& session = of(user_data);
    if (auto* const stream = session.find(id)) {
      session.take_data(id, *stream, as_text(bytes, size));
    } else {
      session.consume(id, size);
    }
    return 0;
  }

  static int stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user_data) noexcept {
    of(user_data).stream_closed(id);
    return 0;
  }

  static int frame_sent(nghttp2_session* raw, nghttp2_frame const* frame, void* user_data) noexcept {
    auto& session = of(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
      session.connection_error();
    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
    session.made_progress(frame->hd.length);
    if (!is_end_of_stream(*frame)) return 0;
    bool const is_request_ended = nghttp2_session_get_stream_remote_close(raw, frame->hd.stream_id) == 1;
    session.response_ended(frame->hd.stream_id, is_request_ended);
    return 0;
  }
};

nghttp2_session* make_nghttp2_session(Http2Session& session) {
  nghttp2_session_callbacks* raw_callbacks = nullptr;
  nghttp2_option* raw_option = nullptr;
  if (nghttp2_session_callbacks_new(&raw_callbacks) != 0) return nullptr;
  Callbacks const callbacks(raw_callbacks);
  if (nghttp2_option_new(&raw_option) != 0) return nullptr;
  Option const option(raw_option);
  nghttp2_session_callbacks_set_on_begin_frame_callback(raw_callbacks, Http2Callbacks::begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(raw_callbacks, Http2Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(raw_callbacks, Http2Callbacks::header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(raw_callbacks, Http2Callbacks::invalid_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(raw_callbacks, Http2Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(raw_callbacks, Http2Callbacks::invalid_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw_callbacks, Http2Callbacks::data);
  nghttp2_session_callbacks_set_on_stream_close_callback(raw_callbacks, Http2Callbacks::stream_close);
  nghttp2_session_callbacks_set_on_frame_send_callback(raw_callbacks, Http2Callbacks::frame_sent);
  nghttp2_option_set_no_closed_streams(raw_option, 1);
  nghttp2_option_set_no_auto_window_update(raw_option, 1);
  nghttp2_session* made = nullptr;
  return nghttp2_session_server_new2(&made, raw_callbacks, &session, raw_option) == 0 ? made : nullptr;
}

}  // namespace tacenda::net

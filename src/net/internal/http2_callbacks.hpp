#pragma once

struct nghttp2_session;

namespace tacenda::net {

class Http2Session;

/// Makes the nghttp2 session that calls `session`, with our settings queued; nullptr when memory is short.
nghttp2_session* make_nghttp2_session(Http2Session& session);

}  // namespace tacenda::net

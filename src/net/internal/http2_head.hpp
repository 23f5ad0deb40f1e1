#pragma once

#include <cstdint>
#include <string_view>

#include "net/http.hpp"
#include "net/server.hpp"

namespace tacenda::net {

struct Http2Stream;

/// Adds one decoded field to the request of `stream`, or marks the stream as malformed or to be refused
/// (431). What is over the limits is counted and not kept.
/// Source: RFC 9113 section 8.
void add_http2_field(Http2Stream& stream, std::string_view name, std::string_view value,
                     Limits const& limits);

/// Checks the complete head: one authority, a path, the scheme of this listener, at most one length.
/// Marks the stream as malformed or to be refused (414).
void check_http2_head(Http2Stream& stream, Limits const& limits);

}  // namespace tacenda::net

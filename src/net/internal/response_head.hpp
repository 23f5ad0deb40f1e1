#pragma once

#include <string>
#include <string_view>

#include "net/http.hpp"

namespace tacenda::net {

/// The name of a status code for the status line; empty for one that has none.
std::string_view reason_of(std::uint16_t status);

/// Is `name` a field that net writes itself, whatever the handler put there?
bool is_written_by_net(std::string_view name);

/// Can this response be written without changing where it ends or what else is in it? False for a field
/// that breaks the grammar (response splitting) and for a status that is not final.
bool is_sendable(Response const& response);

/// Does a response with this status have a body?
bool has_body(std::uint16_t status);

/// Returns `response`, or when it is not sendable what `refuse(500)` made of it; at last an empty 500.
template <typename Refuse>
Response sendable_or_500(Response&& response, Refuse const& refuse);

/// Appends status line and fields of an HTTP/1.1 response, with the empty line.
/// `content_length`: nullptr to write none.
void append_http1_head(std::string& out, Response const& response, std::string_view date,
                       std::size_t const* content_length, bool close);

void note_unsendable();

template <typename Refuse>
Response sendable_or_500(Response&& response, Refuse const& refuse) {
  if (is_sendable(response)) return std::move(response);
  note_unsendable();
  Response instead = refuse(500);
  if (is_sendable(instead)) return instead;
  return Response{};
}

}  // namespace tacenda::net

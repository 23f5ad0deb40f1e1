#pragma once

#include <memory>
#include <string>

#include <curl/curl.h>

#include "core/error.hpp"

namespace tacenda::net {

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, FreeCurl>;
using CurlList = std::unique_ptr<curl_slist, FreeCurl>;

/// A new handle. Errors: kUnavailable.
Result<Curl> make_curl();

/// What holds for every connection that curl makes: no proxy, no signals, and a peer whose certificate is
/// verified. `ca_file`: trust anchors, PEM; empty: the system's.
void configure_peer(CURL* curl, std::string const& ca_file);

/// `list` with `text` behind it. Errors: kUnavailable.
Result<void> append_to(CurlList& list, std::string const& text);

/// What a failed call means.
Error error_of(CURLcode code);

}  // namespace tacenda::net

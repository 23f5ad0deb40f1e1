#include "net/internal/curl.hpp"

namespace tacenda::net {

Result<Curl> make_curl() {
  // Once per process, whichever thread comes first; curl asks for it before any handle.
  static CURLcode const started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) return fail(ErrorKind::kUnavailable, "HTTP client cannot be started");
  Curl curl(curl_easy_init());
  if (!curl) return fail(ErrorKind::kUnavailable, "HTTP client cannot be started");
  return curl;
}

void configure_peer(CURL* curl, std::string const& ca_file) {
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // no waiting for a name server that was given up
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (ca_file.empty()) return;
  curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
}

Result<void> append_to(CurlList& list, std::string const& text) {
  curl_slist* const longer = curl_slist_append(list.get(), text.c_str());
  if (longer == nullptr) return fail(ErrorKind::kUnavailable, "out of memory");
  (void)list.release();  // the longer list contains it
  list.reset(longer);
  return {};
}

Error error_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      return {ErrorKind::kUnavailable, "connection refused"};
    case CURLE_COULDNT_RESOLVE_HOST:
      return {ErrorKind::kUnavailable, "host name not found"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {ErrorKind::kUnavailable, "certificate not trusted"};
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorKind::kInvalid, "file of trust anchors cannot be read"};
    case CURLE_OPERATION_TIMEDOUT:
      return {ErrorKind::kUnavailable, "timed out"};
    case CURLE_SSL_CONNECT_ERROR:
      return {ErrorKind::kUnavailable, "TLS handshake failed"};
    case CURLE_USE_SSL_FAILED:
      return {ErrorKind::kUnavailable, "the mail server offers no TLS"};
    case CURLE_LOGIN_DENIED:
      return {ErrorKind::kUnavailable, "the mail server does not take the credentials"};
    case CURLE_SEND_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
      return {ErrorKind::kUnavailable, "the server refused what was sent"};
    case CURLE_URL_MALFORMAT:
      return {ErrorKind::kInvalid, "not a URL"};
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {ErrorKind::kInvalid, "only https, or http over the unix socket"};
    default:
      return {ErrorKind::kUnavailable, "connection broken"};
  }
}

}  // namespace tacenda::net

#include "net/mail.hpp"

#include <algorithm>
#include <cstring>

#include <strings.h>

#include "core/bytes.hpp"
#include "net/internal/curl.hpp"

namespace tacenda::net {
namespace {

constexpr std::string_view kImplicit = "smtps://";
constexpr std::string_view kStartTls = "smtp://";

std::size_t give(char* out, std::size_t, std::size_t size, void* context) {
  auto& rest = *static_cast<std::string_view*>(context);
  std::size_t const taken = std::min(size, rest.size());
  std::memcpy(out, rest.data(), taken);
  rest.remove_prefix(taken);
  return taken;
}

/// What the mail server says is no text of ours.
std::size_t drop(char*, std::size_t, std::size_t size, void*) {
  return size;
}

/// Asked by curl now and then: not 0 ends the transfer.
int has_to_stop(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<std::stop_token const*>(context)->stop_requested() ? 1 : 0;
}

/// RFC 5321 reverse-path and forward-path.
Result<std::string> path_of(std::string_view address) {
  bool const is_plain = !address.empty() && std::ranges::all_of(address, [](char c) {
    return c > ' ' && c < '\x7f' && c != '<' && c != '>';
  });
  if (!is_plain) return fail(ErrorKind::kInvalid, "not a mail address");
  return "<" + std::string(address) + ">";
}

}  // namespace

Result<MailSender> MailSender::create(Options options) {
  if (!options.url.starts_with(kImplicit) && !options.url.starts_with(kStartTls))
    return fail(ErrorKind::kInvalid, "a mail server is smtps://host:port or smtp://host:port");
  return MailSender(std::move(options));
}

Result<void> MailSender::send(Mail const& mail, std::stop_token const& stop) const {
  auto const handle = TACENDA_TRY(make_curl());
  auto* const curl = handle.get();
  auto const from = TACENDA_TRY(path_of(mail.from));
  CurlList to;
  for (auto const& address : mail.to) TACENDA_TRY_VOID(append_to(to, TACENDA_TRY(path_of(address))));
  std::string_view rest = mail.text;
  configure_peer(curl, options_.ca_file);
  curl_easy_setopt(curl, CURLOPT_URL, options_.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, options_.url.starts_with(kImplicit) ? "smtps" : "smtp");
  curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));  // no TLS, no mail
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to.get());
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
  curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
  std::stop_token asked = stop;
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, has_to_stop);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &asked);
  if (options_.credentials) {
    std::string password(as_text(options_.credentials->password.reveal()));
    curl_easy_setopt(curl, CURLOPT_USERNAME, options_.credentials->user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());  // copied by curl
    ::explicit_bzero(password.data(), password.size());
  }
  auto const code = curl_easy_perform(curl);
  if (code != CURLE_OK) return std::unexpected(error_of(code));
  return {};
}

}  // namespace tacenda::net

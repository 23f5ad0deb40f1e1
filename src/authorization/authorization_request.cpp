#include "authorization/authorization_request.hpp"

#include <algorithm>
#include <utility>

#include "authorization/internal/row.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "crypto/hash.hpp"

namespace tacenda::authorization {
namespace {

constexpr std::uint8_t kFormat = 3;

}  // namespace

Bytes encode_request(AuthorizationRequest const& request) {
  Bytes out;
  ByteWriter writer(out);
  writer.u8(kFormat)
      .sized(request.client)
      .sized(request.redirect_uri)
      .sized(request.state)
      .sized(request.challenge)
      .sized(request.nonce)
      .sized(codec::write_scopes(request.scopes))
      .u64(to_unix_ms(request.expires))
      .u8(request.max_age ? 1 : 0)
      .u32(static_cast<std::uint32_t>(request.max_age.value_or(std::chrono::seconds(0)).count()))
      .raw(request.browser)
      .sized(request.session)
      .u8(request.launch ? 1 : 0);
  if (request.launch) {
    writer.raw(request.launch->name).sized(request.launch->user).sized(request.launch->patient);
    row::put_launch(writer, request.launch->context);
  }
  return out;
}

Result<AuthorizationRequest> decode_request(ByteView bytes) {
  ByteReader reader(bytes);
  TACENDA_TRY_VOID(row::read_format(reader, kFormat));
  AuthorizationRequest request;
  request.client = TACENDA_TRY(row::read_text(reader));
  request.redirect_uri = TACENDA_TRY(row::read_text(reader));
  request.state = TACENDA_TRY(row::read_text(reader));
  request.challenge = TACENDA_TRY(row::read_text(reader));
  request.nonce = TACENDA_TRY(row::read_text(reader));
  request.scopes = TACENDA_TRY(row::read_scopes(reader));
  request.expires = from_unix_ms(TACENDA_TRY(reader.u64()));
  bool const has_age = TACENDA_TRY(row::read_flag(reader));
  std::chrono::seconds const age(TACENDA_TRY(reader.u32()));
  if (has_age) request.max_age = age;
  std::ranges::copy(TACENDA_TRY(reader.raw(request.browser.size())), request.browser.begin());
  request.session = TACENDA_TRY(row::read_text(reader));
  if (TACENDA_TRY(row::read_flag(reader))) {
    auto& launch = request.launch.emplace();
    std::ranges::copy(TACENDA_TRY(reader.raw(launch.name.size())), launch.name.begin());
    launch.user = TACENDA_TRY(row::read_text(reader));
    launch.patient = TACENDA_TRY(row::read_text(reader));
    launch.context = TACENDA_TRY(row::read_launch(reader));
  }
  TACENDA_TRY_VOID(row::check_end(reader));
  return request;
}

bool takes_sign_in(AuthorizationRequest const& request, Time signed_in) {
  // A provider says in whole seconds of its own clock when somebody signed in there.
  return !request.max_age || signed_in >= request.expires - limits::kAuthorizationTime - *request.max_age -
                                              limits::kAssertionSkew;
}

Digest browser_of(std::string_view cookie) {
  return crypto::sha256(as_bytes(cookie));
}

std::string redirect_with(std::string_view redirect_uri,
                          std::vector<std::pair<std::string_view, std::string>> const& parameters) {
  std::string uri(redirect_uri);
  char separator = redirect_uri.contains('?') ? '&' : '?';
  for (auto const& [name, value] : parameters) {
    if (value.empty()) continue;
    uri.push_back(std::exchange(separator, '&'));
    uri.append(name).append("=").append(codec::percent_encode(value));
  }
  return uri;
}

std::string policy_source_of(std::string_view redirect_uri) {
  auto const scheme_end = redirect_uri.find(':');
  if (redirect_uri.substr(scheme_end).starts_with("://") && redirect_uri.starts_with("http")) {
    auto const end = redirect_uri.find_first_of("/?", scheme_end + 3);
    return std::string(redirect_uri.substr(0, end));
  }
  return std::string(redirect_uri.substr(0, scheme_end + 1));
}

}  // namespace tacenda::authorization

#include "authorization/client.hpp"

#include <algorithm>
#include <utility>

#include "authorization/internal/row.hpp"
#include "codec/jose.hpp"
#include "codec/web_address.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"

namespace tacenda::authorization {
namespace {

constexpr std::uint8_t kFormat =
    4;  // format 1 has no address of keys, format 2 no certificate, format 3 no networks

/// nullopt: nothing that an assertion may be signed with.
std::optional<ClientKey> key_of(codec::Jwk const& jwk) {
  bool const is_rsa = jwk.kind == codec::Jwk::Kind::kRsa;
  if (!is_rsa && jwk.curve != "P-384") return std::nullopt;
  auto const algorithm = is_rsa ? crypto::WebAlgorithm::kRs384 : crypto::WebAlgorithm::kEs384;
  bool const is_for_it = jwk.algorithm.empty() || jwk.algorithm == name_of(algorithm);
  // The log names keys by it: a line of text.
  bool const is_line =
      std::ranges::none_of(jwk.key_id, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (!is_for_it || jwk.key_id.empty() || jwk.key_id.size() > limits::kKeyIdBytes || !is_line)
    return std::nullopt;
  auto key = is_rsa ? crypto::WebPublicKey::rsa(jwk.modulus, jwk.exponent)
                    : crypto::WebPublicKey::ec(crypto::Curve::kP384, jwk.x, jwk.y);
  if (!key.has_value()) return std::nullopt;
  return ClientKey{jwk.key_id, algorithm, std::move(*key)};
}

/// Host and port of what follows "//".
std::string_view authority_of(std::string_view rest) {
  return rest.substr(0, rest.find_first_of("/?"));
}

bool is_loopback(std::string_view authority) {
  auto const host = codec::host_of_authority(authority);
  return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

/// Https, of a name of DNS or an IPv4 address, with a port or without: no user, nothing else.
bool is_https(std::string_view url) {
  auto const host = codec::host_of_https(url);
  return host && !host->starts_with('[');
}

/// RFC 3986: unreserved, reserved and escapes, without those that mean something in a header field or in a
/// Content-Security-Policy, and without a fragment.
bool are_uri_characters(std::string_view uri) {
  constexpr auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~:/?[]@!$&()*+=%").contains(c);
  };
  return !uri.empty() && uri.size() <= limits::kRedirectUriBytes && std::ranges::all_of(uri, is_allowed);
}

/// "com.example.app": a scheme that a single application can claim (RFC 8252 section 7.1).
bool is_own_scheme(std::string_view scheme) {
  constexpr auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '+';
  };
  return scheme.contains('.') && scheme.front() >= 'a' && scheme.front() <= 'z' && scheme.back() != '.' &&
         std::ranges::all_of(scheme, is_allowed);
}

}  // namespace

std::string_view name_of(crypto::WebAlgorithm algorithm) {
  switch (algorithm) {
    case crypto::WebAlgorithm::kRs256:
      return "RS256";
    case crypto::WebAlgorithm::kRs384:
      return "RS384";
    case crypto::WebAlgorithm::kEs256:
      return "ES256";
    case crypto::WebAlgorithm::kEs384:
      return "ES384";
  }
  return {};
}

Result<std::vector<ClientKey>> client_keys(std::string_view jwks) {
  std::vector<ClientKey> keys;
  for (auto const& jwk : TACENDA_TRY(codec::parse_jwks(jwks))) {
    auto key = key_of(jwk);
    if (!key) continue;
    if (std::ranges::any_of(keys, [&](ClientKey const& other) { return other.key_id == key->key_id; }))
      return fail(ErrorKind::kInvalid, "two keys have one kid");
    keys.push_back(std::move(*key));
  }
  if (keys.empty())
    return fail(ErrorKind::kInvalid,
                "the set has no key with a kid for RS384 (RSA of 2,048 bits or more) or ES384 (P-384)");
  if (keys.size() > limits::kClientKeys) return fail(ErrorKind::kTooLarge, "the set has too many keys");
  return keys;
}

bool is_client_id(std::string_view text) {
  constexpr auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '@' || c == '-';
  };
  return !text.empty() && text.size() <= limits::kUserNameBytes && text.front() != '-' &&
         std::ranges::all_of(text, is_allowed);
}

bool is_keys_url(std::string_view url) {
  return are_uri_characters(url) && is_https(url);
}

bool is_redirect_uri(std::string_view uri) {
  if (!are_uri_characters(uri)) return false;
  constexpr std::string_view kHttp = "http://";
  if (uri.starts_with("https:")) return is_https(uri);
  if (uri.starts_with(kHttp)) return is_loopback(authority_of(uri.substr(kHttp.size())));
  auto const colon = uri.find(':');
  return colon != std::string_view::npos && colon > 0 && is_own_scheme(uri.substr(0, colon)) &&
         colon + 1 < uri.size();
}

Bytes encode_client(Client const& client) {
  Bytes out;
  ByteWriter writer(out);
  writer.u8(kFormat).u8(std::to_underlying(client.kind)).u8(client.enabled ? 1 : 0);
  writer.sized(client.id).sized(client.title);
  writer.sized(client.account ? client.account->view() : std::string_view());
  writer.u64(to_unix_ms(client.created));
  writer.sized(codec::write_scopes(client.scopes)).sized(client.jwks);
  row::put_texts(writer, client.redirect_uris);
  writer.sized(client.jwks_url);
  row::put_digest(writer, client.certificate);
  writer.u8(client.binds_tokens ? 1 : 0);
  writer.u8(client.networks ? 1 : 0);
  if (client.networks) row::put_texts(writer, *client.networks);
  writer.u32(client.revision);
  return out;
}

Result<Client> decode_client(ByteView bytes) {
  ByteReader reader(bytes);
  auto const format = TACENDA_TRY(row::read_format_up_to(reader, kFormat));
  Client client;
  auto const kind = TACENDA_TRY(reader.u8());
  if (kind < std::to_underlying(Client::Kind::kService) || kind > std::to_underlying(Client::Kind::kPublic))
    return row::corrupt();
  client.kind = static_cast<Client::Kind>(kind);
  client.enabled = TACENDA_TRY(row::read_flag(reader));
  client.id = TACENDA_TRY(row::read_text(reader));
  client.title = TACENDA_TRY(row::read_text(reader));
  if (auto const account = TACENDA_TRY(row::read_text(reader)); !account.empty()) {
    auto id = UserId::parse(account);
    if (!id.has_value()) return row::corrupt();
    client.account = std::move(*id);
  }
  client.created = from_unix_ms(TACENDA_TRY(reader.u64()));
  client.scopes = TACENDA_TRY(row::read_scopes(reader));
  client.jwks = TACENDA_TRY(row::read_text(reader));
  if (!client.jwks.empty()) {
    auto keys = client_keys(client.jwks);
    if (!keys.has_value()) return row::corrupt();
    client.keys = std::move(*keys);
  }
  client.redirect_uris = TACENDA_TRY(row::read_texts(reader));
  if (format >= 2) client.jwks_url = TACENDA_TRY(row::read_text(reader));
  if (format >= 3) {
    client.certificate = TACENDA_TRY(row::read_digest(reader));
    client.binds_tokens = TACENDA_TRY(row::read_flag(reader));
  }
  if (format >= 4) {
    if (TACENDA_TRY(row::read_flag(reader))) {
      client.networks = TACENDA_TRY(row::read_texts(reader));
      auto allowed = access::AddressList::parse(*client.networks);
      // One that cannot be read must not become one that lets everybody in.
      if (!allowed.has_value()) return row::corrupt();
      client.allowed = std::move(*allowed);
    }
    client.revision = TACENDA_TRY(reader.u32());
  }
  TACENDA_TRY_VOID(row::check_end(reader));
  return client;
}

}  // namespace tacenda::authorization

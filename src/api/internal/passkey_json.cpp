#include "api/internal/passkey_json.hpp"

#include "codec/text.hpp"

namespace tacenda::api {
namespace {

std::unexpected<Error> not_base64url() {
  return fail(ErrorKind::kInvalid, "the credential has a part that is not base64url");
}

}  // namespace

Result<Bytes> part_of_credential(codec::Json const& credential, std::string_view name) {
  auto const* response = credential.find("response");
  if (response == nullptr) return fail(ErrorKind::kInvalid, "the credential has no response");
  auto bytes = codec::base64url_decode(response->text_of(name));
  if (!bytes.has_value()) return not_base64url();
  return bytes;
}

Result<PasskeyAnswer> PasskeyAnswer::of(codec::Json const& credential) {
  if (!credential.is_object() || credential.text_of("type") != "public-key")
    return fail(ErrorKind::kInvalid, "there is no public key credential");
  auto id = codec::base64url_decode(credential.text_of("id"));
  if (!id.has_value()) return not_base64url();
  return PasskeyAnswer{std::move(*id), TACENDA_TRY(part_of_credential(credential, "userHandle")),
                       TACENDA_TRY(part_of_credential(credential, "clientDataJSON")),
                       TACENDA_TRY(part_of_credential(credential, "authenticatorData")),
                       TACENDA_TRY(part_of_credential(credential, "signature"))};
}

}  // namespace tacenda::api

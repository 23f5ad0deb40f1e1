#include "api/internal/page_token.hpp"

#include "codec/text.hpp"

namespace tacenda::api {
namespace {

constexpr std::chrono::hours kPageLife{1};

Bytes associated_data(PageScope const& scope) {
  Bytes data;
  ByteWriter(data).sized("tacenda/page/1").sized(scope.principal).sized(scope.listing);
  return data;
}

}  // namespace

Result<std::string> seal_page(vault::Vault const& vault, PageScope const& scope,
                              records::HistoryPosition position, Time now) {
  Bytes plaintext;
  ByteWriter(plaintext).u64(to_unix_ms(now)).u64(position.before_sequence).u64(position.before_version);
  return codec::base64url_encode(
      TACENDA_TRY(vault.seal(vault::Purpose::kToken, associated_data(scope), plaintext)));
}

Result<records::HistoryPosition> open_page(vault::Vault const& vault, PageScope const& scope,
                                           std::string_view token, Time now) {
  auto const sealed = TACENDA_TRY(codec::base64url_decode(token));
  auto const plaintext = vault.open(vault::Purpose::kToken, associated_data(scope), sealed);
  if (!plaintext.has_value()) return fail(ErrorKind::kInvalid, "the page token is not one of this listing");
  ByteReader reader(*plaintext);
  Time const made = from_unix_ms(TACENDA_TRY(reader.u64()));
  if (now < made || now - made > kPageLife)
    return fail(ErrorKind::kInvalid, "the page token is too old: list again");
  records::HistoryPosition position;
  position.before_sequence = TACENDA_TRY(reader.u64());
  position.before_version = TACENDA_TRY(reader.u64());
  return position;
}

}  // namespace tacenda::api

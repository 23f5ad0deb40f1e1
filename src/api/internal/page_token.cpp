#include "api/internal/page_token.hpp"

#include <algorithm>

#include "codec/text.hpp"

namespace tacenda::api {
namespace {

constexpr std::chrono::hours kPageLife{1};
constexpr std::string_view kPage = "tacenda/page/2";
constexpr std::string_view kSearch = "tacenda/search/3";

Bytes associated_data(std::string_view kind, PageScope const& scope) {
  Bytes data;
  ByteWriter(data).sized(kind).sized(scope.principal).sized(scope.listing);
  return data;
}

Result<Bytes> open_token(vault::Vault const& vault, std::string_view kind, PageScope const& scope,
                         std::string_view token, Time now) {
  auto const sealed = TACENDA_TRY(codec::base64url_decode(token));
  auto plaintext = vault.open(vault::Purpose::kToken, associated_data(kind, scope), sealed);
  if (!plaintext.has_value()) return fail(ErrorKind::kInvalid, "the page token is not one of this listing");
  ByteReader reader(*plaintext);
  Time const made = from_unix_ms(TACENDA_TRY(reader.u64()));
  if (now < made || now - made > kPageLife)
    return fail(ErrorKind::kInvalid, "the page token is too old: list again");
  return tacenda::to_bytes(reader.rest());
}

}  // namespace

Result<std::string> seal_page(vault::Vault const& vault, PageScope const& scope,
                              HistoryListing const& listing, Time now) {
  auto const& [position, window] = listing;
  Bytes plaintext;
  ByteWriter writer(plaintext);
  writer.u64(to_unix_ms(now)).u64(position.before_sequence).u64(position.before_version);
  writer.u8(static_cast<std::uint8_t>((window.since ? 1 : 0) | (window.at ? 2 : 0)));
  if (window.since) writer.u64(to_unix_ms(*window.since));
  if (window.at) writer.u64(to_unix_ms(window.at->from)).u64(to_unix_ms(window.at->until));
  return codec::base64url_encode(
      TACENDA_TRY(vault.seal(vault::Purpose::kToken, associated_data(kPage, scope), plaintext)));
}

Result<HistoryListing> open_page(vault::Vault const& vault, PageScope const& scope, std::string_view token,
                                 Time now) {
  auto const plaintext = TACENDA_TRY(open_token(vault, kPage, scope, token, now));
  ByteReader reader(plaintext);
  HistoryListing listing;
  listing.position.before_sequence = TACENDA_TRY(reader.u64());
  listing.position.before_version = TACENDA_TRY(reader.u64());
  auto const parts = TACENDA_TRY(reader.u8());
  if ((parts & 1) != 0) listing.window.since = from_unix_ms(TACENDA_TRY(reader.u64()));
  if ((parts & 2) != 0) {
    auto const from = from_unix_ms(TACENDA_TRY(reader.u64()));
    listing.window.at = {from, from_unix_ms(TACENDA_TRY(reader.u64()))};
  }
  return listing;
}

Result<std::string> seal_search(vault::Vault const& vault, PageScope const& scope,
                                SearchListing const& listing, Time now) {
  Bytes plaintext;
  auto const& position = listing.position;
  ByteWriter writer(plaintext);
  writer.u64(to_unix_ms(now))
      .u8(listing.handling == fhir::Handling::kStrict ? 1 : 0)
      .u64(position.query)
      .u64(position.after)
      .u64(position.shown)
      .u64(listing.first_entry)
      .raw(position.list)
      .u64(position.list_at)
      .u64(position.as_of)
      .u8(static_cast<std::uint8_t>(position.values.size()));
  for (auto const& value : position.values) writer.u8(value ? 1 : 0).sized(value.value_or(""));
  writer.raw(as_bytes(listing.raw));
  return codec::base64url_encode(
      TACENDA_TRY(vault.seal(vault::Purpose::kToken, associated_data(kSearch, scope), plaintext)));
}

Result<SearchListing> open_search(vault::Vault const& vault, PageScope const& scope, std::string_view token,
                                  Time now) {
  auto const plaintext = TACENDA_TRY(open_token(vault, kSearch, scope, token, now));
  ByteReader reader(plaintext);
  SearchListing listing;
  listing.handling = TACENDA_TRY(reader.u8()) == 1 ? fhir::Handling::kStrict : fhir::Handling::kLenient;
  auto& position = listing.position;
  position.query = TACENDA_TRY(reader.u64());
  position.after = TACENDA_TRY(reader.u64());
  position.shown = TACENDA_TRY(reader.u64());
  listing.first_entry = TACENDA_TRY(reader.u64());
  std::ranges::copy(TACENDA_TRY(reader.raw(position.list.size())), position.list.begin());
  position.list_at = TACENDA_TRY(reader.u64());
  position.as_of = TACENDA_TRY(reader.u64());
  auto const values = TACENDA_TRY(reader.u8());
  for (std::size_t i = 0; i < values; ++i) {
    bool const is_there = TACENDA_TRY(reader.u8()) == 1;
    std::string value(as_text(TACENDA_TRY(reader.sized())));
    position.values.push_back(is_there ? std::optional(std::move(value)) : std::nullopt);
  }
  listing.raw = as_text(reader.rest());
  return listing;
}

}  // namespace tacenda::api

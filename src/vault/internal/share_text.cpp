#include "vault/internal/share_text.hpp"

#include <algorithm>
#include <optional>

#include "core/process.hpp"
#include "crypto/hash.hpp"

namespace tacenda::vault {
namespace {

constexpr std::string_view kPrefix = "TCS1";
constexpr std::size_t kPrefixOfAnyVersion = 3;
constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kContentBytes = 4 + 2 + 1 + 1 + kShareBytes;
constexpr std::size_t kCheckBytes = 5;
constexpr std::size_t kRawBytes = kContentBytes + kCheckBytes;
constexpr std::size_t kDigitsOfRaw = kRawBytes * 8 / 5;
static_assert(kRawBytes * 8 % 5 == 0 && kDigitsOfRaw == 18 * 4);

using Raw = Secret<struct ShareTextTag, kRawBytes>;

/// As it counts: capitals, without what only parts the groups.
char plain(std::byte byte) {
  char c = static_cast<char>(byte);
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
}

bool parts_groups(std::byte byte) {
  return byte == std::byte{'-'} || byte == std::byte{' '} || byte == std::byte{'\t'} ||
         byte == std::byte{'\r'};
}

Digest check_of(ByteView content) {
  return crypto::sha256({as_bytes("tacenda/share/1"), content});
}

/// The characters behind the prefix, as raw bytes. nullopt: some other text.
std::optional<Raw> decode_digits(ByteView text) {
  Raw raw;
  auto const out = raw.reveal_mutable();
  std::size_t seen = 0;  // characters that count, the prefix among them
  for (std::byte const byte : text) {
    if (parts_groups(byte)) continue;
    char const c = plain(byte);
    std::size_t const at = seen++;
    if (at < kPrefix.size()) {
      if (c != kPrefix[at]) return std::nullopt;
      continue;
    }
    auto const value = kDigits.find(c);
    if (value == std::string_view::npos || at - kPrefix.size() >= kDigitsOfRaw) return std::nullopt;
    for (std::size_t bit = 0; bit < 5; ++bit) {
      std::size_t const place = (at - kPrefix.size()) * 5 + bit;
      out[place / 8] |= static_cast<std::byte>((value >> (4 - bit) & 1U) << (7 - place % 8));
    }
  }
  if (seen != kPrefix.size() + kDigitsOfRaw) return std::nullopt;
  return raw;
}

}  // namespace

bool begins_like_share(ByteView text) {
  std::size_t seen = 0;
  for (std::byte const byte : text) {
    if (parts_groups(byte)) continue;
    char const c = plain(byte);
    if (seen == kPrefixOfAnyVersion) return c >= '0' && c <= '9';
    if (c != kPrefix[seen++]) return false;
  }
  return false;
}

SecretBuffer encode_share(ShareText const& share) {
  TACENDA_ASSERT(share.share.bytes.size() == kShareBytes);
  Raw raw;
  auto const bytes = raw.reveal_mutable();
  Bytes head;
  ByteWriter(head).raw(share.store).u16(share.slot).u8(share.share.index).u8(share.threshold);
  auto const behind = std::ranges::copy(head, bytes.begin()).out;
  std::ranges::copy(share.share.bytes.reveal(), behind);
  auto const check = check_of(raw.reveal().first(kContentBytes));
  std::ranges::copy(ByteView(check).first(kCheckBytes), bytes.last(kCheckBytes).begin());
  SecretBuffer text(kShareTextBytes);
  auto out = std::ranges::copy(as_bytes(kPrefix), text.reveal_mutable().begin()).out;
  for (std::size_t digit = 0; digit < kDigitsOfRaw; ++digit) {
    if (digit % 4 == 0) *out++ = std::byte{'-'};
    unsigned value = 0;
    for (std::size_t place = digit * 5; place < digit * 5 + 5; ++place)
      value = value << 1U | (std::to_integer<unsigned>(bytes[place / 8]) >> (7 - place % 8) & 1U);
    *out++ = static_cast<std::byte>(kDigits[value]);
  }
  return text;
}

Result<ShareText> decode_share(ByteView text) {
  auto const raw = decode_digits(text);
  if (!raw) return fail(ErrorKind::kInvalid, "this is no share, or it was mistyped");
  auto const content = raw->reveal().first<kContentBytes>();
  auto const check = check_of(content);
  if (!crypto::equal_constant_time(ByteView(check).first(kCheckBytes), raw->reveal().last(kCheckBytes)))
    return fail(ErrorKind::kInvalid,
                "the share was mistyped: compare it with what is written, group by group");
  ByteReader reader(content);
  ShareText share;
  std::ranges::copy(TACENDA_TRY(reader.raw(share.store.size())), share.store.begin());
  share.slot = TACENDA_TRY(reader.u16());
  share.share.index = TACENDA_TRY(reader.u8());
  share.threshold = TACENDA_TRY(reader.u8());
  if (share.threshold < 2 || share.share.index == 0)
    return fail(ErrorKind::kInvalid, "this is no share, or it was mistyped");
  share.share.bytes = SecretBuffer(reader.rest());
  return share;
}

}  // namespace tacenda::vault

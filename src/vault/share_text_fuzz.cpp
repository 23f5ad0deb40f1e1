// What somebody types as a share. What is taken for one is written as one text, whatever it was typed like.
#include "vault/internal/share_text.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  ByteView const input = std::as_bytes(std::span(data, size));
  auto const share = vault::decode_share(input);
  if (!share.has_value()) return 0;
  TACENDA_ASSERT(vault::begins_like_share(input));
  TACENDA_ASSERT(share->share.index != 0 && share->share.bytes.size() == vault::kShareBytes);
  auto const text = vault::encode_share(*share);
  auto const again = vault::decode_share(text.reveal());
  TACENDA_ASSERT(again.has_value() && vault::encode_share(*again) == text);
  TACENDA_ASSERT(again->slot == share->slot && again->threshold == share->threshold &&
                 again->share.index == share->share.index && again->share.bytes == share->share.bytes);
  return 0;
}

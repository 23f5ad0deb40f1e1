// Rows of the directory; the first byte chooses which. What was read must survive being written and read.
#include "identity/internal/account.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  if (size == 0) return 0;
  ByteView const input = std::as_bytes(std::span(data + 1, size - 1));
  if (data[0] == 'x') {
    auto const provisioned = identity::decode_provisioned(input);
    if (provisioned.has_value()) TACENDA_ASSERT(equal(identity::encode_provisioned(**provisioned), input));
    return 0;
  }
  if (data[0] == 'o') {
    auto const link = identity::decode_provider_link(input);
    if (link.has_value()) TACENDA_ASSERT(equal(identity::encode_provider_link(**link), input));
    return 0;
  }
  if (data[0] == 'z') {
    auto const sealed = identity::decode_sealed(input);
    if (sealed.has_value()) TACENDA_ASSERT(equal(identity::encode_sealed(**sealed), input));
    return 0;
  }
  if (data[0] == 'm') {
    auto const mode = identity::decode_emergency_mode(input);
    if (mode.has_value()) TACENDA_ASSERT(equal(identity::encode_emergency_mode(*mode), input));
    return 0;
  }
  if (data[0] == 'g') {
    auto const group = identity::decode_group(input);
    if (group.has_value()) TACENDA_ASSERT(equal(identity::encode_group(**group), input));
    return 0;
  }
  if (data[0] % 5 == 0) {
    auto const account = identity::decode_account(input);
    if (!account.has_value()) return 0;
    auto const written = identity::encode_account(**account);
    auto const again = identity::decode_account(written.reveal());
    TACENDA_ASSERT(again.has_value() && (*again)->name == (*account)->name &&
                   (*again)->enabled == (*account)->enabled &&
                   (*again)->token_epoch == (*account)->token_epoch &&
                   (*again)->enrolment.has_value() == (*account)->enrolment.has_value());
    return 0;
  }
  auto const id = UserId::parse("fuzz");
  auto const account = std::make_shared<identity::Account>(*id);
  if (data[0] % 5 == 1) {
    if (!identity::decode_counters(input, *account).has_value()) return 0;
    TACENDA_ASSERT(equal(identity::encode_counters(*account), input));
    return 0;
  }
  if (data[0] % 5 == 3) {
    if (!identity::decode_factors(input, *account).has_value()) return 0;
    TACENDA_ASSERT(equal(identity::encode_factors(*account), input));
    return 0;
  }
  if (data[0] % 5 == 4) {
    auto const standing = identity::decode_standing(input);
    if (!standing.has_value()) return 0;
    auto const again = identity::decode_standing(identity::encode_standing(**standing));
    TACENDA_ASSERT(again.has_value() && (*again)->networks == (*standing)->networks &&
                   (*again)->until == (*standing)->until);
    return 0;
  }
  auto const decoded = identity::decode_token(input);
  if (!decoded.has_value()) return 0;
  decoded->token->account = account;
  auto const again = identity::decode_token(identity::encode_token(*decoded->token));
  TACENDA_ASSERT(again.has_value() && again->token->epoch == decoded->token->epoch &&
                 again->token->expires == decoded->token->expires &&
                 again->token->method == decoded->token->method);
  return 0;
}

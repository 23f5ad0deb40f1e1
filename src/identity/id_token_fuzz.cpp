// An id_token and a JWKS, with a line break between them: whatever they are, nothing is signed by a key that
// the fuzzer does not have.
#include "identity/id_token.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const end = text.find('\n');
  identity::IdTokenRules const rules{"https://login.example.org", "tacenda", "nonce",
                                     std::chrono::seconds(60), from_unix_ms(1'790'000'000'000)};
  auto const keys =
      identity::provider_keys(end == std::string_view::npos ? std::string_view() : text.substr(end + 1));
  std::vector<identity::ProviderKey> const none;
  auto const token = identity::check_id_token(text.substr(0, end), keys.has_value() ? *keys : none, rules);
  TACENDA_ASSERT(!token.has_value() || (keys.has_value() && !keys->empty() && !token->subject.empty()));
  return 0;
}

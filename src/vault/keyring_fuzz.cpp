// The keyring: the file as it lies on the disk, and a plaintext that was sealed well but says anything.
#include "vault/internal/keyring.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"
#include "vault/internal/envelope.hpp"

namespace {

class CountingRandom final : public tacenda::crypto::Random {
 public:
  tacenda::Result<void> fill(std::span<std::byte> out) override {
    for (auto& byte : out) byte = static_cast<std::byte>(next_++);
    return {};
  }

 private:
  unsigned next_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  ByteView const input = std::as_bytes(std::span(data, size));
  vault::RootKey const root;
  std::array<std::byte, 16> const store_id{};
  CountingRandom random;
  TACENDA_ASSERT(!vault::open_keyring(input, root, store_id).has_value());

  for (auto const version : {std::uint16_t{1}, std::uint16_t{2}}) {
    Bytes file;
    ByteWriter(file).raw(as_bytes("TCNDRING")).u16(version).u64(3).raw(store_id);
    Bytes const header = file;
    auto const key = vault::derive_aead_key(root.reveal(), "tacenda/keyring/1");
    TACENDA_ASSERT(vault::seal_once(key, random, header, input, file).has_value());
    auto const keyring = vault::open_keyring(file, root, store_id);
    if (!keyring.has_value()) continue;
    auto const again = vault::seal_keyring(keyring->clone(), root, store_id, random);
    TACENDA_ASSERT(again.has_value());
    auto const reread = vault::open_keyring(*again, root, store_id);
    TACENDA_ASSERT(reread.has_value() && reread->generation == 3 &&
                   reread->purposes.size() == keyring->purposes.size() &&
                   reread->secrets.size() == keyring->secrets.size());
  }
  return 0;
}

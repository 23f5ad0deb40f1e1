#include "crypto/running_hash.hpp"

#include "crypto/internal/openssl.hpp"

namespace tacenda::crypto {

using internal::must;

struct RunningSha256::State {
  internal::MdContext context{must(EVP_MD_CTX_new())};
};

RunningSha256::RunningSha256() : state_(std::make_unique<State>()) {
  must(EVP_DigestInit_ex2(state_->context.get(), internal::sha256_algorithm(), nullptr));
}
RunningSha256::~RunningSha256() = default;
RunningSha256::RunningSha256(RunningSha256&&) noexcept = default;
RunningSha256& RunningSha256::operator=(RunningSha256&&) noexcept = default;

void RunningSha256::add(ByteView bytes) {
  must(EVP_DigestUpdate(state_->context.get(), internal::in(bytes), bytes.size()));
}

Digest RunningSha256::finish() {
  Digest digest;
  must(EVP_DigestFinal_ex(state_->context.get(), internal::out(digest), nullptr));
  return digest;
}

}  // namespace tacenda::crypto

#include <benchmark/benchmark.h>

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/lthash.hpp"
#include "crypto/nonce.hpp"
#include "crypto/password.hpp"
#include "crypto/random.hpp"
#include "crypto/signature.hpp"

namespace tacenda::crypto {
namespace {

constexpr std::size_t kRecordBytes = 2'048;

void xaes_seal(benchmark::State& state) {
  Xaes256Gcm const aead{AeadKey()};
  Bytes const plaintext(kRecordBytes);
  Bytes out;
  for (auto _ : state) {
    out.clear();
    aead.seal({}, {}, plaintext, out);
  }
}

void xaes_open(benchmark::State& state) {
  Xaes256Gcm const aead{AeadKey()};
  Bytes sealed;
  aead.seal({}, {}, Bytes(kRecordBytes), sealed);
  Bytes out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(aead.open({}, {}, sealed, out));
  }
}

void gcm_seal(benchmark::State& state) {
  Aes256Gcm const aead{AeadKey()};
  Bytes const plaintext(static_cast<std::size_t>(state.range(0)));
  Bytes out(plaintext.size() + kTagBytes);
  for (auto _ : state) aead.seal({}, {}, plaintext, out);
}

void hashes(benchmark::State& state) {
  Bytes const bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(sha256(bytes));
}

void hmac_sign(benchmark::State& state) {
  Hmac const hmac{MacKey()};
  Bytes const message(32);
  for (auto _ : state) benchmark::DoNotOptimize(hmac.sign({message}));
}

void hedged_nonce(benchmark::State& state) {
  SystemRandom random;
  HedgedNonces nonces(MacKey(), random);
  Bytes const plaintext(kRecordBytes);
  Bytes const associated_data(100);
  for (auto _ : state) benchmark::DoNotOptimize(nonces.next(associated_data, plaintext));
}

void ed25519_sign(benchmark::State& state) {
  auto const signer = Ed25519Signer::create(Ed25519Seed()).value();
  Bytes const message(150);
  for (auto _ : state) benchmark::DoNotOptimize(signer.sign(message));
}

void ed25519_check(benchmark::State& state) {
  auto const signer = Ed25519Signer::create(Ed25519Seed()).value();
  Bytes const message(150);
  auto const signature = signer.sign(message).value();
  auto const key = signer.public_key();
  for (auto _ : state) benchmark::DoNotOptimize(ed25519_verify(key, message, signature));
}

void lthash_add(benchmark::State& state) {
  LtHash const hash{MacKey()};
  LtHashSum sum;
  Bytes const item(80);
  for (auto _ : state) hash.add(sum, item);
  benchmark::DoNotOptimize(sum);
}

void random_nonce(benchmark::State& state) {
  SystemRandom random;
  XaesNonce nonce{};
  for (auto _ : state) benchmark::DoNotOptimize(random.fill(nonce));
}

void hkdf_key(benchmark::State& state) {
  Bytes const key(32);
  for (auto _ : state) benchmark::DoNotOptimize(hkdf(HkdfHash::kSha256, key, {}, as_bytes("label"), 32));
}

void argon2id_login(benchmark::State& state) {
  Bytes const salt(16);
  for (auto _ : state) benchmark::DoNotOptimize(argon2id(as_bytes("password"), salt, {}, 32));
}

BENCHMARK(xaes_seal);
BENCHMARK(xaes_open);
BENCHMARK(gcm_seal)->Arg(2'048)->Arg(16'384);
BENCHMARK(hashes)->Arg(65)->Arg(2'048);
BENCHMARK(hmac_sign);
BENCHMARK(hedged_nonce);
BENCHMARK(ed25519_sign);
BENCHMARK(ed25519_check);
BENCHMARK(lthash_add);
BENCHMARK(random_nonce);
BENCHMARK(hkdf_key);
BENCHMARK(argon2id_login)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tacenda::crypto

BENCHMARK_MAIN();

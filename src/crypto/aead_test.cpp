#include "crypto/aead.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "crypto/internal/openssl.hpp"
#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

using testing::array_of;
using testing::from_hex;
using testing::hex_of;
using testing::secret_of;
using testing::to_hex;

AeadKey key_of(unsigned char byte) {
  return secret_of<AeadKey>(Bytes(32, std::byte{byte}));
}

Bytes text_of(simdjson::dom::element vector, std::string_view name) {
  return to_bytes(std::string_view(vector[name]));
}

TEST(Xaes256Gcm, GivesTheAnswersOfTheSpecification) {
  simdjson::dom::parser parser;
  simdjson::dom::element const root = parser.load(testing::vector_path("xaes-256-gcm/vectors.json"));
  std::size_t count = 0;
  for (simdjson::dom::element const vector : simdjson::dom::array(root["vectors"])) {
    SCOPED_TRACE(count);
    Xaes256Gcm const aead(secret_of<AeadKey>(hex_of(vector, "key")));
    auto const nonce = array_of<XaesNonce>(text_of(vector, "nonce_ascii"));
    Bytes const aad = text_of(vector, "aad_ascii");
    Bytes sealed;
    aead.seal(nonce, aad, text_of(vector, "plaintext_ascii"), sealed);
    EXPECT_EQ(to_hex(sealed), std::string_view(vector["ciphertext_and_tag"]));
    Bytes opened;
    ASSERT_TRUE(aead.open(nonce, aad, sealed, opened).has_value());
    EXPECT_EQ(opened, text_of(vector, "plaintext_ascii"));
    ++count;
  }
  EXPECT_EQ(count, 2U);
}

// The random stream of the specification's accumulated test: SHAKE-128 of nothing. OpenSSL 3.0 squeezes an
// output once only, so the whole of it is drawn at the start.
class Stream {
 public:
  explicit Stream(std::size_t size_bytes) : bytes_(size_bytes) {
    internal::MdContext const context(EVP_MD_CTX_new());
    internal::must(EVP_DigestInit_ex(context.get(), EVP_shake128(), nullptr));
    internal::must(EVP_DigestFinalXOF(context.get(), internal::out(bytes_), bytes_.size()));
  }
  ByteView take(std::size_t size_bytes) {
    ByteView const taken = ByteView(bytes_).subspan(position_, size_bytes);
    position_ += size_bytes;
    return taken;
  }
  ByteView take_sized() { return take(std::to_integer<std::size_t>(take(1)[0])); }

 private:
  Bytes bytes_;
  std::size_t position_ = 0;
};

std::string accumulate(std::size_t iterations) {
  Stream stream(iterations * 330);  // 313 bytes an iteration on average
  internal::MdContext const hash(EVP_MD_CTX_new());
  internal::must(EVP_DigestInit_ex(hash.get(), EVP_shake128(), nullptr));
  Bytes sealed;
  Bytes opened;
  for (std::size_t i = 0; i < iterations; ++i) {
    Xaes256Gcm const aead(secret_of<AeadKey>(stream.take(32)));
    auto const nonce = array_of<XaesNonce>(stream.take(24));
    ByteView const plaintext = stream.take_sized();
    ByteView const aad = stream.take_sized();
    sealed.clear();
    opened.clear();
    aead.seal(nonce, aad, plaintext, sealed);
    if (!aead.open(nonce, aad, sealed, opened) || !equal(opened, plaintext)) return "does not open";
    internal::must(EVP_DigestUpdate(hash.get(), sealed.data(), sealed.size()));
  }
  Bytes digest(32);
  internal::must(EVP_DigestFinalXOF(hash.get(), internal::out(digest), digest.size()));
  return to_hex(digest);
}

std::string expected_accumulation(std::string_view name) {
  simdjson::dom::parser parser;
  simdjson::dom::element const root = parser.load(testing::vector_path("xaes-256-gcm/vectors.json"));
  return std::string(std::string_view(root["accumulated"][name]));
}

TEST(Xaes256Gcm, GivesTheAccumulatedHashOfTenThousandMessages) {
  EXPECT_EQ(accumulate(10'000), expected_accumulation("after_10000"));
}

TEST(Xaes256Gcm, GivesTheAccumulatedHashOfAMillionMessages) {
  EXPECT_EQ(accumulate(1'000'000), expected_accumulation("after_1000000"));
}

TEST(Xaes256Gcm, RefusesWhateverDiffersByOneBit) {
  Xaes256Gcm const aead(key_of(1));
  XaesNonce const nonce{};
  Bytes const aad = to_bytes("Patient/1/_history/2");
  Bytes sealed;
  aead.seal(nonce, aad, as_bytes("a plaintext"), sealed);
  Bytes out = to_bytes("kept");
  auto const expect_refused = [&](Xaes256Gcm const& with, XaesNonce const& n, ByteView a, ByteView s) {
    EXPECT_EQ(with.open(n, a, s, out).error().kind(), ErrorKind::kCorrupt);
    EXPECT_EQ(as_text(out), "kept");
  };
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= std::byte{1};
    expect_refused(aead, nonce, aad, changed);
  }
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    XaesNonce changed = nonce;
    changed[i] ^= std::byte{0x80};
    expect_refused(aead, changed, aad, sealed);
  }
  expect_refused(aead, nonce, as_bytes("Patient/1/_history/3"), sealed);
  expect_refused(aead, nonce, {}, sealed);
  expect_refused(Xaes256Gcm(key_of(2)), nonce, aad, sealed);
}

TEST(Xaes256Gcm, RefusesEveryTruncation) {
  Xaes256Gcm const aead(key_of(1));
  Bytes sealed;
  aead.seal({}, {}, as_bytes("text"), sealed);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    Bytes out;
    EXPECT_EQ(aead.open({}, {}, ByteView(sealed).first(size), out).error().kind(), ErrorKind::kCorrupt);
    EXPECT_TRUE(out.empty());
  }
}

TEST(Xaes256Gcm, AppendsBehindWhatIsThere) {
  Xaes256Gcm const aead(key_of(1));
  Bytes sealed = to_bytes("header");
  aead.seal({}, {}, as_bytes("text"), sealed);
  Bytes opened = to_bytes("before ");
  ASSERT_TRUE(aead.open({}, {}, ByteView(sealed).subspan(6), opened).has_value());
  EXPECT_EQ(as_text(opened), "before text");
}

TEST(Xaes256Gcm, SealsAndOpensFromManyThreadsAtOnce) {
  Xaes256Gcm const aead(key_of(7));
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (unsigned j = 0; j < 1'000; ++j) {
          XaesNonce const nonce{std::byte(i), std::byte(j & 0xffU), std::byte(j >> 8U)};
          Bytes const plaintext(j, std::byte(i));
          Bytes sealed;
          Bytes opened;
          aead.seal(nonce, {}, plaintext, sealed);
          failures += !aead.open(nonce, {}, sealed, opened).has_value() || opened != plaintext;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
}

TEST(Aes256Gcm, GivesTheAnswersOfWycheproof) {
  auto const count = testing::for_each_wycheproof("aes_gcm_test.json", [](auto group, auto test) {
    if (std::int64_t(group["keySize"]) != 256 || std::int64_t(group["ivSize"]) != 96 ||
        std::int64_t(group["tagSize"]) != 128) {
      return false;  // what the product does not have
    }
    Aes256Gcm const aead(secret_of<AeadKey>(hex_of(test, "key")));
    auto const nonce = array_of<GcmNonce>(hex_of(test, "iv"));
    Bytes const aad = hex_of(test, "aad");
    Bytes const message = hex_of(test, "msg");
    Bytes expected = hex_of(test, "ct");
    append(expected, hex_of(test, "tag"));

    Bytes sealed(message.size() + kTagBytes);
    aead.seal(nonce, aad, message, sealed);
    EXPECT_EQ(sealed == expected, testing::is_valid(test));
    Bytes opened(message.size(), std::byte{0xee});
    EXPECT_EQ(aead.open(nonce, aad, expected, opened).has_value(), testing::is_valid(test));
    // A plaintext that was not authenticated is not left behind.
    EXPECT_EQ(opened, testing::is_valid(test) ? message : Bytes(message.size()));
    return true;
  });
  EXPECT_EQ(count, 66U);
}

TEST(Aes256Gcm, GivesTheAnswersOfBotan) {
  std::size_t applied = 0;
  auto const count = testing::for_each_botan({"gcm.vec", "AES-256/GCM", "Out"}, [&](auto const& values) {
    Bytes const nonce = from_hex(values.at("Nonce"));
    if (nonce.size() != kGcmNonceBytes) return;
    ++applied;
    Bytes const aad = values.contains("AD") ? from_hex(values.at("AD")) : Bytes();
    Bytes const message = from_hex(values.at("In"));
    Aes256Gcm const aead(secret_of<AeadKey>(from_hex(values.at("Key"))));
    Bytes sealed(message.size() + kTagBytes);
    aead.seal(array_of<GcmNonce>(nonce), aad, message, sealed);
    EXPECT_EQ(to_hex(sealed), to_hex(from_hex(values.at("Out"))));
  });
  EXPECT_EQ(count, 7U);
  EXPECT_EQ(applied, 5U);
}

TEST(Aes256Gcm, OneObjectServesManyThreads) {
  Aes256Gcm const aead(key_of(9));
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (unsigned j = 0; j < 1'000; ++j) {
          GcmNonce const nonce{std::byte(i), std::byte(j & 0xffU), std::byte(j >> 8U)};
          Bytes const plaintext(100, std::byte(j & 0xffU));
          Bytes sealed(116);
          Bytes opened(100);
          aead.seal(nonce, {}, plaintext, sealed);
          failures += !aead.open(nonce, {}, sealed, opened).has_value() || opened != plaintext;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace tacenda::crypto

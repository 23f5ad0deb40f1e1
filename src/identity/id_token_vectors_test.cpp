// Known answers of others, along the way that a token takes here: a set of keys, the compact form, a
// signature.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "identity/id_token.hpp"

namespace tacenda::identity {
namespace {

using codec::Json;

Json vector_of(std::string const& name) {
  std::ifstream in(TACENDA_SOURCE_DIR "/tests/vectors/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return codec::parse_json(text.str()).value();
}

/// False also when the set or the compact form is refused.
bool is_taken(Json const& key, std::string_view compact) {
  auto const keys = provider_keys(R"({"keys":[)" + codec::write_json(key) + "]}");
  if (!keys.has_value()) return false;
  auto const jws = codec::parse_jws(compact);
  return jws.has_value() && check_signature(*jws, *keys).has_value();
}

bool is_known_algorithm(std::string_view compact) {
  auto const jws = codec::parse_jws(compact);
  if (!jws.has_value()) return false;
  auto const name = jws->algorithm();
  return name == "RS256" || name == "RS384" || name == "ES256" || name == "ES384";
}

// Among them: `none` in two spellings, HMAC under the text of a public key, keys for encryption, padding that
// was tampered with, signatures of the wrong length. What is valid under PSS, HMAC, P-521 or SHA-512 is
// refused.
TEST(JsonWebSignature, GivesTheAnswersOfWycheproof) {
  auto const file = vector_of("wycheproof/json_web_signature_test.json");
  std::size_t count = 0;
  std::size_t taken = 0;
  for (auto const& group : file.find("testGroups")->items()) {
    auto const* key = group.find("public");
    if (key == nullptr) key = group.find("private");  // HMAC has no other
    for (auto const& test : group.find("tests")->items()) {
      SCOPED_TRACE("tcId " + std::string(test.find("tcId")->number_text()));
      auto const compact = test.text_of("jws");
      bool const is_good = test.text_of("result") == "valid" && is_known_algorithm(compact);
      EXPECT_EQ(is_taken(*key, compact), is_good) << test.text_of("comment");
      ++count;
      taken += is_good ? 1U : 0U;
    }
  }
  EXPECT_EQ(count, 401U);
  EXPECT_EQ(taken, 14U);
}

// RFC 7520 section 4: the keys of section 3 under the signatures of section 4.
TEST(JsonWebSignature, OfTheCookbookIsVerified) {
  auto const rsa = vector_of("jose-cookbook/jwk/3_3.rsa_public_key.json");
  auto const signed_by = [](char const* name) {
    auto const vector = vector_of("jose-cookbook/jws/" + std::string(name) + ".json");
    return std::string(vector.find("output")->text_of("compact"));
  };
  auto const compact = signed_by("4_1.rsa_v15_signature");
  EXPECT_TRUE(is_taken(rsa, compact));
  auto const at = compact.find('.') + 5;
  std::string other = compact;
  other[at] = other[at] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(is_taken(rsa, other)) << "another payload";
  EXPECT_FALSE(is_taken(rsa, signed_by("4_2.rsa-pss_signature"))) << "PSS";
  EXPECT_FALSE(
      is_taken(vector_of("jose-cookbook/jwk/3_1.ec_public_key.json"), signed_by("4_3.ecdsa_signature")))
      << "P-521";
  EXPECT_FALSE(is_taken(vector_of("jose-cookbook/jwk/3_5.symmetric_key_mac_computation.json"),
                        signed_by("4_4.hmac-sha2_integrity_protection")))
      << "a secret that both sides know proves nothing to a third";
}

}  // namespace
}  // namespace tacenda::identity

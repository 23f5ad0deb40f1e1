#include "authorization/client.hpp"

#include <gtest/gtest.h>

#include "authorization/assertion_testing.hpp"

namespace tacenda::authorization {
namespace {

using testing::TestKey;

std::string set_of(std::initializer_list<codec::Json> keys) {
  std::string text = R"({"keys":[)";
  for (auto const& key : keys) text += codec::write_json(key) + ",";
  text.back() = ']';
  return text + "}";
}

TEST(ClientKeys, AreThoseThatSmartSignsWith) {
  auto const keys = client_keys(set_of({TestKey::rsa().jwk("a"), TestKey::ec().jwk("b")}));
  ASSERT_TRUE(keys.has_value());
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ(keys->front().algorithm, crypto::WebAlgorithm::kRs384);
  EXPECT_EQ(keys->back().algorithm, crypto::WebAlgorithm::kEs384);
  // P-256 is no key of ES384: passed over beside another, refused alone.
  EXPECT_EQ(client_keys(set_of({TestKey::ec("P-256").jwk("c"), TestKey::ec().jwk("b")}))->size(), 1U);
  EXPECT_FALSE(client_keys(set_of({TestKey::ec("P-256").jwk("c")})).has_value());
}

TEST(ClientKeys, ThatAreAmbiguousOrPrivateRefuseTheSetAndThoseOfNoUseArePassedOver) {
  auto const key = TestKey::rsa();
  auto const good = TestKey::ec().jwk("good");
  auto for_another = key.jwk("a");
  for_another.set("alg", codec::Json::string("RS256"));
  for (auto const& useless :
       {key.jwk(""), TestKey::rsa(1'024).jwk("a"), for_another, key.jwk(std::string(257, 'k'))}) {
    auto const keys = client_keys(set_of({useless, good}));
    ASSERT_TRUE(keys.has_value()) << codec::write_json(useless);
    ASSERT_EQ(keys->size(), 1U);
    EXPECT_EQ(keys->front().key_id, "good");
  }
  EXPECT_FALSE(client_keys(set_of({key.jwk("a"), TestKey::ec().jwk("a")})).has_value());
  EXPECT_FALSE(client_keys(set_of({key.jwk("")})).has_value());
  EXPECT_FALSE(client_keys(set_of({TestKey::rsa(1'024).jwk("a")})).has_value());
  auto other = key.jwk("a");
  other.set("alg", codec::Json::string("RS256"));
  EXPECT_FALSE(client_keys(set_of({other})).has_value());
  auto secret = key.jwk("a");
  secret.set("d", codec::Json::string("AQAB"));
  EXPECT_FALSE(client_keys(set_of({secret})).has_value());
  EXPECT_FALSE(client_keys(set_of({secret, good})).has_value());
  EXPECT_FALSE(client_keys(R"({"keys":[]})").has_value());
  EXPECT_FALSE(client_keys("").has_value());
}

TEST(RedirectUri, IsOneThatOnlyItsApplicationCanBeSentTo) {
  for (auto const* uri :
       {"https://app.example.org/cb", "https://app.example.org:8443/cb?x=1", "http://127.0.0.1:4000/cb",
        "http://localhost/", "http://[::1]:1/cb", "com.example.app:/cb", "com.example.app://cb"}) {
    EXPECT_TRUE(is_redirect_uri(uri)) << uri;
  }
  for (auto const* uri : {"",
                          "https://",
                          "https:///cb",
                          "http://app.example.org/cb",
                          "http://127.0.0.1.evil.example/cb",
                          "http://localhost.evil.example/",
                          "http://localhost@evil.example/",
                          "https://a@evil.example/",
                          "https://app.example.org/cb#x",
                          "javascript:alert(1)",
                          "data:text/html,x",
                          "app:/cb",
                          "/cb",
                          "https://app.example.org/ cb",
                          "https://app.example.org/cb;x",
                          "https://app.example.org/\"",
                          "https://app.example.org/cb'",
                          "https://app.example.org,evil/",
                          "https://app.example.org:/cb",
                          "https://app.example.org:x/cb",
                          "HTTPS://app.example.org/cb",
                          "com.example.app:",
                          "https://\xc3\xa4.example/",
                          ".com:/cb"}) {
    EXPECT_FALSE(is_redirect_uri(uri)) << uri;
  }
}

TEST(ClientRow, IsReadAsItWasWritten) {
  Client client;
  client.id = "app";
  client.title = "Growth chart";
  client.kind = Client::Kind::kConfidential;
  client.enabled = false;
  client.scopes = codec::parse_scopes("launch/patient patient/*.rs").value();
  client.jwks = set_of({TestKey::ec().jwk("b")});
  client.redirect_uris = {"https://app.example.org/cb", "https://app.example.org/other"};
  client.certificate.emplace().fill(std::byte{7});
  client.binds_tokens = true;
  client.networks = {"10.20.0.0/16", "fd00::/8"};
  client.revision = 7;
  auto const row = encode_client(client);
  auto const read = decode_client(row);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->title, "Growth chart");
  EXPECT_FALSE(read->enabled);
  EXPECT_EQ(read->keys.size(), 1U);
  EXPECT_EQ(read->redirect_uris, client.redirect_uris);
  EXPECT_EQ(read->certificate, client.certificate);
  EXPECT_TRUE(read->binds_tokens);
  EXPECT_EQ(read->networks, client.networks);
  EXPECT_EQ(read->revision, 7U);
  EXPECT_TRUE(read->allowed.contains("10.20.3.4"));
  EXPECT_FALSE(read->allowed.contains("10.21.3.4"));
  EXPECT_TRUE(equal(encode_client(*read), row));
  for (std::size_t size = 0; size < row.size(); ++size)
    EXPECT_FALSE(decode_client(ByteView(row).first(size)).has_value()) << size;
  auto longer = row;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_client(longer).has_value());
}

TEST(ClientRow, N05OfBeforeThereWereNetworksLetsItsApplicationInFromAnywhere) {
  Client client;
  client.id = "app";
  client.kind = Client::Kind::kPublic;
  client.scopes = codec::parse_scopes("patient/*.rs").value();
  auto row = encode_client(client);
  row.front() = std::byte{3};
  row.resize(row.size() - 5);  // flag of the networks, revision
  auto const read = decode_client(row);
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->networks);
  EXPECT_TRUE(read->allowed.contains("203.0.113.9"));
  client.networks = {"no network"};
  EXPECT_FALSE(decode_client(encode_client(client)).has_value()) << "never one that lets everybody in";
}

}  // namespace
}  // namespace tacenda::authorization

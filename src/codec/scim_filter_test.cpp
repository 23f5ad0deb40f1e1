#include "codec/scim_filter.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

/// RFC 7643 section 8.2, cut, with texts of our own where a test needs them.
constexpr char kUser[] = R"({
  "id": "2819C223", "externalId": "Ext-7", "userName": "bjensen@example.com",
  "name": {"familyName": "O'Malley", "givenName": "Barbara"},
  "emails": [{"value": "bjensen@example.com", "type": "work", "primary": true},
             {"value": "babs@jensen.org", "type": "home"}],
  "title": "", "active": true, "rank": 42,
  "meta": {"lastModified": "2011-05-13T04:42:34.000Z"},
  "groups": [{"value": "e9e30dba"}, {"value": "fc348aa8"}]
})";

bool meets(std::string_view text) {
  auto const filter = parse_scim_filter(text);
  EXPECT_TRUE(filter.has_value()) << text << ": " << (filter ? "" : filter.error().message());
  auto const user = parse_json(kUser);
  return filter.has_value() && matches(*filter, *user);
}

ErrorKind refusal_of(std::string_view text) {
  auto const filter = parse_scim_filter(text);
  EXPECT_FALSE(filter.has_value()) << text;
  return filter.has_value() ? ErrorKind::kBug : filter.error().kind();
}

// RFC 7644 section 3.4.2.2, the examples that a User can meet.
TEST(ScimFilter, AnswersTheExamplesOfTheStandard) {
  EXPECT_TRUE(meets(R"(userName eq "bjensen@example.com")"));
  EXPECT_TRUE(meets(R"(name.familyName co "O'Malley")"));
  EXPECT_TRUE(meets(R"(userName sw "B")"));
  EXPECT_TRUE(meets(R"(urn:ietf:params:scim:schemas:core:2.0:User:userName sw "B")"));
  EXPECT_FALSE(meets("title pr"));
  EXPECT_TRUE(meets(R"(meta.lastModified gt "2011-05-13T04:42:33Z")"));
  EXPECT_TRUE(meets(R"(meta.lastModified ge "2011-05-13T04:42:34Z")"));
  EXPECT_FALSE(meets(R"(meta.lastModified lt "2011-05-13T04:42:34Z")"));
  EXPECT_TRUE(meets(R"(meta.lastModified le "2011-05-13T06:42:34+02:00")"));
  EXPECT_FALSE(meets(R"(title pr and userType eq "Employee")"));
  EXPECT_TRUE(meets(R"(title pr or userName eq "BJENSEN@example.com")"));
  EXPECT_TRUE(
      meets(R"(userType ne "Employee" and not (emails co "example.org" or emails.value co "x.org"))"));
  EXPECT_TRUE(meets(R"(emails[type eq "work" and value co "@example.com"])"));
  EXPECT_FALSE(meets(R"(emails[type eq "home" and value co "@example.com"])"));
  EXPECT_TRUE(meets(R"(emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp"])"));
}

TEST(ScimFilter, BindsAndCloserThanOr) {
  EXPECT_TRUE(meets(R"(active eq true or active eq false and id eq "nobody")"));
  EXPECT_FALSE(meets(R"((active eq true or active eq false) and id eq "nobody")"));
  EXPECT_TRUE(meets(R"(id eq "nobody" and active eq false or active eq true)"));
}

TEST(ScimFilter, ComparesIdsExactlyAndOtherTextsInAnyCase) {
  EXPECT_TRUE(meets(R"(EXTERNALID EQ "Ext-7")"));
  EXPECT_FALSE(meets(R"(externalId eq "ext-7")"));
  EXPECT_FALSE(meets(R"(id eq "2819c223")"));
  EXPECT_TRUE(meets(R"(USERNAME ew "EXAMPLE.COM")"));
}

TEST(ScimFilter, TakesAValueForWhatItIs) {
  EXPECT_TRUE(meets("active eq true"));
  EXPECT_FALSE(meets(R"(active eq "true")"));
  EXPECT_TRUE(meets("rank gt 41.5"));
  EXPECT_FALSE(meets("rank lt 4.2e1"));
  EXPECT_TRUE(meets("title eq null"));
  EXPECT_TRUE(meets("nickName eq null"));
  EXPECT_FALSE(meets("userName eq null"));
  EXPECT_TRUE(meets(R"(groups eq "fc348aa8" and groups.value eq "e9e30dba")"));
  EXPECT_FALSE(meets(R"(groups eq "another")"));
}

TEST(ScimFilter, ReadsTextsWithEscapesAndBrackets) {
  EXPECT_FALSE(meets(R"(userName eq "a\"b ) and ]")"));
  EXPECT_TRUE(meets(R"(userName eq "bjensen\u0040example.com")"));
}

TEST(ScimFilter, RefusesWhatIsNoFilter) {
  for (auto const* text : {"",
                           " ",
                           "userName",
                           "userName eq",
                           "userName is \"a\"",
                           "userName eq \"a",
                           "userName eq a",
                           "eq \"a\"",
                           "userName eq \"a\" and",
                           "userName eq \"a\" userName eq \"b\"",
                           "(active eq true",
                           "active eq true)",
                           "emails[type eq \"work\"",
                           "not active eq true",
                           "name. eq \"a\"",
                           "name.a.b eq \"a\"",
                           "a:b eq 1",
                           "active gt true",
                           "title co null",
                           "userName eq [1]",
                           "userName eq {}",
                           "1a eq 1",
                           "userName eq \"\\x\""})
    EXPECT_EQ(refusal_of(text), ErrorKind::kInvalid) << text;
}

TEST(ScimFilter, RefusesMoreThanItsBounds) {
  std::string deep(kScimFilterDepth + 1, '(');
  deep += "a pr" + std::string(kScimFilterDepth + 1, ')');
  EXPECT_EQ(refusal_of(deep), ErrorKind::kTooLarge);
  std::string many = "a pr";
  for (std::size_t i = 0; i < kScimFilterParts; ++i) many += " or a pr";
  EXPECT_EQ(refusal_of(many), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal_of("a eq \"" + std::string(kScimFilterBytes, 'x') + "\""), ErrorKind::kTooLarge);
}

TEST(ScimPath, NamesAnAttributeItsValuesAndWhatIsInThem) {
  auto const plain = parse_scim_path("displayName");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->attribute.name, "displayName");
  EXPECT_TRUE(plain->chooses.empty());
  auto const inner = parse_scim_path(R"(addresses[type eq "work"].streetAddress)");
  ASSERT_TRUE(inner.has_value());
  EXPECT_EQ(inner->attribute.name, "addresses");
  EXPECT_EQ(inner->attribute.sub, "streetAddress");
  EXPECT_EQ(inner->chooses.size(), 1U);
  auto const extension =
      parse_scim_path("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value");
  ASSERT_TRUE(extension.has_value());
  EXPECT_EQ(extension->attribute.schema, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User");
  EXPECT_EQ(extension->attribute.name, "manager");
  EXPECT_EQ(extension->attribute.sub, "value");
}

TEST(ScimPath, RefusesWhatIsNoPath) {
  for (auto const* text :
       {"", "members[", "members[]", "members[value eq \"a\"", "members[value eq \"a\"]x",
        "members[value eq \"a\"].", "members[value eq \"a\"].a.b", "name.given[a pr]", "a b", "a..b"})
    EXPECT_FALSE(parse_scim_path(text).has_value()) << text;
}

}  // namespace
}  // namespace tacenda::codec

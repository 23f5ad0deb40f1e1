#include "audit/internal/event_codec.hpp"

#include <gtest/gtest.h>

namespace tacenda::audit {
namespace {

Event full_event() {
  Event event;
  event.http_status = 201;
  event.actor_id = "5c1d6cbe-6c3d-4f43-9d2a-0d3a8a6f3f10";
  event.actor_name = "dr";
  event.role = "doctor";
  event.authentication = "password+totp";
  event.token_id = "0b57a1be-6c3d-4f43-9d2a-0d3a8a6f3f10";
  event.client = "tacenda-cli";
  event.network = "192.0.2.7";
  event.request_id = "r-1";
  event.resource_type = "Observation";
  event.resource_id = "5C1D6CBE-6c3d-4f43-9d2a-0d3a8a6f3f10";  // upper case: not the usual spelling
  event.resource_version = 300;
  event.patients = {"p1", "0b57a1be-6c3d-4f43-9d2a-0d3a8a6f3f11"};
  event.purpose_of_use = "TREAT";
  event.explained_by = "encounter";
  event.target = std::string(300, 'q');
  event.old_value = "a";
  event.new_value = "b";
  event.reason = "because";
  event.record_digest = Digest{std::byte{7}};
  event.count = 12'345;
  return event;
}

void expect_same(Event const& a, Event const& b) {
  EXPECT_EQ(a.http_status, b.http_status);
  EXPECT_EQ(a.actor_id, b.actor_id);
  EXPECT_EQ(a.actor_name, b.actor_name);
  EXPECT_EQ(a.role, b.role);
  EXPECT_EQ(a.authentication, b.authentication);
  EXPECT_EQ(a.token_id, b.token_id);
  EXPECT_EQ(a.client, b.client);
  EXPECT_EQ(a.network, b.network);
  EXPECT_EQ(a.request_id, b.request_id);
  EXPECT_EQ(a.resource_type, b.resource_type);
  EXPECT_EQ(a.resource_id, b.resource_id);
  EXPECT_EQ(a.resource_version, b.resource_version);
  EXPECT_EQ(a.patients, b.patients);
  EXPECT_EQ(a.purpose_of_use, b.purpose_of_use);
  EXPECT_EQ(a.explained_by, b.explained_by);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.target, b.target);
  EXPECT_EQ(a.old_value, b.old_value);
  EXPECT_EQ(a.new_value, b.new_value);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.record_digest, b.record_digest);
  EXPECT_EQ(a.count, b.count);
}

Bytes encoded(Event const& event, QueryMark const& mark = {}) {
  Bytes out;
  encode_event(event, mark, out);
  return out;
}

TEST(EventCodec, KeepsEveryField) {
  Event read;
  ASSERT_TRUE(decode_event(encoded(full_event()), read));
  expect_same(full_event(), read);
}

TEST(EventCodec, KeepsWhyAnAccessIsWatchedAndIsAsBeforeWhereItIsNot) {
  EXPECT_EQ(encoded(full_event()).front(), std::byte{4});
  Event event = full_event();
  event.labels = "V VIP";
  Bytes const body = encoded(event);
  EXPECT_EQ(body.front(), std::byte{5});
  Event read;
  ASSERT_TRUE(decode_event(body, read));
  expect_same(event, read);
  ASSERT_TRUE(decode_event(encoded(full_event()), read));
  EXPECT_EQ(read.labels, "");
}

TEST(EventCodec, KeepsWhereTheTextOfTheRequestIs) {
  for (QueryMark const& mark : {QueryMark{}, QueryMark{QueryMark::Kind::kKept, 999, {std::byte{7}}},
                                QueryMark{QueryMark::Kind::kErased, 0, {}}}) {
    Event read;
    EXPECT_EQ(decode_event(encoded(full_event(), mark), read).value(), mark);
    expect_same(full_event(), read);
  }
}

TEST(EventCodec, HoldsNothingOfTheTextOfARequest) {
  Event event;
  event.query = "name=canary";
  event.query_patients = {"canary"};
  EXPECT_EQ(encoded(event), encoded(Event{}));
}

TEST(EventCodec, KeepsAnEventWithoutAnyText) {
  Event read = full_event();
  ASSERT_TRUE(decode_event(encoded(Event{}), read));
  expect_same(Event{}, read);
}

TEST(EventCodec, KeepsTheLargestNumbers) {
  Event event;
  event.resource_version = ~std::uint64_t{0};
  event.count = std::uint64_t{1} << 63U;
  event.http_status = 0xffff;
  Event read;
  ASSERT_TRUE(decode_event(encoded(event), read));
  expect_same(event, read);
}

TEST(EventCodec, HidesSmallDifferencesOfLength) {
  Event shorter;
  shorter.actor_name = "ann";
  Event longer;
  longer.actor_name = "frederick";
  EXPECT_EQ(encoded(shorter).size() % 16, 0U);
  EXPECT_EQ(encoded(shorter).size(), encoded(longer).size());
}

TEST(EventCodec, StoresAnIdOf36CharactersInSixteenBytes) {
  Event with_id;
  with_id.actor_id = "5c1d6cbe-6c3d-4f43-9d2a-0d3a8a6f3f10";
  EXPECT_LE(encoded(with_id).size(), encoded(Event{}).size() + 16);
}

TEST(EventCodec, RefusesABodyThatIsCutAnywhere) {
  Bytes const whole = encoded(full_event(), {QueryMark::Kind::kKept, 1, {}});
  Event read;
  // The last field ends at most 15 padding bytes before the end.
  for (std::size_t size = 0; size + 16 <= whole.size(); ++size) {
    EXPECT_FALSE(decode_event(ByteView(whole).first(size), read)) << size;
  }
}

TEST(EventCodec, RefusesBytesAfterTheEnd) {
  Bytes body = encoded(Event{});
  body.insert(body.end(), 16, std::byte{0});
  Event read;
  EXPECT_EQ(decode_event(body, read).error().kind(), ErrorKind::kCorrupt);
  body = encoded(Event{});
  body.push_back(std::byte{1});
  EXPECT_EQ(decode_event(body, read).error().kind(), ErrorKind::kCorrupt);
}

TEST(EventCodec, RefusesANewerFormat) {
  Bytes body = encoded(Event{});
  body[0] = std::byte{9};
  Event read;
  EXPECT_EQ(decode_event(body, read).error().kind(), ErrorKind::kUnsupported);
}

TEST(EventCodec, RefusesANumberWithSuperfluousBytes) {
  Bytes body = encoded(Event{});
  body[1] = std::byte{0x80};  // HTTP status as 0x80 0x00
  Event read;
  EXPECT_EQ(decode_event(body, read).error().kind(), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace tacenda::audit

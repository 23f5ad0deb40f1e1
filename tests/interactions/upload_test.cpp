// What was stored while it came: how a version comes to hold it, and what becomes of it when none does.
#include <gtest/gtest.h>

#include "interactions/test_server.hpp"
#include "operations/uploads.hpp"

namespace tacenda::operations::test {
namespace {

constexpr std::size_t kBytes = 3'000'000;

class Uploading : public testing::Test {
 protected:
  /// What a client sends, stored as the server does it; `event`: with which that it is under way is told.
  records::UploadedContent upload(std::size_t size = kBytes) {
    auto upload = records::Upload::begin(server_.vault()).value();
    if (slot_) slot_->stores(upload.id());
    vault::WriteSet begun;
    upload.begin_in(begun, server_.clock().now());
    audit::Event event;
    event.kind = audit::EventKind::kUploadBegun;
    EXPECT_TRUE(server_.log().commit(std::move(begun), {event}).has_value());
    for (std::size_t sent = 0; sent < size; sent += 100'000) {
      upload.add(as_bytes(content(size)).subspan(sent, std::min<std::size_t>(100'000, size - sent)));
      if (!upload.is_due()) continue;
      EXPECT_TRUE(server_.log().commit_unseen(upload.next_batch()).has_value());
    }
    upload.finish();
    EXPECT_TRUE(server_.log().commit_unseen(upload.next_batch()).has_value());
    return upload.content();
  }
  static std::string content(std::size_t size) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 7) text[i] = static_cast<char>(i * 31 >> 3U);
    return text;
  }

  Result<records::Written> write(records::UploadedContent const& uploaded, std::string const& id,
                                 std::optional<std::uint64_t> if_match = std::nullopt) {
    auto outcome = server_.run(writer_, [&](Context const& asked) -> Result<Outcome> {
      Context context = asked;
      context.uploaded = &uploaded;
      auto const permit = TACENDA_TRY(server_.gate().authorize(writer_, Action::kUpdate, "Binary"));
      return operations::update(context, permit, TACENDA_TRY(binary(id)), ResourceId::parse(id).value(), if_match);
    });
    if (!outcome.has_value()) return std::unexpected(outcome.error());
    return std::get<records::Written>(outcome->result);
  }
  static Result<fhir::Resource> binary(std::string const& id) {
    return fhir::parse_resource(R"({"resourceType":"Binary","id":")" + id +
                                R"(","contentType":"application/dicom","data":"LQ=="})");
  }
  std::string read(std::string const& id, std::uint64_t version, records::ContentRange range) {
    auto const permit = server_.gate().authorize(writer_, Action::kVread, "Binary").value();
    auto const found =
        server_.store().content(permit, "Binary", ResourceId::parse(id).value(), version, range);
    return found.has_value() ? *found : "error";
  }

  TestServer server_;
  identity::Principal writer_ = server_.sign_in("administrator");
  Uploads uploads_{{server_.store(), server_.log(), {}}};
  std::unique_ptr<Uploads::Slot> slot_;
};

TEST_F(Uploading, AVersionHoldsWhatWasUploadedAndTheUploadIsNoMoreUnderWay) {
  auto const uploaded = upload();
  EXPECT_EQ(server_.store().uploads(10).value().size(), 1U);
  EXPECT_TRUE(server_.damage().empty()) << "under way it is no damage";
  auto const written = write(uploaded, "b").value();
  EXPECT_TRUE(server_.store().uploads(10).value().empty());
  EXPECT_EQ(read("b", 1, {0, kBytes}), content(kBytes));
  EXPECT_FALSE(written.text.contains("LQ==")) << "what stood for it is gone";
  EXPECT_TRUE(server_.damage().empty());
  EXPECT_FALSE(uploads_.step().value()) << "nothing is left to remove";
  EXPECT_EQ(read("b", 1, {kBytes - 9, 9}), content(kBytes).substr(kBytes - 9));
}

TEST_F(Uploading, TheResourceIsGivenWithWhatItHolds) {
  ASSERT_TRUE(write(upload(), "b").has_value());
  auto const json = parse(server_.read(writer_, "Binary", "b").value().json);
  EXPECT_EQ(json.text_of("data"), codec::base64_encode(as_bytes(content(kBytes))));
}

TEST_F(Uploading, WhatIsTooLargeForItsResourceIsLeftOutAndSoSaid) {
  constexpr std::size_t kLarge = 17 * 1024 * 1024;
  ASSERT_TRUE(write(upload(kLarge), "b").has_value());
  auto const stored = server_.read(writer_, "Binary", "b").value();
  auto const json = parse(stored.json);
  EXPECT_EQ(json.find("data"), nullptr);
  EXPECT_TRUE(stored.json.contains("SUBSETTED"));
  EXPECT_EQ(json.find("meta")->text_of("versionId"), "1");
  EXPECT_EQ(server_.update(writer_, stored.json).error().kind(), ErrorKind::kConflict)
      << "it is not written back";
  auto transaction = server_.store().begin();
  auto const permit = server_.gate().authorize(writer_, Action::kRead, "Binary").value();
  EXPECT_EQ(transaction.living(permit, "Binary", ResourceId::parse("b").value()).error().kind(),
            ErrorKind::kUnprocessable);
  EXPECT_TRUE(server_.damage().empty());
}

TEST_F(Uploading, IsForOneVersionAlone) {
  auto const uploaded = upload();
  ASSERT_TRUE(write(uploaded, "b").has_value());
  EXPECT_EQ(write(uploaded, "c").error().kind(), ErrorKind::kUnavailable);
  EXPECT_TRUE(server_.damage().empty());
}

TEST_F(Uploading, ARefusedVersionLeavesItToBeRemoved) {
  auto const uploaded = upload();
  EXPECT_EQ(write(uploaded, "b", 7).error().kind(), ErrorKind::kPrecondition);
  EXPECT_TRUE(uploads_.step().value());
  EXPECT_TRUE(server_.store().uploads(10).value().empty());
  EXPECT_EQ(write(uploaded, "b").error().kind(), ErrorKind::kUnavailable)
      << "what is gone is held by no version";
  EXPECT_TRUE(server_.damage().empty());
}

TEST_F(Uploading, AVersionAndARemovalAtTheSameTimeExcludeEachOther) {
  auto const uploaded = upload();
  auto sweep = server_.store().sweep_upload(uploaded.id, 10'000).value();
  ASSERT_TRUE(write(uploaded, "b").has_value());
  audit::Event event;
  event.kind = audit::EventKind::kUploadRemoved;
  EXPECT_EQ(server_.log().commit(std::move(sweep.set), {event}).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(read("b", 1, {0, kBytes}), content(kBytes));
  EXPECT_TRUE(server_.damage().empty());
}

TEST_F(Uploading, NoVersionIsMadeOfWhatIsBeingRemoved) {
  auto const uploaded = upload();
  auto sweep = server_.store().sweep_upload(uploaded.id, 2).value();
  audit::Event event;
  event.kind = audit::EventKind::kUploadRemoved;
  ASSERT_TRUE(server_.log().commit(std::move(sweep.set), {event}).has_value());
  EXPECT_EQ(write(uploaded, "b").error().kind(), ErrorKind::kUnavailable);
  while (uploads_.step().value()) {
  }
  EXPECT_TRUE(server_.damage().empty());
}

TEST_F(Uploading, WhatIsUnderWayIsLeftAloneAndRemovedWhenItEnds) {
  slot_ = uploads_.open("u1").value();
  auto const uploaded = upload();
  EXPECT_FALSE(uploads_.step().value());
  EXPECT_EQ(server_.store().uploads(10).value(), std::vector{uploaded.id});
  slot_.reset();
  auto const before = server_.log().size();
  EXPECT_TRUE(uploads_.step().value());
  EXPECT_TRUE(server_.store().uploads(10).value().empty());
  auto const told = server_.log().entry(before).value().event;
  EXPECT_EQ(told.kind, audit::EventKind::kUploadRemoved);
  EXPECT_EQ(told.actor_name, "system");
  EXPECT_EQ(told.count, 1U);
}

TEST_F(Uploading, ManyThatBrokeOffAreRemovedTogetherAndToldOnce) {
  for (int i = 0; i < 5; ++i) (void)upload(200'000);
  auto const before = server_.log().size();
  EXPECT_TRUE(uploads_.step().value());
  EXPECT_FALSE(uploads_.step().value());
  EXPECT_EQ(server_.log().size(), before + 1);
  EXPECT_EQ(server_.log().entry(before).value().event.count, 5U);
}

TEST_F(Uploading, AChunkThatNoUploadAndNoVersionHoldsIsDamage) {
  auto upload = records::Upload::begin(server_.vault()).value();
  upload.add(as_bytes(content(100'000)));
  upload.finish();
  ASSERT_TRUE(server_.log().commit_unseen(upload.next_batch()).has_value());
  EXPECT_EQ(
      server_.damage(),
      std::vector<std::string>{"a piece of a content: it belongs to no version of a Binary and no upload"});
}

TEST_F(Uploading, AUserAndAllHaveSoManyAtOnce) {
  Uploads few({server_.store(), server_.log(), {.bytes_max = 1, .in_all = 3, .per_user = 2}});
  auto first = few.open("u1").value();
  auto second = few.open("u1").value();
  EXPECT_EQ(few.open("u1").error().kind(), ErrorKind::kThrottled);
  auto third = few.open("u2").value();
  EXPECT_EQ(few.open("u3").error().kind(), ErrorKind::kUnavailable);
  second.reset();
  EXPECT_TRUE(few.open("u1").has_value());
}

}  // namespace
}  // namespace tacenda::operations::test

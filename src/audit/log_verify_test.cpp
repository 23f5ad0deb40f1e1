// O-02 and SECURITY_DESIGN section 7: the verifier finds every change and names what was changed.
#include <algorithm>

#include <gtest/gtest.h>

#include "audit/internal/entry_header.hpp"
#include "audit/internal/rows.hpp"
#include "audit/internal/test_store.hpp"
#include "audit/log.hpp"

namespace tacenda::audit {
namespace {

using test::commit;
using test::engine_key;
using test::make_patient;
using test::read_of;
using test::Rows;
using test::Store;

constexpr std::uint64_t kEntries = 600;  // two complete tiles and a tail

/// A store of kEntries entries: p1 in 0, p2 in 1, then reads of both in turn, 10 per commit.
class AuditLogVerify : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store.open());
    make_patient(store, "p1");
    make_patient(store, "p2");
    while (store.log->size() < kEntries) {
      std::vector<Event> events;
      for (std::uint64_t i = store.log->size(); events.size() < 10 && i < kEntries; ++i) {
        events.push_back(read_of(events.size() % 2 == 0 ? "p1" : "p2"));
      }
      ASSERT_TRUE(store.log->commit({}, std::move(events)));
    }
  }

  Bytes key(ByteView row) const { return engine_key(store, row); }
  Bytes entry_key(std::uint64_t sequence) const { return key(rows::of(rows::kEntry, sequence)); }

  /// The names of what verify finds, in order.
  std::vector<std::string> found() const {
    std::vector<std::string> names;
    auto const damages = store.log->verify({});
    EXPECT_TRUE(damages.has_value());
    if (damages) {
      for (auto const& damage : *damages) names.push_back(damage.object);
    }
    return names;
  }
  void tamper(std::function<void(Rows&)> const& change) { store.disk->tamper(change); }

  Store store;
};

using Names = std::vector<std::string>;

bool has(Names const& names, std::string const& name) {
  return std::ranges::find(names, name) != names.end();
}

TEST_F(AuditLogVerify, FindsNothingInASoundLogAndTellsHowFarItIs) {
  std::uint64_t last = 0;
  auto const damages = store.log->verify([&](std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(total, kEntries);
    EXPECT_GE(done, last);
    last = done;
  });
  ASSERT_TRUE(damages);
  EXPECT_TRUE(damages->empty()) << damages->front().object << ": " << damages->front().problem;
  EXPECT_EQ(last, kEntries);
}

TEST_F(AuditLogVerify, NamesAnEntryWithAnyFlippedBit) {
  auto const sound = store.disk->state();
  for (std::uint64_t const sequence :
       {std::uint64_t{0}, std::uint64_t{255}, std::uint64_t{300}, kEntries - 1}) {
    std::size_t const size = sound->at(entry_key(sequence)).size();
    for (std::size_t const offset :
         {std::size_t{0}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{15}, std::size_t{23},
          std::size_t{31}, kCommitmentOffset, kHeaderBytes, size - 1}) {
      tamper([&](Rows& rows) { rows.at(entry_key(sequence))[offset] ^= std::byte{1}; });
      auto const names = found();
      EXPECT_TRUE(has(names, "audit entry " + std::to_string(sequence)))
          << "byte " << offset << " of entry " << sequence;
      store.disk->restore(sound);
    }
  }
}

TEST_F(AuditLogVerify, NamesNothingElseThanTheAlteredEntry) {
  tamper([&](Rows& rows) { rows.at(entry_key(300)).back() ^= std::byte{1}; });
  EXPECT_EQ(found(), Names{"audit entry 300"});
}

TEST_F(AuditLogVerify, NamesAnEntryThatWasCut) {
  tamper([&](Rows& rows) { rows.at(entry_key(17)).resize(50); });
  EXPECT_EQ(found(), Names{"audit entry 17"});
}

TEST_F(AuditLogVerify, NamesEntriesThatWereRemoved) {
  tamper([&](Rows& rows) {
    rows.erase(entry_key(20));
    rows.erase(entry_key(40));
    rows.erase(entry_key(41));
  });
  auto const names = found();
  EXPECT_TRUE(has(names, "audit entry 20"));
  EXPECT_TRUE(has(names, "audit entries 40 to 41"));
}

TEST_F(AuditLogVerify, NamesEntriesThatChangedPlaces) {
  tamper([&](Rows& rows) { std::swap(rows.at(entry_key(100)), rows.at(entry_key(590))); });
  EXPECT_EQ(found(), (Names{"audit entry 100", "audit entry 590"}));
}

TEST_F(AuditLogVerify, NamesACopyInThePlaceOfAnotherEntry) {
  tamper([&](Rows& rows) { rows.at(entry_key(101)) = rows.at(entry_key(100)); });
  auto const names = found();
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(names.front(), "audit entry 101");
}

TEST_F(AuditLogVerify, NamesAnEntryThatWasAdded) {
  tamper([&](Rows& rows) { rows[entry_key(kEntries)] = rows.at(entry_key(5)); });
  EXPECT_EQ(found(), Names{"audit entry 600"});
}

TEST_F(AuditLogVerify, NamesATileThatWasAlteredOrRemoved) {
  auto const sound = store.disk->state();
  for (auto const& [level, index] : {std::pair{0U, 0U}, {0U, 1U}, {1U, 0U}}) {
    Bytes const tile = key(rows::tile(level, index));
    std::string const name = "audit tile " + std::to_string(level) + "/" + std::to_string(index);
    tamper([&](Rows& rows) { rows.at(tile)[33] ^= std::byte{1}; });
    EXPECT_TRUE(has(found(), name));
    store.disk->restore(sound);
    tamper([&](Rows& rows) { rows.at(tile).resize(32); });
    EXPECT_TRUE(has(found(), name)) << "cut";
    store.disk->restore(sound);
    tamper([&](Rows& rows) { rows.erase(tile); });
    EXPECT_TRUE(has(found(), name)) << "removed";
    store.disk->restore(sound);
  }
}

TEST_F(AuditLogVerify, NamesTheEntryWhenItsTileWasAlteredToFit) {
  tamper([&](Rows& rows) {
    auto& entry = rows.at(entry_key(300));
    entry.back() ^= std::byte{1};
    Digest const leaf = merkle::leaf_hash(entry);
    std::ranges::copy(leaf, rows.at(key(rows::tile(0, 1))).begin() + (300 - 256) * 32);
  });
  EXPECT_TRUE(has(found(), "audit entry 300"));
}

TEST_F(AuditLogVerify, NamesATailRow) {
  auto const sound = store.disk->state();
  auto const tail = std::ranges::find_if(*sound, [&](auto const& row) {
    // The newest batch begins at 592: 2 + 59 * 10.
    return row.first == key(rows::tail(592));
  });
  ASSERT_NE(tail, sound->end());
  tamper([&](Rows& rows) { rows.at(tail->first)[9] ^= std::byte{1}; });
  EXPECT_EQ(found(), Names{"audit tail row of entry 592"});
  store.disk->restore(sound);
  tamper([&](Rows& rows) { rows.erase(tail->first); });
  EXPECT_TRUE(has(found(), "audit tail row of entry 592"));
  store.disk->restore(sound);
  tamper([&](Rows& rows) { rows.at(tail->first).resize(7); });
  EXPECT_TRUE(has(found(), "audit tail row"));
}

TEST_F(AuditLogVerify, NamesTheCheckpoint) {
  auto const sound = store.disk->state();
  Bytes const row = key(rows::of(rows::kCheckpoint));
  tamper([&](Rows& rows) { rows.at(row)[30] ^= std::byte{1}; });
  EXPECT_TRUE(has(found(), "audit checkpoint"));
  store.disk->restore(sound);
  tamper([&](Rows& rows) { rows.erase(row); });
  EXPECT_TRUE(has(found(), "audit checkpoint"));
}

TEST_F(AuditLogVerify, NamesTheIndexOfAnEntry) {
  auto const sound = store.disk->state();
  auto const keys = store.vault->subject(vault::Subject::patient("p1")).value();
  auto const with_sequence = [&](Bytes row, std::uint64_t sequence) {
    ByteWriter(row).u64(sequence);
    return key(row);
  };
  Bytes const patient = with_sequence(rows::patient(keys->alias()), 2);
  Bytes const user = with_sequence(rows::text(rows::kUser, read_of("p1").actor_id), 2);
  for (Bytes const& row : {patient, user}) {
    ASSERT_TRUE(sound->contains(row));
    tamper([&](Rows& rows) { rows.erase(row); });
    EXPECT_EQ(found(), Names{"index of audit entry 2"}) << "removed";
    store.disk->restore(sound);
    tamper([&](Rows& rows) { rows.at(row) = to_bytes("x"); });
    EXPECT_EQ(found(), Names{"index of audit entry 2"}) << "altered";
    store.disk->restore(sound);
  }
  tamper([&](Rows& rows) { rows[with_sequence(rows::patient(keys->alias()), 3)] = {}; });  // 3 is p2's
  EXPECT_EQ(found(), Names{"index of audit entry 3"}) << "added";
  store.disk->restore(sound);
  tamper([&](Rows& rows) { rows[with_sequence(rows::text(rows::kUser, "nobody"), 9'999)] = {}; });
  EXPECT_EQ(found(), Names{"index of audit entry 9999"}) << "leads to no entry";
}

TEST_F(AuditLogVerify, NamesAnEntryWhoseLongBodyWasTouched) {
  Event event = read_of("p1");
  event.target = std::string(100'000, 'q');
  ASSERT_TRUE(commit(*store.log, event));
  auto const sound = store.disk->state();
  Bytes const row = key(rows::of(rows::kLongBody, kEntries));
  tamper([&](Rows& rows) { rows.at(row)[1'000] ^= std::byte{1}; });
  EXPECT_EQ(found(), Names{"audit entry 600"});
  store.disk->restore(sound);
  tamper([&](Rows& rows) { rows.erase(row); });
  EXPECT_EQ(found(), Names{"audit entry 600"});
}

TEST_F(AuditLogVerify, NamesTheTextOfARequestThatWasTouchedAndOneThatIsNobodys) {
  Event event = read_of("p1");
  event.query = "name=canary";
  ASSERT_TRUE(commit(*store.log, event));
  EXPECT_EQ(found(), Names{});
  auto const sound = store.disk->state();
  Bytes const row = key(rows::of(rows::kQuery, kEntries));
  tamper([&](Rows& rows) { rows.at(row).back() ^= std::byte{1}; });
  EXPECT_EQ(found(), Names{"query of audit entry 600"});
  store.disk->restore(sound);
  tamper([&](Rows& rows) { rows.erase(row); });
  EXPECT_EQ(found(), Names{"query of audit entry 600"});
  store.disk->restore(sound);
  tamper([&](Rows& rows) { rows[key(rows::of(rows::kQuery, 3))] = rows.at(row); });
  EXPECT_EQ(found(), Names{"query of audit entry 3"});
}

TEST_F(AuditLogVerify, NamesTheAnchor) {
  store.close();
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(store.files.remove(Anchor::path_of(store.places)));
  EXPECT_EQ(found(), Names{"audit anchor"});
}

TEST_F(AuditLogVerify, NamesTheStateRow) {
  vault::WriteSet set;
  set.change_state({to_bytes("a"), true});
  ASSERT_TRUE(store.log->commit(std::move(set), {read_of("p1")}));
  Bytes const row = store.vault->view(vault::Keeper::kState).full_key(as_bytes("state"));
  tamper([&](Rows& rows) { rows.at(row).back() ^= std::byte{1}; });
  EXPECT_EQ(found(), Names{"current-state row"});
}

TEST_F(AuditLogVerify, GoesOnAfterDamage) {
  tamper([&](Rows& rows) {
    rows.at(entry_key(7)).back() ^= std::byte{1};
    rows.erase(entry_key(8));
    rows.at(entry_key(400)).front() ^= std::byte{1};
    rows.at(entry_key(599)).back() ^= std::byte{1};
  });
  auto const names = found();
  for (auto const* const name : {"audit entry 7", "audit entry 8", "audit entry 400", "audit entry 599"}) {
    EXPECT_TRUE(has(names, name)) << name;
  }
}

TEST_F(AuditLogVerify, FindsNothingWhileCommitsGoOn) {
  std::jthread const writer([&](std::stop_token const& stop) {
    while (!stop.stop_requested()) ASSERT_TRUE(commit(*store.log, read_of("p1")));
  });
  for (int i = 0; i < 5; ++i) {
    store.clock.advance(std::chrono::seconds(2));
    EXPECT_EQ(found(), Names{});
  }
}

}  // namespace
}  // namespace tacenda::audit

#include "audit/log.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "audit/internal/entry_header.hpp"
#include "audit/internal/test_store.hpp"
#include "core/limits.hpp"
#include "crypto/hash.hpp"
#include "merkle/checkpoint.hpp"

namespace tacenda::audit {
namespace {

using test::commit;
using test::engine_key;
using test::make_patient;
using test::read_of;
using test::Store;

static_assert(!std::is_default_constructible_v<Receipt>);
static_assert(!std::is_constructible_v<Receipt, std::uint64_t, Time, std::string>);
static_assert(!std::is_copy_constructible_v<Receipt> && !std::is_copy_assignable_v<Receipt>);

// RFC 6962 section 2.1, word for word and without the product's Merkle code.
using Leaves = std::span<Bytes const>;

std::size_t split_of(std::size_t n) {  // "the largest power of two smaller than n"
  std::size_t k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

Digest naive_root(Leaves leaves) {
  if (leaves.empty()) return crypto::sha256(ByteView{});
  constexpr std::byte kLeaf{0};
  constexpr std::byte kNode{1};
  if (leaves.size() == 1) return crypto::sha256({ByteView(&kLeaf, 1), leaves[0]});
  std::size_t const k = split_of(leaves.size());
  Digest const left = naive_root(leaves.first(k));
  Digest const right = naive_root(leaves.subspan(k));
  return crypto::sha256({ByteView(&kNode, 1), left, right});
}

std::vector<Digest> naive_path(std::size_t m, Leaves leaves) {
  if (leaves.size() == 1) return {};
  std::size_t const k = split_of(leaves.size());
  bool const in_left = m < k;
  auto path = in_left ? naive_path(m, leaves.first(k)) : naive_path(m - k, leaves.subspan(k));
  path.push_back(naive_root(in_left ? leaves.subspan(k) : leaves.first(k)));
  return path;
}

std::vector<Digest> naive_subproof(std::size_t m, Leaves leaves, bool whole) {
  if (m == leaves.size()) return whole ? std::vector<Digest>() : std::vector{naive_root(leaves)};
  std::size_t const k = split_of(leaves.size());
  if (m <= k) {
    auto proof = naive_subproof(m, leaves.first(k), whole);
    proof.push_back(naive_root(leaves.subspan(k)));
    return proof;
  }
  auto proof = naive_subproof(m - k, leaves.subspan(k), false);
  proof.push_back(naive_root(leaves.first(k)));
  return proof;
}

std::vector<Bytes> stored_entries(Log const& log) {
  std::vector<Bytes> out;
  for (std::uint64_t i = 0; i < log.size(); ++i) out.push_back(log.entry_bytes(i).value());
  return out;
}

merkle::Checkpoint newest_checkpoint(Log const& log) {
  auto const key = merkle::NoteVerifier::parse(log.verifier_key()).value();
  return merkle::open_checkpoint(log.checkpoint().value(), key).value();
}

void commit_many(Log& log, std::size_t count, std::size_t per_commit, std::string const& patient = "p1") {
  for (std::size_t done = 0; done < count; done += per_commit) {
    std::vector<Event> events(std::min(per_commit, count - done), read_of(patient));
    ASSERT_TRUE(log.commit({}, std::move(events)).has_value());
  }
}

TEST(AuditLog, NumbersTheEventsOfEachCommitInOrder) {
  Store store;
  ASSERT_TRUE(store.open());
  std::vector<Event> events{read_of("p1"), read_of("p2"), read_of("p3")};
  auto const first = store.log->commit({}, events);
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(first->first_sequence(), 0U);
  EXPECT_EQ(first->request_id(), events[0].request_id);
  auto const second = commit(*store.log, read_of("p4"));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->first_sequence(), 3U);
  EXPECT_EQ(store.log->size(), 4U);
  EXPECT_EQ(store.log->entry(1)->event.resource_id, "p2");
  EXPECT_EQ(store.log->entry(3)->event.resource_id, "p4");
  EXPECT_EQ(store.log->entry(4).error().kind(), ErrorKind::kNotFound);
}

TEST(AuditLog, KeepsAllOfAnEvent) {
  Store store;
  ASSERT_TRUE(store.open());
  make_patient(store, "p1");
  Event event = read_of("p1");
  event.outcome = Outcome::kMinorFailure;
  event.query = "name=canary";
  event.reason = "role may not read";
  event.record_digest = Digest{std::byte{9}};
  ASSERT_TRUE(commit(*store.log, event));
  auto const entry = store.log->entry(1, Log::Texts::kOpened);
  ASSERT_TRUE(entry) << entry.error().message();
  EXPECT_TRUE(entry->readable);
  EXPECT_EQ(entry->sequence, 1U);
  EXPECT_EQ(entry->recorded, store.clock.now());
  EXPECT_EQ(entry->event.kind, EventKind::kRead);
  EXPECT_EQ(entry->event.outcome, Outcome::kMinorFailure);
  EXPECT_EQ(entry->event.actor_id, event.actor_id);
  EXPECT_EQ(entry->event.query, "name=canary");
  EXPECT_EQ(entry->event.reason, "role may not read");
  EXPECT_EQ(entry->event.patients, event.patients);
  EXPECT_EQ(entry->event.record_digest, event.record_digest);
}

TEST(AuditLog, RefusesACommitWithoutAnEvent) {
  Store store;
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.log->commit({}, {}).error().kind(), ErrorKind::kBug);
  EXPECT_EQ(store.log->size(), 0U);
}

TEST(AuditLog, RefusesARowThatIsStampedForAnotherCommitsEvent) {
  Store store;
  ASSERT_TRUE(store.open());
  vault::WriteSet set;
  store.vault->view(vault::Keeper::kRecords).put_stamped_value(set, as_bytes("row"), Bytes(16), 1);
  EXPECT_EQ(store.log->commit(std::move(set), {read_of("p1")}).error().kind(), ErrorKind::kBug);
  EXPECT_EQ(store.log->size(), 0U);
}

TEST(AuditLog, TellsACallerThatDoesNotWait) {
  Store store;
  ASSERT_TRUE(store.open());
  std::atomic<std::uint64_t> sequence{99};
  std::vector<Event> events{read_of("p1")};
  store.log->commit_async({}, events, [&](Result<Receipt> receipt) { sequence = receipt->first_sequence(); });
  ASSERT_TRUE(commit(*store.log, read_of("p2")));  // queued behind it
  EXPECT_EQ(sequence.load(), 0U);
}

TEST(AuditLog, RefusesCommitsAfterItWasStopped) {
  Store store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(commit(*store.log, read_of("p1")));
  store.stop();
  EXPECT_EQ(commit(*store.log, read_of("p1")).error().kind(), ErrorKind::kUnavailable);
  EXPECT_FALSE(store.log->failed());
}

TEST(AuditLog, A16RootIsThatOfTheStoredEntriesAndSigned) {
  Store store;
  ASSERT_TRUE(store.open());
  for (std::size_t const more : {1U, 1U, 5U, 249U, 1U, 300U}) {
    commit_many(*store.log, more, 50);
    auto const entries = stored_entries(*store.log);
    auto const checkpoint = newest_checkpoint(*store.log);
    EXPECT_EQ(checkpoint.head.size, entries.size());
    EXPECT_EQ(checkpoint.head.root, naive_root(entries)) << entries.size();
  }
}

TEST(AuditLog, A16ProofsAreThoseOfTheRfc) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_many(*store.log, 600, 100);
  auto const entries = stored_entries(*store.log);
  for (std::size_t const size : {1U, 2U, 3U, 255U, 256U, 257U, 511U, 512U, 599U, 600U}) {
    Leaves const tree = Leaves(entries).first(size);
    for (std::size_t const leaf : {std::size_t{0}, size / 2, size - 1}) {
      EXPECT_EQ(store.log->inclusion_proof(leaf, size).value(), naive_path(leaf, tree))
          << leaf << " of " << size;
    }
    EXPECT_EQ(store.log->consistency_proof(size, 600).value(), naive_subproof(size, entries, true)) << size;
  }
  EXPECT_EQ(store.log->inclusion_proof(600, 600).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(store.log->inclusion_proof(0, 601).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(store.log->consistency_proof(5, 601).error().kind(), ErrorKind::kInvalid);
}

TEST(AuditLog, GoesOnWhereItStoppedAfterARestart) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_many(*store.log, 300, 100);
  ASSERT_TRUE(store.reopen());
  EXPECT_EQ(store.log->size(), 300U);
  commit_many(*store.log, 300, 7);
  auto const entries = stored_entries(*store.log);
  EXPECT_EQ(newest_checkpoint(*store.log).head.root, naive_root(entries));
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST(AuditLog, KeepsTilesOfThreeLevels) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_many(*store.log, 66'000, 2'000);
  ASSERT_TRUE(store.reopen());
  commit_many(*store.log, 10, 1);
  auto const entries = stored_entries(*store.log);
  EXPECT_EQ(newest_checkpoint(*store.log).head.root, naive_root(entries));
  EXPECT_EQ(store.log->inclusion_proof(3, 65'537).value(), naive_path(3, Leaves(entries).first(65'537)));
  auto const damages = store.log->verify({});
  ASSERT_TRUE(damages);
  EXPECT_TRUE(damages->empty()) << damages->front().object << ": " << damages->front().problem;
}

TEST(AuditLog, A16TimeNeverGoesBackInTheLog) {
  Store store;
  ASSERT_TRUE(store.open());
  auto const before = commit(*store.log, read_of("p1"));
  store.clock.advance(std::chrono::hours(-1));
  auto const after = commit(*store.log, read_of("p1"));
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->time(), before->time());
  ASSERT_TRUE(store.reopen()) << "and not after a restart either";
  auto const restarted = commit(*store.log, read_of("p1"));
  EXPECT_EQ(restarted->time(), before->time());
  store.clock.advance(std::chrono::hours(2));
  EXPECT_EQ(commit(*store.log, read_of("p1"))->time(), store.clock.now());
  EXPECT_TRUE(store.log->verify({})->empty());
  // The step is recorded: the monotonic clock of the second entry differs.
  auto const first = read_header(store.log->entry_bytes(0).value());
  auto const second = read_header(store.log->entry_bytes(1).value());
  EXPECT_EQ(first->wall_ms, second->wall_ms);
  EXPECT_NE(first->monotonic_ns, second->monotonic_ns);
}

TEST(AuditLog, CommitsDataAndEventsTogetherWithTheirStamps) {
  Store store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(commit(*store.log, read_of("p0")));
  auto const records = store.vault->view(vault::Keeper::kRecords);
  vault::WriteSet set;
  Bytes value(16);
  append(value, "content");
  records.put_stamped_value(set, as_bytes("row"), std::move(value), 1);
  std::vector<Event> events{read_of("p1"), read_of("p2")};
  auto const receipt = store.log->commit(std::move(set), std::move(events));
  ASSERT_TRUE(receipt) << receipt.error().message();
  auto const row = records.get(as_bytes("row"));
  ASSERT_TRUE(row && *row);
  ByteReader in(**row);
  EXPECT_EQ(in.u64().value(), receipt->first_sequence() + 1);
  EXPECT_EQ(in.u64().value(), to_unix_ms(receipt->time()));
  EXPECT_EQ(as_text(in.rest()), "content");
}

TEST(AuditLog, KeepsAnEventThatIsTooLongForItsEntry) {
  Store store;
  ASSERT_TRUE(store.open());
  make_patient(store, "p1");
  Event event = read_of("p1");
  event.kind = EventKind::kSearch;
  event.target = std::string(200'000, 'q');
  ASSERT_TRUE(commit(*store.log, event));
  EXPECT_LE(store.log->entry_bytes(1)->size(), limits::kAuditEntryBytes);
  EXPECT_EQ(store.log->entry(1)->event.target, event.target);
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST(AuditLog, EntryBytesHoldNoTextOfTheEvent) {
  Store store;
  ASSERT_TRUE(store.open());
  make_patient(store, "patient-canary");
  Event event = read_of("patient-canary", "actor-canary");
  event.query = "name=query-canary";
  event.target = "target-canary";
  ASSERT_TRUE(commit(*store.log, event));
  ASSERT_TRUE(commit(*store.log, read_of("stranger-canary")));
  for (std::uint64_t i = 0; i < store.log->size(); ++i) {
    Bytes const bytes = store.log->entry_bytes(i).value();
    EXPECT_EQ(as_text(bytes).find("canary"), std::string_view::npos);
    EXPECT_EQ(as_text(bytes).find("192.0.2.7"), std::string_view::npos);
    EXPECT_EQ(as_text(bytes).find("doctor"), std::string_view::npos);
  }
}

TEST(AuditLog, NothingInTwoEntriesOfAPatientLinksThem) {
  Store store;
  ASSERT_TRUE(store.open());
  make_patient(store, "p1");
  ASSERT_TRUE(commit(*store.log, read_of("p1")));
  ASSERT_TRUE(commit(*store.log, read_of("p1")));
  Bytes const first = store.log->entry_bytes(1).value();
  Bytes const second = store.log->entry_bytes(2).value();
  // Outside kind, sequence and time, no eight bytes in a row are the same anywhere.
  std::set<std::string_view> seen;
  std::string_view const one = as_text(first).substr(kCommitmentOffset);
  std::string_view const two = as_text(second).substr(kCommitmentOffset);
  for (std::size_t i = 0; i + 8 <= one.size(); ++i) seen.insert(one.substr(i, 8));
  for (std::size_t i = 0; i + 8 <= two.size(); ++i) EXPECT_FALSE(seen.contains(two.substr(i, 8))) << i;
}

TEST(AuditLog, G09EntriesOfAnErasedPatientCannotBeReadAndStillVerify) {
  Store store;
  ASSERT_TRUE(store.open());
  make_patient(store, "p1");
  make_patient(store, "p2");
  ASSERT_TRUE(commit(*store.log, read_of("p1")));
  ASSERT_TRUE(commit(*store.log, read_of("p2")));
  ASSERT_TRUE(store.vault->shred(vault::Subject::patient("p1")));

  auto const erased = store.log->entry(2);
  ASSERT_TRUE(erased) << erased.error().message();
  EXPECT_FALSE(erased->readable);
  EXPECT_EQ(erased->event.kind, EventKind::kRead);
  EXPECT_EQ(erased->event.actor_id, "");
  EXPECT_TRUE(erased->event.patients.empty());
  EXPECT_TRUE(store.log->entry(3)->readable);
  Log::Filter filter;
  filter.patient = "p1";
  EXPECT_EQ(store.log->list(filter).error().kind(), ErrorKind::kGone);
  auto const damages = store.log->verify({});
  ASSERT_TRUE(damages);
  EXPECT_TRUE(damages->empty()) << damages->front().object << ": " << damages->front().problem;
  // Somebody asks for the erased patient: it is recorded, under the tenant's key.
  ASSERT_TRUE(commit(*store.log, read_of("p1")));
  EXPECT_TRUE(store.log->entry(4)->readable);
}

TEST(AuditLog, ListsByPatientUserAndTime) {
  Store store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(commit(*store.log, read_of("p1", "u1")));  // 0: before p1 has keys
  make_patient(store, "p1");                             // 1
  make_patient(store, "p2");                             // 2
  store.clock.advance(std::chrono::minutes(1));
  Time const later = store.clock.now();
  ASSERT_TRUE(commit(*store.log, read_of("p1", "u1")));  // 3
  ASSERT_TRUE(commit(*store.log, read_of("p2", "u1")));  // 4
  ASSERT_TRUE(commit(*store.log, read_of("p1", "u2")));  // 5
  Event both = read_of("p1", "u2");
  both.patients = {"p1", "p2"};
  ASSERT_TRUE(commit(*store.log, both));  // 6

  auto const found = [&](Log::Filter const& filter) {
    auto const entries = store.log->list(filter).value();
    std::vector<std::uint64_t> out;
    for (auto const& entry : entries) out.push_back(entry.sequence);
    return out;
  };
  using Sequences = std::vector<std::uint64_t>;
  EXPECT_EQ(found({}), (Sequences{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(found({.patient = "p1"}), (Sequences{0, 1, 3, 5, 6}));
  EXPECT_EQ(found({.patient = "p2"}), (Sequences{2, 4, 6}));
  EXPECT_EQ(found({.patient = "p"}), (Sequences{}));
  EXPECT_EQ(found({.user = "u1"}), (Sequences{0, 3, 4}));
  EXPECT_EQ(found({.patient = "p1", .user = "u2"}), (Sequences{5, 6}));
  EXPECT_EQ(found({.since = later}), (Sequences{3, 4, 5, 6}));
  EXPECT_EQ(found({.until = later}), (Sequences{0, 1, 2}));
  EXPECT_EQ(found({.patient = "p1", .since = later}), (Sequences{3, 5, 6}));
  EXPECT_EQ(found({.after = 4}), (Sequences{5, 6}));
  EXPECT_EQ(found({.after = ~std::uint64_t{0}}), (Sequences{}));
  EXPECT_EQ(found({.patient = "p1", .limit = 2}), (Sequences{0, 1}));
  EXPECT_EQ(found({.patient = "p1", .after = 1, .limit = 2}), (Sequences{3, 5}));
  EXPECT_EQ(found({.limit = 3, .newest_first = true}), (Sequences{6, 5, 4}));
  EXPECT_EQ(found({.after = 4, .limit = 2, .newest_first = true}), (Sequences{3, 2}));
  EXPECT_EQ(found({.patient = "p1", .limit = 4, .newest_first = true}), (Sequences{6, 5, 3, 1}));
}

TEST(AuditLog, StateHashFollowsWhatIsAddedAndRemoved) {
  Store store;
  ASSERT_TRUE(store.open());
  auto const change = [&](std::string_view item, bool added) {
    vault::WriteSet set;
    set.change_state({to_bytes(item), added});
    std::vector<Event> events{read_of("p1")};
    return store.log->commit(std::move(set), std::move(events)).has_value();
  };
  auto const is_state = [&](std::vector<std::string_view> const& items) {
    return store.log
        ->verify_state([&](auto const& add) -> Result<void> {
          for (auto const item : items) add(as_bytes(item));
          return {};
        })
        .value();
  };
  EXPECT_TRUE(is_state({}));
  ASSERT_TRUE(change("a1", true));
  ASSERT_TRUE(change("b1", true));
  EXPECT_TRUE(is_state({"b1", "a1"}));
  EXPECT_FALSE(is_state({"a1"})) << "a row removed offline";
  EXPECT_FALSE(is_state({"a1", "b1", "c1"})) << "a row revived offline";
  EXPECT_FALSE(is_state({"a1", "b0"})) << "a row rolled back offline";
  ASSERT_TRUE(change("a1", false));
  ASSERT_TRUE(change("a2", true));
  ASSERT_TRUE(store.reopen());
  EXPECT_TRUE(is_state({"a2", "b1"}));
  EXPECT_TRUE(store.log->verify({})->empty());
}

// Which records are damaged is asked for most when something else is damaged as well.
TEST(AuditLog, LooksAtEveryItemAlsoWhenStateRowOrCheckpointIsDamaged) {
  Store store;
  ASSERT_TRUE(store.open());
  vault::WriteSet set;
  set.change_state({to_bytes("a1"), true});
  ASSERT_TRUE(store.log->commit(std::move(set), {read_of("p1")}));
  auto const whole = store.disk->state();
  for (auto const& key : {engine_key(store, as_bytes("c")),
                          store.vault->view(vault::Keeper::kState).full_key(as_bytes("state"))}) {
    store.disk->tamper([&](test::Rows& rows) { rows.at(key).front() ^= std::byte{1}; });
    int looked = 0;
    auto const result = store.log->verify_state([&](auto const& add) -> Result<void> {
      add(as_bytes("a1"));
      ++looked;
      return {};
    });
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind(), ErrorKind::kCorrupt);
    EXPECT_EQ(looked, 1);
    store.disk->restore(whole);
  }
}

TEST(AuditLog, RefusesToRemoveMoreThanTheStateHolds) {
  Store store;
  ASSERT_TRUE(store.open());
  vault::WriteSet set;
  set.change_state({to_bytes("never added"), false});
  std::vector<Event> events{read_of("p1")};
  EXPECT_EQ(store.log->commit(std::move(set), std::move(events)).error().kind(), ErrorKind::kBug);
}

}  // namespace
}  // namespace tacenda::audit

// The text of a request: who can read it, and that nobody can after the erasure of anyone whom it matched or
// named (A-03; docs/adr/0007).
#include <atomic>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "audit/internal/query_reader.hpp"
#include "audit/internal/rows.hpp"
#include "audit/internal/test_store.hpp"
#include "audit/log.hpp"
#include "vault/digest.hpp"

namespace tacenda::audit {
namespace {

using test::make_patient;
using test::read_of;
using test::Rows;
using test::Store;

constexpr std::string_view kText = "name=tabby";

/// One event for each of `patients`, as a search leaves them.
std::vector<Event> search_of(std::vector<std::string> const& patients, std::string_view text = kText) {
  std::vector<Event> events;
  for (auto const& patient : patients) {
    events.push_back(read_of(patient));
    events.back().kind = EventKind::kSearch;
    events.back().resource_id.clear();
    events.back().query = text;
  }
  return events;
}

std::uint64_t must_commit(Store& store, std::vector<Event> events) {
  auto const receipt = store.log->commit({}, std::move(events));
  EXPECT_TRUE(receipt.has_value()) << (receipt ? "" : receipt.error().message());
  return receipt ? receipt->first_sequence() : 0;
}

void erase(Store& store, std::string const& patient) {
  auto const erased = store.vault->shred(vault::Subject::patient(patient));
  ASSERT_TRUE(erased.has_value()) << erased.error().message();
}

Entry opened(Store const& store, std::uint64_t sequence) {
  auto const entry = store.log->entry(sequence, Log::Texts::kOpened);
  EXPECT_TRUE(entry.has_value()) << (entry ? "" : entry.error().message());
  return entry ? *entry : Entry{};
}

Bytes query_row_key(Store const& store, std::uint64_t sequence) {
  return test::engine_key(store, rows::of(rows::kQuery, sequence));
}

/// Everything that can be got out of stored bytes with every key that is left: those of the store, of its
/// tenant and of `patients`, of which every set is tried on every text.
class Attacker {
 public:
  Attacker(Store const& store, std::vector<std::string> const& patients) : sealer_(*store.vault) {
    for (auto const& patient : patients) {
      if (auto const keys = store.vault->subject(vault::Subject::patient(patient))) keys_.push_back(*keys);
    }
    keys_.push_back(store.vault->subject(vault::Subject::tenant()).value());
  }

  /// How often `tabby` comes out.
  int finds(Rows const& stored, std::string_view tabby) const {
    int found = 0;
    for (auto const& [key, value] : stored) {
      found += count(value, tabby) + count(key, tabby);
      // A row may lie anywhere: each is tried as an entry and as a text.
      auto const entry = sealer_.open(value, [](std::uint64_t) { return std::optional<Bytes>(); });
      if (entry) {
        Bytes body;
        encode_event(entry->entry.event, entry->mark, body);
        found += count(body, tabby) + count(as_bytes(entry->entry.event.query), tabby);
      }
      auto const plaintext = sealer_.open_query_row(value);
      if (!plaintext) continue;
      found += count(*plaintext, tabby);
      auto const row = decode_query_row(*plaintext);
      if (row) found += count_in_text(*row, tabby);
    }
    return found;
  }

 private:
  static int count(ByteView bytes, std::string_view tabby) {
    return as_text(bytes).find(tabby) == std::string_view::npos ? 0 : 1;
  }
  int count_in_text(QueryRow const& row, std::string_view tabby) const {
    int found = 0;
    for (std::uint32_t set = 0; set < (1U << keys_.size()); ++set) {
      std::vector<std::shared_ptr<vault::SubjectKeys const>> some;
      for (std::size_t i = 0; i < keys_.size(); ++i) {
        if ((set >> i & 1U) != 0) some.push_back(keys_[i]);
      }
      if (auto const text = sealer_.open_query(row, some)) found += count(*text, tabby);
    }
    return found;
  }

  EntrySealer sealer_;
  std::vector<std::shared_ptr<vault::SubjectKeys const>> keys_;
};

class AuditLogQuery : public ::testing::Test {
 protected:
  AuditLogQuery() {
    EXPECT_TRUE(store.open());
    for (auto const& patient : patients) make_patient(store, patient);
  }

  Store store;
  std::vector<std::string> const patients{"p1", "p2", "p3"};
};

TEST_F(AuditLogQuery, A03StandsOnceAndIsReadInEachEntryOfItsRequest) {
  std::uint64_t const first = must_commit(store, search_of(patients));
  for (std::uint64_t i = 0; i < patients.size(); ++i) {
    Entry const entry = opened(store, first + i);
    EXPECT_EQ(entry.query_state, QueryState::kOpen);
    EXPECT_EQ(entry.event.query, kText);
  }
  int texts = 0;
  for (auto const& [key, value] : *store.disk->state()) {
    if (equal(ByteView(key).first(18), ByteView(query_row_key(store, 0)).first(18))) ++texts;
  }
  EXPECT_EQ(texts, 1);
  EXPECT_EQ(Attacker(store, patients).finds(*store.disk->state(), kText), 1) << "the attacker is blind";
}

TEST_F(AuditLogQuery, A03IsGoneAfterTheErasureOfAnyOneOfItsPatients) {
  for (auto const& erased : {"p1", "p2", "p3"}) {
    Store fresh;
    ASSERT_TRUE(fresh.open());
    for (auto const& patient : patients) make_patient(fresh, patient);
    std::uint64_t const first = must_commit(fresh, search_of(patients));
    ASSERT_EQ(opened(fresh, first).event.query, kText);
    Rows const before = *fresh.disk->state();
    erase(fresh, erased);
    for (int restart = 0; restart < 2; ++restart) {
      for (std::uint64_t i = 0; i < patients.size(); ++i) {
        Entry const entry = opened(fresh, first + i);
        EXPECT_EQ(entry.readable, patients[i] != erased) << erased << i;
        EXPECT_EQ(entry.query_state, entry.readable ? QueryState::kErased : QueryState::kNone);
        EXPECT_EQ(entry.event.query, "");
      }
      Attacker const attacker(fresh, patients);
      EXPECT_EQ(attacker.finds(*fresh.disk->state(), kText), 0) << erased;
      EXPECT_EQ(attacker.finds(before, kText), 0) << "an old copy of the folder opens without " << erased;
      auto const damage = fresh.log->verify({});
      EXPECT_TRUE(damage->empty()) << damage->front().object;
      ASSERT_TRUE(fresh.reopen());
    }
  }
}

TEST_F(AuditLogQuery, A03OfOnePatientIsGoneWithHim) {
  must_commit(store, search_of({"p1"}));
  std::uint64_t const other = must_commit(store, search_of({"p2"}, "name=other"));
  Rows const before = *store.disk->state();
  erase(store, "p1");
  EXPECT_EQ(Attacker(store, patients).finds(before, kText), 0);
  EXPECT_EQ(opened(store, other).event.query, "name=other") << "somebody else's stays";
}

TEST_F(AuditLogQuery, A03IsGoneAfterTheErasureOfAPatientWhomItNamesAndDidNotMatch) {
  auto const named = {"subject=Patient/p1,Patient/p2&code=tabby",
                      "patient=p1&code=tabby",
                      "subject:Patient=p1&code=tabby",
                      "_has:Observation:subject:_id=p1&code=tabby",
                      "encounter.subject=p1&code=tabby",
                      "x=https%3A%2F%2Fhost%2Ffhir%2FPatient%2Fp1&code=tabby",
                      "%5Fid=p1&code=tabby&bad=%zz"};
  std::vector<std::uint64_t> entries;
  for (auto const* text : named) entries.push_back(must_commit(store, search_of({"p2"}, text)));
  for (std::size_t i = 0; i < entries.size(); ++i)
    EXPECT_EQ(opened(store, entries[i]).event.query, named.begin()[i]);
  Rows const before = *store.disk->state();
  erase(store, "p1");
  for (std::uint64_t const entry : entries) EXPECT_EQ(opened(store, entry).query_state, QueryState::kErased);
  EXPECT_EQ(Attacker(store, patients).finds(before, "tabby"), 0);
}

TEST_F(AuditLogQuery, A03IsGoneAfterTheErasureOfAPatientWhomItsAuthorSaysItIsAbout) {
  auto refused = search_of({"p2"});
  refused.front().patients.clear();
  refused.front().query_patients = {"p3"};
  auto of_path = search_of({"p2"}, "code=tabby");
  of_path.front().patients.clear();
  of_path.front().resource_type = "Patient";
  of_path.front().resource_id = "p3";
  std::uint64_t const first = must_commit(store, std::move(refused));
  std::uint64_t const second = must_commit(store, std::move(of_path));
  EXPECT_EQ(opened(store, first).event.query, kText);
  EXPECT_EQ(opened(store, second).event.query, "code=tabby");
  Rows const before = *store.disk->state();
  erase(store, "p3");
  EXPECT_EQ(opened(store, first).query_state, QueryState::kErased);
  EXPECT_EQ(opened(store, second).query_state, QueryState::kErased);
  EXPECT_EQ(Attacker(store, patients).finds(before, "tabby"), 0);
}

TEST_F(AuditLogQuery, A03OfNobodyStaysAndOfOneWithoutKeysToo) {
  std::uint64_t const of_nobody = must_commit(store, [&] {
    auto events = search_of({"p1"});
    events.front().patients.clear();
    return events;
  }());
  std::uint64_t const of_unknown = must_commit(store, search_of({"stranger"}, "name=stranger"));
  erase(store, "p1");
  EXPECT_EQ(opened(store, of_nobody).event.query, kText);
  EXPECT_EQ(opened(store, of_unknown).event.query, "name=stranger");
}

TEST_F(AuditLogQuery, A03OfAnErasedPatientWhomAllKnewToBeErasedIsKept) {
  erase(store, "p1");
  auto events = search_of({"p2"}, "subject=Patient/p1,Patient/p2");
  events.front().erasures_before = store.vault->order().patient_erasures();
  std::uint64_t const entry = must_commit(store, std::move(events));
  EXPECT_EQ(opened(store, entry).event.query, "subject=Patient/p1,Patient/p2")
      << "whoever names an erased patient hides what he asks";
}

// Who reads beside a damaged table must still be recorded.
TEST_F(AuditLogQuery, OfOneWhoseKeysAreDamagedIsNotStoredAndItsEntryIs) {
  Bytes const keys = store.vault->view(vault::Keeper::kKeys).full_key(as_bytes("sPatient/p1"));
  store.disk->tamper([&](Rows& rows) { rows.at(keys).back() ^= std::byte{1}; });
  ASSERT_TRUE(store.reopen());  // nobody has them in memory
  std::uint64_t const entry = must_commit(store, search_of({"p2"}, "subject=Patient/p1,Patient/p2"));
  EXPECT_TRUE(opened(store, entry).readable);
  EXPECT_EQ(opened(store, entry).query_state, QueryState::kErased);
}

// The same text twice in one commit, of one patient here and of another there: closed by either.
TEST_F(AuditLogQuery, OneTextOfSeveralInteractionsOfACommitEndsWithAnyOfTheirPatients) {
  auto events = search_of({"p1"});
  events.push_back(search_of({"p3"}, "name=other").front());
  events.push_back(search_of({"p2"}).front());
  std::uint64_t const first = must_commit(store, std::move(events));
  EXPECT_EQ(opened(store, first + 2).event.query, kText);
  Rows const before = *store.disk->state();
  erase(store, "p1");
  EXPECT_EQ(opened(store, first + 2).query_state, QueryState::kErased);
  EXPECT_EQ(opened(store, first + 1).event.query, "name=other");
  EXPECT_EQ(Attacker(store, patients).finds(before, kText), 0);
}

TEST_F(AuditLogQuery, ALaterPageLeadsToTheTextOfTheFirstAndEndsWithThePatientsOfEither) {
  auto const page = [&](std::string const& patient, std::uint64_t first) {
    auto events = search_of({patient}, "");
    events.front().query_at = first;
    return must_commit(store, std::move(events));
  };
  std::uint64_t const first = must_commit(store, search_of({"p1"}));
  std::uint64_t const second = page("p2", first);
  std::uint64_t const third = page("p3", first);
  EXPECT_EQ(opened(store, second).event.query, kText);
  EXPECT_EQ(opened(store, third).event.query, kText);
  EXPECT_EQ(Attacker(store, patients).finds(*store.disk->state(), kText), 1) << "it stands once";
  Rows const before = *store.disk->state();
  erase(store, "p1");
  EXPECT_EQ(opened(store, second).query_state, QueryState::kErased);
  EXPECT_EQ(opened(store, third).query_state, QueryState::kErased);
  EXPECT_EQ(Attacker(store, patients).finds(before, kText), 0);
  EXPECT_TRUE(store.log->verify({})->empty());
}

// What the first page showed stays: its text tells of those who were on it. docs/threat-model.md says so.
TEST_F(AuditLogQuery, APageLeadsNowhereAfterTheErasureOfOneWhomItShowed) {
  std::uint64_t const first = must_commit(store, search_of({"p1"}));
  auto events = search_of({"p2", "p3"}, "");
  for (Event& event : events) event.query_at = first;
  std::uint64_t const second = must_commit(store, std::move(events));
  ASSERT_EQ(opened(store, second + 1).event.query, kText);
  erase(store, "p2");
  EXPECT_EQ(opened(store, second + 1).query_state, QueryState::kErased);
  EXPECT_EQ(opened(store, first).event.query, kText);
}

TEST_F(AuditLogQuery, IsOpenedForNobodyWhoDoesNotAskForIt) {
  std::uint64_t const first = must_commit(store, search_of({"p1"}));
  EXPECT_EQ(store.log->entry(first)->query_state, QueryState::kSealed);
  EXPECT_EQ(store.log->entry(first)->event.query, "");
  auto const listed = store.log->list({.patient = "p1"});
  EXPECT_EQ(listed->size(), 2U);
  for (auto const& entry : *listed) EXPECT_EQ(entry.event.query, "");
  auto const shown = store.log->list({.patient = "p1", .texts = Log::Texts::kOpened});
  EXPECT_EQ(shown->back().event.query, kText);
}

TEST_F(AuditLogQuery, AThousandPatientsCloseIt) {
  constexpr int kMany = 1'000;
  std::vector<std::string> many;
  for (int i = 0; i < kMany; ++i) {
    many.push_back("m" + std::to_string(i));
    make_patient(store, many.back());
  }
  std::uint64_t const first = must_commit(store, search_of(many));
  auto const listed = store.log->list({.after = first - 1, .limit = kMany, .texts = Log::Texts::kOpened});
  ASSERT_EQ(listed->size(), static_cast<std::size_t>(kMany));
  for (auto const& entry : *listed) ASSERT_EQ(entry.event.query, kText);
  for (std::uint64_t i = 0; i < kMany; ++i)
    ASSERT_LE(store.log->entry_bytes(first + i)->size(), 1'000U) << "the patients stand once, not in each";
  erase(store, "m517");
  EXPECT_EQ(opened(store, first).query_state, QueryState::kErased);
  EXPECT_EQ(opened(store, first + kMany - 1).query_state, QueryState::kErased);
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST_F(AuditLogQuery, ATextInThePlaceOfAnotherIsRefusedAndNamed) {
  std::uint64_t const one = must_commit(store, search_of({"p1"}));
  std::uint64_t const two = must_commit(store, search_of({"p1"}, "name=other"));
  store.disk->tamper(
      [&](Rows& rows) { std::swap(rows.at(query_row_key(store, one)), rows.at(query_row_key(store, two))); });
  for (std::uint64_t const entry : {one, two}) {
    EXPECT_EQ(store.log->entry(entry, Log::Texts::kOpened).error().kind(), ErrorKind::kCorrupt);
    EXPECT_TRUE(store.log->entry(entry)->readable) << "what is not the text is read as before";
  }
  EXPECT_EQ(store.log->verify({})->size(), 2U);
}

TEST_F(AuditLogQuery, NoFlippedByteOfATextOpens) {
  std::uint64_t const entry = must_commit(store, search_of({"p1", "p2"}));
  Bytes const row = query_row_key(store, entry);
  std::size_t const size = store.disk->state()->at(row).size();
  for (std::size_t i = 0; i < size; ++i) {
    store.disk->tamper([&](Rows& rows) { rows.at(row)[i] ^= std::byte{1}; });
    EXPECT_FALSE(store.log->entry(entry, Log::Texts::kOpened).has_value()) << i;
    store.disk->tamper([&](Rows& rows) { rows.at(row)[i] ^= std::byte{1}; });
  }
  EXPECT_EQ(opened(store, entry).event.query, kText);
}

// Made by somebody who has the store's keys and p2's, but may not change the log.
TEST_F(AuditLogQuery, AForgedTextUnderFewerKeysIsRefused) {
  std::uint64_t const entry = must_commit(store, search_of({"p1", "p2"}));
  std::uint64_t const own = must_commit(store, search_of({"p2"}, "name=forged"));
  store.disk->tamper(
      [&](Rows& rows) { rows.at(query_row_key(store, entry)) = rows.at(query_row_key(store, own)); });
  EXPECT_EQ(store.log->entry(entry, Log::Texts::kOpened).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(store.log->verify({})->front().object, "query of audit entry " + std::to_string(entry));
}

// Everything but the vault root is put back to before the erasure.
TEST_F(AuditLogQuery, RowsOfBeforeAnErasureBringNoTextBack) {
  std::uint64_t const entry = must_commit(store, search_of({"p1", "p2"}));
  Rows const before = *store.disk->state();
  erase(store, "p1");
  store.disk->tamper([&](Rows& rows) {
    for (auto const& [key, value] : before) rows.try_emplace(key, value);  // rows that the erasure took out
  });
  EXPECT_EQ(opened(store, entry + 1).query_state, QueryState::kErased);
  EXPECT_EQ(Attacker(store, patients).finds(before, kText), 0);
}

/// The committer rests while `between` runs.
std::uint64_t commit_around(Store& store, std::vector<Event> events, std::function<void()> const& between) {
  store.stop();
  store.log = Log::open(*store.vault, store.clock, store.random).value();
  std::optional<Result<Receipt>> result;
  store.log->commit_async({}, std::move(events), [&](Result<Receipt> got) { result = std::move(got); });
  between();
  store.runner = std::jthread([&store](std::stop_token const& token) { store.log->run(token); });
  EXPECT_TRUE(test::commit(*store.log, read_of("nobody")));  // what was queued before is through
  EXPECT_TRUE(result.has_value() && result->has_value());
  return (*result)->first_sequence();
}

TEST_F(AuditLogQuery, A03OfASearchThatCommitsAfterTheErasureOfOneItMatchedIsNotStored) {
  auto events = search_of({"p1", "p2"});
  for (Event& event : events) event.erasures_before = store.vault->order().patient_erasures();
  std::uint64_t const first = commit_around(store, std::move(events), [&] { erase(store, "p1"); });
  for (std::uint64_t const entry : {first, first + 1}) {
    EXPECT_TRUE(opened(store, entry).readable);
    EXPECT_EQ(opened(store, entry).query_state, QueryState::kErased);
  }
  EXPECT_FALSE(store.disk->state()->contains(query_row_key(store, first)));
  EXPECT_EQ(Attacker(store, patients).finds(*store.disk->state(), kText), 0);
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST_F(AuditLogQuery, A03OfARequestThatCameBeforeTheErasureOfOneItNamesIsNotStored) {
  auto events = search_of({"p2"}, "subject=Patient/p1,Patient/p2&code=tabby");
  events.front().erasures_before = store.vault->order().patient_erasures();
  erase(store, "p1");
  std::uint64_t const entry = must_commit(store, std::move(events));
  EXPECT_EQ(opened(store, entry).query_state, QueryState::kErased);
  EXPECT_EQ(Attacker(store, patients).finds(*store.disk->state(), "tabby"), 0);
}

TEST_F(AuditLogQuery, A03EndingAnExportHidesNoTextThatNamesWhoWasErasedBefore) {
  erase(store, "p1");
  auto events = search_of({"p2"}, "subject=Patient/p1,Patient/p2&code=tabby");
  events.front().erasures_before = store.vault->order().patient_erasures();
  auto const job = vault::Subject::export_job("own");
  vault::WriteSet set;
  ASSERT_TRUE(store.vault->subject_for_write(job, set).has_value());
  ASSERT_TRUE(store.log->commit(std::move(set), search_of({"p2"})).has_value());
  ASSERT_TRUE(store.vault->shred(job).has_value());
  std::uint64_t const entry = must_commit(store, std::move(events));
  EXPECT_EQ(opened(store, entry).query_state, QueryState::kOpen);
}

TEST_F(AuditLogQuery, A03ATextIsKeptWhenSomebodyElseIsErasedMeanwhile) {
  auto events = search_of({"p1", "p2"});
  for (Event& event : events) event.erasures_before = store.vault->order().patient_erasures();
  std::uint64_t const first = commit_around(store, std::move(events), [&] { erase(store, "p3"); });
  EXPECT_EQ(opened(store, first + 1).event.query, kText);
}

TEST_F(AuditLogQuery, A03SearchesBesideErasuresLeaveNoTextOfTheErased) {
  constexpr int kErased = 8;
  for (int i = 0; i < kErased; ++i) make_patient(store, "e" + std::to_string(i));
  std::atomic<bool> done{false};
  std::atomic<int> failed{0};
  std::vector<std::jthread> callers;
  for (int thread = 0; thread < 3; ++thread) {
    callers.emplace_back([&] {
      for (int i = 0; !done; ++i) {
        auto const erased = "e" + std::to_string(i % kErased);
        auto events = search_of({"p1", erased}, "tabby=" + erased);
        if (!store.log->commit({}, std::move(events))) ++failed;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (int i = 0; i < kErased; ++i) erase(store, "e" + std::to_string(i));
  done = true;
  callers.clear();
  EXPECT_EQ(failed.load(), 0);
  EXPECT_EQ(Attacker(store, {"p1"}).finds(*store.disk->state(), "tabby"), 0);
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST(AuditQueryNames, AreFoundWhereverAPatientIsNamed) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(patients_named_in(""), Names{});
  EXPECT_EQ(patients_named_in("name=p1&identifier=urn:x|p2&gender=male&_count=50"), Names{});
  EXPECT_EQ(patients_named_in("subject=Patient/a,Patient/b"), (Names{"a", "b"}));
  EXPECT_EQ(patients_named_in("patient=a,b&subject=c"), (Names{"a", "b", "c"}));
  EXPECT_EQ(patients_named_in("performer=Patient%2Fa%2F_history/3"), Names{"a"});
  EXPECT_EQ(patients_named_in("link=https://h/fhir/Patient/a|2"), Names{"a"});
  EXPECT_EQ(patients_named_in("actor:Patient=a&_id:not=b&patient.name=c&patient._id=d"),
            (Names{"a", "b", "d"}));
  EXPECT_EQ(patients_named_in("_has:Observation:patient:code=x&_has:Group:member:_id=y"), Names{"y"});
  EXPECT_EQ(patients_named_in("_typeFilter=Observation%3Fsubject%3DPatient%2Fa"), Names{"a"});
  EXPECT_EQ(patients_named_in("=&&%&%2=%zz&patient=%61"), Names{"a"});
}

TEST(AuditQueryNames, AreNoMoreThanAreLookedUp) {
  std::string text = "patient=";
  for (int i = 0; i < 100'000; ++i) text.append("p").append(std::to_string(i)).append(",");
  EXPECT_EQ(patients_named_in(text).size(), kQueryNames);
}

}  // namespace
}  // namespace tacenda::audit

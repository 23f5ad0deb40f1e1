// What raises an alert, what repeats it, and what an end at any moment leaves behind.
#include "monitor/detector.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "monitor/networks.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::monitor {
namespace {

using audit::Event;
using audit::EventKind;
using audit::Outcome;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// A store, its log, and what follows it; `restart` ends all of it as kill -9 does.
class Ward {
 public:
  Ward() { open(); }
  ~Ward() { close(); }
  Ward(Ward const&) = delete;
  Ward& operator=(Ward const&) = delete;

  void open() {
    auto opened = audit::Log::open(*store.vault, store.clock, store.random);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    log = std::move(*opened);
    committer = std::jthread([this](std::stop_token stop) { log->run(stop); });
    auto loaded = Alerts::open(*store.vault, store.clock);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
    alerts = std::move(*loaded);
    auto made = Detector::open({*store.vault, *log, *alerts, store.clock, sends_mail});
    ASSERT_TRUE(made.has_value()) << made.error().message();
    detector = std::move(*made);
  }
  void close() {
    detector.reset();
    alerts.reset();
    if (committer.joinable()) {
      committer.request_stop();
      committer.join();
    }
    log.reset();
  }
  void restart() {
    close();
    auto const opened = store.reopen();
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    open();
  }

  void patient(std::string const& id) {
    vault::WriteSet set;
    ASSERT_TRUE(store.vault->subject_for_write(vault::Subject::patient(id), set).has_value());
    commit_set(std::move(set), {event_of(EventKind::kCreate)});
  }

  static Event event_of(EventKind kind, std::string user = "", std::string patient = "") {
    Event event;
    event.kind = kind;
    event.actor_id = std::move(user);
    if (!patient.empty()) event.patients.push_back(std::move(patient));
    return event;
  }
  std::uint64_t commit_set(vault::WriteSet set, std::vector<Event> events) {
    auto const receipt = log->commit(std::move(set), std::move(events));
    EXPECT_TRUE(receipt.has_value()) << receipt.error().message();
    return receipt->first_sequence();
  }
  std::uint64_t commit(Event event) { return commit_set({}, {std::move(event)}); }
  std::uint64_t watched(std::string user, std::string patient, Outcome outcome = Outcome::kSuccess) {
    auto event = event_of(EventKind::kRead, std::move(user), std::move(patient));
    event.labels = "V";
    event.outcome = outcome;
    return commit(std::move(event));
  }
  std::uint64_t emergency(std::string id, std::string user = "user-1", std::string patient = "p1") {
    auto event = event_of(EventKind::kEmergencyBegun, std::move(user), std::move(patient));
    event.target = std::move(id);
    return commit(std::move(event));
  }
  std::uint64_t sign_in(std::string user, std::string address) {
    auto event = event_of(EventKind::kLogin, std::move(user));
    event.network = std::move(address);
    return commit(std::move(event));
  }

  /// Looks at all there is, and commits what repeats.
  void look() {
    for (bool more = true; more;) {
      auto const stepped = detector->step();
      ASSERT_TRUE(stepped.has_value()) << stepped.error().message();
      more = *stepped;
    }
  }
  void look_and_store() {
    look();
    store.clock.advance(Detector::kStoreTime);
    look();
  }
  std::vector<Alert> list(Alerts::Filter const& filter = {}) const {
    auto found = alerts->list(filter);
    EXPECT_TRUE(found.has_value());
    return found.has_value() ? *found : std::vector<Alert>();
  }
  std::vector<Alert> of(Rule rule) const {
    auto found = list();
    std::erase_if(found, [rule](Alert const& alert) { return alert.id.rule != rule; });
    return found;
  }
  std::size_t entries(EventKind kind) const {
    auto const all = log->list({.limit = audit::Log::kListMax});
    EXPECT_TRUE(all.has_value());
    return static_cast<std::size_t>(
        std::ranges::count_if(*all, [kind](audit::Entry const& entry) { return entry.event.kind == kind; }));
  }
  ErrorKind answer(AlertId id, AlertState state, std::string_view user, std::string_view note) {
    auto change = alerts->answer(id, state, user, note);
    if (!change.has_value()) return change.error().kind();
    auto const receipt = log->commit(std::move(change->set), {event_of(EventKind::kAlertAnswered)});
    if (!receipt.has_value()) return receipt.error().kind();
    change->committed();
    return ErrorKind::kBug;  // none
  }

  bool sends_mail = false;
  vault::testing::TestStore store;
  std::unique_ptr<audit::Log> log;
  std::jthread committer;
  std::unique_ptr<Alerts> alerts;
  std::unique_ptr<Detector> detector;
};

TEST(Detector, RaisesAnAlertWithItsPositionAndAnEntry) {
  Ward ward;
  ward.patient("p1");
  auto const sequence = ward.emergency("e1");
  ward.look();
  auto const found = ward.list();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, (AlertId{sequence, Rule::kEmergency}));
  EXPECT_EQ(found[0].user, "user-1");
  EXPECT_EQ(ward.alerts->patient_of(found[0]).value(), "p1");
  EXPECT_EQ(found[0].emergency, "e1");
  EXPECT_EQ(found[0].state, AlertState::kOpen);
  EXPECT_EQ(ward.alerts->open_count(), 1U);
  auto const entry = ward.log->entry(ward.log->size() - 1);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->event.kind, EventKind::kAlertRaised);
  EXPECT_EQ(entry->event.target, found[0].id.text());
  EXPECT_EQ(entry->event.patients, std::vector<std::string>{"p1"});
}

TEST(Detector, LeavesWhatIsRefusedAndWhatIsOrdinaryAlone) {
  Ward ward;
  auto refused = Ward::event_of(EventKind::kEmergencyBegun, "user-1");
  refused.outcome = Outcome::kMinorFailure;
  ward.commit(std::move(refused));
  ward.commit(Ward::event_of(EventKind::kRead, "user-1", "p1"));
  ward.commit(Ward::event_of(EventKind::kLoginFailed, "user-1"));
  auto own = Ward::event_of(EventKind::kRead, "user-1", "p1");
  own.labels = "V";
  own.explained_by = "self";
  ward.commit(std::move(own));
  ward.look_and_store();
  EXPECT_TRUE(ward.list().empty());
  EXPECT_EQ(ward.entries(EventKind::kLogExamined), 0U) << "nothing that is found costs nothing";
}

TEST(Detector, RaisesNothingTwiceAndMissesNothingAcrossAnEnd) {
  Ward ward;
  ward.patient("p1");
  ward.emergency("e1");
  ward.look();
  ward.emergency("e2");  // nobody looked yet
  ward.restart();
  EXPECT_EQ(ward.alerts->open_count(), 1U);
  ward.look();
  ward.restart();
  ward.look();
  EXPECT_EQ(ward.list().size(), 2U);
  EXPECT_EQ(ward.entries(EventKind::kAlertRaised), 2U);
}

TEST(Detector, FoldsRepeatsOfOneUserAndPatient) {
  Ward ward;
  ward.patient("p1");
  ward.patient("p2");
  for (int i = 0; i < 5; ++i) ward.watched("user-1", "p1");
  ward.watched("user-2", "p1");
  ward.watched("user-1", "p2");
  ward.watched("user-1", "p1", Outcome::kMinorFailure);
  ward.look();
  auto const last = ward.watched("user-1", "p1");
  ward.look_and_store();
  auto const found = ward.of(Rule::kWatchedRecord);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].count, 6U);
  EXPECT_EQ(found[0].last_sequence, last);
  EXPECT_EQ(found[1].count, 1U);
  EXPECT_EQ(ward.of(Rule::kWatchedRecordDenied).size(), 1U);
  ward.store.clock.advance(minutes(60));
  ward.watched("user-1", "p1");
  ward.look();
  EXPECT_EQ(ward.of(Rule::kWatchedRecord).size(), 4U) << "an hour later it is another one";
}

TEST(Detector, CountsRepeatsOnceAcrossAnEnd) {
  Ward ward;
  ward.patient("p1");
  ward.watched("user-1", "p1");
  ward.look();
  ward.watched("user-1", "p1");
  ward.look();  // noted, not stored
  ward.restart();
  ward.watched("user-1", "p1");
  ward.look_and_store();
  ward.restart();
  ward.look_and_store();
  auto const found = ward.list();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].count, 3U);
}

TEST(Detector, RaisesAnewWhatGoesOnBehindAnAnswer) {
  Ward ward;
  ward.patient("p1");
  ward.watched("user-1", "p1");
  ward.look();
  EXPECT_EQ(ward.answer(ward.list()[0].id, AlertState::kAcknowledged, "officer", "asked him"),
            ErrorKind::kBug);
  EXPECT_EQ(ward.alerts->open_count(), 0U);
  ward.watched("user-1", "p1");
  ward.look();
  EXPECT_EQ(ward.list({.open_only = true}).size(), 1U);
  EXPECT_EQ(ward.list().size(), 2U);
}

TEST(Detector, LosesNoAnswerThatComesBetween) {
  Ward ward;
  ward.patient("p1");
  ward.watched("user-1", "p1");
  ward.look();
  auto const id = ward.list()[0].id;
  ward.watched("user-1", "p1");
  ward.look();  // would write the alert as it was: open
  EXPECT_EQ(ward.answer(id, AlertState::kClosed, "officer", "was needed"), ErrorKind::kBug);
  ward.look_and_store();
  ward.look_and_store();
  auto const found = ward.list();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].state, AlertState::kClosed);
  EXPECT_EQ(found[0].count, 1U);
  EXPECT_EQ(found[1].state, AlertState::kOpen);
  EXPECT_EQ(ward.alerts->open_count(), 1U);
}

TEST(Detector, DoesNotDrownInAFlood) {
  Ward ward;
  ward.patient("p1");
  constexpr std::size_t kMore = 50;
  std::vector<Event> events;
  for (std::size_t i = 0; i < Detector::kAlertsOfRule + kMore; ++i) {
    events.push_back(Ward::event_of(EventKind::kRead, "user-" + std::to_string(i), "p1"));
    events.back().labels = "VIP";
  }
  ward.commit_set({}, std::move(events));
  ward.emergency("e1");
  ward.look_and_store();
  auto const found = ward.of(Rule::kWatchedRecord);
  ASSERT_EQ(found.size(), Alerts::kListMax);
  auto const rest = ward.list({.after = found.back().id});
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_TRUE(rest[0].stands_for_many);
  EXPECT_TRUE(rest[0].user.empty());
  EXPECT_EQ(rest[0].count, kMore);
  EXPECT_EQ(rest[1].id.rule, Rule::kEmergency) << "other rules are not in the way of it";
}

TEST(Detector, EscalatesAnEmergencyThatNobodyReviewsFor48Hours) {
  Ward ward;
  ward.patient("p1");
  auto const sequence = ward.emergency("e1");
  ward.look();
  ward.store.clock.advance(hours(48) - seconds(1));
  ward.look();
  EXPECT_EQ(ward.list().size(), 1U);
  ward.restart();
  ward.store.clock.advance(seconds(1));
  ward.look();
  ward.look();
  auto found = ward.of(Rule::kEmergencyUnreviewed);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id.sequence, sequence);
  EXPECT_EQ(ward.alerts->patient_of(found[0]).value(), "p1");
  ward.restart();
  ward.look();
  EXPECT_EQ(ward.of(Rule::kEmergencyUnreviewed).size(), 1U);
  EXPECT_EQ(ward.entries(EventKind::kAlertRaised), 2U);
}

TEST(Detector, ClosesWhatWasReviewedAndLetsItRest) {
  Ward ward;
  ward.patient("p1");
  ward.emergency("e1");
  ward.emergency("e2");
  ward.look();
  auto reviewed = Ward::event_of(EventKind::kEmergencyReviewed, "officer");
  reviewed.target = "e1";
  ward.commit(std::move(reviewed));
  ward.look_and_store();
  auto found = ward.of(Rule::kEmergency);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].state, AlertState::kClosed);
  EXPECT_EQ(found[0].answered_by, "officer");
  EXPECT_EQ(ward.alerts->open_count(), 1U);
  ward.store.clock.advance(hours(49));
  ward.look();
  ASSERT_EQ(ward.of(Rule::kEmergencyUnreviewed).size(), 1U);
  EXPECT_EQ(ward.of(Rule::kEmergencyUnreviewed)[0].emergency, "e2");
}

TEST(Detector, TellsASignInFromANewNetwork) {
  Ward ward;
  ward.sign_in("user-1", "192.0.2.10");
  ward.sign_in("user-1", "192.0.2.11");
  ward.sign_in("user-2", "198.51.100.1");
  ward.sign_in("user-1", "");
  ward.look_and_store();
  EXPECT_TRUE(ward.list().empty());
  ward.restart();
  auto const sequence = ward.sign_in("user-1", "198.51.100.1");
  ward.sign_in("user-1", "198.51.100.2");
  ward.look_and_store();
  auto const found = ward.list();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, (AlertId{sequence, Rule::kNewNetwork}));
  EXPECT_EQ(found[0].user, "user-1");
}

TEST(Detector, TellsNewFactorsOfAnAccountThatIsInUseAndNotTheFirst) {
  Ward ward;
  ward.commit(Ward::event_of(EventKind::kEnrolled, "user-1"));
  ward.look();
  EXPECT_TRUE(ward.list().empty());
  ward.sign_in("user-1", "192.0.2.10");
  auto const sequence = ward.commit(Ward::event_of(EventKind::kEnrolled, "user-1"));
  ward.commit(Ward::event_of(EventKind::kEnrolled, "user-2"));
  ward.look();
  auto const found = ward.list();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, (AlertId{sequence, Rule::kFactorsChanged}));
  EXPECT_EQ(found[0].user, "user-1");
}

TEST(Detector, ForgetsNetworksThatNobodyUsesAnyMore) {
  Ward ward;
  ward.sign_in("user-1", "192.0.2.10");
  ward.look_and_store();
  auto const view = ward.store.vault->view(vault::Keeper::kMonitor);
  auto const rows = [&] {
    std::size_t count = 0;
    auto const scanned = view.scan(as_bytes("n"), [&count](ByteView, ByteView) -> Result<bool> {
      ++count;
      return true;
    });
    EXPECT_TRUE(scanned.has_value());
    return count;
  };
  EXPECT_EQ(rows(), 1U);
  ward.store.clock.advance(Networks::kKept + hours(25));
  ward.look_and_store();
  EXPECT_EQ(rows(), 0U);
}

TEST(Detector, ForgetsThePatientWithHisKeys) {
  Ward ward;
  ward.patient("p1");
  ward.watched("user-1", "p1");
  ward.look();
  ASSERT_TRUE(ward.store.vault->shred(vault::Subject::patient("p1")).has_value());
  auto const found = ward.list();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].patient.has_value());
  EXPECT_EQ(ward.alerts->patient_of(found[0]).value(), std::nullopt);
  EXPECT_TRUE(ward.list({.patient = "p1"}).empty());
}

TEST(Detector, RaisesAnAlertAlsoWhenThePatientWasErasedBeforeItLooked) {
  Ward ward;
  ward.patient("p1");
  ward.watched("user-1", "p1", Outcome::kMinorFailure);
  ASSERT_TRUE(ward.store.vault->shred(vault::Subject::patient("p1")).has_value());
  ward.look();
  EXPECT_EQ(ward.of(Rule::kWatchedRecordDenied).size(), 1U);
}

TEST(Detector, RaisesNothingOfALongPast) {
  Ward ward;
  ward.patient("p1");
  ward.emergency("e1");
  ward.sign_in("user-1", "192.0.2.10");
  ward.store.clock.advance(hours(49));
  ward.emergency("e2");
  ward.restart();  // the first time that anybody looks
  ward.look_and_store();
  ASSERT_EQ(ward.list().size(), 1U);
  EXPECT_EQ(ward.list()[0].emergency, "e2");
  ward.sign_in("user-1", "198.51.100.1");
  ward.look();
  EXPECT_EQ(ward.of(Rule::kNewNetwork).size(), 1U) << "what was learned counts";
}

TEST(Alerts, TakeAnAnswerOnceWithANoteAndNotOfHimself) {
  Ward ward;
  ward.patient("p1");
  ward.watched("user-1", "p1");
  ward.look();
  auto const id = ward.list()[0].id;
  EXPECT_EQ(ward.answer({999, Rule::kWatchedRecord}, AlertState::kClosed, "officer", "x"),
            ErrorKind::kNotFound);
  EXPECT_EQ(ward.answer(id, AlertState::kClosed, "user-1", "it was me"), ErrorKind::kForbidden);
  EXPECT_EQ(ward.answer(id, AlertState::kClosed, "officer", " "), ErrorKind::kUnprocessable);
  EXPECT_EQ(ward.answer(id, AlertState::kClosed, "officer", std::string(2'001, 'x')),
            ErrorKind::kUnprocessable);
  EXPECT_EQ(ward.answer(id, AlertState::kAcknowledged, "officer", "asked"), ErrorKind::kBug);
  EXPECT_EQ(ward.answer(id, AlertState::kAcknowledged, "officer", "asked"), ErrorKind::kConflict);
  EXPECT_EQ(ward.answer(id, AlertState::kClosed, "officer", "was needed"), ErrorKind::kBug);
  EXPECT_EQ(ward.answer(id, AlertState::kClosed, "officer", "again"), ErrorKind::kConflict);
  ward.restart();
  auto const found = ward.list();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].note, "was needed");
  EXPECT_EQ(found[0].answered_by, "officer");
  EXPECT_EQ(ward.alerts->open_count(), 0U);
}

TEST(Alerts, OfAnEmergencyAreClosedByItsReviewAlone) {
  Ward ward;
  ward.patient("p1");
  ward.emergency("e1");
  ward.look();
  auto const id = ward.list()[0].id;
  EXPECT_EQ(ward.answer(id, AlertState::kAcknowledged, "officer", "asked"), ErrorKind::kBug);
  EXPECT_EQ(ward.answer(id, AlertState::kClosed, "officer", "it is all right"), ErrorKind::kUnprocessable);
  ward.store.clock.advance(hours(48));
  ward.restart();
  ward.look();
  ASSERT_EQ(ward.of(Rule::kEmergencyUnreviewed).size(), 1U) << "an answer is no review";
  auto const second = ward.of(Rule::kEmergencyUnreviewed)[0].id;
  EXPECT_EQ(ward.answer(second, AlertState::kClosed, "officer", "it is all right"),
            ErrorKind::kUnprocessable);
}

TEST(Alerts, OfTwoAnswersAtOnceOneHolds) {
  Ward ward;
  ward.patient("p1");
  ward.watched("user-1", "p1");
  ward.look();
  auto const id = ward.list()[0].id;
  auto first = ward.alerts->answer(id, AlertState::kClosed, "officer", "one");
  auto second = ward.alerts->answer(id, AlertState::kClosed, "auditor", "two");
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_TRUE(
      ward.log->commit(std::move(first->set), {Ward::event_of(EventKind::kAlertAnswered)}).has_value());
  auto const late = ward.log->commit(std::move(second->set), {Ward::event_of(EventKind::kAlertAnswered)});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind(), ErrorKind::kConflict);
}

TEST(Alerts, AreListedFromWhereAListingEnded) {
  Ward ward;
  ward.patient("p1");
  for (int i = 0; i < 5; ++i) ward.emergency("e" + std::to_string(i));
  ward.look();
  for (bool const open_only : {true, false}) {
    auto const first = ward.list({.open_only = open_only, .limit = 2});
    ASSERT_EQ(first.size(), 2U);
    auto const rest = ward.list({.open_only = open_only, .after = first.back().id});
    ASSERT_EQ(rest.size(), 3U);
    EXPECT_LT(first.back().id, rest.front().id);
  }
}

}  // namespace
}  // namespace tacenda::monitor

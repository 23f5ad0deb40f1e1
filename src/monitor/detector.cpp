// The Detector's round: what is followed, when it is committed. What is found is in findings.cpp.
#include "monitor/detector.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/log.hpp"
#include "monitor/internal/judge.hpp"
#include "monitor/internal/rows.hpp"
#include "monitor/internal/work.hpp"

namespace tacenda::monitor {
namespace {

constexpr std::uint8_t kPositionFormat = 1;
constexpr std::chrono::milliseconds kPause{200};
constexpr int kTroubledPauses = 20;            // after a failure that may pass
constexpr std::size_t kEntriesOfStep = 4'096;  // looked at in one round
constexpr std::size_t kOpenedOfStep = 256;
constexpr std::uint64_t kStoreEntries = 50'000;  // looked at, until the position is committed
constexpr std::size_t kStoreChanges = 500;

struct Position {
  std::uint64_t next = 0;
  Time since{};
};

Bytes encode(Position const& position) {
  Bytes row;
  ByteWriter(row).u8(kPositionFormat).u64(position.next).u64(to_unix_ms(position.since));
  return row;
}

Result<Position> decode_position(ByteView row) {
  ByteReader in(row);
  if (TACENDA_TRY(in.u8()) != kPositionFormat)
    return fail(ErrorKind::kUnsupported, "how far the log is looked at was written by a newer version");
  Position position;
  position.next = TACENDA_TRY(in.u64());
  position.since = from_unix_ms(TACENDA_TRY(in.u64()));
  if (!in.done()) return fail(ErrorKind::kCorrupt, "how far the log is looked at cannot be read");
  return position;
}

audit::Event own_event(audit::EventKind kind) {
  audit::Event event;
  event.kind = kind;
  event.actor_name = "system";
  event.authentication = "none";
  event.client = "tacenda";
  return event;
}

std::vector<audit::Event> events_of(Work const& work) {
  std::vector<audit::Event> events;
  for (auto const& each : work.raised) {
    auto event = own_event(audit::EventKind::kAlertRaised);
    event.target = each.id.text();
    event.reason = facts_of(each.id.rule)->text;
    if (!each.patient.empty()) event.patients.push_back(each.patient);
    events.push_back(std::move(event));
  }
  if (events.empty()) events.push_back(own_event(audit::EventKind::kLogExamined));
  return events;
}

}  // namespace

Detector::Detector(Parts parts)
    : parts_(parts),
      rows_(parts.vault.sealed_view(vault::Keeper::kMonitor, vault::Purpose::kAudit)),
      stored_at_(parts.clock.monotonic()),
      work_(std::make_unique<Work>()) {}

Detector::~Detector() = default;

Result<std::unique_ptr<Detector>> Detector::open(Parts parts) {
  std::unique_ptr<Detector> made(new Detector(parts));
  TACENDA_TRY_VOID(made->load());
  return made;
}

Result<void> Detector::load() {
  since_ = std::max(parts_.clock.now(), Time{} + kHistory) - kHistory;
  if (auto const row = TACENDA_TRY(row_of(rows::of(rows::kPosition)))) {
    auto const position = TACENDA_TRY(decode_position(*row));
    stored_position_ = position.next;
    since_ = position.since;
  }
  position_ = stored_position_;
  Time const from = next_entry_time();
  auto const looked = rows_.scan(rows::of(rows::kAlert), [&](ByteView key, ByteView row) -> Result<bool> {
    look_back(TACENDA_TRY(decode_alert(TACENDA_TRY(rows::id_of(key)), row)), from);
    return true;
  });
  if (!looked.has_value() && looked.error().kind() == ErrorKind::kUnavailable) return looked;
  if (!looked.has_value()) log(LogLevel::kError, looked.error());
  return {};
}

/// When the next entry was recorded; now, when all are looked at.
Time Detector::next_entry_time() const {
  auto const entry = parts_.log.entry(stored_position_);
  return entry.has_value() ? entry->recorded : parts_.clock.now();
}

void Detector::look_back(Alert const& alert, Time from) {
  auto const* const facts = facts_of(alert.id.rule);
  if (facts == nullptr) return;
  if (alert.id.rule == Rule::kEmergency && alert.state != AlertState::kClosed)
    reviews_.insert_or_assign(alert.emergency, Review{alert.id, alert.first, false});
  if (alert.id.rule == Rule::kEmergencyUnreviewed) {
    if (auto const found = reviews_.find(alert.emergency); found != reviews_.end())
      found->second.has_escalated = true;
  }
  if (alert.first + facts->folds <= from) return;
  auto const key =
      alert.stands_for_many ? fold_key(alert.id.rule) : fold_key(alert.id.rule, alert.user, alert.patient);
  folds_.insert_or_assign(key, Fold{alert.id, alert.first});
}

void Detector::run(std::stop_token stop) {
  int pauses = 0;
  while (!stop.stop_requested()) {
    if (pauses > 0) {
      --pauses;
      std::this_thread::sleep_for(kPause);
      continue;
    }
    auto const more = step();
    if (!more.has_value()) log(LogLevel::kWarning, more.error());
    if (!more.has_value() || !*more) pauses = more.has_value() ? 1 : kTroubledPauses;
  }
}

Result<bool> Detector::step() {
  if (work_->empty()) work_->read_at = parts_.vault.order().committed();
  auto const done = look();
  if (!done.has_value()) {
    begin_again();
    return done;
  }
  if (is_due()) TACENDA_TRY_VOID(commit());
  return *done;
}

/// True: there is more to look at.
Result<bool> Detector::look() {
  auto followed = TACENDA_TRY(parts_.log.follow({position_, kEntriesOfStep, kOpenedOfStep, is_looked_at}));
  for (auto const& entry : followed.entries) TACENDA_TRY_VOID(consider(entry));
  position_ = followed.next;
  reached_ = std::max(reached_, followed.reached);
  if (position_ < parts_.log.size()) return true;
  // What was reviewed is known now.
  TACENDA_TRY_VOID(do_by_time());
  return false;
}

bool Detector::is_due() const {
  if (!work_->raised.empty() || work_->size() >= kStoreChanges) return true;
  if (position_ - stored_position_ >= kStoreEntries) return true;
  return !work_->empty() && parts_.clock.monotonic() - stored_at_ >= kStoreTime;
}

Result<void> Detector::commit() {
  for (auto const& each : work_->raised) parts_.alerts.note(work_->alerts.at(each.id));
  auto const done = try_commit();
  if (done.has_value()) {
    settle();
    return {};
  }
  for (auto const& each : work_->raised) parts_.alerts.take_back(each.id);
  begin_again();
  // Somebody answered an alert meanwhile: what repeats it is to be looked at anew.
  if (done.error().kind() == ErrorKind::kConflict) return {};
  return done;
}

Result<void> Detector::try_commit() {
  vault::WriteSet set;
  set.read_at(work_->read_at);
  auto const put = [&](Bytes const& key, Bytes const& row) -> Result<void> {
    set.depends_on(rows_.guard(key));
    set.touches(rows_.guard(key));
    return rows_.put(set, key, row);
  };
  for (auto const& [id, alert] : work_->alerts)
    TACENDA_TRY_VOID(put(rows::of(rows::kAlert, id), encode_alert(alert)));
  for (auto const& [user, networks] : work_->networks) {
    auto const key = rows::of(rows::kNetworks, user);
    if (networks.empty()) {
      rows_.erase(set, key);
    } else {
      TACENDA_TRY_VOID(rows_.put(set, key, networks.encode()));
    }
  }
  if (parts_.sends_mail) {
    for (auto const& each : work_->raised)
      TACENDA_TRY_VOID(rows_.put(set, rows::of(rows::kOutgoing, each.id), {}));
  }
  TACENDA_TRY_VOID(put(rows::of(rows::kPosition), encode({position_, since_})));
  TACENDA_TRY_VOID(parts_.log.commit(std::move(set), events_of(*work_)));
  return {};
}

/// What was committed is known from now on.
void Detector::settle() {
  for (auto& [key, fold] : work_->folds) folds_.insert_or_assign(key, fold);
  std::erase_if(folds_, [this](auto const& each) {
    return each.second.first + facts_of(each.second.id.rule)->folds <= reached_;
  });
  for (auto& [emergency, review] : work_->reviews) reviews_.insert_or_assign(emergency, review);
  for (auto const& emergency : work_->reviewed) reviews_.erase(emergency);
  for (auto const& [id, alert] : work_->alerts) {
    if (alert.state != AlertState::kOpen) parts_.alerts.note(alert);
  }
  stored_position_ = position_;
  stored_at_ = parts_.clock.monotonic();
  work_ = std::make_unique<Work>();
}

void Detector::begin_again() {
  position_ = stored_position_;
  work_ = std::make_unique<Work>();
}

}  // namespace tacenda::monitor

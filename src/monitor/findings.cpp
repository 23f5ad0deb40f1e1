// What the Detector makes of an entry: alerts and their repeats, reviews that are due, networks that are
// known.
#include <algorithm>

#include "core/log.hpp"
#include "monitor/detector.hpp"
#include "monitor/internal/judge.hpp"
#include "monitor/internal/rows.hpp"
#include "monitor/internal/work.hpp"

namespace tacenda::monitor {
namespace {

constexpr std::chrono::hours kForgetTime{24};  // networks are looked through once in
constexpr std::size_t kForgottenAtOnce = 500;  // as many as are committed at once

}  // namespace

std::string Detector::fold_key(Rule rule) {
  return {static_cast<char>(rule)};
}

std::string Detector::fold_key(Rule rule, std::string const& user,
                               std::optional<vault::Alias> const& patient) {
  // The alias has one length or none: no user's id runs into it.
  std::string key = fold_key(rule);
  key.push_back(patient ? 'p' : 'u');
  if (patient) key.append(as_text(*patient));
  return key.append(user);
}

Result<std::optional<vault::Alias>> Detector::alias_of(std::string const& patient) const {
  if (patient.empty()) return std::nullopt;
  auto const keys = parts_.vault.subject(vault::Subject::patient(patient));
  if (keys.has_value()) return (*keys)->alias();
  // Who has no keys, or none that can be read, is named by the entry alone.
  if (keys.error().kind() == ErrorKind::kUnavailable) return std::unexpected(keys.error());
  return std::nullopt;
}

Result<void> Detector::consider(audit::Entry const& entry) {
  auto const finding = judge(entry);
  if (finding.network) return see_network(entry, finding);
  // The first factors of an account are nothing to be told of.
  if (finding.has_enrolled && !TACENDA_TRY(networks_of(finding.user))) return {};
  if (finding.reviewed) return close_reviewed(*finding.reviewed, entry);
  if (finding.rule) return raise(entry, finding);
  return {};
}

/// What cannot be read any more is not there: an alert too many is better than none at all.
Result<std::optional<Bytes>> Detector::row_of(Bytes const& key) const {
  auto row = rows_.get(key);
  if (row.has_value() || row.error().kind() == ErrorKind::kUnavailable) return row;
  log(LogLevel::kError, row.error());
  return std::nullopt;
}

Result<std::optional<Alert>> Detector::current(AlertId id) const {
  if (auto const found = work_->alerts.find(id); found != work_->alerts.end()) return found->second;
  auto const row = TACENDA_TRY(row_of(rows::of(rows::kAlert, id)));
  if (!row) return std::nullopt;
  return TACENDA_TRY(decode_alert(id, *row));
}

/// True when the entry repeats an alert that is open.
Result<bool> Detector::fold(std::string const& key, audit::Entry const& entry) {
  auto found = work_->folds.find(key);
  if (found == work_->folds.end()) {
    found = folds_.find(key);
    if (found == folds_.end()) return false;
  }
  auto const [id, first] = found->second;
  if (entry.recorded >= first + facts_of(id.rule)->folds) return false;
  auto alert = TACENDA_TRY(current(id));
  if (!alert || alert->state != AlertState::kOpen) return false;
  alert->count += entry.event.count;
  alert->last = entry.recorded;
  alert->last_sequence = entry.sequence;
  work_->alerts.insert_or_assign(id, std::move(*alert));
  return true;
}

bool Detector::has_too_many(Rule rule, Time now) const {
  auto const is_of_rule = [&](auto const& each) {
    return each.second.id.rule == rule && now < each.second.first + facts_of(rule)->folds;
  };
  auto const begun =
      std::ranges::count_if(folds_, is_of_rule) + std::ranges::count_if(work_->folds, is_of_rule);
  return static_cast<std::size_t>(begun) >= kAlertsOfRule;
}

Result<void> Detector::raise(audit::Entry const& entry, Finding const& finding) {
  if (entry.recorded < since_) return {};
  Rule const rule = *finding.rule;
  Alert alert;
  alert.id = {entry.sequence, rule};
  alert.first = alert.last = entry.recorded;
  alert.last_sequence = entry.sequence;
  alert.count = entry.event.count;
  alert.user = finding.user;
  alert.patient = TACENDA_TRY(alias_of(finding.patient));
  alert.emergency = finding.emergency;
  std::string patient = alert.patient ? finding.patient : std::string();
  if (facts_of(rule)->folds.count() > 0) {
    auto key = fold_key(rule, alert.user, alert.patient);
    if (TACENDA_TRY(fold(key, entry))) return {};
    if (has_too_many(rule, entry.recorded)) {
      key = fold_key(rule);
      if (TACENDA_TRY(fold(key, entry))) return {};
      alert.stands_for_many = true;
      alert.user.clear();
      alert.patient.reset();
      patient.clear();
    }
    work_->folds.insert_or_assign(key, Fold{alert.id, alert.first});
  }
  if (rule == Rule::kEmergency)
    work_->reviews.insert_or_assign(alert.emergency, Review{alert.id, alert.first, false});
  work_->raised.push_back({alert.id, std::move(patient)});
  work_->alerts.insert_or_assign(alert.id, std::move(alert));
  return {};
}

Review const* Detector::find_review(std::string const& emergency) const {
  if (work_->reviewed.contains(emergency)) return nullptr;
  if (auto const found = work_->reviews.find(emergency); found != work_->reviews.end()) return &found->second;
  auto const found = reviews_.find(emergency);
  return found == reviews_.end() ? nullptr : &found->second;
}

Result<void> Detector::close_reviewed(std::string const& emergency, audit::Entry const& entry) {
  auto const* const review = find_review(emergency);
  if (review == nullptr) return {};
  for (Rule const rule : {Rule::kEmergency, Rule::kEmergencyUnreviewed}) {
    auto alert = TACENDA_TRY(current({review->id.sequence, rule}));
    if (!alert || alert->state == AlertState::kClosed) continue;
    alert->state = AlertState::kClosed;
    alert->answered_by = entry.event.actor_id;
    alert->answered = entry.recorded;
    alert->note = "the emergency was reviewed";
    work_->alerts.insert_or_assign(alert->id, std::move(*alert));
  }
  work_->reviewed.insert(emergency);
  return {};
}

/// nullopt: he has never signed in, or not for long.
Result<std::optional<Networks>> Detector::networks_of(std::string const& user) const {
  if (auto const found = work_->networks.find(user); found != work_->networks.end()) return found->second;
  auto const row = TACENDA_TRY(row_of(rows::of(rows::kNetworks, user)));
  if (!row) return std::nullopt;
  return TACENDA_TRY(Networks::decode(*row));
}

Result<void> Detector::see_network(audit::Entry const& entry, Finding const& finding) {
  if (finding.user.empty()) return {};
  Networks networks = TACENDA_TRY(networks_of(finding.user)).value_or(Networks());
  auto const verdict = networks.see(*finding.network, entry.recorded);
  if (verdict == Networks::Verdict::kKnown) return {};
  work_->networks.insert_or_assign(finding.user, std::move(networks));
  if (verdict != Networks::Verdict::kNew) return {};
  Finding is_new = finding;
  is_new.rule = Rule::kNewNetwork;
  return raise(entry, is_new);
}

Result<void> Detector::do_by_time() {
  for (auto const& [emergency, review] : reviews_) {
    auto const* const newest = find_review(emergency);
    bool const waits = newest != nullptr && !newest->has_escalated;
    if (waits && parts_.clock.now() >= review.begun + kReviewTime)
      TACENDA_TRY_VOID(escalate(emergency, review));
  }
  return forget_networks();
}

Result<void> Detector::escalate(std::string const& emergency, Review const& review) {
  auto const begun = TACENDA_TRY(current(review.id));
  if (!begun) return {};
  Alert alert = *begun;
  alert.id.rule = Rule::kEmergencyUnreviewed;
  alert.first = alert.last = parts_.clock.now();
  alert.state = AlertState::kOpen;
  alert.answered_by.clear();
  alert.answered.reset();
  alert.note.clear();
  std::string patient;
  if (alert.patient) patient = TACENDA_TRY(parts_.alerts.patient_of(alert)).value_or(std::string());
  Review escalated = review;
  escalated.has_escalated = true;
  work_->reviews.insert_or_assign(emergency, escalated);
  work_->raised.push_back({alert.id, std::move(patient)});
  work_->alerts.insert_or_assign(alert.id, std::move(alert));
  return {};
}

Result<void> Detector::forget_networks() {
  auto const now = parts_.clock.monotonic();
  if (forgot_at_ && now - *forgot_at_ < kForgetTime) return {};
  std::size_t forgotten = 0;
  TACENDA_TRY_VOID(rows_.scan(rows::of(rows::kNetworks), [&](ByteView key, ByteView row) -> Result<bool> {
    std::string user(as_text(key.subspan(1)));
    if (work_->networks.contains(user)) return true;
    auto networks = TACENDA_TRY(Networks::decode(row));
    if (!networks.forget(parts_.clock.now())) return true;
    work_->networks.insert_or_assign(std::move(user), std::move(networks));
    return ++forgotten < kForgottenAtOnce;
  }));
  // Those beyond are found in the next round, when these are stored.
  if (forgotten < kForgottenAtOnce) forgot_at_ = now;
  return {};
}

}  // namespace tacenda::monitor

#include "monitor/alerts.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/log.hpp"
#include "monitor/internal/rows.hpp"

namespace tacenda::monitor {
namespace {

constexpr std::string_view kPatient = "Patient/";

}  // namespace

Alerts::Alerts(vault::Vault& vault, Clock const& clock)
    : vault_(vault),
      clock_(clock),
      keys_(vault.view(vault::Keeper::kMonitor)),
      rows_(vault.sealed_view(vault::Keeper::kMonitor, vault::Purpose::kAudit)) {}

Result<std::unique_ptr<Alerts>> Alerts::open(vault::Vault& vault, Clock const& clock) {
  std::unique_ptr<Alerts> made(new Alerts(vault, clock));
  TACENDA_TRY_VOID(made->load());
  return made;
}

Result<void> Alerts::load() {
  auto const loaded = rows_.scan(rows::of(rows::kAlert), [this](ByteView key, ByteView row) -> Result<bool> {
    note(TACENDA_TRY(decode_alert(TACENDA_TRY(rows::id_of(key)), row)));
    return true;
  });
  if (!loaded.has_value() && loaded.error().kind() == ErrorKind::kUnavailable) return loaded;
  if (!loaded.has_value()) log(LogLevel::kError, loaded.error());
  return {};
}

void Alerts::note(Alert const& alert) {
  MutexLock const lock(mutex_);
  if (alert.state == AlertState::kOpen) {
    open_.insert(alert.id);
  } else {
    open_.erase(alert.id);
  }
}

void Alerts::take_back(AlertId id) {
  MutexLock const lock(mutex_);
  open_.erase(id);
}

std::size_t Alerts::open_count() const {
  MutexLock const lock(mutex_);
  return open_.size();
}

Result<std::optional<std::string>> Alerts::patient_of(Alert const& alert) const {
  if (!alert.patient) return std::nullopt;
  auto subject = TACENDA_TRY(vault_.subject_of(*alert.patient));
  if (!subject || !subject->starts_with(kPatient)) return std::nullopt;
  return subject->substr(kPatient.size());
}

/// Which alerts a listing looks at, in order, from behind `after` on, until `take` says no.
Result<void> Alerts::each(Filter const& filter, std::function<Result<bool>(AlertId)> const& take) const {
  if (!filter.open_only) {
    auto const prefix = rows::of(rows::kAlert);
    auto const from = filter.after ? rows::of(rows::kAlert, *filter.after) : Bytes();
    auto const visit = [&](ByteView key, ByteView) -> Result<bool> {
      auto const id = TACENDA_TRY(rows::id_of(key));
      return filter.after == id ? Result<bool>(true) : take(id);
    };
    return keys_.scan(prefix, from, storage::Direction::kForward, visit);
  }
  std::vector<AlertId> open;
  {
    MutexLock const lock(mutex_);
    open.assign(filter.after ? open_.upper_bound(*filter.after) : open_.begin(), open_.end());
  }
  for (auto const& id : open) {
    if (!TACENDA_TRY(take(id))) break;
  }
  return {};
}

Result<std::vector<Alert>> Alerts::list(Filter const& filter) const {
  std::vector<Alert> found;
  std::optional<vault::Alias> patient;
  if (filter.patient) {
    auto const keys = vault_.subject(vault::Subject::patient(*filter.patient));
    // Who has no keys, or none any more, is in no alert.
    if (!keys.has_value() && keys.error().kind() == ErrorKind::kUnavailable)
      return std::unexpected(keys.error());
    if (!keys.has_value()) return found;
    patient = (*keys)->alias();
  }
  std::size_t const limit = std::min(filter.limit, kListMax);
  TACENDA_TRY_VOID(each(filter, [&](AlertId id) -> Result<bool> {
    if (found.size() >= limit) return false;
    auto const row = TACENDA_TRY(rows_.get(rows::of(rows::kAlert, id)));
    if (!row) return true;  // its commit is under way
    auto alert = TACENDA_TRY(decode_alert(id, *row));
    bool const is_wanted =
        (!filter.open_only || alert.state == AlertState::kOpen) && (!patient || alert.patient == patient);
    if (is_wanted) found.push_back(std::move(alert));
    return true;
  }));
  return found;
}

Result<Alerts::Change> Alerts::answer(AlertId id, AlertState state, std::string_view user,
                                      std::string_view note_text) {
  if (note_text.find_first_not_of(" \t\r\n") == std::string_view::npos ||
      note_text.size() > limits::kReasonBytes)
    return fail(ErrorKind::kUnprocessable, "an answer to an alert needs a note of at most 2,000 bytes");
  Change change;
  change.set.read_at(vault_.order().committed());
  auto const key = rows::of(rows::kAlert, id);
  auto const row = TACENDA_TRY(rows_.get(key));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such alert");
  auto alert = TACENDA_TRY(decode_alert(id, *row));
  if (!alert.user.empty() && alert.user == user)
    return fail(ErrorKind::kForbidden, "nobody answers an alert about himself");
  bool const is_of_emergency = id.rule == Rule::kEmergency || id.rule == Rule::kEmergencyUnreviewed;
  if (is_of_emergency && state == AlertState::kClosed && alert.state != AlertState::kClosed)
    return fail(ErrorKind::kUnprocessable,
                "the review of an emergency closes its alert: tacenda emergency review");
  if (alert.state == AlertState::kClosed || alert.state == state)
    return fail(ErrorKind::kConflict, "this alert was answered already");
  alert.state = state;
  alert.answered_by = user;
  alert.answered = clock_.now();
  alert.note = note_text;
  change.set.depends_on(rows_.guard(key));
  change.set.touches(rows_.guard(key));
  TACENDA_TRY_VOID(rows_.put(change.set, key, encode_alert(alert)));
  change.committed = [this, alert] { note(alert); };
  return change;
}

}  // namespace tacenda::monitor

#include "api/emergency_switch.hpp"

#include "api/internal/commit.hpp"
#include "codec/text.hpp"
#include "core/log.hpp"

namespace tacenda::api {

Result<EmergencySwitch::Turned> EmergencySwitch::turn_on(identity::EmergencyAccess::Order const& order,
                                                         audit::Event event) {
  MutexLock const turn(turn_);
  if (access_.is_to_close()) TACENDA_TRY_VOID(close());
  auto turned = TACENDA_TRY(access_.begin(order));
  event.kind = audit::EventKind::kEmergencyModeOn;
  event.target = "until " + codec::format_instant(turned.mode.until);
  event.new_value = order.reason;
  if (turned.before) event.old_value = "until " + codec::format_instant(*turned.before);
  auto receipt = TACENDA_TRY(commit_change(log_, turned.pending, event));
  return Turned{std::move(receipt), std::move(turned.mode)};
}

Result<EmergencySwitch::Turned> EmergencySwitch::turn_off(audit::Event event) {
  MutexLock const turn(turn_);
  return end(std::move(event));
}

Result<EmergencySwitch::Turned> EmergencySwitch::end(audit::Event event) {
  auto turned = TACENDA_TRY(access_.end());
  event.kind = audit::EventKind::kEmergencyModeOff;
  if (turned.before) event.old_value = "until " + codec::format_instant(*turned.before);
  auto receipt = TACENDA_TRY(commit_change(log_, turned.pending, event));
  return Turned{std::move(receipt), std::move(turned.mode)};
}

Result<void> EmergencySwitch::close() {
  audit::Event event;
  event.actor_name = "system";
  event.authentication = "none";
  event.reason = "its time was over";
  TACENDA_TRY_VOID(end(std::move(event)));
  return {};
}

void EmergencySwitch::close_if_over() {
  if (!access_.is_to_close()) return;
  MutexLock const turn(turn_);
  // Somebody else may have been quicker.
  if (!access_.is_to_close()) return;
  if (auto const closed = close(); !closed.has_value()) log(LogLevel::kError, closed.error());
}

}  // namespace tacenda::api

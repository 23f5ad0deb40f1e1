#include "vault/share_collection.hpp"

#include <algorithm>

#include "vault/internal/key_files.hpp"
#include "vault/internal/share_text.hpp"

namespace tacenda::vault {

bool is_share(SecretBuffer const& typed) {
  return begins_like_share(typed.reveal());
}

Result<ShareCollection::Of> ShareCollection::slot_of(SecretBuffer const& typed, crypto::Share& share) const {
  auto text = TACENDA_TRY(decode_share(typed.reveal()));
  auto const slots = TACENDA_TRY(newest_slots(files_, places_));
  if (!std::ranges::equal(text.store, std::span(slots.store_id).first<4>()))
    return fail(ErrorKind::kNotFound, "the share is of another store");
  auto const found = std::ranges::find(slots.slots, std::uint32_t{text.slot}, &Slot::id);
  if (found == slots.slots.end() || found->kind != SlotKind::kShares ||
      found->counts.threshold != text.threshold || text.share.index > found->counts.shares)
    return fail(ErrorKind::kNotFound, "the share is of a slot that the store does not have any more");
  share = std::move(text.share);
  return Of{found->id, found->counts.threshold};
}

void ShareCollection::wipe_overdue() {
  auto const now = clock_.monotonic();
  if (now - last_ >= kPatience) shares_.clear();
  if (now - failed_ >= kPatience) failures_in_a_row_ = 0;
}

Result<ShareCollection::Progress> ShareCollection::add(SecretBuffer const& typed) {
  crypto::Share share;
  auto const of = TACENDA_TRY(slot_of(typed, share));
  MutexLock const lock(mutex_);
  wipe_overdue();
  if (failures_in_a_row_ >= kFailuresMax)
    return fail(ErrorKind::kThrottled, "too many shares that opened nothing: wait for 15 minutes");
  if (!shares_.empty() && of.slot != of_.slot)
    return fail(ErrorKind::kConflict, "shares of another slot were given before: begin again with --reset");
  auto const same = std::ranges::find(shares_, share.index, &crypto::Share::index);
  if (same != shares_.end() && !(same->bytes == share.bytes))
    return fail(ErrorKind::kConflict,
                "another share of this number was given before: begin again with --reset");
  of_ = of;
  last_ = clock_.monotonic();
  if (same == shares_.end()) shares_.push_back(std::move(share));
  Progress progress{static_cast<unsigned>(shares_.size()), of.need, std::nullopt, {}};
  if (progress.have < of.need) return progress;
  progress.ready.emplace().share_secret = TACENDA_TRY(crypto::combine_shares(shares_));
  std::vector<unsigned> numbers;
  for (auto const& each : shares_) numbers.push_back(each.index);
  std::ranges::sort(numbers);
  for (auto const number : numbers)
    progress.description.append(progress.description.empty() ? "shares " : ", ")
        .append(std::to_string(number));
  progress.description.append(" of slot ").append(std::to_string(of.slot));
  return progress;
}

Result<void> ShareCollection::settle(Result<void> opened) {
  MutexLock const lock(mutex_);
  if (!opened.has_value() && opened.error().kind() != ErrorKind::kUnauthenticated) return opened;
  shares_.clear();
  if (opened.has_value()) {
    failures_in_a_row_ = 0;
    return opened;
  }
  ++failures_in_a_row_;
  ++failures_;
  failed_ = clock_.monotonic();
  return fail(ErrorKind::kUnauthenticated,
              "these shares do not open the store together: at least one is wrong; all must be given again");
}

ShareCollection::Progress ShareCollection::progress() const {
  MutexLock const lock(mutex_);
  if (shares_.empty()) return {};
  return {static_cast<unsigned>(shares_.size()), of_.need, std::nullopt, {}};
}

void ShareCollection::reset() {
  MutexLock const lock(mutex_);
  shares_.clear();
}

void ShareCollection::tick() {
  MutexLock const lock(mutex_);
  wipe_overdue();
}

unsigned ShareCollection::take_failures() {
  MutexLock const lock(mutex_);
  return std::exchange(failures_, 0U);
}

}  // namespace tacenda::vault

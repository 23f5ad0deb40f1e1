#pragma once

#include <functional>
#include <utility>

#include "core/error.hpp"
#include "vault/write_set.hpp"

namespace tacenda::identity {

/// A change of the directory that is not yet durable. It is already effective in memory where that is the
/// safe side (a counted failure, a used TOTP step, a disabled user); what opens a door (a new token, another
/// role, an account) becomes so only when `set` is stored. Commit `set` with its audit event, then call
/// `committed`; on kConflict ask for the set again: it is built from the newest state each time. Dropped
/// without `committed`, it takes back what must not stay.
/// Move-only; one thread.
class Pending {
 public:
  Pending() = default;
  explicit Pending(std::move_only_function<Result<vault::WriteSet>()> make_set,
                   std::move_only_function<void(bool)> finish = {})
      : make_set_(std::move(make_set)), finish_(std::move(finish)) {}
  Pending(Pending&& other) noexcept
      : make_set_(std::exchange(other.make_set_, nullptr)), finish_(std::exchange(other.finish_, nullptr)) {}
  Pending& operator=(Pending&& other) noexcept {
    std::swap(make_set_, other.make_set_);
    std::swap(finish_, other.finish_);
    return *this;
  }
  Pending(Pending const&) = delete;
  Pending& operator=(Pending const&) = delete;
  ~Pending() {
    if (finish_) finish_(false);
  }

  Result<vault::WriteSet> set() {
    return make_set_ ? make_set_() : Result<vault::WriteSet>(vault::WriteSet());
  }
  /// Has `undo` called as well when it is dropped without `committed`.
  void on_failure(std::move_only_function<void()> undo) {
    finish_ = [finish = std::move(finish_), undo = std::move(undo)](bool was_committed) mutable {
      if (finish) finish(was_committed);
      if (!was_committed) undo();
    };
  }
  void committed() {
    if (auto finish = std::exchange(finish_, nullptr)) finish(true);
  }

 private:
  std::move_only_function<Result<vault::WriteSet>()> make_set_;
  std::move_only_function<void(bool committed)> finish_;
};

}  // namespace tacenda::identity

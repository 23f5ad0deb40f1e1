// Another Root Key for a store that is served.
#include "vault/internal/vault_state.hpp"
#include "vault/key_rotation.hpp"

namespace tacenda::vault {

// The order, of which each step is durable before the next begins:
//   1. `keyring.next`, twice, under the new key;
//   2. the vault root under the new key, in the slot that does not count: the other one holds it under the
//   old;
//   3. the slots, which lead to the new key from here on: what decides which of the two is in force;
//   4. the keyring, its generation before, and both slots of the vault root under the new key.
// Cut off before 3 has begun, a start finds all that it needs under the old key; after it, under the new one.
// What fails in 4 is done before the next change of the keyring, by the next `finish`, or at the next start.
Result<void> KeyRotation::rotate_root(OtherSlots others) {
  auto& state = *vault_.state_;
  CommitOrder::Turn const turn(state.order);
  MutexLock const lock(state.mutex);
  TACENDA_TRY_VOID(state.check_settled());
  TACENDA_TRY_VOID(state.finish_root());
  auto const next = TACENDA_TRY(crypto::random_secret<RootKey>(state.random));
  auto slots = TACENDA_TRY(
      slots_for(state.files, state.places, state.root, next,
                others == OtherSlots::kDrop ? Rewrap::kDropOthers : Rewrap::kRefuseOthers, state.random));
  auto ring = state.keyring.clone();
  ring.generation = ++state.keyring.generation;
  ring.root_made = state.clock.now();
  TACENDA_TRY_VOID(write_next_keyring(state.files, state.places, ring, next, state.store_id, state.random));
  bool is_begun = false;
  auto const changed = state.tree->change_root_key(next, [&] {
    is_begun = true;
    return write_slot_files(state.files, state.places, slots, next);
  });
  if (!changed.has_value()) {
    state.unsettled = is_begun;
    if (is_begun) state.undecided_root = root_id(next);
    return changed;
  }
  state.root = RootKey();
  std::ranges::copy(next.reveal(), state.root.reveal_mutable().begin());
  state.keyring = std::move(ring);
  state.has_old_root_files = true;
  return state.finish_root();
}

}  // namespace tacenda::vault

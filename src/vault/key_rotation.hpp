#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "vault/key_states.hpp"
#include "vault/vault.hpp"

namespace tacenda::vault {

/// Changes of a store's keys while it serves: new terms, the end of old ones, another Root Key. Nothing that
/// is stored becomes unreadable by any of it: ciphertexts name the term that they lie under.
///
/// Owner: whoever needs it; the Vault outlives it. Thread-safe. Every change is durable when its call
/// returns. Source: SECURITY_DESIGN section 1; NIST SP 800-57 Part 1 Rev. 5, sections 5.3 and 7.
class KeyRotation {
 public:
  explicit KeyRotation(Vault& vault) : vault_(vault) {}

  /// Errors: kCorrupt (no copy of the slots is whole).
  Result<KeysView> keys() const;
  /// Those of KeysView alone, which nothing is read for.
  std::vector<TermView> terms() const;

  /// A new term seals from now on, the one before only opens. Gives the new number. One of kFile has the
  /// engine go on in new files: what is committed from now on lies under keys that the new term wraps.
  /// Errors: kConflict (kTermsMax), kUnavailable; of kFile also those of the engine, behind the new term:
  /// then `finish` begins the new files.
  Result<std::uint32_t> rotate(Purpose purpose);

  /// Another key over the pages of the key vault, which are wrapped anew; the old one is overwritten. Gives
  /// its generation. Errors: as Vault::shred.
  Result<std::uint64_t> rotate_vault_root();

  /// What becomes of ways to the Root Key that cannot be made anew without the person who has the secret.
  enum class OtherSlots : std::uint8_t { kRefuse, kDrop };
  /// Another Root Key under the same key file: slots, keyrings and vault roots that were kept from before do
  /// not open with what lies there now, nor what lies there now with them. The terms, the vault root and the
  /// keys of patients stay: who had them reads on until they are rotated themselves, and patients' keys never
  /// are. Cut off at any step, the store opens under the one or the other.
  /// Errors: kConflict (there are other slots than the key file's), kNotFound, kForbidden, kUnauthenticated
  /// (the key file), kUnavailable: `keys` tells whether the new key is in force, or whether nobody knows.
  Result<void> rotate_root(OtherSlots others);

  /// Has a term that seals no more destroyed, when nothing is under it any longer: work for `reseal_some` and
  /// `destroy`. Errors: kNotFound, kGone (destroyed), kConflict (it is active, or its purpose cannot end).
  Result<void> retire(Purpose purpose, std::uint32_t number);
  /// Notes that others know the term. One that is active is replaced at once; one of a purpose that can end
  /// is retired, too; one of kToken opens nothing any more. Gives the number of the active term.
  /// Errors: kNotFound, kGone, and those of `rotate`.
  Result<std::uint32_t> mark_compromised(Purpose purpose, std::uint32_t number);

  struct Step {
    std::uint64_t looked_at = 0;
    std::uint64_t resealed = 0;
    std::uint64_t damaged = 0;         // under the term, and left as they are: they do not open
    std::optional<Keeper> damaged_of;  // whose the last of these is
    bool is_done = false;
  };
  /// Seals some of the rows under that term anew, in a turn between commits. `place` is empty at first, and
  /// then what the call before left in it. Errors: those of the engine.
  Result<Step> reseal_some(Purpose purpose, std::uint32_t number, Bytes& place);
  /// False when no row lies under the purpose, ever: then there is nothing to be sealed anew, and no reader
  /// who could have some of it in hand.
  static bool has_rows(Purpose purpose);
  /// True when nobody is about to store what he sealed under the term. Once it is, it stays so.
  bool is_idle(Purpose purpose, std::uint32_t number) const;
  /// Expires when the last reader of this moment has done: he may have rows of before in hand.
  std::weak_ptr<void const> readers_of_now();
  /// Destroys the key of a term that is to be destroyed, in all generations of the keyring that are kept. The
  /// caller has waited for `is_idle`, then sealed all rows anew, then waited for `readers_of_now`. When it
  /// fails, the term is still to be destroyed. Errors: kConflict (something is under it yet, or it is not to
  /// be destroyed), kUnavailable.
  Result<void> destroy(Purpose purpose, std::uint32_t number);

  /// Does what changes before could not do to their end, though they are in force: overwrites what lies under
  /// the Root Key of before, begins new files. Errors: kUnavailable, those of the engine.
  Result<void> finish();

 private:
  struct Row {
    Keeper keeper;
    Bytes key;
    Bytes sealed;
  };
  Result<Step> find_some(Purpose purpose, std::uint32_t number, Bytes& place, std::vector<Row>& found) const;
  Result<void> check_idle(Purpose purpose, std::uint32_t number) const;
  Result<void> check_no_row(Purpose purpose, std::uint32_t number) const;
  Result<std::uint32_t> add_active(Purpose purpose);
  Result<std::uint32_t> note_compromised(Purpose purpose, std::uint32_t number);
  Vault& vault_;
};

}  // namespace tacenda::vault

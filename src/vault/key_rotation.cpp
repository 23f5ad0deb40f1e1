#include "vault/key_rotation.hpp"

#include <algorithm>

#include "vault/internal/sealed_rows.hpp"
#include "vault/internal/vault_state.hpp"

namespace tacenda::vault {
namespace {

constexpr std::size_t kRowsLookedAt = 2'000;  // in one turn: commits wait for it
constexpr std::size_t kRowsSealed = 256;
constexpr Literal kNoTerm("there is no such term");
constexpr Literal kGoneTerm("the term is destroyed");

std::uint8_t number_of(Purpose purpose) {
  return static_cast<std::uint8_t>(purpose);
}

Result<Term*> find(Keyring& keyring, Purpose purpose, std::uint32_t number) {
  for (auto& term : keyring.purposes.at(number_of(purpose))) {
    if (term.number != number) continue;
    if (term.state == KeyState::kDestroyed) return fail(ErrorKind::kGone, kGoneTerm);
    return &term;
  }
  return fail(ErrorKind::kNotFound, kNoTerm);
}

/// The new term, behind which the active one stands back into `state`.
Result<void> add_term(Keyring& keyring, Purpose purpose, KeyState state, Time now, crypto::Random& random) {
  auto& terms = keyring.purposes.at(number_of(purpose));
  if (terms.size() >= kTermsMax) return fail(ErrorKind::kConflict, "the keyring has no room for more terms");
  Term fresh;
  fresh.number = terms.back().number + 1;
  fresh.created = fresh.changed = now;
  TACENDA_TRY_VOID(random.fill(fresh.key.reveal_mutable()));
  terms.back().state = state;
  terms.back().changed = now;
  terms.push_back(std::move(fresh));
  return {};
}

std::vector<TermView> views_of(Keyring const& keyring) {
  std::vector<TermView> views;
  for (auto const& [purpose, terms] : keyring.purposes) {
    for (auto const& term : terms) {
      views.push_back({.purpose = static_cast<Purpose>(purpose),
                       .number = term.number,
                       .state = term.state,
                       .is_to_be_destroyed = term.is_to_be_destroyed,
                       .derives = &term == &terms.front(),
                       .created = term.created,
                       .changed = term.changed});
    }
  }
  return views;
}

bool is_under(ByteView sealed, std::uint32_t number) {
  ByteReader reader(sealed);
  if (!check_envelope(reader).has_value()) return false;
  auto const term = reader.u32();
  return term.has_value() && *term == number;
}

}  // namespace

Result<KeysView> KeyRotation::keys() const {
  auto& state = *vault_.state_;
  KeysView view;
  MutexLock const lock(state.mutex);
  view.root_id = root_id(state.root);
  view.root_made = state.keyring.root_made;
  for (auto const& slot : TACENDA_TRY(read_signed_slots(state.files, state.places, state.root)).slots)
    view.slots.push_back({slot.id, std::string(name_of(slot.kind))});
  view.undecided_root = state.undecided_root;
  view.terms = views_of(state.keyring);
  for (auto const& [name, secret] : state.keyring.secrets) view.secrets.push_back(name);
  auto const counts = state.tree->counts();
  view.vault_root = counts.root;
  view.pages = counts.pages;
  view.subjects = counts.subjects;
  return view;
}

std::vector<TermView> KeyRotation::terms() const {
  MutexLock const lock(vault_.state_->mutex);
  return views_of(vault_.state_->keyring);
}

Result<std::uint32_t> KeyRotation::rotate(Purpose purpose) {
  auto const number = TACENDA_TRY(add_active(purpose));
  if (purpose == Purpose::kFile) TACENDA_TRY_VOID(vault_.state_->begin_new_files());
  return number;
}

Result<std::uint32_t> KeyRotation::add_active(Purpose purpose) {
  auto& state = *vault_.state_;
  MutexLock const lock(state.mutex);
  auto next = state.keyring.clone();
  TACENDA_TRY_VOID(add_term(next, purpose, KeyState::kDeactivated, state.clock.now(), state.random));
  TACENDA_TRY_VOID(state.change(std::move(next)));
  return state.keyring.purposes.at(number_of(purpose)).back().number;
}

Result<std::uint64_t> KeyRotation::rotate_vault_root() {
  CommitOrder::Turn const turn(vault_.state_->order);
  return vault_.state_->tree->rotate_root();
}

Result<void> KeyRotation::retire(Purpose purpose, std::uint32_t number) {
  auto& state = *vault_.state_;
  MutexLock const lock(state.mutex);
  auto next = state.keyring.clone();
  auto* const term = TACENDA_TRY(find(next, purpose, number));
  if (term->state == KeyState::kActive)
    return fail(ErrorKind::kConflict, "the term is active: rotate the purpose first");
  if (purpose == Purpose::kAudit) {
    return fail(ErrorKind::kConflict,
                "entries of the audit log cannot be sealed anew: the tree is over what lies under this term");
  }
  if (!can_end(purpose)) {
    return fail(ErrorKind::kConflict,
                "files keep their keys until they are written anew: a term of theirs is not destroyed");
  }
  if (term->is_to_be_destroyed) return {};
  term->is_to_be_destroyed = true;
  return state.change(std::move(next));
}

Result<std::uint32_t> KeyRotation::mark_compromised(Purpose purpose, std::uint32_t number) {
  auto const active = TACENDA_TRY(note_compromised(purpose, number));
  if (purpose == Purpose::kFile) TACENDA_TRY_VOID(vault_.state_->begin_new_files());
  return active;
}

Result<std::uint32_t> KeyRotation::note_compromised(Purpose purpose, std::uint32_t number) {
  auto& state = *vault_.state_;
  MutexLock const lock(state.mutex);
  auto next = state.keyring.clone();
  Time const now = state.clock.now();
  bool const was_active = TACENDA_TRY(find(next, purpose, number))->state == KeyState::kActive;
  if (was_active) TACENDA_TRY_VOID(add_term(next, purpose, KeyState::kCompromised, now, state.random));
  auto* const term = TACENDA_TRY(find(next, purpose, number));
  if (term->state != KeyState::kCompromised) term->changed = now;
  term->state = KeyState::kCompromised;
  term->is_to_be_destroyed = can_end(purpose);
  TACENDA_TRY_VOID(state.change(std::move(next)));
  return state.keyring.purposes.at(number_of(purpose)).back().number;
}

Result<KeyRotation::Step> KeyRotation::find_some(Purpose purpose, std::uint32_t number, Bytes& place,
                                                 std::vector<Row>& found) const {
  Step step;
  for (auto const& rows : kSealedRows) {
    if (rows.purpose != purpose) continue;
    auto const range = storage::prefix_range(vault_.view(rows.keeper).full_key({}));
    if (as_text(place) >= as_text(range.end)) continue;  // keepers stand in the order of their keys
    auto const cursor = vault_.state_->engine->scan(range);
    if (as_text(place) > as_text(range.begin)) cursor->seek(place);
    for (; cursor->valid(); cursor->next()) {
      if (step.looked_at >= kRowsLookedAt || found.size() >= kRowsSealed) {
        place = to_bytes(cursor->key());
        return step;
      }
      ++step.looked_at;
      if (is_under(cursor->value(), number))
        found.push_back({rows.keeper, to_bytes(cursor->key()), to_bytes(cursor->value())});
    }
    TACENDA_TRY_VOID(cursor->status());
  }
  place.clear();
  step.is_done = true;
  return step;
}

Result<KeyRotation::Step> KeyRotation::reseal_some(Purpose purpose, std::uint32_t number, Bytes& place) {
  auto& state = *vault_.state_;
  // Nothing is committed between the look at a row and the write of it.
  CommitOrder::Turn const turn(state.order);
  std::vector<Row> rows;
  // The walk is over before anything is written: an engine that met a full disk waits for those who read.
  auto step = TACENDA_TRY(find_some(purpose, number, place, rows));
  storage::WriteBatch batch;
  for (auto& row : rows) {
    auto plaintext = std::as_const(state).open(purpose, row.key, row.sealed);
    if (!plaintext.has_value()) {
      if (plaintext.error().kind() != ErrorKind::kCorrupt) return std::unexpected(plaintext.error());
      // The rows behind it must not stay under a key that others know because of it.
      ++step.damaged;
      step.damaged_of = row.keeper;
      continue;
    }
    auto sealed = state.seal(purpose, row.key, *plaintext);
    ::explicit_bzero(plaintext->data(), plaintext->size());
    batch.put(std::move(row.key), TACENDA_TRY(std::move(sealed)));
    ++step.resealed;
  }
  if (!batch.empty()) TACENDA_TRY_VOID(state.engine->write(batch));
  return step;
}

bool KeyRotation::has_rows(Purpose purpose) {
  return std::ranges::any_of(kSealedRows, [purpose](auto const& rows) { return rows.purpose == purpose; });
}

bool KeyRotation::is_idle(Purpose purpose, std::uint32_t number) const {
  auto& state = *vault_.state_;
  MutexLock const lock(state.terms_mutex);
  auto const& terms = state.terms.at(number_of(purpose));
  if (terms.back()->number == number) return false;
  // Of a term that is not active nobody gets a share any more but to open with it.
  return std::ranges::all_of(
      terms, [number](auto const& keys) { return keys->number != number || keys.use_count() == 1; });
}

std::weak_ptr<void const> KeyRotation::readers_of_now() {
  auto& state = *vault_.state_;
  auto fresh = std::make_shared<Readers>();
  MutexLock const lock(state.reading_mutex);
  state.readers->next = fresh;
  std::swap(state.readers, fresh);
  return fresh;
}

Result<void> KeyRotation::check_idle(Purpose purpose, std::uint32_t number) const {
  if (is_idle(purpose, number)) return {};
  return fail(ErrorKind::kConflict, "something is sealed under the term just now");
}

Result<void> KeyRotation::check_no_row(Purpose purpose, std::uint32_t number) const {
  for (auto const& rows : kSealedRows) {
    if (rows.purpose != purpose) continue;
    auto const cursor =
        vault_.state_->engine->scan(storage::prefix_range(vault_.view(rows.keeper).full_key({})));
    for (; cursor->valid(); cursor->next()) {
      if (is_under(cursor->value(), number)) return fail(ErrorKind::kConflict, "a row is under the term yet");
    }
    TACENDA_TRY_VOID(cursor->status());
  }
  return {};
}

Result<void> KeyRotation::destroy(Purpose purpose, std::uint32_t number) {
  auto& state = *vault_.state_;
  // Trusts nobody's walk: what is under a destroyed key is lost. Commits need not wait for it: under a term
  // that is idle nothing new comes.
  TACENDA_TRY_VOID(check_idle(purpose, number));
  TACENDA_TRY_VOID(check_no_row(purpose, number));
  CommitOrder::Turn const turn(state.order);
  TACENDA_TRY_VOID(check_idle(purpose, number));
  MutexLock const lock(state.mutex);
  auto next = state.keyring.clone();
  auto* const term = TACENDA_TRY(find(next, purpose, number));
  if (!term->is_to_be_destroyed) return fail(ErrorKind::kConflict, "the term is not to be destroyed");
  if (term == &next.purposes.at(number_of(purpose)).front()) term->derivation = derivation_seed(*term);
  term->state = KeyState::kDestroyed;
  term->changed = state.clock.now();
  term->is_to_be_destroyed = false;
  term->key = crypto::AeadKey();
  return state.change(std::move(next));
}

Result<void> KeyRotation::finish() {
  auto& state = *vault_.state_;
  {
    MutexLock const lock(state.mutex);
    TACENDA_TRY_VOID(state.finish_root());
    if (!state.has_old_engine_files) return {};
    // Before: one that fails meanwhile says so again.
    state.has_old_engine_files = false;
  }
  return state.begin_new_files();
}

}  // namespace tacenda::vault

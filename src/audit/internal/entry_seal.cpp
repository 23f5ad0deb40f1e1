#include "audit/internal/entry_seal.hpp"

#include <algorithm>

#include "audit/internal/event_codec.hpp"
#include "audit/internal/rows.hpp"
#include "core/limits.hpp"
#include "vault/digest.hpp"

namespace tacenda::audit {
namespace {

// Sealed body = Vault::seal(kAudit, alias (16) || SubjectKeys::seal_audit(body)). The body is that of
// event_codec, or, when the entry would grow over limits::kAuditEntryBytes, u8 2 and the SHA-256 of the
// sealed body, which then lies in a row of its own.
constexpr std::uint8_t kLongBodyFormat = 2;
constexpr std::size_t kOuterOverhead = 1 + 1 + 4 + 24 + 16;
constexpr std::size_t kInnerOverhead = 1 + 1 + 24 + 16;
constexpr std::size_t kTermOffset = 2;   // in the outer envelope
constexpr std::size_t kNonceOffset = 2;  // in the inner envelope
constexpr std::size_t kNonceBytes = 24;
constexpr std::size_t kBodyBytes =
    limits::kAuditEntryBytes - kHeaderBytes - kOuterOverhead - sizeof(vault::Alias) - kInnerOverhead;

constexpr std::string_view kOuterLabel = "tacenda audit entry 1";
constexpr std::string_view kBodyLabel = "tacenda audit body 1";
constexpr std::string_view kLongLabel = "tacenda audit long body 1";
constexpr std::string_view kCommitmentLabel = "tacenda audit key commitment 1";

/// The commitment of the key itself would be the same in all entries of a patient and link them; hashed
/// with the nonce of the entry it binds as well and links nothing.
Digest commitment_of(vault::SubjectKeys const& keys, ByteView inner_envelope) {
  Bytes text;
  text.reserve(kCommitmentLabel.size() + sizeof(Digest) + kNonceBytes);
  append(text, kCommitmentLabel);
  append(text, ByteView(keys.audit_key_commitment()));
  append(text, inner_envelope.subspan(kNonceOffset, kNonceBytes));
  return vault::digest(text);
}

std::uint32_t term_of(ByteView outer_envelope) {
  std::uint32_t term = 0;
  for (std::byte const byte : outer_envelope.subspan(kTermOffset, 4)) {
    term = (term << 8U) | std::to_integer<std::uint32_t>(byte);
  }
  return term;
}

bool is_absent(Error const& error) {
  return error.kind() == ErrorKind::kNotFound || error.kind() == ErrorKind::kGone;
}

}  // namespace

EntrySealer::EntrySealer(vault::Vault const& vault)
    : vault_(vault), rows_(vault.view(vault::Keeper::kAudit)) {
  ByteWriter(context_).raw(vault.store_id()).raw(vault.tenant_id());
}

Bytes EntrySealer::associated_data(std::string_view label, EntryHeader const& header, ByteView more) const {
  Bytes out;
  out.reserve(4 + label.size() + context_.size() + 3 + 4 + more.size());
  ByteWriter(out)
      .sized(label)
      .raw(context_)
      .u16(std::to_underlying(header.kind))
      .u8(std::to_underlying(header.outcome))
      .sized(more);
  return out;
}

Result<EntrySealer::Keys> EntrySealer::keys_of(std::string const& patient) const {
  auto keys = vault_.subject(vault::Subject::patient(patient));
  if (!keys && is_absent(keys.error())) return Keys{};
  return keys;
}

Result<EntrySealer::Keys> EntrySealer::keys_for_write(std::string const& patient,
                                                      vault::WriteSet& set) const {
  auto const& made = set.new_subjects();
  if (!made.empty()) {
    if (auto const found = made.find(vault::Subject::patient(patient).text()); found != made.end()) {
      return found->second;
    }
  }
  return keys_of(patient);
}

Result<void> EntrySealer::seal_events(Pending& pending) const {
  pending.keys_found = vault_.order().erasures();
  pending.entries.clear();
  pending.index.clear();
  pending.size_bytes = pending.set.size_bytes();
  pending.entries.reserve(pending.events.size());
  for (std::uint32_t i = 0; i < pending.events.size(); ++i) {
    TACENDA_TRY_VOID(add(pending.events[i], i, pending));
  }
  return {};
}

Result<void> EntrySealer::add(Event const& event, std::uint32_t index, Pending& pending) const {
  Keys only;  // of the one patient, when he has any
  std::size_t patients = 0;
  std::vector<Bytes> prefixes;  // of the index rows
  for (auto patient_it = event.patients.begin(); patient_it != event.patients.end(); ++patient_it) {
    std::string const& patient = *patient_it;
    if (std::find(event.patients.begin(), patient_it, patient) != patient_it)
      continue;  // named twice: one row
    ++patients;
    Keys keys = TACENDA_TRY(keys_for_write(patient, pending.set));
    if (!keys) {
      prefixes.push_back(rows::text(rows::kUnknownPatient, patient));
      continue;
    }
    prefixes.push_back(rows::patient(keys->alias()));
    only = std::move(keys);
  }
  if (!event.actor_id.empty()) prefixes.push_back(rows::text(rows::kUser, event.actor_id));
  if (patients != 1 || !only) only = TACENDA_TRY(vault_.subject(vault::Subject::tenant()));

  Sealed sealed = TACENDA_TRY(seal(event, *only));
  auto const row = [&](Bytes prefix, Bytes value) {
    prefix.resize(prefix.size() + rows::kSequenceBytes);
    LogRow out{rows_.full_key(prefix), std::move(value), index};
    pending.size_bytes += out.key.size() + out.value.size();
    return out;
  };
  pending.entries.push_back(row(rows::of(rows::kEntry), std::move(sealed.entry)));
  for (Bytes& prefix : prefixes) pending.index.push_back(row(std::move(prefix), {}));
  if (sealed.long_body) pending.index.push_back(row(rows::of(rows::kLongBody), std::move(*sealed.long_body)));
  return {};
}

Result<EntrySealer::Sealed> EntrySealer::seal(Event const& event, vault::SubjectKeys const& keys) const {
  Sealed out;
  EntryHeader header;
  header.kind = event.kind;
  header.outcome = event.outcome;

  Bytes body;
  body.reserve(512);
  encode_event(event, body);
  if (body.size() > kBodyBytes) {
    Bytes& stored = out.long_body.emplace();
    TACENDA_TRY_VOID(keys.seal_audit(associated_data(kLongLabel, header, keys.alias()), body, stored));
    body.assign(1, static_cast<std::byte>(kLongBodyFormat));
    append(body, ByteView(vault::digest(stored)));
  }

  Bytes inner;
  inner.reserve(sizeof(vault::Alias) + body.size() + kInnerOverhead);
  append(inner, ByteView(keys.alias()));
  TACENDA_TRY_VOID(keys.seal_audit(associated_data(kBodyLabel, header, keys.alias()), body, inner));
  header.commitment = commitment_of(keys, ByteView(inner).subspan(sizeof(vault::Alias)));

  Bytes const outer = TACENDA_TRY(
      vault_.seal(vault::Purpose::kAudit, associated_data(kOuterLabel, header, header.commitment), inner));
  header.term = term_of(outer);
  out.entry.reserve(kHeaderBytes + outer.size());
  write_header(header, out.entry);
  append(out.entry, outer);
  return out;
}

Result<EntrySealer::Opened> EntrySealer::open_outer(ByteView entry) const {
  Opened out;
  out.header = TACENDA_TRY(read_header(entry));
  ByteView const outer = entry.subspan(kHeaderBytes);
  if (outer.size() < kOuterOverhead || term_of(outer) != out.header.term) {
    return fail(ErrorKind::kCorrupt, "audit entry: sealed body is malformed");
  }
  Bytes inner = TACENDA_TRY(vault_.open(
      vault::Purpose::kAudit, associated_data(kOuterLabel, out.header, out.header.commitment), outer));
  if (inner.size() < sizeof(vault::Alias) + kInnerOverhead) {
    return fail(ErrorKind::kCorrupt, "audit entry: sealed body is too short");
  }
  std::copy_n(inner.begin(), out.alias.size(), out.alias.begin());
  inner.erase(inner.begin(), inner.begin() + static_cast<std::ptrdiff_t>(out.alias.size()));
  out.body = std::move(inner);
  return out;
}

Result<EntrySealer::Keys> EntrySealer::keys_behind(vault::Alias const& alias) const {
  Keys tenant = TACENDA_TRY(vault_.subject(vault::Subject::tenant()));
  if (tenant->alias() == alias) return tenant;
  constexpr std::string_view kPatient = "Patient/";
  auto const subject = TACENDA_TRY(vault_.subject_of(alias));
  if (!subject || !subject->starts_with(kPatient)) return Keys{};
  Keys keys = TACENDA_TRY(keys_of(subject->substr(kPatient.size())));
  if (keys && keys->alias() != alias)
    return fail(ErrorKind::kCorrupt, "audit entry: alias of another patient");
  return keys;
}

Result<std::optional<vault::Alias>> EntrySealer::alias_of(ByteView entry) const {
  Opened const opened = TACENDA_TRY(open_outer(entry));
  Keys const tenant = TACENDA_TRY(vault_.subject(vault::Subject::tenant()));
  if (tenant->alias() == opened.alias) return std::nullopt;
  return opened.alias;
}

Result<Entry> EntrySealer::open(ByteView entry, LongBody const& long_body) const {
  Opened const opened = TACENDA_TRY(open_outer(entry));
  Entry out;
  out.sequence = opened.header.sequence;
  out.recorded = from_unix_ms(opened.header.wall_ms);
  out.event.kind = opened.header.kind;
  out.event.outcome = opened.header.outcome;

  Keys const keys = TACENDA_TRY(keys_behind(opened.alias));
  if (!keys) {
    out.readable = false;
    return out;
  }
  if (commitment_of(*keys, opened.body) != opened.header.commitment) {
    return fail(ErrorKind::kCorrupt, "audit entry: key commitment does not fit");
  }
  Bytes body;
  TACENDA_TRY_VOID(
      keys->open_audit(associated_data(kBodyLabel, opened.header, keys->alias()), opened.body, body));
  if (!body.empty() && body.front() == static_cast<std::byte>(kLongBodyFormat)) {
    auto const stored = TACENDA_TRY(long_body(out.sequence));
    if (!stored || !equal(vault::digest(*stored), ByteView(body).subspan(1))) {
      return fail(ErrorKind::kCorrupt, "audit entry: its long body is missing or altered");
    }
    body.clear();
    TACENDA_TRY_VOID(
        keys->open_audit(associated_data(kLongLabel, opened.header, keys->alias()), *stored, body));
  }
  TACENDA_TRY_VOID(decode_event(body, out.event));
  return out;
}

}  // namespace tacenda::audit

#include "audit/internal/entry_seal.hpp"

#include <algorithm>
#include <map>

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
constexpr std::string_view kQueryRowLabel = "tacenda audit query row 1";
constexpr std::string_view kQueryLabel = "tacenda audit query 1";
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

Bytes EntrySealer::associated_data(std::string_view label, ByteView more) const {
  Bytes out;
  out.reserve(4 + label.size() + context_.size() + 4 + more.size());
  ByteWriter(out).sized(label).raw(context_).sized(more);
  return out;
}

Result<EntrySealer::Keys> EntrySealer::keys_of(std::string const& patient) const {
  auto keys = vault_.subject(vault::Subject::patient(patient));
  if (!keys && is_absent(keys.error())) return Keys{};
  return keys;
}

Result<EntrySealer::Found> EntrySealer::find_for_write(std::string const& patient,
                                                       vault::WriteSet& set) const {
  auto const& made = set.new_subjects();
  if (!made.empty()) {
    if (auto const found = made.find(vault::Subject::patient(patient).text()); found != made.end()) {
      return Found{found->second};
    }
  }
  auto keys = vault_.subject(vault::Subject::patient(patient));
  if (keys) return Found{std::move(*keys)};
  if (!is_absent(keys.error())) return std::unexpected(keys.error());
  return Found{nullptr, keys.error().kind() == ErrorKind::kGone};
}

/// The texts of one commit, each once: the same text under the keys of some patients here and of others there
/// would outlive each of them.
class EntrySealer::Queries {
 public:
  /// Index of the text of `event`; nullopt: it has none.
  std::optional<std::size_t> of(Event const& event, std::uint32_t index) {
    if (event.query.empty() && !event.query_at) return std::nullopt;
    Name const name{event.query_at ? std::string_view() : std::string_view(event.query), event.query_at};
    if (!all.empty() && name == last_name_) return last_;
    auto const [found, is_new] = by_name_.try_emplace(name, all.size());
    if (is_new) {
      all.emplace_back();
      all.back().event = index;
    }
    last_name_ = name;
    last_ = found->second;
    return last_;
  }

  std::vector<Query> all;
  std::size_t names_left = kQueryNamesOfCommit;

 private:
  using Name = std::pair<std::string_view, std::optional<std::uint64_t>>;  // views of the commit's events
  std::map<Name, std::size_t> by_name_;
  Name last_name_;  // the events of a search have one text
  std::size_t last_ = 0;
};

Result<void> EntrySealer::seal_events(Pending& pending) const {
  pending.keys_found = vault_.order().erasures();
  pending.entries.clear();
  pending.index.clear();
  pending.size_bytes = pending.set.size_bytes();
  pending.entries.reserve(pending.events.size());
  Queries queries;
  std::vector<Prepared> prepared;
  prepared.reserve(pending.events.size());
  for (std::uint32_t i = 0; i < pending.events.size(); ++i) {
    prepared.push_back(TACENDA_TRY(prepare(pending.events[i], i, pending, queries)));
  }
  TACENDA_TRY_VOID(seal_queries(pending, queries));
  for (std::uint32_t i = 0; i < pending.events.size(); ++i) {
    QueryMark mark;
    if (prepared[i].query) {
      Query const& query = queries.all[*prepared[i].query];
      mark = query.mark;
      mark.back = i - query.event;
    }
    Sealed sealed = TACENDA_TRY(seal(pending.events[i], mark, *prepared[i].keys));
    pending.entries.push_back(row(rows::of(rows::kEntry), std::move(sealed.entry), i, pending));
    for (Bytes& prefix : prepared[i].prefixes)
      pending.index.push_back(row(std::move(prefix), {}, i, pending));
    if (sealed.long_body)
      pending.index.push_back(row(rows::of(rows::kLongBody), std::move(*sealed.long_body), i, pending));
  }
  return {};
}

LogRow EntrySealer::row(Bytes prefix, Bytes value, std::uint32_t event, Pending& pending) const {
  prefix.resize(prefix.size() + rows::kSequenceBytes);
  LogRow out{rows_.full_key(prefix), std::move(value), event};
  pending.size_bytes += out.key.size() + out.value.size();
  return out;
}

Result<EntrySealer::Prepared> EntrySealer::prepare(Event const& event, std::uint32_t index, Pending& pending,
                                                   Queries& queries) const {
  Prepared out;
  out.query = queries.of(event, index);
  Query* const query = out.query ? &queries.all[*out.query] : nullptr;
  // Who was erased since the request came takes its text with him. Whom it names though he was erased before
  // does not: nobody shall hide what he asks by naming him.
  bool const forgets = !event.erasures_before || *event.erasures_before != vault_.order().patient_erasures();
  std::size_t patients = 0;
  for (auto patient_it = event.patients.begin(); patient_it != event.patients.end(); ++patient_it) {
    std::string const& patient = *patient_it;
    if (std::find(event.patients.begin(), patient_it, patient) != patient_it)
      continue;  // named twice: one row
    ++patients;
    Found found = TACENDA_TRY(find_for_write(patient, pending.set));
    if (query != nullptr) query->erased |= found.erased && forgets;
    if (!found.keys) {
      out.prefixes.push_back(rows::text(rows::kUnknownPatient, patient));
      continue;
    }
    out.prefixes.push_back(rows::patient(found.keys->alias()));
    if (query != nullptr) query->keys.push_back(found.keys);
    out.keys = std::move(found.keys);
  }
  if (!event.actor_id.empty()) out.prefixes.push_back(rows::text(rows::kUser, event.actor_id));
  if (!event.labels.empty()) out.prefixes.push_back(rows::of(rows::kWatched));
  if (patients != 1 || !out.keys) out.keys = TACENDA_TRY(vault_.subject(vault::Subject::tenant()));
  if (query == nullptr) return out;

  auto const add_named = [&](std::string const& patient) -> Result<void> {
    auto found = find_for_write(patient, pending.set);
    if (!found && found.error().kind() == ErrorKind::kCorrupt) {
      query->erased = true;  // the entry can be kept beside a damaged table, its text cannot be closed
      return {};
    }
    if (!found) return std::unexpected(found.error());
    query->erased |= found->erased && forgets;
    if (found->keys) query->keys.push_back(std::move(found->keys));
    return {};
  };
  for (auto const& patient : event.query_patients) TACENDA_TRY_VOID(add_named(patient));
  if (event.resource_type == "Patient" && !event.resource_id.empty())
    TACENDA_TRY_VOID(add_named(event.resource_id));
  if (query->event == index) {
    for (auto const& patient : patients_named_in(event.query)) {
      if (queries.names_left == 0) break;
      --queries.names_left;
      TACENDA_TRY_VOID(add_named(patient));
    }
  }
  return out;
}

Result<void> EntrySealer::seal_queries(Pending& pending, Queries& queries) const {
  for (Query& query : queries.all) {
    if (query.erased) {
      query.mark.kind = QueryMark::Kind::kErased;
      continue;
    }
    Bytes stored = TACENDA_TRY(seal_query(pending.events[query.event], query));
    query.mark = {QueryMark::Kind::kKept, 0, vault::digest(stored)};
    pending.index.push_back(row(rows::of(rows::kQuery), std::move(stored), query.event, pending));
  }
  return {};
}

Result<Bytes> EntrySealer::seal_query(Event const& event, Query& query) const {
  Bytes text;
  encode_query({event.query_at ? std::string_view() : std::string_view(event.query), event.query_at}, text);
  std::ranges::sort(query.keys, {}, [](Keys const& keys) { return keys->alias(); });
  auto const repeated = std::ranges::unique(query.keys, {}, [](Keys const& keys) { return keys->alias(); });
  query.keys.erase(repeated.begin(), repeated.end());
  QueryRow row;
  Bytes names;
  for (auto const& keys : query.keys) {
    row.aliases.push_back(keys->alias());
    append(names, ByteView(keys->alias()));
  }
  Bytes sealed;
  TACENDA_TRY_VOID(vault_.seal_for_all(vault::Purpose::kAudit, query.keys,
                                       associated_data(kQueryLabel, names), text, sealed));
  row.sealed = sealed;
  Bytes plaintext;
  encode_query_row(row, plaintext);
  Bytes const outer =
      TACENDA_TRY(vault_.seal(vault::Purpose::kAudit, associated_data(kQueryRowLabel, {}), plaintext));
  Bytes stored;
  stored.reserve(1 + outer.size());
  ByteWriter(stored).u8(kQueryFormat).raw(outer);
  return stored;
}

Result<Bytes> EntrySealer::open_query_row(ByteView stored) const {
  ByteReader in(stored);
  if (TACENDA_TRY(in.u8()) != kQueryFormat)
    return fail(ErrorKind::kUnsupported, "audit query: written by a newer version");
  return vault_.open(vault::Purpose::kAudit, associated_data(kQueryRowLabel, {}), in.rest());
}

Result<Bytes> EntrySealer::open_query(QueryRow const& row, std::span<Keys const> keys) const {
  Bytes names;
  for (auto const& alias : row.aliases) append(names, ByteView(alias));
  return vault_.open_for_all(vault::Purpose::kAudit, keys, associated_data(kQueryLabel, names), row.sealed);
}

Result<EntrySealer::Sealed> EntrySealer::seal(Event const& event, QueryMark const& mark,
                                              vault::SubjectKeys const& keys) const {
  Sealed out;
  EntryHeader header;
  header.kind = event.kind;
  header.outcome = event.outcome;

  Bytes body;
  body.reserve(512);
  encode_event(event, mark, body);
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

Result<EntrySealer::Outer> EntrySealer::open_outer(ByteView entry) const {
  Outer out;
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
  Outer const opened = TACENDA_TRY(open_outer(entry));
  Keys const tenant = TACENDA_TRY(vault_.subject(vault::Subject::tenant()));
  if (tenant->alias() == opened.alias) return std::nullopt;
  return opened.alias;
}

Result<EntrySealer::Opened> EntrySealer::open(ByteView entry, LongBody const& long_body) const {
  Outer const opened = TACENDA_TRY(open_outer(entry));
  Opened result;
  Entry& out = result.entry;
  out.sequence = opened.header.sequence;
  out.recorded = from_unix_ms(opened.header.wall_ms);
  out.event.kind = opened.header.kind;
  out.event.outcome = opened.header.outcome;

  Keys const keys = TACENDA_TRY(keys_behind(opened.alias));
  if (!keys) {
    out.readable = false;
    return result;
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
  result.mark = TACENDA_TRY(decode_event(body, out.event));
  if (result.mark.kind == QueryMark::Kind::kKept) out.query_state = QueryState::kSealed;
  if (result.mark.kind == QueryMark::Kind::kErased) out.query_state = QueryState::kErased;
  return result;
}

}  // namespace tacenda::audit

#include "access/assignments.hpp"

#include <algorithm>

#include "codec/text.hpp"
#include "core/limits.hpp"

namespace tacenda::access {
namespace {

constexpr std::uint8_t kFormat = 2;            // format 1 has no disclosure
constexpr std::size_t kOpenEmergencies = 100;  // of one user, that nobody has reviewed

// Rows: l<user> Practitioner id; v<patient> 0 <user> on the list; e<id> emergency.
Bytes row_key(char kind, std::string_view name) {
  Bytes key;
  ByteWriter(key).u8(static_cast<std::uint8_t>(kind)).raw(as_bytes(name));
  return key;
}

std::string listed_name(std::string_view patient, std::string_view user) {
  std::string name(patient);
  name.push_back('\0');
  name.append(user);
  return name;
}

bool says_nothing(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Errors: kUnprocessable.
Result<void> check_disclosure(EmergencyDisclosure const& disclosure) {
  for (auto const* text :
       {&disclosure.recipient, &disclosure.affiliation, &disclosure.discloser, &disclosure.nature}) {
    if (says_nothing(*text) || text->size() > limits::kReasonBytes)
      return fail(ErrorKind::kUnprocessable,
                  "a disclosure names recipient, affiliation, discloser and nature of the emergency, each in "
                  "at most 2,000 bytes");
  }
  return {};
}

Result<std::string> read_text(ByteReader& reader) {
  return std::string(as_text(TACENDA_TRY(reader.sized())));
}

}  // namespace

Bytes encode_emergency(Emergency const& emergency) {
  Bytes row;
  ByteWriter(row)
      .u8(kFormat)
      .sized(emergency.id)
      .sized(emergency.user)
      .sized(emergency.patient)
      .sized(emergency.reason)
      .u64(to_unix_ms(emergency.begun))
      .u64(to_unix_ms(emergency.expires))
      .sized(emergency.reviewer)
      .sized(emergency.finding)
      .u64(emergency.reviewed ? to_unix_ms(*emergency.reviewed) : 0)
      .u8(emergency.disclosure ? 1 : 0);
  if (auto const& disclosure = emergency.disclosure)
    ByteWriter(row)
        .sized(disclosure->recipient)
        .sized(disclosure->affiliation)
        .sized(disclosure->discloser)
        .sized(disclosure->nature);
  return row;
}

Result<Emergency> decode_emergency(ByteView row) {
  ByteReader reader(row);
  auto const format = TACENDA_TRY(reader.u8());
  if (format < 1 || format > kFormat)
    return fail(ErrorKind::kCorrupt, "an emergency row has an unknown format");
  Emergency emergency;
  emergency.id = TACENDA_TRY(read_text(reader));
  emergency.user = TACENDA_TRY(read_text(reader));
  emergency.patient = TACENDA_TRY(read_text(reader));
  emergency.reason = TACENDA_TRY(read_text(reader));
  emergency.begun = from_unix_ms(TACENDA_TRY(reader.u64()));
  emergency.expires = from_unix_ms(TACENDA_TRY(reader.u64()));
  emergency.reviewer = TACENDA_TRY(read_text(reader));
  emergency.finding = TACENDA_TRY(read_text(reader));
  if (auto const time = TACENDA_TRY(reader.u64()); time != 0) emergency.reviewed = from_unix_ms(time);
  if (format >= 2) {
    auto const has_disclosure = TACENDA_TRY(reader.u8());
    if (has_disclosure > 1) return fail(ErrorKind::kCorrupt, "an emergency row has an unknown form");
    if (has_disclosure == 1) {
      auto& disclosure = emergency.disclosure.emplace();
      for (auto* text :
           {&disclosure.recipient, &disclosure.affiliation, &disclosure.discloser, &disclosure.nature})
        *text = TACENDA_TRY(read_text(reader));
    }
  }
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "an emergency row is longer than its fields");
  return emergency;
}

/// Counted with the emergencies that nobody has reviewed until it is effective, or given up: of many that a
/// user begins at once no more are stored than he may have.
class Assignments::Reservation {
 public:
  Reservation(Assignments& owner, std::string user) : owner_(owner), user_(std::move(user)) {}
  Reservation(Reservation const&) = delete;
  Reservation& operator=(Reservation const&) = delete;
  ~Reservation() {
    if (is_held_) give_up();
  }
  /// From now on it counts as the emergency that it was held for.
  void turn_into(Emergency const& emergency) {
    WriteLock const lock(owner_.mutex_);
    auto& newest = owner_.newest_[std::pair(emergency.user, emergency.patient)];
    auto const known = owner_.emergencies_.find(newest);
    if (known == owner_.emergencies_.end() || known->second.begun <= emergency.begun) newest = emergency.id;
    owner_.emergencies_.insert_or_assign(emergency.id, emergency);
    release();
    is_held_ = false;
  }

 private:
  void give_up() {
    WriteLock const lock(owner_.mutex_);
    release();
  }
  void release() TACENDA_REQUIRES(owner_.mutex_) {
    auto const held = owner_.being_begun_.find(user_);
    if (--held->second == 0) owner_.being_begun_.erase(held);
  }

  Assignments& owner_;
  std::string user_;
  bool is_held_ = true;
};

Assignments::Assignments(vault::Vault& vault, Clock const& clock)
    : vault_(vault), clock_(clock), rows_(vault.sealed_view(vault::Keeper::kPolicy, vault::Purpose::kAuth)) {}

Result<std::unique_ptr<Assignments>> Assignments::open(vault::Vault& vault, Clock const& clock) {
  std::unique_ptr<Assignments> made(new Assignments(vault, clock));
  TACENDA_TRY_VOID(made->load());
  return made;
}

Result<void> Assignments::load() {
  WriteLock const lock(mutex_);
  auto* self = this;
  TACENDA_TRY_VOID(rows_.scan(
      as_bytes("l"), [self](ByteView key, ByteView row) TACENDA_REQUIRES(self->mutex_) -> Result<bool> {
        self->practitioners_.emplace(as_text(key.subspan(1)), as_text(row));
        return true;
      }));
  TACENDA_TRY_VOID(rows_.scan(as_bytes("v"),
                              [self](ByteView key, ByteView) TACENDA_REQUIRES(self->mutex_) -> Result<bool> {
                                auto const name = as_text(key.subspan(1));
                                auto const end = name.find('\0');
                                if (end == std::string_view::npos)
                                  return fail(ErrorKind::kCorrupt, "a list row has another key");
                                self->listed_.emplace(name.substr(0, end), name.substr(end + 1));
                                return true;
                              }));
  return rows_.scan(as_bytes("e"),
                    [self](ByteView, ByteView row) TACENDA_REQUIRES(self->mutex_) -> Result<bool> {
                      auto emergency = TACENDA_TRY(decode_emergency(row));
                      auto id = emergency.id;
                      auto& newest = self->newest_[std::pair(emergency.user, emergency.patient)];
                      auto const known = self->emergencies_.find(newest);
                      if (known == self->emergencies_.end() || known->second.begun < emergency.begun)
                        newest = id;
                      self->emergencies_.emplace(std::move(id), std::move(emergency));
                      return true;
                    });
}

void Assignments::close_records(std::set<std::string, std::less<>> patients,
                                std::set<std::string, std::less<>> waiting) {
  WriteLock const lock(mutex_);
  closed_ = std::move(patients);
  waiting_ = std::move(waiting);
  closes_any_.store(!closed_.empty(), std::memory_order_release);
}

bool Assignments::closes(std::span<std::string const> patients) const {
  if (!closes_any()) return false;
  ReadLock const lock(mutex_);
  for (auto const& patient : patients) {
    bool const is_for_others = patients.size() > 1 && waiting_.contains(patient);
    if (closed_.contains(patient) && !is_for_others) return true;
  }
  return false;
}

std::optional<std::string> Assignments::practitioner_of(std::string_view user) const {
  ReadLock const lock(mutex_);
  auto const found = practitioners_.find(user);
  return found == practitioners_.end() ? std::nullopt : std::optional(found->second);
}

Result<Assignments::Change> Assignments::set_practitioner(std::string_view user,
                                                          std::optional<ResourceId> const& practitioner) {
  Change change;
  auto const key = row_key('l', user);
  change.set.read_at(vault_.order().committed());
  change.set.depends_on(rows_.guard(key));
  change.set.touches(rows_.guard(key));
  if (practitioner) {
    TACENDA_TRY_VOID(rows_.put(change.set, key, as_bytes(practitioner->view())));
    change.committed = [this, user = std::string(user), id = std::string(practitioner->view())] {
      WriteLock const lock(mutex_);
      practitioners_.insert_or_assign(user, id);
    };
    return change;
  }
  rows_.erase(change.set, key);
  WriteLock const lock(mutex_);
  practitioners_.erase(std::string(user));
  return change;
}

bool Assignments::is_listed(std::string_view patient, std::string_view user) const {
  ReadLock const lock(mutex_);
  return listed_.contains({std::string(patient), std::string(user)});
}

bool Assignments::has_list(std::string_view patient) const {
  ReadLock const lock(mutex_);
  if (listed_.empty()) return false;
  auto const first = listed_.lower_bound({std::string(patient), std::string()});
  return first != listed_.end() && first->first == patient;
}

std::vector<std::pair<std::string, std::string>> Assignments::lists() const {
  ReadLock const lock(mutex_);
  return {listed_.begin(), listed_.end()};
}

Result<std::vector<std::string>> Assignments::stored_list(std::string_view patient) const {
  std::vector<std::string> users;
  auto const prefix = row_key('v', listed_name(patient, {}));
  TACENDA_TRY_VOID(rows_.scan(prefix, [&](ByteView key, ByteView) -> Result<bool> {
    users.emplace_back(as_text(key.subspan(prefix.size())));
    return true;
  }));
  return users;
}

Result<Assignments::Change> Assignments::set_listed(std::string_view patient, std::string_view user,
                                                    bool listed) {
  Change change;
  auto const key = row_key('v', listed_name(patient, user));
  change.set.read_at(vault_.order().committed());
  change.set.depends_on(rows_.guard(key));
  change.set.touches(rows_.guard(key));
  std::pair<std::string, std::string> entry{patient, user};
  if (listed) {
    TACENDA_TRY_VOID(rows_.put(change.set, key, {}));
    change.committed = [this, entry = std::move(entry)] {
      WriteLock const lock(mutex_);
      listed_.insert(entry);
    };
    return change;
  }
  rows_.erase(change.set, key);
  WriteLock const lock(mutex_);
  listed_.erase(entry);
  return change;
}

std::optional<Emergency> Assignments::emergency(std::string_view user, std::string_view patient,
                                                Time now) const {
  ReadLock const lock(mutex_);
  if (newest_.empty()) return std::nullopt;  // as nearly always: no names are made for it
  auto const found = newest_.find({std::string(user), std::string(patient)});
  if (found == newest_.end()) return std::nullopt;
  auto const& each = emergencies_.at(found->second);
  return each.begun <= now && now < each.expires ? std::optional(each) : std::nullopt;
}

std::shared_ptr<Assignments::Reservation> Assignments::reserve(std::string_view user) {
  WriteLock const lock(mutex_);
  auto& begun = being_begun_[std::string(user)];
  auto const open = static_cast<std::size_t>(std::ranges::count_if(
      emergencies_, [&](auto const& each) { return each.second.user == user && !each.second.reviewed; }));
  if (open + begun < kOpenEmergencies) {
    ++begun;
    return std::make_shared<Reservation>(*this, std::string(user));
  }
  if (begun == 0) being_begun_.erase(std::string(user));
  return nullptr;
}

Result<Assignments::Begun> Assignments::begin_emergency(std::string_view user, std::string_view patient,
                                                        std::string_view reason, std::chrono::seconds lasts,
                                                        std::optional<EmergencyDisclosure> disclosure) {
  if (says_nothing(reason))
    return fail(ErrorKind::kUnprocessable, "say why: breaking the glass needs a reason");
  if (reason.size() > limits::kReasonBytes) return fail(ErrorKind::kUnprocessable, "the reason is too long");
  if (disclosure) TACENDA_TRY_VOID(check_disclosure(*disclosure));
  // shared with the closure, which is all that knows whether it came to something
  auto const place = reserve(user);
  if (!place) return fail(ErrorKind::kThrottled, "too many emergencies wait for their review");
  Begun begun;
  auto& emergency = begun.emergency;
  emergency.id = codec::format_uuid_v4(TACENDA_TRY(vault_.random_bytes16()));
  emergency.user = user;
  emergency.patient = patient;
  emergency.reason = reason;
  emergency.begun = clock_.now();
  emergency.expires = emergency.begun + lasts;
  emergency.disclosure = std::move(disclosure);
  TACENDA_TRY_VOID(rows_.put(begun.change.set, row_key('e', emergency.id), encode_emergency(emergency)));
  begun.change.committed = [place, emergency] { place->turn_into(emergency); };
  return begun;
}

std::vector<Emergency> Assignments::emergencies() const {
  ReadLock const lock(mutex_);
  std::vector<Emergency> all;
  for (auto const& [id, each] : emergencies_) all.push_back(each);
  std::ranges::sort(all, {}, &Emergency::begun);
  return all;
}

Result<Assignments::Change> Assignments::review(std::string_view id, std::string_view reviewer,
                                                std::string_view finding) {
  {
    ReadLock const lock(mutex_);
    if (!emergencies_.contains(id)) return fail(ErrorKind::kNotFound, "there is no such emergency");
  }
  Change change;
  auto const key = row_key('e', id);
  // First as of when, then the row: a review that commits in between is later than what was read, and one
  // before is in it. What memory has may be older.
  change.set.read_at(vault_.order().committed());
  change.set.depends_on(rows_.guard(key));
  change.set.touches(rows_.guard(key));
  auto const row = TACENDA_TRY(rows_.get(key));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such emergency");
  auto emergency = TACENDA_TRY(decode_emergency(*row));
  if (emergency.user == reviewer) return fail(ErrorKind::kForbidden, "nobody reviews what he did himself");
  if (emergency.reviewed) return fail(ErrorKind::kConflict, "this emergency was reviewed already");
  if (says_nothing(finding) || finding.size() > limits::kReasonBytes)
    return fail(ErrorKind::kUnprocessable, "a review needs a finding of at most 2,000 bytes");
  emergency.reviewer = reviewer;
  emergency.finding = finding;
  emergency.reviewed = clock_.now();
  TACENDA_TRY_VOID(rows_.put(change.set, key, encode_emergency(emergency)));
  change.committed = [this, emergency] {
    WriteLock const lock(mutex_);
    emergencies_.insert_or_assign(emergency.id, emergency);
  };
  return change;
}

}  // namespace tacenda::access

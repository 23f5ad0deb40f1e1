#include "records/transaction.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "codec/json.hpp"
#include "core/limits.hpp"
#include "core/process.hpp"
#include "fhir/compartment.hpp"
#include "records/internal/content.hpp"
#include "records/internal/document.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/facts.hpp"
#include "records/internal/index_state.hpp"
#include "records/internal/judging.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/row.hpp"
#include "records/internal/upload_rows.hpp"
#include "records/store.hpp"
#include "vault/digest.hpp"

namespace tacenda::records {
namespace {

std::string name_of(std::string_view type, std::string_view id) {
  std::string name(type);
  name.push_back('/');
  name.append(id);
  return name;
}

std::vector<std::string> subject_texts(fhir::SubjectSet const& set, std::string_view id) {
  using Kind = fhir::SubjectKind;
  std::vector<std::string> texts;
  switch (set.kind) {
    case Kind::kPatients:
      for (auto const& patient : set.patients) texts.push_back(vault::Subject::patient(patient).text());
      break;
    case Kind::kPractitioner:
      texts.push_back(vault::Subject::practitioner(id).text());
      break;
    case Kind::kBinary:
      texts.push_back(vault::Subject::binary(id).text());
      break;
    case Kind::kTenant:
      texts.push_back(vault::Subject::tenant().text());
      break;
  }
  std::ranges::sort(texts);
  return texts;
}

/// Those of `before` that are not among `after`. Both are sorted.
std::vector<std::string> gone_from(std::vector<std::string> const& before,
                                   std::vector<std::string> const& after) {
  std::vector<std::string> gone;
  std::ranges::set_difference(before, after, std::back_inserter(gone));
  return gone;
}

bool names_any(std::vector<std::string> const& patients, std::vector<std::string> const& among) {
  return std::ranges::any_of(
      patients, [&](std::string const& patient) { return std::ranges::binary_search(among, patient); });
}

/// A record that is not written yet: its place is judged.
RecordFacts about_to_be(std::string_view type, std::string_view id, std::span<std::string const> patients,
                        std::uint64_t version) {
  RecordFacts facts{type, id, patients, version, false};
  facts.is_proposed = true;
  return facts;
}

/// Errors: kGone (the patient is being erased).
Result<void> refuse_erased(vault::View const& view, vault::ReadPoint const& at, std::string_view patient,
                           vault::WriteSet& set) {
  Bytes const key = erasing_key(patient);
  // Of the beginning of an erasure and this write, the later is refused.
  set.depends_on(view.guard(key));
  if (TACENDA_TRY(view.get(key, &at))) return fail(ErrorKind::kGone, "a patient of this record is being erased");
  return {};
}

}  // namespace

Result<bool> Transaction::shows(Permit const& permit, std::string_view type, std::string_view id,
                                Current const& current) const {
  if (current.version == 0) {
    // That one is not there may not be told, by making it or by deleting nothing, to whom some are hidden
    // (C-10).
    return permit.may_choose_ids();
  }
  if (current.row.empty())
    return is_shown(permit, about_to_be(type, id, current.patients, current.version));  // own
  return is_shown(permit, RecordOnDemand({*vault_, view_, &at_}, {type, id},
                                         TACENDA_TRY(parse_row(current.row))));
}

Result<fhir::SubjectSet> Transaction::subjects_of(fhir::Resource const& resource, ResourceId const& id,
                                                  Current const& current) {
  if (keeps_patients_) return fhir::SubjectSet{fhir::SubjectKind::kPatients, current.patients};
  return fhir::subjects_of(
      resource, id.view(), base_urls_,
      [this](std::string_view type, std::string_view record) { return patients_of(type, record); });
}

Result<std::vector<std::string>> Transaction::patients_of(std::string_view type, std::string_view id) {
  if (auto const found = loaded_.find(name_of(type, id)); found != loaded_.end())
    return found->second.patients;
  Bytes const key = current_key(type, id);
  set_.depends_on(view_.guard(key));
  auto const row = TACENDA_TRY(view_.get(key, &at_));
  if (!row) return std::vector<std::string>();
  return TACENDA_TRY(parse_row(*row)).patients();
}

Result<void> Transaction::check_patients(Permit const& permit, fhir::Resource const& resource,
                                         ResourceId const& id, Current const& current,
                                         std::vector<std::string> const& patients) const {
  bool const is_new = current.version == 0;
  // To keep the record of one patient is a duty, whoever may see it then.
  if (patients.size() < 2 && (is_new || patients == current.patients)) return {};
  ProposedContent const content(resource);
  for (auto const& added : gone_from(patients, current.patients)) {
    RecordFacts const alone{resource.type(), id.view(), {&added, 1}, current.version, false, &content, true};
    if (!TACENDA_TRY(is_shown(permit, alone)))
      return fail(ErrorKind::kForbidden, "this role may not name this patient in this resource");
  }
  if (is_new || moves_records_ || !TACENDA_TRY(is_taken_away(resource, id, current, patients))) return {};
  return fail(ErrorKind::kForbidden, "this role may not take a record away from its patient");
}

Result<bool> Transaction::is_taken_away(fhir::Resource const& resource, ResourceId const& id,
                                        Current const& current,
                                        std::vector<std::string> const& patients) const {
  if (current.patients.empty()) return false;
  if (!names_any(current.patients, patients)) return true;
  // Of several he stays whom it is about.
  RecordOnDemand const stored({*vault_, view_, &at_}, {resource.type(), id.view()},
                              TACENDA_TRY(parse_row(current.row)));
  auto const text = stored.text();
  if (!text) return fail(ErrorKind::kCorrupt, "the version that is replaced cannot be opened");
  auto const replaced = TACENDA_TRY(codec::parse_json(*text));
  auto const subject = fhir::clear_subject(replaced);
  return !subject.empty() && fhir::clear_subject(resource.json()) != subject;
}

std::string Written::render(Time last_updated) const {
  return records::render(Document{text, meta_offset}, version, last_updated);
}

Transaction::Transaction(vault::Vault& vault, vault::View view, IndexSnapshot const& index, Watch watch)
    : vault_(&vault),
      view_(std::move(view)),
      at_(vault.read_point()),
      extractor_(index.extractor),
      index_answers_(index.answers),
      watch_(std::move(watch)) {
  set_.read_at(at_.sequence());
  // What is indexed may change before this is committed.
  set_.depends_on(view_.guard(index_state_key()));
}

Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

Result<Transaction::Current*> Transaction::load(std::string_view type, std::string_view id) {
  std::string const name = name_of(type, id);
  if (auto const found = loaded_.find(name); found != loaded_.end()) return &found->second;
  Bytes const key = current_key(type, id);
  set_.depends_on(view_.guard(key));
  Current current;
  if (auto row = TACENDA_TRY(view_.get(key, &at_)); row.has_value()) {
    auto const header = TACENDA_TRY(parse_row(*row));
    current.version = header.version;
    current.deleted = header.deleted;
    current.patients = header.patients();
    Bytes body = TACENDA_TRY(open_body(*vault_, {type, id}, header));
    current.commitment = commit_to(body);
    current.document = header.document_number();
    if (!header.deleted) current.body = std::move(body);
    current.row = std::move(*row);
  }
  return &loaded_.emplace(name, std::move(current)).first->second;
}

Result<Written> Transaction::create(Permit const& permit, fhir::Resource resource, ResourceId const& id,
                                    std::uint32_t event) {
  std::string const type(resource.type());
  Current* current = TACENDA_TRY(load(type, id.view()));
  if (current->version != 0) return fail(ErrorKind::kConflict, "a resource with this id exists");
  auto const subjects = TACENDA_TRY(subjects_of(resource, id, *current));
  if (!TACENDA_TRY(is_shown(permit, about_to_be(type, id.view(), subjects.patients, 0)))) {
    return fail(ErrorKind::kForbidden, "this role may not create this resource");
  }
  TACENDA_TRY_VOID(check_patients(permit, resource, id, *current, subjects.patients));
  resource = TACENDA_TRY(amended(std::move(resource), *current));
  return write(type, id, &resource, &subjects, *current, event);
}

Result<Written> Transaction::update(Permit const& permit, fhir::Resource resource, ResourceId const& id,
                                    std::optional<std::uint64_t> if_match, std::uint32_t event) {
  std::string const type(resource.type());
  if (resource.id() != id.view())
    return fail(ErrorKind::kInvalid, "the resource must have the id of the request's URL");
  Current* current = TACENDA_TRY(load(type, id.view()));
  auto const subjects = TACENDA_TRY(subjects_of(resource, id, *current));
  // Both the record as it is and as it would be.
  if (!TACENDA_TRY(is_shown(permit, about_to_be(type, id.view(), subjects.patients, current->version))) ||
      !TACENDA_TRY(shows(permit, type, id.view(), *current))) {
    return fail(ErrorKind::kForbidden, "this role may not update this resource");
  }
  if (if_match && *if_match != (current->deleted ? 0 : current->version)) {
    return fail(ErrorKind::kPrecondition, "the resource has another version than If-Match names");
  }
  TACENDA_TRY_VOID(check_patients(permit, resource, id, *current, subjects.patients));
  resource = TACENDA_TRY(amended(std::move(resource), *current));
  return write(type, id, &resource, keeps_patients_ ? nullptr : &subjects, *current, event);
}

Result<fhir::Resource> Transaction::amended(fhir::Resource resource, Current const& current) const {
  if (!amend_) return resource;
  if (current.row.empty()) return amend_(std::move(resource), {});
  // Of a deletion the version that it ended: to delete and make anew takes no label off.
  RecordOnDemand const stored({*vault_, view_, &at_}, {resource.type(), resource.id()},
                              TACENDA_TRY(parse_row(current.row)));
  auto const replaced = stored.text();
  if (!replaced) return fail(ErrorKind::kCorrupt, "the version that is replaced cannot be opened");
  return amend_(std::move(resource), *replaced);
}

Result<Written> Transaction::remove(Permit const& permit, std::string_view type, ResourceId const& id,
                                    std::optional<std::uint64_t> if_match, std::uint32_t event) {
  Current* current = TACENDA_TRY(load(type, id.view()));
  bool const absent = current->version == 0 || current->deleted;
  // Also of what is not there: where some records are hidden, nobody learns that this one is.
  if (!TACENDA_TRY(shows(permit, type, id.view(), *current))) {
    return fail(ErrorKind::kForbidden, "this role may not delete this resource");
  }
  if (if_match && *if_match != (absent ? 0 : current->version)) {
    return fail(ErrorKind::kPrecondition, "the resource has another version than If-Match names");
  }
  if (absent) {
    Written nothing;
    nothing.type = type;
    nothing.id = id.view();
    nothing.version = current->version;
    nothing.changed = false;
    nothing.deletion = true;
    nothing.patients = current->patients;
    return nothing;
  }
  return write(type, id, nullptr, nullptr, *current, event);
}

Result<Written> Transaction::write(std::string_view type, ResourceId const& id,
                                   fhir::Resource const* resource, fhir::SubjectSet const* named,
                                   Current& current, std::uint32_t event) {
  // One identity is written at most once in a transaction (R4 http.html#trules): the callers check it.
  if (current.own) return fail(ErrorKind::kInvalid, "a transaction writes one resource twice");
  // Its versions would begin anew, and what somebody holds of the erased ones would seem to be of them.
  if (current.version == 0 && TACENDA_TRY(view_.get(erased_key(type, id.view()), &at_)))
    return fail(ErrorKind::kGone, "a resource of this id was erased: no other one gets it");
  RowPlace const place{type, id.view()};
  RowHeader header;
  header.version = current.version + 1;
  header.deleted = resource == nullptr;
  header.previous = current.commitment;
  header.document = current.document;

  Document document;
  if (resource != nullptr) {
    document = to_document(*resource, id);
  }
  header.subjects = named != nullptr ? subject_texts(*named, id.view()) : TACENDA_TRY(parse_row(current.row)).subjects;
  if (type == "Consent") TACENDA_TRY_VOID(note_consent(id.view(), current, resource, header.patients()));
  for (auto const& patient : header.patients()) {
    bool const has_him = std::ranges::binary_search(current.patients, patient);
    if (!(lets_erased_stay_ && has_him)) TACENDA_TRY_VOID(refuse_erased(view_, at_, patient, set_));
  }
  auto const subjects = TACENDA_TRY(records::subjects_of(header));
  auto const keys = TACENDA_TRY(vault_->subjects_for_write(subjects, set_));
  std::string whole;
  if (auto held = std::exchange(held_, std::nullopt); held && resource != nullptr) {
    TACENDA_TRY_VOID(hold_apart(type, *std::move(held), document));
  } else {
    whole = TACENDA_TRY(put_content_apart(*vault_, view_, set_, document));
  }
  header.has_content_apart = document.content.has_value();
  Bytes body;
  SealedRow sealed = TACENDA_TRY(seal_row(*vault_, *keys, place, header, document, &body));

  Bytes const key = current_key(type, id.view());
  set_.touches(view_.guard(key));
  if (current.version != 0) {
    auto const old = TACENDA_TRY(parse_row(current.row));
    set_.change_state({state_item(place, old.version, vault::digest(old.envelope)), false});
    view_.put(set_, version_key(type, id.view(), current.version), std::move(current.row));
  }
  set_.change_state({state_item(place, header.version, sealed.digest), true});
  view_.put_stamped_value(set_, key, std::move(sealed.row), event);
  Bytes history_value;
  ByteWriter(history_value).u64(header.version).raw(as_bytes(id.view()));
  view_.put_stamped_key(set_, history_key(type), std::move(history_value), event);
  TACENDA_TRY_VOID(replace_index(type, id.view(), current, header, resource, event));

  Written written;
  written.type = type;
  written.id = id.view();
  written.version = header.version;
  written.deletion = resource == nullptr;
  written.created = resource != nullptr && (current.version == 0 || current.deleted);
  written.patients = header.patients();
  written.left = gone_from(current.patients, written.patients);
  written.digest = sealed.digest;
  // Of what was uploaded the text is without its data: nobody asked for it.
  written.text = whole.empty() ? std::move(document.text) : std::move(whole);
  written.meta_offset = document.meta_offset;

  current.version = header.version;
  current.deleted = header.deleted;
  current.patients = written.patients;
  current.commitment = commit_to(body);
  current.row.clear();
  current.body.clear();
  current.own = true;
  return written;
}

Result<void> Transaction::hold_apart(std::string_view type, UploadedContent held, Document& document) {
  if (type != "Binary" || document.data.size == 0)
    return fail(ErrorKind::kBug, "what was uploaded belongs into a Binary");
  Bytes const key = upload_key(held.id);
  set_.depends_on(view_.guard(key));
  set_.touches(view_.guard(key));
  auto const row = TACENDA_TRY(view_.get(key, &at_));
  if (!row || TACENDA_TRY(decode_upload(*row)).state != UploadState::kUnderWay)
    return fail(ErrorKind::kUnavailable, "what was uploaded is not there any more: send it again");
  view_.erase(set_, key);
  put_uploaded_apart(std::move(held), document);
  return {};
}

Result<Written> Transaction::unchanged(std::string_view type, std::string_view id) {
  Current const* current = TACENDA_TRY(load(type, id));
  Written place;
  place.type = type;
  place.id = id;
  place.changed = false;
  if (current->deleted) return place;
  place.version = current->version;
  place.patients = current->patients;
  return place;
}

Result<Living> Transaction::living(Permit const& reader, std::string_view type, ResourceId const& id) {
  Current const* current = TACENDA_TRY(load(type, id.view()));
  if (current->own) return fail(ErrorKind::kInvalid, "a transaction changes one resource twice");
  if (current->version == 0 || !TACENDA_TRY(shows(reader, type, id.view(), *current))) {
    return fail(ErrorKind::kNotFound, "there is no such resource");
  }
  if (current->deleted) return fail(ErrorKind::kGone, "the resource was deleted");
  auto document = TACENDA_TRY(open_document(current->body));
  if (document.text.empty()) return fail(ErrorKind::kCorrupt, "a living version has no content");
  if (document.content && document.content->size_bytes > kContentInTextBytes)
    return fail(ErrorKind::kUnprocessable, "what this Binary holds is too large to be changed in part");
  TACENDA_TRY_VOID(put_content_back({*vault_, view_, &at_}, document));
  Time const time = TACENDA_TRY(parse_row(current->row)).time;
  auto json = records::render(document, current->version, time);
  if (!reader.views_whole(type)) return fail(ErrorKind::kForbidden, "what is seen in part cannot be changed");
  return Living{current->version, std::move(json)};
}

bool Transaction::wrote(std::string_view type, std::string_view id) const {
  auto const found = loaded_.find(name_of(type, id));
  return found != loaded_.end() && found->second.own;
}

vault::WriteSet Transaction::take() {
  TACENDA_ASSERT(gaining_.empty());
  return std::move(set_);
}

}  // namespace tacenda::records

#include "records/internal/judging.hpp"

#include "codec/json.hpp"
#include "records/internal/content.hpp"
#include "records/internal/keys.hpp"

namespace tacenda::records {
namespace {

Error unknowable() {
  return Error(ErrorKind::kUnavailable, "what the decision looks at cannot be read at the moment");
}

}  // namespace

Result<void> RecordOnDemand::open() const {
  if (header_.purged) return fail(ErrorKind::kGone, "this version went with a patient who was erased");
  // Opened although it is deleted: a forged deletion flag would fail its authentication.
  Bytes const body = TACENDA_TRY(open_body(rows_.vault, place_, header_));
  document_ = header_.deleted ? TACENDA_TRY(ended()) : TACENDA_TRY(open_document(body));
  if (document_.text.empty()) return fail(ErrorKind::kCorrupt, "a living version has no content");
  return {};
}

Result<Document> RecordOnDemand::ended() const {
  auto const row =
      TACENDA_TRY(rows_.view.get(version_key(place_.type, place_.id, header_.version - 1), rows_.at));
  if (!row) return fail(ErrorKind::kCorrupt, "the version that a deletion ended is missing");
  auto const header = TACENDA_TRY(parse_row(*row));
  if (header.deleted) return fail(ErrorKind::kCorrupt, "a deletion ended a deletion");
  return open_document(TACENDA_TRY(open_body(rows_.vault, place_, header)));
}

std::optional<std::string_view> RecordOnDemand::text() const {
  if (!opened_) opened_ = open();
  return opened_->has_value() ? std::optional<std::string_view>(document_.text) : std::nullopt;
}

Error RecordOnDemand::refusal(Permit const& permit) const {
  if (opened_ && !opened_->has_value()) return opened_->error();
  if (permit.could_not_tell()) return unknowable();
  return Error(ErrorKind::kNotFound, "there is no such resource");
}

Result<StoredVersion> RecordOnDemand::take(ContentForm form) {
  if (!opened_) opened_ = open();
  if (!opened_->has_value()) return std::unexpected(opened_->error());
  StoredVersion stored;
  stored.type = place_.type;
  stored.id = place_.id;
  stored.version = header_.version;
  stored.last_updated = header_.time;
  stored.deleted = header_.deleted;
  stored.patients = std::move(patients_);
  if (header_.deleted) return stored;
  if (document_.content && form == ContentForm::kApart) {
    stored.content_bytes = document_.content->size_bytes;
  } else {
    TACENDA_TRY_VOID(put_content_back(rows_, document_));
  }
  stored.json = render(document_, header_.version, header_.time);
  return stored;
}

std::optional<std::string_view> ProposedContent::text() const {
  if (!text_) text_ = codec::write_json(resource_.json());
  return *text_;
}

Result<bool> is_shown(Permit const& permit, RecordOnDemand const& record) {
  if (permit.judge(record.facts())) return true;
  auto const refusal = record.refusal(permit);
  if (refusal.kind() == ErrorKind::kNotFound || refusal.kind() == ErrorKind::kGone) return false;
  return std::unexpected(refusal);
}

Result<bool> is_shown(Permit const& permit, RecordFacts const& facts) {
  if (permit.judge(facts)) return true;
  if (permit.could_not_tell()) return std::unexpected(unknowable());
  return false;
}

Result<StoredVersion> shown(Permit const& permit, StoredVersion version) {
  if (version.deleted || permit.views_whole(version.type)) return version;
  auto view = permit.view(version.type, version.json);
  if (!view) return fail(ErrorKind::kCorrupt, "a stored resource cannot be cut to a view");
  version.json = std::move(*view);
  return version;
}

}  // namespace tacenda::records

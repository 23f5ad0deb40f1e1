#include "records/internal/judging.hpp"

namespace tacenda::records {

Result<void> RecordOnDemand::open() const {
  Bytes const body = TACENDA_TRY(open_body(vault_, place_, header_));
  if (header_.deleted) return {};
  document_ = TACENDA_TRY(open_document(body));
  if (document_.text.empty()) return fail(ErrorKind::kCorrupt, "a living version has no content");
  return {};
}

std::optional<std::string_view> RecordOnDemand::text() const {
  if (!opened_) opened_ = open();
  return opened_->has_value() ? std::optional<std::string_view>(document_.text) : std::nullopt;
}

Error RecordOnDemand::refusal() const {
  if (opened_ && !opened_->has_value()) return opened_->error();
  return Error(ErrorKind::kNotFound, "there is no such resource");
}

Result<StoredVersion> RecordOnDemand::take() {
  if (!opened_) opened_ = open();
  if (!opened_->has_value()) return std::unexpected(opened_->error());
  StoredVersion stored;
  stored.type = place_.type;
  stored.id = place_.id;
  stored.version = header_.version;
  stored.last_updated = header_.time;
  stored.deleted = header_.deleted;
  stored.patients = std::move(patients_);
  if (!header_.deleted) stored.json = render(document_, header_.version, header_.time);
  return stored;
}

OpenedContent::OpenedContent(ByteView body) {
  if (body.empty()) {
    document_.emplace();  // a deletion
  } else if (auto document = open_document(body); document.has_value()) {
    document_ = std::move(*document);
  }
}

std::optional<std::string_view> OpenedContent::text() const {
  return document_ ? std::optional<std::string_view>(document_->text) : std::nullopt;
}

Result<bool> is_shown(Permit const& permit, RecordOnDemand const& record) {
  if (permit.judge(record.facts())) return true;
  auto const refusal = record.refusal();
  if (refusal.kind() == ErrorKind::kNotFound || refusal.kind() == ErrorKind::kGone) return false;
  return std::unexpected(refusal);
}

Result<StoredVersion> shown(Permit const& permit, StoredVersion version) {
  if (version.deleted || permit.views_whole(version.type)) return version;
  auto view = permit.view(version.type, version.json);
  if (!view) return fail(ErrorKind::kCorrupt, "a stored resource cannot be cut to a view");
  version.json = std::move(*view);
  return version;
}

}  // namespace tacenda::records

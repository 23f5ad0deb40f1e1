#include "records/store.hpp"

#include <map>

#include "codec/text.hpp"
#include "records/internal/content.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/judging.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/row.hpp"
#include "records/internal/search_lists.hpp"

namespace tacenda::records {

Store::Store(vault::Vault& vault)
    : vault_(&vault),
      view_(vault.view(vault::Keeper::kRecords)),
      lists_(std::make_unique<SearchLists>()),
      index_{std::make_shared<Extractor const>(fhir::SearchParameters()), true} {}

Store::~Store() = default;

Transaction Store::begin(Watch watch) const {
  MutexLock const lock(index_mutex_);
  return Transaction(*vault_, view_, index_, std::move(watch));
}

IndexSnapshot Store::index() const {
  MutexLock const lock(index_mutex_);
  return index_;
}

Result<std::shared_ptr<Extractor const>> Store::answering_index() const {
  auto snapshot = index();
  if (!snapshot.answers) return fail(ErrorKind::kUnavailable, "the search index is being written anew");
  return std::move(snapshot.extractor);
}

std::shared_ptr<fhir::SearchParameters const> Store::parameters() const {
  auto extractor = index().extractor;
  auto const* parameters = &extractor->parameters();
  return {std::move(extractor), parameters};
}

Result<StoredBytes> Store::stored_bytes() const {
  auto const sum = [&](std::string_view prefixes) -> Result<std::uint64_t> {
    std::uint64_t bytes = 0;
    for (auto const& prefix : prefixes) bytes += TACENDA_TRY(view_.size_bytes(as_bytes({&prefix, 1})));
    return bytes;
  };
  StoredBytes stored;
  stored.versions = TACENDA_TRY(sum("CV"));
  stored.contents = TACENDA_TRY(sum("B"));
  stored.index = TACENDA_TRY(sum("hDIx"));
  return stored;
}

Result<std::uint64_t> Store::newest_change(std::string_view type) const {
  std::uint64_t newest = 0;
  TACENDA_TRY_VOID(view_.scan(history_prefix(type), {}, storage::Direction::kReverse,
                              [&](ByteView key, ByteView) -> Result<bool> {
                                ByteReader reader(key.last(8));
                                newest = TACENDA_TRY(reader.u64());
                                return false;
                              }));
  return newest;
}

Result<void> Store::each(Permit const& permit, std::string_view type,
                         std::function<Result<bool>(StoredVersion const&)> const& visit) const {
  auto const at = vault_->read_point();
  std::map<std::uint64_t, std::string> ids;  // by document
  TACENDA_TRY_VOID(view_.scan(
      current_prefix(type), {}, storage::Direction::kForward,
      [&](ByteView key, ByteView row) -> Result<bool> {
        auto const place = TACENDA_TRY(parse_current_key(key));
        auto const header = TACENDA_TRY(parse_row(row));
        if (header.deleted) return true;
        RecordOnDemand const record({*vault_, view_, &at}, {place.type, place.id}, header);
        if (permit.judge(record.facts())) ids.emplace(header.document_number(), place.id);
        return true;
      },
      &at));
  for (auto const& [document, id] : ids) {
    auto const row = TACENDA_TRY(view_.get(current_key(type, id), &at));
    if (!row) return fail(ErrorKind::kCorrupt, "a record is there and is not");
    if (!TACENDA_TRY(visit(TACENDA_TRY(shown(permit, TACENDA_TRY(open(type, id, *row))))))) return {};
  }
  return {};
}

Result<ResourceId> Store::new_id() const {
  return ResourceId::parse(codec::format_uuid_v4(TACENDA_TRY(vault_->random_bytes16())));
}

Result<StoredVersion> Store::open(std::string_view type, std::string_view id, ByteView row) const {
  return RecordOnDemand({*vault_, view_, nullptr}, {type, id}, TACENDA_TRY(parse_row(row))).take();
}

Result<StoredVersion> Store::read(Permit const& permit, std::string_view type, ResourceId const& id,
                                  ContentForm form) const {
  auto const row = TACENDA_TRY(view_.get(current_key(type, id.view())));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such resource");
  RecordOnDemand record({*vault_, view_, nullptr}, {type, id.view()}, TACENDA_TRY(parse_row(*row)));
  if (!permit.judge(record.facts())) return std::unexpected(record.refusal(permit));
  auto stored = TACENDA_TRY(record.take(permit.views_whole(type) ? form : ContentForm::kInText));
  if (stored.deleted) return fail(ErrorKind::kGone, "the resource was deleted");
  return shown(permit, std::move(stored));
}

Result<std::optional<Bytes>> Store::shown_row(Permit const& permit, RowPlace const& place,
                                              std::uint64_t version, vault::ReadPoint const& at) const {
  auto row = TACENDA_TRY(view_.get(current_key(place.type, place.id), &at));
  if (!row) return std::nullopt;
  auto header = TACENDA_TRY(parse_row(*row));
  // Who may not see the resource as it is sees no version of it, as in its history: a record that was filed
  // under the wrong patient must not stay open to him after it was put right.
  Rows const rows{*vault_, view_, &at};
  RecordOnDemand const now(rows, place, header);
  if (!TACENDA_TRY(is_shown(permit, now))) return std::nullopt;
  if (header.version == version) return row;
  row = TACENDA_TRY(view_.get(version_key(place.type, place.id, version), &at));
  if (!row) return std::nullopt;
  header = TACENDA_TRY(parse_row(*row));
  if (header.version != version) return std::nullopt;
  if (header.purged) return row;  // nothing is left of it to decide by
  RecordOnDemand const record(rows, place, std::move(header));
  if (!TACENDA_TRY(is_shown(permit, record))) return std::nullopt;
  return row;
}

Result<std::optional<StoredVersion>> Store::version_at(Permit const& permit, std::string_view type,
                                                       std::string_view id, std::uint64_t version,
                                                       ContentForm form) const {
  // The version may move from the current row to a version row between two reads: look at one state.
  auto const at = vault_->read_point();
  auto const row = TACENDA_TRY(shown_row(permit, {type, id}, version, at));
  if (!row) return std::nullopt;
  RecordOnDemand record({*vault_, view_, &at}, {type, id}, TACENDA_TRY(parse_row(*row)));
  auto stored = TACENDA_TRY(record.take(permit.views_whole(type) ? form : ContentForm::kInText));
  return TACENDA_TRY(shown(permit, std::move(stored)));
}

Result<StoredVersion> Store::deletion(Permit const& permit, std::string_view type, ResourceId const& id,
                                      std::uint64_t version) const {
  auto stored = TACENDA_TRY(version_at(permit, type, id.view(), version));
  if (!stored || !stored->deleted) return fail(ErrorKind::kNotFound, "there is no such deletion");
  return std::move(*stored);
}

Result<StoredVersion> Store::vread(Permit const& permit, std::string_view type, ResourceId const& id,
                                   std::uint64_t version, ContentForm form) const {
  auto stored = TACENDA_TRY(version_at(permit, type, id.view(), version, form));
  if (!stored) return fail(ErrorKind::kNotFound, "there is no such version");
  if (stored->deleted) return fail(ErrorKind::kGone, "this version is a deletion");
  return std::move(*stored);
}

Result<std::string> Store::content(Permit const& permit, std::string_view type, ResourceId const& id,
                                   std::uint64_t version, ContentRange range) const {
  if (!permit.views_whole(type)) return fail(ErrorKind::kNotFound, "there is no such version");
  auto const at = vault_->read_point();
  RowPlace const place{type, id.view()};
  auto const row = TACENDA_TRY(shown_row(permit, place, version, at));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such version");
  auto const header = TACENDA_TRY(parse_row(*row));
  auto const document = TACENDA_TRY(open_document(TACENDA_TRY(open_body(*vault_, place, header))));
  if (!document.content) return fail(ErrorKind::kInvalid, "what this version holds does not lie apart");
  return read_content({*vault_, view_, &at}, *document.content, range);
}

}  // namespace tacenda::records

// What an erasure does to the rows of records (G-07).
#include <algorithm>
#include <map>
#include <utility>

#include "records/erasing.hpp"
#include "records/internal/content.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/row.hpp"
#include "records/transaction.hpp"
#include "vault/digest.hpp"

namespace tacenda::records {

void ErasingTransaction::begin(std::string_view patient) {
  Bytes const key = erasing_key(patient);
  transaction_.set_.touches(transaction_.view_.guard(key));
  transaction_.view_.put(transaction_.set_, key, {});
}

void ErasingTransaction::end(std::string_view patient) {
  Bytes const key = erasing_key(patient);
  transaction_.set_.touches(transaction_.view_.guard(key));
  transaction_.view_.erase(transaction_.set_, key);
}

Result<void> ErasingTransaction::erase_content(RowPlace const& place, RowHeader const& header) {
  if (!header.has_content_apart) return {};
  auto const document =
      TACENDA_TRY(open_document(TACENDA_TRY(open_body(*transaction_.vault_, place, header))));
  if (!document.content) return fail(ErrorKind::kCorrupt, "a content is missing from its record");
  Bytes prefix;
  ByteWriter(prefix).u8('B').raw(ByteView(document.content->secret).first(sizeof(vault::ChunkSeal::Id)));
  return transaction_.view_.scan(
      prefix, {}, storage::Direction::kForward,
      [&](ByteView key, ByteView) -> Result<bool> {
        transaction_.view_.erase(transaction_.set_, key);
        return true;
      },
      &transaction_.at_);
}

Result<std::uint64_t> ErasingTransaction::erase(std::string_view type, std::string_view id,
                                                std::uint32_t event) {
  auto* current = TACENDA_TRY(transaction_.load(type, id));
  if (current->own) return fail(ErrorKind::kInvalid, "a transaction writes one resource twice");
  if (current->version == 0) return std::uint64_t{0};
  RowPlace const place{type, id};
  auto const header = TACENDA_TRY(parse_row(current->row));
  std::uint64_t versions = 1;
  for (std::uint64_t number = header.version - 1; number > 0; --number) {
    Bytes const key = version_key(type, id, number);
    auto const row = TACENDA_TRY(transaction_.view_.get(key, &transaction_.at_));
    if (!row) return fail(ErrorKind::kCorrupt, "a version is missing");
    auto const older = TACENDA_TRY(parse_row(*row));
    TACENDA_TRY_VOID(erase_content(place, older));
    transaction_.view_.erase(transaction_.set_, key);
    if (older.purged) continue;
    transaction_.view_.erase(transaction_.set_, history_key_at(type, older.sequence));
    ++versions;
  }
  TACENDA_TRY_VOID(erase_content(place, header));
  Bytes const key = current_key(type, id);
  transaction_.set_.touches(transaction_.view_.guard(key));
  transaction_.set_.change_state({state_item(place, header.version, vault::digest(header.envelope)), false});
  transaction_.view_.erase(transaction_.set_, key);
  transaction_.view_.erase(transaction_.set_, history_key_at(type, header.sequence));
  RowHeader nobody;
  nobody.document = header.document_number();
  TACENDA_TRY_VOID(transaction_.replace_index(type, id, *current, nobody, nullptr, event));
  current->row.clear();
  current->body.clear();
  current->own = true;
  return versions;
}

Result<Digest> ErasingTransaction::purge(std::string_view type, std::string_view id, std::uint64_t version,
                                         std::uint32_t event) {
  transaction_.set_.depends_on(transaction_.view_.guard(current_key(type, id)));
  RowPlace const place{type, id};
  Bytes const key = version_key(type, id, version);
  auto const row = TACENDA_TRY(transaction_.view_.get(key, &transaction_.at_));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such version");
  auto const old = TACENDA_TRY(parse_row(*row));
  if (old.purged) return fail(ErrorKind::kNotFound, "this version is purged already");
  TACENDA_TRY_VOID(erase_content(place, old));
  RowHeader header;
  header.deleted = true;
  header.purged = true;
  header.version = version;
  header.document = old.document_number();
  header.previous = old.previous;
  header.subjects = {vault::Subject::tenant().text()};
  auto const keys =
      TACENDA_TRY(transaction_.vault_->subject_for_write(vault::Subject::tenant(), transaction_.set_));
  auto sealed = TACENDA_TRY(seal_row(*transaction_.vault_, *keys, place, header, Document(), nullptr));
  transaction_.view_.put_stamped_value(transaction_.set_, key, std::move(sealed.row), event);
  transaction_.view_.erase(transaction_.set_, history_key_at(type, old.sequence));
  return sealed.digest;
}

Erasing::Erasing(vault::Vault const& vault) : vault_(&vault), view_(vault.view(vault::Keeper::kRecords)) {}

Result<bool> Erasing::is_there(std::string_view type, std::string_view id) const {
  return TACENDA_TRY(view_.get(current_key(type, id))).has_value();
}

namespace {

/// What is his of one row, by its header alone: nothing is opened.
bool is_of(RowHeader const& header, std::string const& subject) {
  return std::ranges::find(header.subjects, subject) != header.subjects.end();
}

}  // namespace

Result<std::vector<OwnedRecord>> Erasing::records_of(std::string_view patient, Watch const& watch) const {
  constexpr std::uint64_t kRowsBetweenLooks = 4'096;
  std::string const subject = vault::Subject::patient(patient).text();
  auto const at = vault_->read_point();
  std::vector<OwnedRecord> owned;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  std::uint64_t rows = 0;
  auto const look = [&]() -> Result<void> {
    return watch && ++rows % kRowsBetweenLooks == 0 ? watch() : Result<void>();
  };
  TACENDA_TRY_VOID(view_.scan(
      as_bytes("C"), {}, storage::Direction::kForward,
      [&](ByteView key, ByteView row) -> Result<bool> {
        TACENDA_TRY_VOID(look());
        auto const place = TACENDA_TRY(parse_current_key(key));
        auto const header = TACENDA_TRY(parse_row(row));
        if (!is_of(header, subject)) return true;
        places.emplace(std::pair(place.type, place.id), owned.size());
        owned.push_back({std::string(place.type),
                         std::string(place.id),
                         header.version,
                         header.deleted,
                         header.subjects.size() > 1,
                         true,
                         {}});
        return true;
      },
      &at));
  TACENDA_TRY_VOID(view_.scan(
      as_bytes("V"), {}, storage::Direction::kForward,
      [&](ByteView key, ByteView row) -> Result<bool> {
        TACENDA_TRY_VOID(look());
        auto const place = TACENDA_TRY(parse_version_key(key));
        auto const header = TACENDA_TRY(parse_row(row));
        if (!is_of(header, subject)) return true;
        auto const [found, is_new] = places.emplace(std::pair(place.type, place.id), owned.size());
        if (is_new)
          owned.push_back({std::string(place.type), std::string(place.id), 0, false, true, false, {}});
        owned[found->second].older.push_back(place.version);
        return true;
      },
      &at));
  return owned;
}

}  // namespace tacenda::records

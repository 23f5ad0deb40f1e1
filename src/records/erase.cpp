// What an erasure does to the rows of records (G-07).
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "records/erasing.hpp"
#include "records/internal/content.hpp"
#include "records/internal/index_state.hpp"
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

Result<Written> ErasingTransaction::rewrite(Permit const& permit, fhir::Resource resource,
                                            std::uint64_t version, std::vector<std::string> base_urls,
                                            std::uint32_t event) {
  transaction_.serve_at(std::move(base_urls));
  transaction_.let_move();
  transaction_.lets_erased_stay_ = true;
  auto const id = TACENDA_TRY(ResourceId::parse(resource.id()));
  return transaction_.update(permit, std::move(resource), id, version, event);
}

Result<std::uint64_t> ErasingTransaction::erase(std::string_view type, std::string_view id,
                                                std::uint64_t version, std::uint32_t event) {
  auto* current = TACENDA_TRY(transaction_.load(type, id));
  if (current->own) return fail(ErrorKind::kInvalid, "a transaction writes one resource twice");
  if (current->version == 0) return std::uint64_t{0};
  if (current->version != version) return fail(ErrorKind::kConflict, "the record was written meanwhile");
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
  transaction_.view_.put(transaction_.set_, erased_key(type, id), {});
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

Result<bool> Erasing::is_there(std::string_view type, std::string_view id, std::uint64_t version) const {
  auto const current = TACENDA_TRY(view_.get(current_key(type, id)));
  if (!current) return false;
  if (TACENDA_TRY(parse_row(*current)).version == version) return true;
  auto const older = TACENDA_TRY(view_.get(version_key(type, id, version)));
  return older && !TACENDA_TRY(parse_row(*older)).purged;
}

Result<bool> Erasing::is_index_settled() const {
  auto const row = TACENDA_TRY(view_.get(index_state_key()));
  if (!row) return true;
  auto const state = TACENDA_TRY(parse_index_state(*row));
  return !state.sweeping && !state.walking;
}

Result<std::set<std::string, std::less<>>> Erasing::under_way() const {
  std::set<std::string, std::less<>> patients;
  TACENDA_TRY_VOID(view_.scan(erasing_key({}), [&](ByteView key, ByteView) -> Result<bool> {
    patients.emplace(as_text(key.subspan(erasing_key({}).size())));
    return true;
  }));
  return patients;
}

namespace {

/// Finds what is one patient's, row by row and by the headers alone: nothing is opened. Current versions come
/// first, then the older ones, resource by resource.
class Collector {
 public:
  explicit Collector(std::string_view patient) : patient_(patient) {}

  void add_current(ParsedKey const& place, RowHeader const& header) {
    Others others;
    if (!note(header, others)) return;
    places_.emplace(std::pair(place.type, place.id), owned_.records.size());
    owned_.records.push_back({std::string(place.type),
                              std::string(place.id),
                              header.version,
                              header.deleted,
                              true,
                              {},
                              std::move(others)});
  }
  void add_older(ParsedKey const& place, RowHeader const& header) {
    if (place.type != type_ || place.id != id_) {
      end_resource();
      type_ = place.type;
      id_ = place.id;
    }
    if (note(header, others_)) older_.push_back(place.version);
  }
  void add_unreadable() { ++owned_.unreadable; }
  OwnedRecords take() {
    end_resource();
    return std::move(owned_);
  }

 private:
  using Others = std::set<std::string, std::less<>>;

  /// Is it his? Whose it is beside him is added to `others`.
  bool note(RowHeader const& header, Others& others) const {
    bool is_his = false;
    for (auto& patient : header.patients()) {
      if (patient == patient_) {
        is_his = true;
      } else {
        others.insert(std::move(patient));
      }
    }
    return is_his;
  }
  /// All older versions of one resource were seen.
  void end_resource() {
    auto place = places_.find(std::pair(type_, id_));
    if (place == places_.end() && !older_.empty()) {
      place = places_.emplace(std::pair(type_, id_), owned_.records.size()).first;
      owned_.records.push_back({type_, id_, 0, false, false, {}, {}});
    }
    if (place != places_.end()) {
      auto& record = owned_.records[place->second];
      record.older = std::exchange(older_, {});
      record.others.merge(others_);
    }
    older_.clear();
    others_.clear();
  }

  std::string patient_;
  OwnedRecords owned_;
  std::map<std::pair<std::string, std::string>, std::size_t> places_;  // by type and id
  // Of the resource whose older versions are looked at:
  std::string type_;
  std::string id_;
  std::vector<std::uint64_t> older_;
  Others others_;
};

}  // namespace

Result<OwnedRecords> Erasing::records_of(std::string_view patient, Watch const& watch) const {
  constexpr std::uint64_t kRowsBetweenLooks = 4'096;
  auto const at = vault_->read_point();
  Collector collector(patient);
  std::uint64_t rows = 0;
  auto const look_at = [&](char kind, auto const& parse_key, auto const& add) {
    std::array const prefix{static_cast<std::byte>(kind)};
    return view_.scan(
        prefix, {}, storage::Direction::kForward,
        [&](ByteView key, ByteView row) -> Result<bool> {
          if (watch && ++rows % kRowsBetweenLooks == 0) TACENDA_TRY_VOID(watch());
          auto const place = parse_key(key);
          auto const header = parse_row(row);
          // One damaged row, whoever's, must not keep anybody's erasure from going on: it is counted.
          if (place.has_value() && header.has_value()) {
            add(*place, *header);
          } else {
            collector.add_unreadable();
          }
          return true;
        },
        &at);
  };
  TACENDA_TRY_VOID(look_at('C', parse_current_key, [&](ParsedKey const& place, RowHeader const& header) {
    collector.add_current(place, header);
  }));
  TACENDA_TRY_VOID(look_at('V', parse_version_key, [&](ParsedKey const& place, RowHeader const& header) {
    collector.add_older(place, header);
  }));
  auto owned = collector.take();
  // Whose now is what was his.
  for (auto& record : owned.records) {
    if (record.is_his) continue;
    auto const row = TACENDA_TRY(view_.get(current_key(record.type, record.id), &at));
    if (!row) continue;
    // One that cannot be read was counted above.
    auto const header = parse_row(*row);
    if (!header.has_value()) continue;
    auto const now = header->patients();
    record.others.insert(now.begin(), now.end());
  }
  return owned;
}

}  // namespace tacenda::records

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/permit.hpp"
#include "records/internal/facts.hpp"
#include "records/internal/row.hpp"
#include "records/stored.hpp"
#include "vault/vault.hpp"

namespace tacenda::records {

class SearchState;

/// A stored version that is opened when somebody has to look into it, and once. Must not outlive what it is made
/// of. Owner: one thread.
class RecordOnDemand final : public RecordContent {
 public:
  RecordOnDemand(vault::Vault const& vault, RowPlace const& place, RowHeader header)
      : vault_(vault), place_(place), header_(std::move(header)), patients_(header_.patients()) {}

  std::optional<std::string_view> text() const override;
  /// For Permit::judge.
  RecordFacts facts() const {
    return {place_.type, place_.id, patients_, header_.version, header_.deleted, this, true};
  }
  /// What to say when the judgement was no: that there is no such resource, or why it could not be judged.
  Error refusal() const;
  /// Opens it, also a deletion: a forged flag fails its authentication. Errors: as Store::read.
  Result<StoredVersion> take();

 private:
  Result<void> open() const;

  vault::Vault const& vault_;
  RowPlace place_;
  RowHeader header_;
  std::vector<std::string> patients_;
  mutable std::optional<Result<void>> opened_;
  mutable Document document_;
};

/// The text of a version that a transaction has opened already.
class OpenedContent final : public RecordContent {
 public:
  explicit OpenedContent(ByteView body);
  std::optional<std::string_view> text() const override;

 private:
  std::optional<Document> document_;
};

/// Judges. Errors: why it could not be judged.
Result<bool> is_shown(Permit const& permit, RecordOnDemand const& record);

/// Takes out of a version what its Permit does not show. Errors: kCorrupt.
Result<StoredVersion> shown(Permit const& permit, StoredVersion version);

}  // namespace tacenda::records

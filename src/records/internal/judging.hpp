#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/permit.hpp"
#include "fhir/resource.hpp"
#include "records/internal/facts.hpp"
#include "records/internal/row.hpp"
#include "records/stored.hpp"
#include "vault/vault.hpp"

namespace tacenda::records {

/// Where the versions of records lie.
struct Rows {
  vault::Vault const& vault;
  vault::View const& view;
  vault::ReadPoint const* at = nullptr;  // nullptr: the newest state
};

/// A stored version that is opened when somebody has to look into it, and once. A deletion is judged by the
/// version that it ended: what was hidden stays hidden. Must not outlive what it is made of. Owner: one
/// thread.
class RecordOnDemand final : public RecordContent {
 public:
  RecordOnDemand(Rows const& rows, RowPlace const& place, RowHeader header)
      : rows_(rows), place_(place), header_(std::move(header)), patients_(header_.patients()) {}

  std::optional<std::string_view> text() const override;
  /// For Permit::judge.
  RecordFacts facts() const {
    return {place_.type, place_.id, patients_, header_.version, header_.deleted, this, true};
  }
  /// What to say when the judgement was no: that there is no such resource, or why it could not be judged.
  Error refusal(Permit const& permit) const;
  /// Opens it, also a deletion: a forged flag fails its authentication. Errors: as Store::read.
  Result<StoredVersion> take(ContentForm form = ContentForm::kInText);

 private:
  Result<void> open() const;
  Result<Document> ended() const;

  Rows rows_;
  RowPlace place_;
  RowHeader header_;
  std::vector<std::string> patients_;
  mutable std::optional<Result<void>> opened_;
  mutable Document document_;  // of a deletion: of the version that it ended
};

/// What is about to be written, as it came: labels that the policy adds are not in it yet. Outlived by the
/// resource. Owner: one thread.
class ProposedContent final : public RecordContent {
 public:
  explicit ProposedContent(fhir::Resource const& resource) : resource_(resource) {}
  std::optional<std::string_view> text() const override;

 private:
  fhir::Resource const& resource_;
  mutable std::optional<std::string> text_;
};

/// Judges. Errors: why it could not be judged; kUnavailable where what the decision looks at cannot be read.
Result<bool> is_shown(Permit const& permit, RecordOnDemand const& record);
/// The same of facts whose content, if any, is looked after by who made them.
Result<bool> is_shown(Permit const& permit, RecordFacts const& facts);

/// Takes out of a version what its Permit does not show. Errors: kCorrupt.
Result<StoredVersion> shown(Permit const& permit, StoredVersion version);

}  // namespace tacenda::records

#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "operations/export_worker.hpp"
#include "records/walk.hpp"

namespace tacenda::operations {

/// Prepares one export, from one state of the store: what of it goes into which file. Holds one resource and
/// the places of one file at a time.
///
/// Owner: ExportWorker, on its thread.
class ExportPreparation {
 public:
  ExportPreparation(ExportWorker& worker, records::ExportJob job, std::stop_token stop)
      : worker_(worker), job_(std::move(job)), stop_(std::move(stop)) {}

  /// Errors: kGone (the export was ended), kUnavailable (asked to stop), those of Store::walk and of commits.
  Result<void> run();

 private:
  Permit const* permit(std::string_view type);
  /// Goes on tending the other exports while this one is prepared. Errors: kGone, kUnavailable (asked to
  /// stop).
  Result<void> look();
  Result<void> clear();
  Result<bool> has_hidden_members();
  Result<void> resolve_codes(std::vector<fhir::SearchQuery>& queries, std::string const& base_url);
  Result<void> walk(std::string const& type, records::WalkScope scope, vault::ReadPoint const& at);
  Result<void> walk_all(vault::ReadPoint const& at);
  Result<void> add_deletions(std::string const& type);
  Result<bool> is_newest(Permit const& right, records::StoredVersion const& version) const;
  Result<void> add_remarks();
  Result<void> add(records::ExportPlace place, std::size_t size_bytes);
  Result<void> flush();
  bool is_limited() const { return job_.request.level != records::ExportLevel::kSystem; }

  ExportWorker& worker_;
  records::ExportJob job_;
  std::stop_token stop_;
  std::optional<identity::Principal> principal_;
  std::map<std::string, std::optional<Permit>, std::less<>> permits_;
  std::shared_ptr<fhir::SearchParameters const> parameters_;  // of the state that is walked
  std::set<std::string> patients_;
  std::map<std::string, std::set<std::string>, std::less<>> referred_;  // ids by type, outside compartments
  std::size_t referred_count_ = 0;
  bool referred_cut_ = false;
  bool hides_members_ = false;
  std::uint64_t unreadable_ = 0;
  std::uint64_t resources_ = 0;
  Time transaction_time_{};
  records::ExportFile file_;
  std::size_t file_bytes_ = 0;
  std::uint32_t files_ = 0;
  std::chrono::steady_clock::time_point tended_{};
};

}  // namespace tacenda::operations

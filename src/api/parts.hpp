#pragma once

#include <chrono>
#include <optional>

#include "access/approvals.hpp"
#include "access/gate.hpp"
#include "access/rate_limiter.hpp"
#include "audit/failure_meter.hpp"
#include "audit/log.hpp"
#include "authorization/server.hpp"
#include "core/limits.hpp"
#include "identity/directory.hpp"
#include "identity/sign_in_provider.hpp"
#include "monitor/alerts.hpp"
#include "monitor/detector.hpp"
#include "operations/addresses.hpp"
#include "operations/index_worker.hpp"
#include "operations/label_worker.hpp"
#include "operations/uploads.hpp"
#include "operations/validation.hpp"
#include "operations/vocabulary.hpp"
#include "records/export_jobs.hpp"
#include "records/indexer.hpp"
#include "records/store.hpp"
#include "vault/vault.hpp"

namespace tacenda::api {

class EmergencySwitch;
class KeyWorker;

/// What the pipeline works with; all of it outlives the pipeline.
struct Parts {
  vault::Vault& vault;
  records::Store& store;
  audit::Log& log;
  identity::Directory& directory;
  access::Gate& gate;
  Clock const& clock;
  audit::FailureMeter& failures;
  operations::Validation const& validation;
  operations::Vocabulary const& vocabulary;
  records::ExportJobs& exports;
  records::Indexer const& indexer;
  operations::IndexWorker& index_worker;
  operations::LabelWorker& label_worker;
  KeyWorker const& key_worker;
  access::Assignments& assignments;
  access::Approvals& approvals;
  authorization::Server& authorization;
  std::chrono::milliseconds export_time = limits::kExportTime;  // until an export is destroyed
  access::RateLimiter& rates;
  operations::Uploads& uploads;
  operations::Addresses const& addresses;
  monitor::Alerts& alerts;
  monitor::Detector const& detector;
  EmergencySwitch& emergency;
  identity::SignInProvider* provider = nullptr;             // nullptr: people sign in here alone
  std::optional<access::AddressList> trusted_proxies = {};  // nullopt: no forwarded address is believed
};

}  // namespace tacenda::api

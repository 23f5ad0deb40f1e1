#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "access/gate.hpp"
#include "api/admin.hpp"
#include "api/emergency_switch.hpp"
#include "api/key_worker.hpp"
#include "api/pipeline.hpp"
#include "audit/failure_meter.hpp"
#include "audit/log.hpp"
#include "authorization/server.hpp"
#include "identity/directory.hpp"
#include "monitor/alerts.hpp"
#include "monitor/detector.hpp"
#include "monitor/mailer.hpp"
#include "operations/export_worker.hpp"
#include "operations/index_worker.hpp"
#include "operations/label_worker.hpp"
#include "operations/uploads.hpp"
#include "privacy/erasure_worker.hpp"
#include "records/indexer.hpp"
#include "records/store.hpp"
#include "vault/vault.hpp"

namespace tacenda::start {

struct OpenOptions {
  bool create = false;  // a new store: the folder has no engine yet
  std::size_t cache_bytes = std::size_t{64} << 20U;
  std::map<std::string, access::AddressList, std::less<>> listeners;
  operations::ValidationRules validation;
  std::chrono::milliseconds export_time = limits::kExportTime;
  identity::SessionTimes sessions;
  access::Rates rates;
  std::uint8_t approvals = 2;  // as Config::approvals
  operations::UploadLimits uploads;
  std::optional<access::AddressList> trusted_proxies;  // nullopt: none
  authorization::FetchKeys fetch_keys;                 // not set: no keys of an address are had
  std::size_t fetches_max = 1;
  identity::SignInProvider* provider = nullptr;  // outlives the store; nullptr: none
  std::optional<monitor::MailAddresses> mail;    // nullopt: nobody is told of alerts by mail
  monitor::Mailer::Send send_mail;
  bool damaged = false;  // for verification: open the log even if it does not hold
};

/// An unsealed store and everything that works on it, made in order and taken apart in the opposite order.
///
/// Owner: start. Destroying it seals: the committer finishes what was queued, the engine closes, keys are
/// wiped.
class OpenStore {
 public:
  /// Errors: those of Vault::unseal, storage::open_embedded, Log::open and Directory::open.
  static Result<std::unique_ptr<OpenStore>> open(storage::Files& files, vault::Places const& places,
                                                 vault::Unlock const& unlock, OpenOptions const& options,
                                                 crypto::Random& random, Clock const& clock);
  ~OpenStore();
  OpenStore(OpenStore const&) = delete;
  OpenStore& operator=(OpenStore const&) = delete;

  api::Parts parts();
  api::Forgetting forgetting() { return {*holds_, *erasures_, *eraser_}; }
  vault::Vault& vault() { return *vault_; }
  audit::Log& log() { return *log_; }
  identity::Directory& directory() { return *directory_; }
  authorization::Server& authorization() { return *authorization_; }
  operations::Addresses& addresses() { return addresses_; }
  access::Gate& gate() { return *gate_; }
  audit::FailureMeter& failures() { return failures_; }
  api::EmergencySwitch& emergency() { return *emergency_; }

  /// Records something the server did itself: start, stop, key operations.
  Result<audit::Receipt> record(audit::EventKind kind, std::string target, std::string new_value = {});
  /// Commits the failures counted so far (audit::FailureMeter::take_due). Call once a second.
  void flush_failures();

  /// Starts the work that goes on without a request: the preparation and the end of exports, what the
  /// search index needs, labels of what is stored, erasures, the end of keys, the removal of uploads that
  /// broke off, and what follows the log.
  void start_work();
  /// Ends it; returns when nothing of it runs any more.
  void stop_work();

  /// Replaces the stored policy. For init.
  Result<void> store_policy(std::string_view toml);

 private:
  explicit OpenStore(Clock const& clock) : clock_(clock), failures_(clock) {}
  Result<void> load_policy(OpenOptions const& options);

  Clock const& clock_;
  audit::FailureMeter failures_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<audit::Log> log_;
  std::jthread committer_;
  std::unique_ptr<records::Store> store_;
  std::unique_ptr<records::Indexer> indexer_;
  std::unique_ptr<identity::Directory> directory_;
  std::unique_ptr<access::Assignments> assignments_;
  std::unique_ptr<access::Approvals> approvals_;
  std::unique_ptr<access::Evidence> evidence_;
  std::unique_ptr<access::Gate> gate_;
  std::unique_ptr<authorization::Server> authorization_;
  std::unique_ptr<access::RateLimiter> rates_;
  std::optional<access::AddressList> trusted_proxies_;
  identity::SignInProvider* provider_ = nullptr;
  std::unique_ptr<operations::Vocabulary> vocabulary_;
  std::unique_ptr<operations::Validation> validation_;
  std::unique_ptr<records::ExportJobs> exports_;
  std::chrono::milliseconds export_time_ = limits::kExportTime;
  std::unique_ptr<operations::ExportWorker> export_worker_;
  std::unique_ptr<operations::IndexWorker> index_worker_;
  std::unique_ptr<operations::LabelWorker> label_worker_;
  std::unique_ptr<api::KeyWorker> key_worker_;
  std::unique_ptr<operations::Uploads> uploads_;
  operations::Addresses addresses_;
  std::unique_ptr<monitor::Alerts> alerts_;
  std::unique_ptr<monitor::Detector> detector_;
  std::unique_ptr<monitor::Mailer> mailer_;  // nullptr: no mail is sent
  std::unique_ptr<api::EmergencySwitch> emergency_;
  std::unique_ptr<privacy::Holds> holds_;
  std::unique_ptr<privacy::Erasures> erasures_;
  std::unique_ptr<privacy::ErasureWorker> eraser_;
  std::vector<std::jthread> work_;
};

}  // namespace tacenda::start

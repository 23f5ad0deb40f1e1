#include "start/open_store.hpp"

#include "access/stored_policy.hpp"
#include "core/log.hpp"
#include "storage/embedded/open.hpp"

namespace tacenda::start {
namespace {

constexpr std::string_view kEngineFolder = "engine";

}  // namespace

Result<std::unique_ptr<OpenStore>> OpenStore::open(storage::Files& files, vault::Places const& places,
                                                   vault::Unlock const& unlock, OpenOptions const& options,
                                                   crypto::Random& random, Clock const& clock) {
  auto store = std::unique_ptr<OpenStore>(new OpenStore(clock));
  store->vault_ = TACENDA_TRY(vault::Vault::unseal(files, places, unlock, random, clock));
  storage::EmbeddedOptions engine;
  engine.folder = places.data / kEngineFolder;
  engine.create = options.create;
  engine.block_cache_bytes = options.cache_bytes;
  TACENDA_TRY_VOID(store->vault_->attach(
      TACENDA_TRY(storage::open_embedded(engine, store->vault_->file_keys(), random))));
  store->log_ = options.damaged ? TACENDA_TRY(audit::Log::open_damaged(*store->vault_))
                                : TACENDA_TRY(audit::Log::open(*store->vault_, clock, random));
  if (!options.damaged) {
    store->committer_ = std::jthread([log = store->log_.get()](std::stop_token stop) { log->run(stop); });
  }
  store->store_ = std::make_unique<records::Store>(*store->vault_);
  store->directory_ =
      TACENDA_TRY(identity::Directory::open(*store->vault_, clock, random, {}, options.sessions));
  store->rates_ = std::make_unique<access::RateLimiter>(clock, options.rates);
  store->trusted_proxies_ = options.trusted_proxies;
  store->provider_ = options.provider;
  TACENDA_TRY_VOID(store->load_policy(options));
  store->authorization_ = TACENDA_TRY(
      authorization::Server::open({*store->vault_, *store->directory_, *store->gate_, *store->assignments_,
                                   clock, options.fetch_keys, options.fetches_max}));
  store->vocabulary_ = std::make_unique<operations::Vocabulary>(*store->store_);
  store->validation_ = std::make_unique<operations::Validation>(*store->store_, *store->gate_,
                                                                options.validation, store->vocabulary_.get());
  store->exports_ = std::make_unique<records::ExportJobs>(*store->vault_);
  store->export_time_ = options.export_time;
  store->indexer_ = std::make_unique<records::Indexer>(*store->store_);
  store->index_worker_ = std::make_unique<operations::IndexWorker>(
      operations::IndexWorker::Parts{*store->store_, *store->indexer_, *store->gate_, *store->log_});
  if (!options.damaged) TACENDA_TRY_VOID(store->index_worker_->open());
  store->label_worker_ = std::make_unique<operations::LabelWorker>(
      operations::LabelWorker::Parts{*store->store_, *store->gate_, *store->log_, clock});
  store->key_worker_ =
      std::make_unique<api::KeyWorker>(api::KeyWorker::Parts{*store->vault_, *store->log_, clock});
  store->uploads_ = std::make_unique<operations::Uploads>(
      operations::Uploads::Parts{*store->store_, *store->log_, options.uploads});
  store->alerts_ = TACENDA_TRY(monitor::Alerts::open(*store->vault_, clock));
  store->detector_ = TACENDA_TRY(monitor::Detector::open(
      {*store->vault_, *store->log_, *store->alerts_, clock, options.mail.has_value()}));
  if (options.mail) {
    store->mailer_ = std::make_unique<monitor::Mailer>(
        monitor::Mailer::Parts{*store->vault_, *store->log_, clock, *options.mail, options.send_mail});
  }
  store->emergency_ = std::make_unique<api::EmergencySwitch>(*store->log_, *store->directory_);
  store->export_worker_ = std::make_unique<operations::ExportWorker>(operations::ExportWorker::Parts{
      *store->store_, *store->exports_, *store->gate_, *store->log_, clock,
      [directory = store->directory_.get()](UserId const& user,
                                            std::shared_ptr<identity::Application const> application) {
        return directory->principal_for_work(user, std::move(application));
      },
      store->vocabulary_.get()});
  store->holds_ = std::make_unique<privacy::Holds>(*store->vault_, clock);
  store->erasures_ =
      std::make_unique<privacy::Erasures>(*store->vault_, *store->store_, *store->holds_, clock);
  store->eraser_ = std::make_unique<privacy::ErasureWorker>(
      privacy::ErasureWorker::Parts{*store->vault_, *store->store_, *store->exports_, *store->erasures_,
                                    *store->holds_, *store->gate_, *store->assignments_, *store->log_, clock,
                                    [addresses = &store->addresses_] { return *addresses->all(); }});
  // Before anything is served: nobody sees half of a record.
  if (!options.damaged) TACENDA_TRY_VOID(store->eraser_->open());
  return store;
}

OpenStore::~OpenStore() {
  stop_work();
  if (committer_.joinable()) {
    committer_.request_stop();
    committer_.join();
  }
}

void OpenStore::start_work() {
  work_.emplace_back([worker = export_worker_.get()](std::stop_token stop) { worker->run(std::move(stop)); });
  work_.emplace_back([worker = index_worker_.get()](std::stop_token stop) { worker->run(std::move(stop)); });
  work_.emplace_back([worker = label_worker_.get()](std::stop_token stop) { worker->run(std::move(stop)); });
  work_.emplace_back([worker = key_worker_.get()](std::stop_token stop) { worker->run(std::move(stop)); });
  work_.emplace_back([worker = uploads_.get()](std::stop_token stop) { worker->run(std::move(stop)); });
  work_.emplace_back([worker = eraser_.get()](std::stop_token stop) { worker->run(std::move(stop)); });
  work_.emplace_back([detector = detector_.get()](std::stop_token stop) { detector->run(std::move(stop)); });
  if (!mailer_) return;
  work_.emplace_back([mailer = mailer_.get()](std::stop_token stop) { mailer->run(std::move(stop)); });
}

void OpenStore::stop_work() {
  for (auto& thread : work_) thread.request_stop();
  work_.clear();  // joins
}

Result<void> OpenStore::load_policy(OpenOptions const& options) {
  auto policy = TACENDA_TRY(access::stored_policy(*vault_));
  // A store without a policy is one that `init` has not finished: nobody gets in but by the shipped default.
  if (!policy) policy = TACENDA_TRY(access::Policy::shipped("separated"));
  access::hold_to(*policy, *directory_);
  gate_ = std::make_unique<access::Gate>(std::move(policy), options.listeners);
  assignments_ = TACENDA_TRY(access::Assignments::open(*vault_, clock_));
  approvals_ = TACENDA_TRY(access::Approvals::open(*vault_, clock_, options.approvals));
  evidence_ = std::make_unique<access::Evidence>(*store_, gate_->system_permit(Action::kRead));
  gate_->look_at(*evidence_, *assignments_, clock_);
  return {};
}

Result<void> OpenStore::store_policy(std::string_view toml) {
  auto change = TACENDA_TRY(access::policy_change(*vault_, *gate_->policy(), toml, {clock_.now(), "system"}));
  audit::Event event;
  event.kind = audit::EventKind::kPolicyChanged;
  event.actor_name = "system";
  event.new_value = change.policy->name();
  std::vector<audit::Event> events{std::move(event)};
  TACENDA_TRY_VOID(log_->commit(std::move(change.set), std::move(events)));
  access::hold_to(*change.policy, *directory_);
  gate_->replace(std::move(change.policy));
  return {};
}

api::Parts OpenStore::parts() {
  return {*vault_,        *store_,         *log_,         *directory_, *gate_,          clock_,
          failures_,      *validation_,    *vocabulary_,  *exports_,   *indexer_,       *index_worker_,
          *label_worker_, *key_worker_,    *assignments_, *approvals_, *authorization_, export_time_,
          *rates_,        *uploads_,       addresses_,    *alerts_,    *detector_,      *emergency_,
          provider_,      trusted_proxies_};
}

Result<audit::Receipt> OpenStore::record(audit::EventKind kind, std::string target, std::string new_value) {
  audit::Event event;
  event.kind = kind;
  event.actor_name = "system";
  event.authentication = "none";
  event.target = std::move(target);
  event.new_value = std::move(new_value);
  std::vector<audit::Event> events{std::move(event)};
  return log_->commit({}, std::move(events));
}

void OpenStore::flush_failures() {
  auto due = failures_.take_due();
  if (due.empty()) return;
  auto const receipt = log_->commit({}, std::move(due));
  if (!receipt.has_value()) tacenda::log(LogLevel::kError, receipt.error());
}

}  // namespace tacenda::start

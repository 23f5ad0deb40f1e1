#pragma once

#include <stdlib.h>  // mkdtemp

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "access/gate.hpp"
#include "audit/log.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/mutex.hpp"
#include "identity/directory.hpp"
#include "operations/bundle.hpp"
#include "operations/history.hpp"
#include "operations/read.hpp"
#include "operations/search.hpp"
#include "operations/write.hpp"
#include "records/store.hpp"
#include "storage/embedded/open.hpp"
#include "vault/vault.hpp"

namespace tacenda::operations::test {

/// A whole unsealed store in a folder of its own, without HTTP: what the interactions run on in the product.
class TestServer {
 public:
  /// kBlind: the gate looks at roles alone, as if nobody had consented and nothing were labelled.
  enum class Eyes : bool { kBlind, kOpen };
  explicit TestServer(std::string_view policy = "classic", Eyes eyes = Eyes::kOpen) {
    std::string name = (std::filesystem::temp_directory_path() / "tacenda-operations-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    vault::Places const places{folder_ / "data", folder_ / "key"};
    EXPECT_TRUE(vault::Vault::create(*files_, places, random_, clock_).has_value());
    vault_ = vault::Vault::unseal(*files_, places, {}, random_, clock_).value();
    storage::EmbeddedOptions options;
    options.folder = places.data / "engine";
    options.create = true;
    EXPECT_TRUE(
        vault_->attach(storage::open_embedded(options, vault_->file_keys(), random_).value()).has_value());
    log_ = audit::Log::open(*vault_, clock_, random_).value();
    committer_ = std::jthread([this](std::stop_token stop) { log_->run(stop); });
    store_ = std::make_unique<records::Store>(*vault_);
    directory_ = identity::Directory::open(*vault_, clock_, random_).value();
    gate_ = std::make_unique<access::Gate>(access::Policy::shipped(policy).value());
    assignments_ = access::Assignments::open(*vault_, clock_).value();
    evidence_ = std::make_unique<access::Evidence>(*store_, gate_->system_permit(Action::kRead));
    if (eyes == Eyes::kOpen) gate_->look_at(*evidence_, *assignments_, clock_);
    exports_ = std::make_unique<records::ExportJobs>(*vault_);
    services_ =
        std::make_unique<Services>(Services{*store_, *gate_, *log_, nullptr, nullptr, exports_.get()});
  }
  ~TestServer() {
    committer_.request_stop();
    committer_.join();
    directory_.reset();
    evidence_.reset();
    assignments_.reset();
    store_.reset();
    log_.reset();
    vault_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TestServer(TestServer const&) = delete;
  TestServer& operator=(TestServer const&) = delete;

  /// A service account of the role, signed in.
  identity::Principal sign_in(std::string const& role, std::optional<PatientId> patient = std::nullopt) {
    std::string const name = role + std::to_string(++users_);
    auto added = directory_->add_user({name, role, true, std::move(patient)}).value();
    commit(added.pending, audit::EventKind::kUserAdded);
    auto token = directory_->issue_service_token(name, std::chrono::minutes(30)).value();
    commit(token.pending, audit::EventKind::kTokenIssued);
    return directory_->authenticate_token(token.access_token).value();
  }

  /// Runs an interaction as the pipeline does: again while others are faster, committed before it is
  /// believed.
  template <typename Run>
  Result<Outcome> run(identity::Principal const& principal, Run interaction) {
    audit::Event origin;
    origin.request_id = "test";
    origin.actor_id = principal.id().view();
    Context context{*services_, principal, origin, base_url_, false, clock_.now()};
    context.deadline = deadline_;
    while (true) {
      auto outcome = interaction(context);
      if (!outcome.has_value()) return outcome;
      auto receipt = log_->commit(std::move(outcome->set), outcome->events);
      if (receipt.has_value()) {
        MutexLock const lock(last_mutex_);
        last_ = receipt->time();
        return outcome;
      }
      if (receipt.error().kind() != ErrorKind::kConflict) return std::unexpected(receipt.error());
    }
  }

  /// What an interaction comes to, of which nothing is committed.
  template <typename Run>
  Result<Outcome> peek(identity::Principal const& principal, Run interaction) {
    audit::Event origin;
    origin.request_id = "test";
    origin.actor_id = principal.id().view();
    return interaction(Context{*services_, principal, origin, base_url_, false, clock_.now()});
  }

  Result<records::Written> create(identity::Principal const& who, std::string const& json,
                                  std::optional<std::string> const& unless = std::nullopt) {
    auto outcome = run(who, [&](Context const& context) -> Result<Outcome> {
      auto resource = TACENDA_TRY(fhir::parse_resource(json));
      auto const permit = TACENDA_TRY(gate_->authorize(who, Action::kCreate, resource.type()));
      std::optional<Criteria> criteria;
      if (unless) criteria = TACENDA_TRY(criteria_of(context, resource.type(), *unless));
      return operations::create(context, permit, std::move(resource), criteria);
    });
    if (!outcome.has_value()) return std::unexpected(outcome.error());
    if (auto* version = std::get_if<records::StoredVersion>(&outcome->result)) {
      records::Written found;
      found.id = version->id;
      found.changed = false;
      return found;
    }
    return std::get<records::Written>(outcome->result);
  }

  Result<records::Written> update(identity::Principal const& who, std::string const& json,
                                  std::optional<std::uint64_t> if_match = std::nullopt) {
    auto outcome = run(who, [&](Context const& context) -> Result<Outcome> {
      auto resource = TACENDA_TRY(fhir::parse_resource(json));
      auto const permit = TACENDA_TRY(gate_->authorize(who, Action::kUpdate, resource.type()));
      auto const id = TACENDA_TRY(ResourceId::parse(resource.id()));
      return operations::update(context, permit, std::move(resource), id, if_match);
    });
    if (!outcome.has_value()) return std::unexpected(outcome.error());
    return std::get<records::Written>(outcome->result);
  }

  Result<records::Written> remove(identity::Principal const& who, std::string const& type,
                                  std::string const& id,
                                  std::optional<std::uint64_t> if_match = std::nullopt) {
    auto outcome = run(who, [&](Context const& context) -> Result<Outcome> {
      auto const permit = TACENDA_TRY(gate_->authorize(who, Action::kDelete, type));
      return operations::remove(context, permit, type, TACENDA_TRY(ResourceId::parse(id)), if_match);
    });
    if (!outcome.has_value()) return std::unexpected(outcome.error());
    return std::get<records::Written>(outcome->result);
  }

  Result<records::StoredVersion> read(identity::Principal const& who, std::string const& type,
                                      std::string const& id) {
    auto outcome = run(who, [&](Context const& context) -> Result<Outcome> {
      auto const permit = TACENDA_TRY(gate_->authorize(who, Action::kRead, type));
      return operations::read(context, permit, type, TACENDA_TRY(ResourceId::parse(id)));
    });
    if (!outcome.has_value()) return std::unexpected(outcome.error());
    return std::get<records::StoredVersion>(outcome->result);
  }

  Result<SearchAnswer> search(identity::Principal const& who, std::string const& type,
                              std::string const& query, records::SearchPosition const& position = {}) {
    auto outcome = run(who, [&](Context const& context) -> Result<Outcome> {
      SearchRequest request;
      request.type = type;
      request.parameters = TACENDA_TRY(codec::parse_query(query));
      request.position = position;
      return operations::search(context, request);
    });
    if (!outcome.has_value()) return std::unexpected(outcome.error());
    return std::get<SearchAnswer>(std::move(outcome->result));
  }

  Result<BundleOutcome> bundle(identity::Principal const& who, std::string const& json) {
    auto outcome = run(who, [&](Context const& context) -> Result<Outcome> {
      auto bundle = TACENDA_TRY(fhir::parse_bundle(json));
      return bundle.type == fhir::BundleType::kTransaction ? operations::transaction(context, bundle)
                                                           : operations::batch(context, std::move(bundle));
    });
    if (!outcome.has_value()) return std::unexpected(outcome.error());
    return std::get<BundleOutcome>(std::move(outcome->result));
  }

  /// Everything `tacenda verify` would say of the records and the log.
  std::vector<std::string> damage() {
    std::vector<std::string> found;
    auto const at = vault_->read_point();
    auto const permit = gate_->system_permit(Action::kVerify);
    auto const in_log = log_->verify([](std::uint64_t, std::uint64_t) {}).value();
    for (auto const& one : in_log) found.push_back(one.object);
    auto const leaf = [this](std::uint64_t sequence) -> Result<std::optional<Digest>> {
      auto const entry = log_->entry(sequence);
      return entry.has_value() ? entry->event.record_digest : std::nullopt;
    };
    auto const state = log_->verify_state(
        [&](std::function<void(ByteView)> const& item) -> Result<void> {
          auto const verified = TACENDA_TRY(store_->verify(permit, at, leaf, item, [](std::uint64_t) {}));
          for (auto const& one : verified.damage) found.push_back(one.object + ": " + one.problem);
          return {};
        },
        &at);
    if (!state.has_value() || !*state) found.emplace_back("current state");
    return found;
  }

  /// From now on the gate looks at consents, labels and relations.
  void open_eyes() { gate_->look_at(*evidence_, *assignments_, clock_); }

  /// The store as it is after a restart: with nothing in memory.
  void reopen_store() {
    services_.reset();
    evidence_.reset();
    store_ = std::make_unique<records::Store>(*vault_);
    evidence_ = std::make_unique<access::Evidence>(*store_, gate_->system_permit(Action::kRead));
    gate_->look_at(*evidence_, *assignments_, clock_);
    services_ =
        std::make_unique<Services>(Services{*store_, *gate_, *log_, nullptr, nullptr, exports_.get()});
  }

  /// Of every later interaction; outlives them.
  void set_deadline(Deadline const& deadline) { deadline_ = &deadline; }

  Time last_commit() const {
    MutexLock const lock(last_mutex_);
    return last_;
  }
  records::Store& store() { return *store_; }
  access::Gate& gate() { return *gate_; }
  access::Assignments& assignments() { return *assignments_; }
  audit::Log& log() { return *log_; }
  vault::Vault& vault() { return *vault_; }
  identity::Directory& directory() { return *directory_; }
  records::ExportJobs& exports() { return *exports_; }
  Clock const& clock() const { return clock_; }
  /// Makes a change of the directory real.
  void commit(identity::Pending& pending, audit::EventKind kind) {
    audit::Event event;
    event.kind = kind;
    std::vector<audit::Event> events{std::move(event)};
    EXPECT_TRUE(log_->commit(pending.set().value(), std::move(events)).has_value());
    pending.committed();
  }

 private:
  std::filesystem::path folder_;
  std::string const base_url_ = "https://localhost/fhir";
  std::unique_ptr<storage::Files> files_ = storage::posix_files();
  crypto::SystemRandom random_;
  SystemClock clock_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<audit::Log> log_;
  std::jthread committer_;
  std::unique_ptr<records::Store> store_;
  std::unique_ptr<identity::Directory> directory_;
  std::unique_ptr<access::Assignments> assignments_;
  std::unique_ptr<access::Evidence> evidence_;
  std::unique_ptr<access::Gate> gate_;
  std::unique_ptr<records::ExportJobs> exports_;
  std::unique_ptr<Services> services_;
  mutable Mutex last_mutex_;
  Time last_ TACENDA_GUARDED_BY(last_mutex_){};
  Deadline const* deadline_ = nullptr;
  int users_ = 0;
};

inline codec::Json parse(std::string const& text) {
  return codec::parse_json(text).value();
}

}  // namespace tacenda::operations::test

#include "interactions/power_loss.hpp"

#include <thread>
#include <utility>

#include "core/process.hpp"
#include "identity/directory.hpp"
#include "operations/bundle.hpp"
#include "storage/embedded/open.hpp"

namespace tacenda::operations::test {
namespace {

constexpr std::size_t kClients = 3;
constexpr std::size_t kPairsPerClient = 2;
constexpr std::uint64_t kCallsPerCutMax = 250;
constexpr std::size_t kMemtableBytes = 64 * 1024;  // small, so that tables and MANIFEST change often
constexpr crypto::Argon2idCost kCheap{.memory_kib = 8, .passes = 1};

std::string bundle_of(std::string const& patient, std::string const& observation, std::string const& marker,
                      std::size_t filling) {
  std::string const text = marker + std::string(filling, '.');
  return R"({"resourceType":"Bundle","type":"transaction","entry":[)"
         R"({"request":{"method":"PUT","url":"Patient/)" +
         patient + R"("},"resource":{"resourceType":"Patient","id":")" + patient +
         R"(","name":[{"family":")" + text + R"("}]}},{"request":{"method":"PUT","url":"Observation/)" +
         observation + R"("},"resource":{"resourceType":"Observation","id":")" + observation +
         R"(","status":"final","code":{"text":")" + marker + R"("},"subject":{"reference":"Patient/)" +
         patient + R"("}}}]})";
}

}  // namespace

/// The store while it is open. Taken apart in the opposite order.
class StorePowerLoss::Opened {
 public:
  static Result<std::unique_ptr<Opened>> open(StorePowerLoss& owner) {
    auto opened = std::make_unique<Opened>();
    opened->vault_ = TACENDA_TRY(
        vault::Vault::unseal(*owner.files_, owner.places_, {}, owner.system_random_, owner.clock_));
    storage::EmbeddedOptions options;
    options.folder = owner.places_.data / "engine";
    options.create = owner.token_.empty();
    options.block_cache_bytes = 1U << 20U;
    options.memtable_bytes = kMemtableBytes;
    options.reserve_bytes = 0;
    options.disk = owner.disk_;
    TACENDA_TRY_VOID(opened->vault_->attach(
        TACENDA_TRY(storage::open_embedded(options, opened->vault_->file_keys(), owner.system_random_))));
    opened->log_ = TACENDA_TRY(audit::Log::open(*opened->vault_, owner.clock_, owner.system_random_));
    opened->committer_ = std::jthread([log = opened->log_.get()](std::stop_token stop) { log->run(stop); });
    opened->store_ = std::make_unique<records::Store>(*opened->vault_);
    opened->directory_ =
        TACENDA_TRY(identity::Directory::open(*opened->vault_, owner.clock_, owner.system_random_, kCheap));
    opened->gate_ = std::make_unique<access::Gate>(TACENDA_TRY(access::Policy::shipped("classic")));
    return opened;
  }
  Opened() = default;
  Opened(Opened const&) = delete;
  Opened& operator=(Opened const&) = delete;
  ~Opened() {
    committer_.request_stop();
    if (committer_.joinable()) committer_.join();
  }

  /// A service account that may write; gives its token.
  Result<std::string> add_writer() {
    auto added = TACENDA_TRY(directory_->add_user({"writer", "doctor", true, std::nullopt}));
    TACENDA_TRY_VOID(commit(added.pending, audit::EventKind::kUserAdded));
    auto issued = TACENDA_TRY(directory_->issue_service_token("writer", std::chrono::minutes(30)));
    TACENDA_TRY_VOID(commit(issued.pending, audit::EventKind::kTokenIssued));
    return issued.access_token;
  }

  /// One transaction under the request id `marker`, again while others are faster.
  Result<audit::Receipt> write(identity::Principal const& who, std::string const& json,
                               std::string const& marker) {
    audit::Event origin;
    origin.request_id = marker;
    Services const services{*store_, *gate_, *log_};
    std::string const base = "https://localhost/fhir";
    Context const context{services, who, origin, base, false};
    while (true) {
      auto bundle = TACENDA_TRY(fhir::parse_bundle(json));
      auto outcome = TACENDA_TRY(operations::transaction(context, bundle));
      auto receipt = log_->commit(std::move(outcome.set), std::move(outcome.events));
      if (receipt.has_value() || receipt.error().kind() != ErrorKind::kConflict) return receipt;
    }
  }

  /// Every proof, recomputed; the first thing that does not hold.
  std::string first_damage() {
    for (auto const& one :
         log_->verify({}).value_or(std::vector<audit::Log::Damage>{{"audit log", "unreadable"}})) {
      return one.object + ": " + one.problem;
    }
    std::string found;
    auto const at = vault_->read_point();
    auto const leaf = [this](std::uint64_t sequence) -> Result<std::optional<Digest>> {
      return TACENDA_TRY(log_->entry(sequence)).event.record_digest;
    };
    auto const state = log_->verify_state(
        [&](std::function<void(ByteView)> const& item) -> Result<void> {
          auto const verified = TACENDA_TRY(
              store_->verify(gate_->system_permit(Action::kVerify), at, leaf, item, [](std::uint64_t) {}));
          for (auto const& one : verified.damage) found = one.object + ": " + one.problem;
          return {};
        },
        &at);
    if (!state.has_value() || !*state) return "current state";
    return found;
  }

  records::Store& store() { return *store_; }
  audit::Log& log() { return *log_; }
  access::Gate& gate() { return *gate_; }
  identity::Directory& directory() { return *directory_; }

 private:
  Result<void> commit(identity::Pending& pending, audit::EventKind kind) {
    audit::Event event;
    event.kind = kind;
    std::vector<audit::Event> events{std::move(event)};
    TACENDA_TRY_VOID(log_->commit(TACENDA_TRY(pending.set()), std::move(events)));
    pending.committed();
    return {};
  }

  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<audit::Log> log_;
  std::jthread committer_;
  std::unique_ptr<records::Store> store_;
  std::unique_ptr<identity::Directory> directory_;
  std::unique_ptr<access::Gate> gate_;
};

StorePowerLoss::StorePowerLoss(std::uint64_t seed)
    : random_(seed),
      disk_(std::make_shared<storage::FaultDisk>(seed ^ 0x9E3779B97F4A7C15U)),
      files_(storage::fault_files(disk_)),
      receipted_(kClients) {
  for (std::size_t i = 0; i < kClients * kPairsPerClient; ++i) {
    pairs_.push_back({"p" + std::to_string(i), "o" + std::to_string(i), {}, {}});
  }
}
StorePowerLoss::~StorePowerLoss() = default;

Result<void> StorePowerLoss::create() {
  TACENDA_TRY_VOID(disk_->make_folder("/keys"));
  TACENDA_TRY_VOID(vault::Vault::create(*files_, places_, system_random_, clock_));
  auto const store = TACENDA_TRY(open());
  token_ = TACENDA_TRY(store->add_writer());
  return {};
}

Result<std::unique_ptr<StorePowerLoss::Opened>> StorePowerLoss::open() {
  return Opened::open(*this);
}

std::string StorePowerLoss::run(int cuts) {
  if (!create()) return "the store cannot be made";
  for (int i = 0; i < cuts; ++i) {
    disk_->cut_power_in(1 + random_() % kCallsPerCutMax);
    if (auto store = open()) {
      write_until_the_power_goes(**store);
    } else if (!disk_->power_is_cut()) {
      return "the store does not open";
    }
    if (auto wrong = restart_and_compare(); !wrong.empty()) return wrong;
  }
  return {};
}

void StorePowerLoss::write_until_the_power_goes(Opened& store) {
  std::vector<std::jthread> clients;
  for (std::size_t client = 0; client < kClients; ++client) {
    clients.emplace_back(
        [this, &store, client, seed = random_()] { write_as_one_client(store, client, seed); });
  }
}

void StorePowerLoss::write_as_one_client(Opened& store, std::size_t client, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  auto const who = store.directory().authenticate_token(token_);
  if (!who) return;
  while (true) {
    auto& pair = pairs_[client * kPairsPerClient + random() % kPairsPerClient];
    std::string const marker = "m" + std::to_string(client) + "-" + std::to_string(pair.markers.size()) +
                               "-" + std::to_string(random());
    auto const receipt =
        store.write(*who, bundle_of(pair.patient, pair.observation, marker, random() % 2'000), marker);
    if (!receipt) {
      pair.unknown = marker;
      return;
    }
    pair.markers.push_back(marker);
    receipted_[client].push_back({receipt->first_sequence(), marker});
  }
}

std::string StorePowerLoss::restart_and_compare() {
  disk_->restart();
  if (random_() % 4 == 0) {
    // The power goes again while the store recovers.
    disk_->cut_power_in(1 + random_() % 60);
    (void)open();  // closed again at once; whether it opened does not matter
    disk_->restart();
  }
  auto const store = open();
  if (!store) return "the store does not open after the power cut: " + std::string(store.error().message());
  return compare(**store);
}

std::string StorePowerLoss::compare(Opened& store) {
  for (auto& receipts : receipted_) {
    for (auto const& [sequence, marker] : receipts) {
      auto const entry = store.log().entry(sequence);
      if (!entry || entry->event.request_id != marker) return "an acknowledgement has no audit entry";
    }
    acknowledged_ += receipts.size();
    receipts.clear();
  }
  for (auto& pair : pairs_) {
    if (auto wrong = compare_pair(store, pair); !wrong.empty()) return wrong;
  }
  return store.first_damage();
}

std::string StorePowerLoss::compare_pair(Opened& store, Pair& pair) {
  auto const who = store.directory().authenticate_token(token_);
  if (!who) return "an account was lost";
  auto const patients = store.gate().system_permit(Action::kVerify);
  auto const version_of = [&](std::string_view type, std::string const& id, std::uint64_t version) {
    return store.store().vread(patients, type, ResourceId::parse(id).value(), version);
  };
  auto const holds = [&](std::uint64_t version, std::string const& marker) {
    auto const patient = version_of("Patient", pair.patient, version);
    auto const observation = version_of("Observation", pair.observation, version);
    return patient && observation && patient->json.contains(marker) && observation->json.contains(marker);
  };
  std::uint64_t const next = pair.markers.size() + 1;
  if (auto const unknown = std::exchange(pair.unknown, std::nullopt); unknown && holds(next, *unknown)) {
    pair.markers.push_back(*unknown);
  }
  for (std::size_t i = 0; i < pair.markers.size(); ++i) {
    if (!holds(i + 1, pair.markers[i])) return "an acknowledged version is not there";
  }
  for (auto const& [type, id] :
       {std::pair("Patient", pair.patient), std::pair("Observation", pair.observation)}) {
    if (version_of(type, id, pair.markers.size() + 1))
      return "there is half a transaction, or a version nobody wrote";
  }
  return {};
}

}  // namespace tacenda::operations::test

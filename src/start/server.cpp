#include "start/server.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "codec/json.hpp"
#include "core/account_limits.hpp"
#include "core/log.hpp"
#include "identity/passkeys.hpp"
#include "start/fetch_keys.hpp"
#include "start/mail_sender.hpp"
#include "start/tls.hpp"

namespace tacenda::start {
namespace {

audit::EventKind kind_of(net::ConnectionFailure failure) {
  switch (failure) {
    case net::ConnectionFailure::kAddressRefused:
      return audit::EventKind::kAddressRefused;
    case net::ConnectionFailure::kTlsHandshake:
      return audit::EventKind::kTlsFailed;
    case net::ConnectionFailure::kClientCertificate:
      return audit::EventKind::kClientCertificateFailed;
    case net::ConnectionFailure::kMalformedRequest:
      return audit::EventKind::kMalformedRequest;
    case net::ConnectionFailure::kHeaderTooLarge:
    case net::ConnectionFailure::kTimeout:
      return audit::EventKind::kOverLimit;
  }
  return audit::EventKind::kMalformedRequest;
}

/// By the order of who starts the server: for when no administrator can sign in.
Result<void> turn_emergency_on(api::EmergencySwitch& emergency, std::string const& reason) {
  audit::Event event;
  event.actor_name = "system";
  event.authentication = "uid";
  TACENDA_TRY_VOID(emergency.turn_on({reason, limits::kEmergencyMode, {}}, std::move(event)));
  return {};
}

net::Response sealed_answer() {
  return api::Released(api::Unrecorded::kSealed).take();
}

/// A body that is read from the store while it is sent, and ends with the store.
class WhileUnsealed final : public net::BodySource {
 public:
  /// A share of the store; nullptr once it was sealed.
  using Hold = std::function<std::shared_ptr<void>()>;

  WhileUnsealed(Hold hold, std::unique_ptr<net::BodySource> source)
      : hold_(std::move(hold)), source_(std::move(source)) {}

  Result<std::string> next() override {
    auto const held = hold_();
    if (!held) return fail(ErrorKind::kUnavailable, "the store was sealed while an answer was sent");
    return source_->next();
  }

 private:
  Hold hold_;
  std::unique_ptr<net::BodySource> source_;
};

/// What a Binary will hold, on its way into the store that was open when it began.
class UploadSink final : public net::BodySink {
 public:
  /// The pipeline of that store, held by a share of the store; nullptr once it was sealed.
  using Hold = std::function<std::shared_ptr<api::Pipeline>()>;

  UploadSink(Hold hold, api::Pipeline::UploadNumber number) : hold_(std::move(hold)), number_(number) {}
  ~UploadSink() override {
    if (auto const pipeline = hold_()) pipeline->drop_upload(number_);
  }

  std::optional<net::Response> take(std::string piece) override {
    auto const pipeline = hold_();
    if (!pipeline) return sealed_answer();
    auto released = pipeline->take_upload(number_, piece);
    if (!released) return std::nullopt;
    return std::move(*released).take();
  }
  net::Response finish() override {
    auto const pipeline = hold_();
    return pipeline ? pipeline->finish_upload(number_).take() : sealed_answer();
  }

 private:
  Hold hold_;
  api::Pipeline::UploadNumber number_;
};

}  // namespace

/// The store and the two things that answer requests with it.
struct Server::Unsealed {
  Unsealed(std::unique_ptr<OpenStore> opened, api::Hooks const& hooks)
      : store(std::move(opened)),
        pipeline(store->parts()),
        admin(store->parts(), store->forgetting(), pipeline,
              {hooks.endpoint, hooks.seal, stopping.get_token()}) {
    for (auto& worker : workers)
      worker = std::jthread([this](std::stop_token const& stop) { pipeline.work(stop); });
    sender = std::jthread([this](std::stop_token const& stop) { pipeline.send_evenly(stop); });
  }
  std::stop_source stopping;  // asked when it is sealed, of what looks at the whole store
  std::unique_ptr<OpenStore> store;
  api::Pipeline pipeline;
  api::Admin admin;
  std::jthread sender;
  std::array<std::jthread, 8> workers;  // last: they use the others, and wait for commits
};

Server::Server(storage::Files& files, vault::Places places, Config config, crypto::Random& random,
               Clock const& clock)
    : files_(files),
      places_(std::move(places)),
      config_(std::move(config)),
      random_(random),
      clock_(clock),
      door_(files, places_, clock,
            [this](vault::Unlock const& unlock, std::string const& how) { return unseal(unlock, how); }) {}

Server::~Server() {
  stop();
}

std::filesystem::path Server::socket_of(std::filesystem::path const& data) {
  return data / "admin.sock";
}

std::shared_ptr<Server::Unsealed> Server::current() const {
  MutexLock const lock(mutex_);
  return unsealed_;
}

Result<std::map<std::string, access::AddressList, std::less<>>> Server::listeners() const {
  std::map<std::string, access::AddressList, std::less<>> lists;
  if (config_.allow) lists.emplace("fhir", TACENDA_TRY(access::AddressList::parse(*config_.allow)));
  return lists;
}

Result<OpenOptions> Server::open_options() const {
  OpenOptions options;
  options.cache_bytes = config_.cache_mib << 20U;
  options.listeners = TACENDA_TRY(listeners());
  options.validation = config_.validation;
  options.export_time = std::chrono::seconds(config_.export_seconds);
  options.sessions = {.idle = std::chrono::seconds(config_.session_idle_seconds),
                      .absolute = std::chrono::seconds(config_.session_seconds)};
  options.rates = config_.rates;
  options.approvals = config_.approvals;
  options.uploads = config_.uploads;
  options.provider = provider_.get();
  if (!config_.trusted_proxies.empty())
    options.trusted_proxies = TACENDA_TRY(access::AddressList::parse(config_.trusted_proxies));
  options.fetch_keys = TACENDA_TRY(key_fetcher(config_));
  if (!config_.alerts.mail_to.empty()) {
    options.mail = monitor::MailAddresses{config_.alerts.mail_from, config_.alerts.mail_to};
    options.send_mail = TACENDA_TRY(mail_sender(config_, files_));
  }
  // Who waits for an address holds a worker: most are for everybody else.
  options.fetches_max = std::max<std::size_t>(1, config_.workers / 4);
  return options;
}

identity::RelyingParty Server::relying_party(std::string const& host) const {
  if (!config_.relying_party.id.empty()) return config_.relying_party;
  // Browsers make no passkeys for an address. Who listens on one without a name is tried out on the machine.
  bool const is_address = host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string::npos;
  std::string const name = is_address ? "localhost" : host;
  return {name, {"https://" + name + (port_ == 443 ? "" : ":" + std::to_string(port_))}};
}

void Server::serve(OpenStore& store) const {
  store.authorization().serve(public_origin(),
                              config_.client_certificate != net::TlsOptions::ClientCertificate::kNone);
  store.addresses().serve(addresses());
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> all{endpoint_, public_origin() + "/fhir"};
  // Who works on the machine itself names it so.
  if (config_.address.starts_with("127.") || config_.address == "::1")
    all.push_back("https://localhost:" + std::to_string(port_) + "/fhir");
  return all;
}

std::string Server::public_origin() const {
  if (!config_.public_origin.empty()) return config_.public_origin;
  return endpoint_.substr(0, endpoint_.rfind('/'));  // without "/fhir"
}

Result<void> Server::make_provider() {
  if (!provider_) provider_ = TACENDA_TRY(sign_in_provider(config_, files_, clock_, random_));
  return {};
}

Result<void> Server::check_ready_to_unseal() {
  MutexLock const turn(unsealing_);
  TACENDA_TRY_VOID(make_provider());
  TACENDA_TRY_VOID(open_options());
  return vault::check_vault_root(files_, places_);
}

Result<void> Server::unseal(vault::Unlock const& unlock, std::string const& how) {
  MutexLock const turn(unsealing_);
  if (current()) return fail(ErrorKind::kConflict, "the store is unsealed");
  TACENDA_TRY_VOID(make_provider());
  auto store =
      TACENDA_TRY(OpenStore::open(files_, places_, unlock, TACENDA_TRY(open_options()), random_, clock_));
  TACENDA_TRY_VOID(
      store->record(audit::EventKind::kUnsealed, how, "approvals = " + std::to_string(config_.approvals)));
  // While it was sealed there was no log to tell of them.
  if (auto const failures = door_.take_failures(); failures > 0) {
    TACENDA_TRY_VOID(store->record(audit::EventKind::kKeyOperation, "attempts to unseal that failed before",
                                   std::to_string(failures)));
  }
  if (!emergency_reason_.empty()) {
    TACENDA_TRY_VOID(turn_emergency_on(store->emergency(), emergency_reason_));
    emergency_reason_.clear();
  }
  auto unsealed = std::make_shared<Unsealed>(
      std::move(store), api::Hooks{[this] { return endpoint_; }, [this] { seal_asked_ = true; }});
  if (net_ && port_ != 0) {
    TACENDA_TRY_VOID(net_->renew_tls(port_, TACENDA_TRY(tls(unsealed.get()))));
  }
  unsealed->store->start_work();
  MutexLock const lock(mutex_);
  if (relying_party_) identity::Passkeys(unsealed->store->directory()).serve(*relying_party_);
  serve(*unsealed->store);
  if (provider_) provider_->serve(public_origin());
  unsealed_ = std::move(unsealed);
  door_.close();
  return {};
}

void Server::seal() {
  std::shared_ptr<Unsealed> last;
  {
    MutexLock const lock(mutex_);
    last = std::exchange(unsealed_, nullptr);
  }
  if (!last) return;
  last->stopping.request_stop();
  // Requests in flight hold a share; the last one to let go must be this, so that the keys go here and now.
  while (last.use_count() > 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  last->store->stop_work();
  auto const receipt = last->store->record(audit::EventKind::kStopped, "sealed");
  if (!receipt.has_value()) log(LogLevel::kError, receipt.error());
  last.reset();
  log(LogLevel::kInfo, "sealed");
}

Result<net::TlsOptions> Server::tls(Unsealed const* unsealed) const {
  auto tls = unsealed ? TACENDA_TRY(kept_tls(unsealed->store->vault())) : TACENDA_TRY(passing_tls(clock_));
  tls.allow_tls12 = config_.allow_tls12;
  tls.client_certificate = config_.client_certificate;
  if (!config_.client_ca.empty()) {
    auto const pem = TACENDA_TRY(files_.read(config_.client_ca, 1 << 20U));
    tls.client_ca_pem = as_text(pem);
  }
  return tls;
}

Result<std::string> Server::listen() {
  if (config_.allow) allow_ = TACENDA_TRY(access::AddressList::parse(*config_.allow));
  trusted_proxies_ = TACENDA_TRY(access::AddressList::parse(config_.trusted_proxies));
  net::Server::Options options;
  options.workers = config_.workers;
  net_ = net::Server::create(options);
  port_ = TACENDA_TRY(net_->listen_tls(config_.address, config_.port, TACENDA_TRY(tls(current().get())),
                                       config_.limits, fhir_handlers()));
  bool const v6 = config_.address.contains(':');
  bool const any = config_.address == "::" || config_.address == "0.0.0.0";
  std::string const host = any ? "localhost" : v6 ? "[" + config_.address + "]" : config_.address;
  endpoint_ = "https://" + host + ":" + std::to_string(port_) + "/fhir";
  {
    MutexLock const lock(mutex_);
    relying_party_ = relying_party(host);
    if (unsealed_) {
      identity::Passkeys(unsealed_->store->directory()).serve(*relying_party_);
      serve(*unsealed_->store);
      if (provider_) provider_->serve(public_origin());
    }
  }
  TACENDA_TRY_VOID(net_->listen_unix(socket_of(places_.data).string(), config_.limits, admin_handlers()));
  if (auto const unsealed = current())
    TACENDA_TRY_VOID(unsealed->store->record(audit::EventKind::kStarted, endpoint_));
  return endpoint_;
}

void Server::stop() {
  // Requests are waited for: none looks at a whole store meanwhile.
  if (auto const unsealed = current()) unsealed->stopping.request_stop();
  if (net_) net_->stop();
  net_.reset();
  seal();
}

void Server::tick() {
  door_.tick();
  if (seal_asked_.exchange(false)) seal();
  auto const unsealed = current();
  if (!unsealed) return;
  unsealed->store->flush_failures();
  unsealed->admin.tick();
  unsealed->store->emergency().close_if_over();
}

bool Server::failed() const {
  auto const unsealed = current();
  return unsealed && unsealed->store->log().failed();
}

void Server::handle(net::Request&& request, std::move_only_function<void(net::Response)> reply) {
  auto unsealed = current();
  if (!unsealed) return reply(sealed_answer());
  auto& pipeline = unsealed->pipeline;
  // The share is held until the reply is out: sealing waits for it, and for no client that takes its time.
  pipeline.handle(std::move(request), [this, unsealed = std::move(unsealed),
                                       reply = std::move(reply)](api::Released released) mutable {
    auto response = std::move(released).take();
    if (response.rest) response.rest = while_unsealed(unsealed, std::move(response.rest));
    reply(std::move(response));
  });
}

std::unique_ptr<net::BodySource> Server::while_unsealed(std::weak_ptr<Unsealed> store,
                                                        std::unique_ptr<net::BodySource> source) {
  // Asked of the server and not of the weak share: one that is taken after sealing began would make its
  // holder the last, and the keys would outlive the sealing.
  auto hold = [this, store = std::move(store)]() -> std::shared_ptr<void> {
    auto held = current();
    if (held != store.lock()) return nullptr;
    return held;
  };
  return std::make_unique<WhileUnsealed>(std::move(hold), std::move(source));
}

net::Uptake Server::begin_upload(net::Request&& head) {
  auto const unsealed = current();
  if (!unsealed) return sealed_answer();
  auto begun = unsealed->pipeline.begin_upload(std::move(head));
  if (auto* const released = std::get_if<api::Released>(&begun)) return std::move(*released).take();
  // As above: a sink outlives no store, and no store waits for a client.
  auto hold = [this, store = std::weak_ptr<Unsealed>(unsealed)]() -> std::shared_ptr<api::Pipeline> {
    auto held = current();
    if (!held || held != store.lock()) return nullptr;
    auto* const pipeline = &held->pipeline;
    return {std::move(held), pipeline};
  };
  return std::make_unique<UploadSink>(std::move(hold), std::get<api::Pipeline::UploadNumber>(begun));
}

net::Response Server::handle_admin(net::Request&& request) {
  auto const unsealed = current();
  if (UnsealDoor::is_for(request)) return door_.answer(request, unsealed != nullptr);
  if (!unsealed) return sealed_answer();
  return unsealed->admin.handle(std::move(request)).take();
}

net::Handlers Server::fhir_handlers() {
  net::Handlers handlers;
  handlers.answer = [this](net::Request&& request, std::move_only_function<void(net::Response)> reply) {
    handle(std::move(request), std::move(reply));
  };
  handlers.accept = [this](std::string_view address) {
    return allow_.contains(address) || (config_.proxy_protocol && trusted_proxies_.contains(address));
  };
  if (config_.proxy_protocol)
    handlers.sends_proxy_header = [this](std::string_view address) {
      return trusted_proxies_.contains(address);
    };
  handlers.body_limit = [this](net::Request const& head) -> std::optional<std::size_t> {
    auto const unsealed = current();
    return unsealed ? unsealed->pipeline.body_limit(head) : limits::kUnauthenticatedBodyBytes;
  };
  handlers.takes_body = [this](net::Request const& head) {
    return current() && api::Pipeline::takes_body(head);
  };
  handlers.begin = [this](net::Request&& head) { return begin_upload(std::move(head)); };
  handlers.failed = [this](net::ConnectionFailure failure, std::string_view address) {
    connection_failed(failure, address);
  };
  handlers.refuse = [](std::uint16_t status) {
    return api::Released(api::Unrecorded::kUnparsable, status).take();
  };
  return handlers;
}

net::Handlers Server::admin_handlers() {
  net::Handlers handlers;
  handlers.handle = [this](net::Request&& request) { return handle_admin(std::move(request)); };
  handlers.accept = [](std::string_view) { return true; };
  handlers.body_limit = [](net::Request const&) -> std::optional<std::size_t> {
    return limits::kUnauthenticatedBodyBytes;
  };
  handlers.failed = [](net::ConnectionFailure, std::string_view) {};
  handlers.refuse = [](std::uint16_t status) {
    return api::Released(api::Unrecorded::kUnparsable, status).take();
  };
  return handlers;
}

void Server::connection_failed(net::ConnectionFailure failure, std::string_view address) {
  auto const unsealed = current();
  if (!unsealed) return;
  audit::Event event;
  event.kind = kind_of(failure);
  event.outcome = audit::Outcome::kMinorFailure;
  event.network = address;
  event.reason = audit::name_of(event.kind);
  event.authentication = "none";
  auto noted = unsealed->store->failures().note(std::move(event));
  if (!noted) return;
  std::vector<audit::Event> events{std::move(*noted)};
  // On an I/O thread: must not wait for the disk. The connection is closed in any case.
  unsealed->store->log().commit_async({}, std::move(events), [unsealed](Result<audit::Receipt> receipt) {
    if (!receipt.has_value()) log(LogLevel::kError, receipt.error());
  });
}

}  // namespace tacenda::start

#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "api/admin.hpp"
#include "core/mutex.hpp"
#include "net/server.hpp"
#include "start/config.hpp"
#include "start/open_store.hpp"
#include "start/sign_in_provider.hpp"
#include "start/unseal_door.hpp"

namespace tacenda::start {

/// The running server: listeners that stay, and a store behind them that is sealed or unsealed.
///
/// Owner: serve. Thread-safe.
class Server {
 public:
  Server(storage::Files& files, vault::Places places, Config config, crypto::Random& random,
         Clock const& clock);
  ~Server();

  /// Looks whether but for a key all is there that an unsealing needs: whoever brings one, perhaps with
  /// others and in the night, shall not learn only then that a file is missing. Errors: those of the
  /// configuration's files, kNotFound (the vault root).
  Result<void> check_ready_to_unseal();
  /// Unseals; `how` is for the log. Errors: those of OpenStore::open; kConflict when it is unsealed.
  Result<void> unseal(vault::Unlock const& unlock, std::string const& how);
  /// Has emergency mode on from the next unsealing on, for this reason. Call before it.
  void begin_emergency(std::string reason) { emergency_reason_ = std::move(reason); }
  /// Waits for the requests in flight, then wipes every key. Later requests get 503.
  void seal();

  /// Starts both listeners; gives the address of the FHIR base. Errors: those of net::Server.
  Result<std::string> listen();
  /// Ends the listeners and seals.
  void stop();

  /// Once a second: counted failures, an emergency whose time is over, and the order to seal.
  void tick();
  /// True when the store can take no more writes: the process must end.
  bool failed() const;

  /// Where the administration socket of a data folder is.
  static std::filesystem::path socket_of(std::filesystem::path const& data);

 private:
  struct Unsealed;
  std::shared_ptr<Unsealed> current() const;
  void handle(net::Request&& request, std::move_only_function<void(net::Response)> reply);
  /// The rest of an answer, as long as that store is the one that is open.
  std::unique_ptr<net::BodySource> while_unsealed(std::weak_ptr<Unsealed> store,
                                                  std::unique_ptr<net::BodySource> source);
  net::Uptake begin_upload(net::Request&& head);
  net::Response handle_admin(net::Request&& request);
  net::Handlers fhir_handlers();
  net::Handlers admin_handlers();
  void connection_failed(net::ConnectionFailure failure, std::string_view address);
  /// `unsealed`: the store whose certificate is shown; nullptr: one that passes with the process.
  Result<net::TlsOptions> tls(Unsealed const* unsealed) const;
  Result<std::map<std::string, access::AddressList, std::less<>>> listeners() const;
  Result<OpenOptions> open_options() const;
  /// Makes the OpenID provider of the configuration, once.
  Result<void> make_provider() TACENDA_REQUIRES(unsealing_);
  /// Under which origin applications reach the server, once it is known where it listens.
  std::string public_origin() const;
  /// Other addresses of the FHIR base that mean this server, once it is known where it listens.
  std::vector<std::string> addresses() const;
  /// Tells an open store where it is served.
  void serve(OpenStore& store) const;
  /// Who browsers take the server for, once it is known where it listens.
  identity::RelyingParty relying_party(std::string const& host) const;

  storage::Files& files_;
  vault::Places const places_;
  Config const config_;
  crypto::Random& random_;
  Clock const& clock_;
  access::AddressList allow_;            // of the FHIR listener: holds while sealed as well
  access::AddressList trusted_proxies_;  // set by `listen` before anything connects
  mutable Mutex mutex_;
  std::shared_ptr<Unsealed> unsealed_ TACENDA_GUARDED_BY(mutex_);  // shared: requests in flight hold it
  UnsealDoor door_;
  Mutex unsealing_;               // one unseal at a time
  std::string emergency_reason_;  // of an order that waits for the first unsealing; empty: there is none
  std::unique_ptr<identity::SignInProvider> provider_;  // set by the first unseal; nullptr: there is none
  std::atomic<bool> seal_asked_{false};
  std::string endpoint_;
  std::optional<identity::RelyingParty> relying_party_ TACENDA_GUARDED_BY(mutex_);
  std::uint16_t port_ = 0;
  std::unique_ptr<net::Server> net_;
};

}  // namespace tacenda::start

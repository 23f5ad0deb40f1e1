#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "net/http.hpp"
#include "vault/share_collection.hpp"

namespace tacenda::start {

/// What a sealed server answers on its administration socket: it takes a passphrase, or shares one by one.
///
/// Owner: Server. Thread-safe.
class UnsealDoor {
 public:
  /// Opens the store with what was brought; the text is for the log. Errors: those of Server::unseal.
  using Open = std::function<Result<void>(vault::Unlock const&, std::string const& how)>;

  UnsealDoor(storage::Files& files, vault::Places const& places, Clock const& clock, Open open)
      : shares_(files, places, clock), open_(std::move(open)) {}

  static bool is_for(net::Request const& request);
  /// Wipes the body. The server's own uid and root are let in, nobody else.
  net::Response answer(net::Request& request, bool is_open);

  /// Once a second: wipes shares that waited too long for others.
  void tick() { shares_.tick(); }
  /// Wipes shares that are not needed any more.
  void close() { shares_.reset(); }
  /// Attempts that opened nothing, since the last call.
  unsigned take_failures();

 private:
  Result<std::string> act(net::Request const& request, bool is_open);
  Result<std::string> take_share(net::Request const& request);
  Result<std::string> take_passphrase(net::Request const& request);
  /// {"state", "have", "need"} as it is now.
  static std::string state(vault::ShareCollection::Progress const& progress);

  vault::ShareCollection shares_;
  Open open_;
  std::atomic<unsigned> wrong_passphrases_{0};
};

}  // namespace tacenda::start

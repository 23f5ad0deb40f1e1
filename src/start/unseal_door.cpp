#include "start/unseal_door.hpp"

#include <string.h>
#include <unistd.h>

#include "api/outcome.hpp"
#include "cli/passphrase.hpp"
#include "codec/json.hpp"
#include "core/log.hpp"

namespace tacenda::start {
namespace {

constexpr std::string_view kUnseal = "/admin/unseal";
constexpr std::string_view kShare = "/admin/unseal/share";
constexpr std::string_view kReset = "/admin/unseal/reset";

std::string unsealed() {
  codec::Json json = codec::Json::object();
  json.set("state", codec::Json::string("unsealed"));
  return codec::write_json(json);
}

}  // namespace

bool UnsealDoor::is_for(net::Request const& request) {
  return request.path == kUnseal || request.path == kShare || request.path == kReset;
}

net::Response UnsealDoor::answer(net::Request& request, bool is_open) {
  bool const owner = request.peer.uid && (*request.peer.uid == ::geteuid() || *request.peer.uid == 0);
  auto const done = owner ? act(request, is_open)
                          : fail(ErrorKind::kForbidden, "the server's own user and root alone unseal it");
  ::explicit_bzero(request.body.data(), request.body.size());
  net::Response response;
  response.headers.push_back({"content-type", "application/json"});
  response.status = done.has_value() ? 200 : api::status_of(done.error());
  response.body = done.has_value() ? *done : api::outcome_json(done.error());
  if (!done.has_value()) log(LogLevel::kWarning, done.error());
  return response;
}

Result<std::string> UnsealDoor::act(net::Request const& request, bool is_open) {
  if (request.method == "GET" && request.path == kUnseal)
    return is_open ? unsealed() : state(shares_.progress());
  if (request.method != "POST") return fail(ErrorKind::kUnsupported, "unsealing knows no such method");
  if (is_open) return fail(ErrorKind::kConflict, "the store is unsealed");
  if (request.path == kShare) return take_share(request);
  if (request.path == kUnseal) return take_passphrase(request);
  shares_.reset();
  return state({});
}

Result<std::string> UnsealDoor::take_share(net::Request const& request) {
  auto progress = TACENDA_TRY(shares_.add(SecretBuffer(as_bytes(request.body))));
  if (!progress.ready) return state(progress);
  TACENDA_TRY_VOID(shares_.settle(open_(*progress.ready, progress.description)));
  return unsealed();
}

Result<std::string> UnsealDoor::take_passphrase(net::Request const& request) {
  if (request.body.empty()) return fail(ErrorKind::kInvalid, "there is no passphrase in the request");
  // The body as it is, and not a member of JSON, of which the parser would keep copies that nobody wipes.
  auto const opened = open_(cli::unlock_by(SecretBuffer(as_bytes(request.body))), "passphrase");
  if (opened.has_value()) return unsealed();
  if (opened.error().kind() != ErrorKind::kUnauthenticated) return std::unexpected(opened.error());
  ++wrong_passphrases_;
  return fail(ErrorKind::kUnauthenticated, "no slot opens with this passphrase");
}

unsigned UnsealDoor::take_failures() {
  return shares_.take_failures() + wrong_passphrases_.exchange(0);
}

std::string UnsealDoor::state(vault::ShareCollection::Progress const& progress) {
  codec::Json json = codec::Json::object();
  json.set("state", codec::Json::string("sealed"));
  json.set("have", codec::Json::number(progress.have));
  json.set("need", codec::Json::number(progress.need));
  return codec::write_json(json);
}

}  // namespace tacenda::start

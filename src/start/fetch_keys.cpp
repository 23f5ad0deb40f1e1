#include "start/fetch_keys.hpp"

#include "access/address_list.hpp"
#include "codec/jose.hpp"
#include "core/application_limits.hpp"
#include "net/client.hpp"

namespace tacenda::start {
namespace {

Result<authorization::FetchedKeys> fetch(net::Client::Options const& options, std::string const& url) {
  auto const client = TACENDA_TRY(net::Client::create(options));
  auto answer = TACENDA_TRY(client->send("GET", url, {{"accept", "application/json"}}, ""));
  if (answer.status != 200)
    return fail(ErrorKind::kUnavailable, "the address of the keys answers with another status than 200");
  authorization::FetchedKeys fetched{std::move(answer.body), {}};
  for (auto const& [name, value] : answer.headers) {
    if (name != "cache-control") continue;
    if (!fetched.cache_control.empty()) fetched.cache_control.append(",");
    fetched.cache_control.append(value);
  }
  return fetched;
}

}  // namespace

Result<authorization::FetchKeys> key_fetcher(Config const& config) {
  net::Client::Options options;
  options.ca_file = config.keys_ca;
  options.timeout = limits::kKeysTime;
  options.response_bytes = codec::kJwksBytesMax;
  // Else an application could have this server ask what only this server can reach.
  auto const opened = TACENDA_TRY(access::AddressList::parse(config.keys_networks));
  options.may_connect = [opened](IpAddress const& address) {
    return address.is_public() || opened.contains(address.text());
  };
  return [options](std::string const& url) { return fetch(options, url); };
}

}  // namespace tacenda::start

#include "net/client.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <utility>

#include "net/internal/curl.hpp"
#include "net/internal/field.hpp"

namespace tacenda::net {
namespace {

constexpr std::size_t kHeaderBytes = 256 * 1024;

/// What arrives while curl runs.
struct Arrival {
  Response response;
  std::size_t body_max = 0;
  std::size_t header_bytes = 0;
  bool is_too_large = false;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& arrival = *static_cast<Arrival*>(context);
  arrival.is_too_large = size > arrival.body_max - arrival.response.body.size();
  if (arrival.is_too_large) return 0;
  arrival.response.body.append(data, size);
  return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& arrival = *static_cast<Arrival*>(context);
  arrival.header_bytes += size;
  arrival.is_too_large = arrival.header_bytes > kHeaderBytes;
  if (arrival.is_too_large) return 0;
  std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {
    arrival.response.headers.clear();  // those of a 100 Continue before it
    return size;
  }
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  auto const colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  auto& field = arrival.response.headers.emplace_back();
  field.name = line.substr(0, colon);
  make_lower(field.name);
  field.value = trim_blanks(line.substr(colon + 1));
  return size;
}

std::optional<IpAddress> address_of(sockaddr const* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  void const* bytes = nullptr;
  if (address->sa_family == AF_INET) bytes = &reinterpret_cast<sockaddr_in const*>(address)->sin_addr;
  if (address->sa_family == AF_INET6) bytes = &reinterpret_cast<sockaddr_in6 const*>(address)->sin6_addr;
  if (bytes == nullptr || ::inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr)
    return std::nullopt;
  return IpAddress::parse(text.data());
}

/// What curl asks before it connects.
struct Guard {
  std::function<bool(IpAddress const&)> const* may_connect = nullptr;
  bool has_refused = false;
};

curl_socket_t open_socket(void* context, curlsocktype, curl_sockaddr* address) {
  auto& guard = *static_cast<Guard*>(context);
  auto const known = address_of(&address->addr);
  if (!known || !(*guard.may_connect)(*known)) {
    guard.has_refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

class CurlClient final : public Client {
 public:
  CurlClient(Curl curl, Options options) : curl_(std::move(curl)), options_(std::move(options)) {}

  Result<Response> send(std::string const& method, std::string const& url, std::vector<Header> const& headers,
                        std::string_view body) override {
    if (!is_token(method)) return fail(ErrorKind::kInvalid, "not a method");
    auto const list = TACENDA_TRY(make_list(headers));
    Arrival arrival;
    arrival.body_max = options_.response_bytes;
    curl_easy_reset(curl_.get());  // keeps the connection
    configure(method, url, list.get(), body, arrival);
    Guard guard;
    if (options_.may_connect) {
      guard.may_connect = &options_.may_connect;
      curl_easy_setopt(curl_.get(), CURLOPT_OPENSOCKETFUNCTION, open_socket);
      curl_easy_setopt(curl_.get(), CURLOPT_OPENSOCKETDATA, &guard);
      // A connection that is kept was not asked about by this call.
      curl_easy_setopt(curl_.get(), CURLOPT_FRESH_CONNECT, 1L);
      curl_easy_setopt(curl_.get(), CURLOPT_FORBID_REUSE, 1L);
    }
    auto const code = curl_easy_perform(curl_.get());
    if (code == CURLE_COULDNT_CONNECT && guard.has_refused)
      return fail(ErrorKind::kForbidden, "an address that may not be connected to");
    if (arrival.is_too_large) return fail(ErrorKind::kTooLarge, "answer is too large");
    if (code != CURLE_OK) return std::unexpected(error_of(code));
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    arrival.response.status = static_cast<std::uint16_t>(status);
    return std::move(arrival.response);
  }

 private:
  static Result<CurlList> make_list(std::vector<Header> const& headers) {
    CurlList list;
    for (auto const& [name, value] : headers) {
      if (!is_token(name) || !is_field_value(value)) return fail(ErrorKind::kInvalid, "not a header field");
      // curl takes "name:" as an order to leave the field out; "name;" sends it empty.
      std::string line = name;
      line.append(value.empty() ? ";" : ": ").append(value);
      TACENDA_TRY_VOID(append_to(list, line));
    }
    return list;
  }

  void configure(std::string const& method, std::string const& url, curl_slist* headers,
                 std::string_view body, Arrival& arrival) const {
    auto* const curl = curl_.get();
    bool const is_unix = !options_.unix_socket.empty();
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    // In the clear only where no network is crossed (N-01).
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_unix ? "http" : "https");
    if (is_unix) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket.c_str());
    configure_peer(curl, options_.ca_file);
    curl_easy_setopt(
        curl, CURLOPT_HTTP_VERSION,
        static_cast<long>(options_.http2 && !is_unix ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (method == "HEAD") {
      curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
      curl_easy_setopt(curl, CURLOPT_POST, 1L);
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data() == nullptr ? "" : body.data());
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &arrival);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &arrival);
  }

  Curl const curl_;
  Options const options_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(Options options) {
  auto curl = TACENDA_TRY(make_curl());
  return std::make_unique<CurlClient>(std::move(curl), std::move(options));
}

}  // namespace tacenda::net

#include "net/internal/test_support.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <thread>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/process.hpp"

namespace tacenda::net::testing {
namespace {

using Bio = std::unique_ptr<BIO, decltype([](BIO* bio) { BIO_free(bio); })>;
using Certificate = std::unique_ptr<X509, decltype([](X509* certificate) { X509_free(certificate); })>;
using Key = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;

std::string text_of(Bio const& bio) {
  char* data = nullptr;
  auto const size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Certificate read_certificate(std::string const& pem) {
  Bio const bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

Key read_key(std::string const& pem) {
  Bio const bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

void add_extension(X509* certificate, X509* issuer, int nid, char const* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  TACENDA_ASSERT(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

Identity make(std::string const& name, Identity const* issuer, Validity validity) {
  static std::atomic<long> serial{1};
  Key const key(EVP_EC_gen("P-256"));
  Certificate const certificate(X509_new());
  X509* const raw = certificate.get();
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(raw), serial++);
  X509_gmtime_adj(X509_getm_notBefore(raw), -7200);
  X509_gmtime_adj(X509_getm_notAfter(raw), validity == Validity::kExpired ? -3600 : 86'400);
  X509_set_pubkey(raw, key.get());
  auto* const subject = X509_get_subject_name(raw);
  auto const* const bytes = reinterpret_cast<unsigned char const*>(name.data());
  X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, bytes, static_cast<int>(name.size()), -1,
                             0);
  Certificate const issuer_certificate =
      issuer == nullptr ? nullptr : read_certificate(issuer->certificate_pem);
  Key const issuer_key = issuer == nullptr ? nullptr : read_key(issuer->key_pem);
  X509* const signer = issuer == nullptr ? raw : issuer_certificate.get();
  X509_set_issuer_name(raw, X509_get_subject_name(signer));
  add_extension(raw, signer, NID_basic_constraints,
                issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (issuer != nullptr) {
    add_extension(raw, signer, NID_subject_alt_name, ("DNS:" + name + ",IP:127.0.0.1").c_str());
  }
  TACENDA_ASSERT(X509_sign(raw, issuer == nullptr ? key.get() : issuer_key.get(), EVP_sha256()) > 0);
  Bio const certificate_pem(BIO_new(BIO_s_mem()));
  Bio const key_pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_pem.get(), raw);
  PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {text_of(certificate_pem), text_of(key_pem)};
}

int open_socket(int family, int receive_buffer = 0) {
  int const fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval const limit{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  int const on = 1;
  if (family == AF_INET) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_buffer > 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  return fd;
}

bool connect_tcp(int fd, std::uint16_t port) {
  if (fd < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  void const* const name = &address;
  return ::connect(fd, static_cast<sockaddr const*>(name), sizeof address) == 0;
}

}  // namespace

Identity make_authority(std::string const& name) {
  return make(name, nullptr, Validity::kCurrent);
}
Identity make_identity(std::string const& name, Identity const& issuer, Validity validity) {
  return make(name, &issuer, validity);
}

Digest digest_of(std::string const& certificate_pem) {
  Digest digest;
  X509_digest(read_certificate(certificate_pem).get(), EVP_sha256(),
              reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "tacenda_net_XXXXXX").string();
  TACENDA_ASSERT(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}
Folder::~Folder() {
  std::filesystem::remove_all(path_);
}
std::string Folder::write(std::string const& name, std::string const& text) const {
  std::ofstream(path_ / name) << text;
  return *this / name;
}

RawClient::RawClient(std::uint16_t port) : fd_(open_socket(AF_INET)), is_connected_(connect_tcp(fd_, port)) {}

RawClient::RawClient(std::uint16_t port, Options const& options)
    : fd_(open_socket(AF_INET, options.receive_buffer)) {
  context_ = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context_, 0);  // the client offers whatever the test asks; the server judges
  if (options.version_min != 0) SSL_CTX_set_min_proto_version(context_, options.version_min);
  if (options.version_max != 0) SSL_CTX_set_max_proto_version(context_, options.version_max);
  if (!options.suites.empty()) SSL_CTX_set_cipher_list(context_, options.suites.c_str());
  if (options.identity != nullptr) {
    SSL_CTX_use_certificate(context_, read_certificate(options.identity->certificate_pem).get());
    SSL_CTX_use_PrivateKey(context_, read_key(options.identity->key_pem).get());
  }
  std::string offered;
  for (auto const& protocol : options.protocols) offered += static_cast<char>(protocol.size()) + protocol;
  auto const* const bytes = reinterpret_cast<unsigned char const*>(offered.data());
  if (!offered.empty()) SSL_CTX_set_alpn_protos(context_, bytes, static_cast<unsigned>(offered.size()));
  tls_ = SSL_new(context_);
  SSL_set_fd(tls_, fd_);
  std::string const& before = options.before_tls;
  is_connected_ =
      connect_tcp(fd_, port) &&
      ::send(fd_, before.data(), before.size(), MSG_NOSIGNAL) == static_cast<long>(before.size()) &&
      SSL_connect(tls_) == 1;
}

RawClient::RawClient(std::string const& unix_path) : fd_(open_socket(AF_UNIX)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(&address.sun_path, unix_path.data(), std::min(unix_path.size(), sizeof address.sun_path - 1));
  void const* const name = &address;
  is_connected_ = ::connect(fd_, static_cast<sockaddr const*>(name), sizeof address) == 0;
}

RawClient::~RawClient() {
  close();
  SSL_free(tls_);
  SSL_CTX_free(context_);
}

void RawClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    auto const size = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                      : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

long RawClient::read(char* into, std::size_t size) {
  return tls_ != nullptr ? SSL_read(tls_, into, static_cast<int>(size)) : ::recv(fd_, into, size, 0);
}

std::string RawClient::receive_all() {
  std::string all;
  std::array<char, 16'384> part{};
  for (long size = 0; (size = read(part.data(), part.size())) > 0;)
    all.append(part.data(), static_cast<std::size_t>(size));
  return all;
}

std::string RawClient::receive_until(std::string_view text) {
  std::string all;
  char byte = 0;
  while (!all.ends_with(text) && read(&byte, 1) == 1) all += byte;
  return all;
}

std::string RawClient::receive_responses(std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    auto const head = receive_until("\r\n\r\n");
    all += head;
    auto const field = head.find("content-length: ");
    if (field == std::string::npos) continue;
    auto left = std::stoul(head.substr(field + 16));
    std::array<char, 16'384> part{};
    while (left > 0) {
      auto const size = read(part.data(), std::min(left, part.size()));
      if (size <= 0) return all;
      all.append(part.data(), static_cast<std::size_t>(size));
      left -= static_cast<std::size_t>(size);
    }
  }
  return all;
}

bool RawClient::is_closed_by_peer() {
  char byte = 0;
  while (true) {
    auto const size = ::recv(fd_, &byte, 1, 0);
    if (size == 0) return true;
    if (size < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
  }
}

std::string RawClient::protocol() const {
  unsigned char const* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(tls_, &name, &size);
  return {reinterpret_cast<char const*>(name), size};
}

std::string RawClient::version() const {
  return SSL_get_version(tls_);
}

Identity const& test_authority() {
  static Identity const authority = make_authority("test authority");
  return authority;
}

Identity const& test_identity() {
  static Identity const identity = make_identity("localhost", test_authority());
  return identity;
}

TlsOptions tls_options(Identity const& identity) {
  TlsOptions options;
  options.certificate_chain_pem = identity.certificate_pem;
  options.private_key_pem = SecretBuffer(as_bytes(identity.key_pem));
  return options;
}

Response echo(Request&& request) {
  Response response;
  response.status = 200;
  response.body = request.method + " " + request.path + " " + request.body;
  return response;
}

TestServer::TestServer(Handle handle, Limits const& limits, Server::Options const& options, TlsOptions tls)
    : server(Server::create(options)) {
  if (tls.certificate_chain_pem.empty()) tls = tls_options();
  auto const bound = server->listen_tls("127.0.0.1", 0, std::move(tls), limits, handlers(std::move(handle)));
  TACENDA_ASSERT(bound.has_value());
  port = *bound;
}

Handlers TestServer::handlers(Handle handle) {
  Handlers all;
  all.handle = std::move(handle);
  all.accept = [this](std::string_view address) { return !accept || accept(address); };
  all.sends_proxy_header = [this](std::string_view address) {
    return sends_proxy_header && sends_proxy_header(address);
  };
  all.body_limit = [this](Request const& head) { return body_limit ? body_limit(head) : std::nullopt; };
  all.failed = [this](ConnectionFailure failure, std::string_view) {
    MutexLock const lock(mutex_);
    failures_.push_back(failure);
  };
  all.refuse = [](std::uint16_t status) {
    Response response;
    response.status = status;
    response.body = "refused";
    return response;
  };
  return all;
}

std::vector<ConnectionFailure> TestServer::failures() {
  MutexLock const lock(mutex_);
  return failures_;
}

bool TestServer::has_failed_with(ConnectionFailure failure) {
  for (int i = 0; i < 1'000; ++i) {
    if (std::ranges::count(failures(), failure) > 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace tacenda::net::testing

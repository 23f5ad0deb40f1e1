#include "net/internal/sockets.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace tacenda::net {
namespace {

constexpr int kBacklog = 4'096;

sockaddr const* generic(void const* address) {
  return static_cast<sockaddr const*>(address);
}

bool set_option(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/// Copies out of the storage: reading it through a pointer to another type would break aliasing.
template <typename Address>
Address read_as(sockaddr_storage const& storage) {
  Address address;
  std::memcpy(&address, &storage, sizeof address);
  return address;
}

Result<sockaddr_un> unix_address(std::string const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::kInvalid, "path of the unix socket is empty or too long");
  }
  std::memcpy(&address.sun_path, path.data(), path.size());
  return address;
}

Result<void> make_way(std::string const& path, sockaddr_un const& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode))
    return fail(ErrorKind::kInvalid, "path of the unix socket is taken by a file");
  Descriptor const probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.is_open()) return fail(ErrorKind::kUnavailable, "unix socket cannot be opened");
  bool const answered = ::connect(probe.get(), generic(&address), sizeof address) == 0 || errno == EAGAIN;
  if (answered) return fail(ErrorKind::kUnavailable, "another process answers on the unix socket");
  if (errno != ECONNREFUSED || ::unlink(path.c_str()) != 0) {
    return fail(ErrorKind::kUnavailable, "old unix socket cannot be replaced");
  }
  return {};
}

}  // namespace

void Descriptor::close() {
  if (fd_ >= 0) (void)::close(release());  // nothing is written through these that a failed close could lose
}

Result<Descriptor> listen_tcp(std::string const& address, std::uint16_t port) {
  sockaddr_in6 six{};
  sockaddr_in four{};
  bool const is_four = ::inet_pton(AF_INET, address.c_str(), &four.sin_addr) == 1;
  if (!is_four && ::inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) != 1) {
    return fail(ErrorKind::kInvalid, "listener address is not an IP address");
  }
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  Descriptor socket(::socket(is_four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return fail(ErrorKind::kUnavailable, "socket cannot be opened");
  bool ready = set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (!is_four) ready = ready && set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  // Accepted sockets inherit it: small responses leave at once.
  ready = ready && set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  void const* const name = is_four ? static_cast<void const*>(&four) : &six;
  auto const size = static_cast<socklen_t>(is_four ? sizeof four : sizeof six);
  if (!ready || ::bind(socket.get(), generic(name), size) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    return fail(ErrorKind::kUnavailable, "listener address is in use or not permitted");
  }
  return socket;
}

Result<std::uint16_t> port_of(Descriptor const& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  void* const name = &storage;
  if (::getsockname(socket.get(), static_cast<sockaddr*>(name), &size) != 0) {
    return fail(ErrorKind::kUnavailable, "port of the listener is not known");
  }
  return ntohs(storage.ss_family == AF_INET ? read_as<sockaddr_in>(storage).sin_port
                                            : read_as<sockaddr_in6>(storage).sin6_port);
}

Result<Descriptor> listen_unix_path(std::string const& path) {
  auto const address = TACENDA_TRY(unix_address(path));
  TACENDA_TRY_VOID(make_way(path, address));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Linux gives the file the mode of the socket; set before bind there is no moment at which it is wider.
  if (!socket.is_open() || ::fchmod(socket.get(), 0600) != 0 ||
      ::bind(socket.get(), generic(&address), sizeof address) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return fail(ErrorKind::kUnavailable, "unix socket cannot be made");
  }
  return socket;
}

std::uint64_t inode_of(std::string const& path) {
  struct stat found{};
  return ::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode) ? found.st_ino : 0;
}

void remove_unix_path(std::string const& path, std::uint64_t inode) {
  if (inode != 0 && inode_of(path) == inode)
    (void)::unlink(path.c_str());  // left behind, it is replaced later
}

Peer peer_of(sockaddr_storage const& storage) {
  Peer peer;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    auto const address = read_as<sockaddr_in>(storage);
    ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    peer.port = ntohs(address.sin_port);
  } else {
    auto const address = read_as<sockaddr_in6>(storage);
    auto const* const bytes = address.sin6_addr.s6_addr;
    bool const is_mapped = IN6_IS_ADDR_V4MAPPED(&address.sin6_addr);
    ::inet_ntop(is_mapped ? AF_INET : AF_INET6, is_mapped ? bytes + 12 : bytes, text.data(), text.size());
    peer.port = ntohs(address.sin6_port);
  }
  peer.address = text.data();
  return peer;
}

Peer peer_of_unix(int fd) {
  Peer peer;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) peer.uid = credentials.uid;
  return peer;
}

std::string address_key(sockaddr_storage const& storage) {
  if (storage.ss_family == AF_INET6) {
    auto const address = read_as<sockaddr_in6>(storage);
    if (!IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
      std::array<char, 8> prefix{};
      std::memcpy(prefix.data(), address.sin6_addr.s6_addr, prefix.size());
      return {prefix.data(), prefix.size()};
    }
  }
  return storage.ss_family == AF_UNIX ? std::string() : peer_of(storage).address;
}

}  // namespace tacenda::net

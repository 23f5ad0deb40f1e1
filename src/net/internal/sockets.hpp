#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "net/http.hpp"

namespace tacenda::net {

/// Owns a file descriptor; -1 for none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = other.release();
    }
    return *this;
  }
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void close();

 private:
  int fd_ = -1;
};

/// Opens a listening TCP socket, non-blocking. `address` is an IP address, "::" takes IPv4 as well.
/// Errors: kInvalid (not an address), kUnavailable (in use, no permission, no such address).
Result<Descriptor> listen_tcp(std::string const& address, std::uint16_t port);

/// The port that a listening socket got.
Result<std::uint16_t> port_of(Descriptor const& socket);

/// Opens a listening unix socket of mode 0600 at `path`, non-blocking. A socket file that nobody answers
/// on is replaced; one that is answered, or a file that is no socket, is not.
/// Errors: kInvalid (path too long, not a socket), kUnavailable (answered, cannot be made).
Result<Descriptor> listen_unix_path(std::string const& path);

/// Removes the socket file at `path` if it is still the one that `socket` is bound to.
void remove_unix_path(std::string const& path, std::uint64_t inode);
std::uint64_t inode_of(std::string const& path);

/// Who is at the other end of an accepted TCP socket: IPv4 in dotted form even when it came over IPv6.
Peer peer_of(sockaddr_storage const& address);

/// Who is at the other end of an accepted unix socket; uid is absent when the kernel does not tell.
Peer peer_of_unix(int fd);

/// What connections are counted under: the address, of IPv6 its /64, which one customer has alone.
std::string address_key(sockaddr_storage const& address);

}  // namespace tacenda::net

#include "net/internal/acceptor.hpp"

#include <errno.h>
#include <fcntl.h>

#include <utility>

namespace tacenda::net {
namespace {

constexpr int kAcceptsInARow = 64;
constexpr std::chrono::milliseconds kPause{100};

Descriptor open_reserve() {
  return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Acceptor::Acceptor(Loop& loop, std::vector<std::unique_ptr<Loop>> const& loops, Listener& listener,
                   Descriptor&& socket)
    : loops_(loops), listener_(listener), socket_(loop.io()), pause_(loop.io()), reserve_(open_reserve()) {
  boost::system::error_code error;
  socket_.assign(socket.get(), error);
  if (!error) (void)socket.release();  // now socket_'s
}

bool Acceptor::start() {
  if (!socket_.is_open()) return false;
  wait();
  return true;
}

void Acceptor::stop() {
  boost::system::error_code ignored;  // the descriptor is gone either way
  socket_.close(ignored);
  pause_.cancel();
}

void Acceptor::wait() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](boost::system::error_code const& error) {
                       if (!error) accept_some();
                     });
}

void Acceptor::accept_some() {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    if (accept_one()) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    bool const is_passing = errno == ECONNABORTED || errno == EINTR || errno == EPERM || errno == EPROTO;
    if (is_passing || shed()) continue;
    // Nothing can be taken now, not even to be closed. Trying again at once would only spin.
    pause_.expires_after(kPause);
    pause_.async_wait([this](boost::system::error_code const& error) {
      if (!error) wait();
    });
    return;
  }
  wait();
}

bool Acceptor::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  void* const name = &address;
  Descriptor socket(
      ::accept4(socket_.native_handle(), static_cast<sockaddr*>(name), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.is_open()) return false;
  admit(std::move(socket), address);
  return true;
}

void Acceptor::admit(Descriptor&& socket, sockaddr_storage const& address) {
  bool const is_unix = address.ss_family == AF_UNIX;
  Peer peer = is_unix ? peer_of_unix(socket.get()) : peer_of(address);
  if (!is_unix && listener_.handlers().accept && !listener_.handlers().accept(peer.address)) {
    return listener_.failed(ConnectionFailure::kAddressRefused, peer.address);
  }
  auto key = address_key(address);
  if (!listener_.admit(key)) return;
  auto& loop = *loops_[next_loop_++ % loops_.size()];
  loop.post([&loop, &listener = listener_, socket = std::move(socket), peer = std::move(peer),
             key = std::move(key)]() mutable {
    loop.adopt(listener, std::move(socket), std::move(peer), std::move(key));
  });
}

/// Descriptors ran out: takes one waiting connection with the reserve and closes it.
bool Acceptor::shed() {
  if (!reserve_.is_open()) {
    reserve_ = open_reserve();
    return reserve_.is_open();
  }
  reserve_.close();
  Descriptor(::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC)).close();
  reserve_ = open_reserve();
  return reserve_.is_open();
}

}  // namespace tacenda::net

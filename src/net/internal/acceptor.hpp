#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/internal/listener.hpp"
#include "net/internal/loop.hpp"

namespace tacenda::net {

/// Takes connections from one listening socket, asks whether each may stay, and hands it to the loops in
/// turn.
///
/// Owner: Server; everything runs on the thread of `loop`.
class Acceptor {
 public:
  /// `loops` and `listener` outlive the acceptor.
  Acceptor(Loop& loop, std::vector<std::unique_ptr<Loop>> const& loops, Listener& listener,
           Descriptor&& socket);

  /// Returns false when the kernel takes no more watched descriptors.
  bool start();
  void stop();

 private:
  void wait();
  void accept_some();
  bool accept_one();
  void admit(Descriptor&& socket, sockaddr_storage const& address);
  bool shed();

  std::vector<std::unique_ptr<Loop>> const& loops_;
  Listener& listener_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer pause_;
  // Held open for the day when descriptors run out: closed, it lets one waiting connection be taken and
  // closed. Left in the backlog it would wake this thread for ever.
  Descriptor reserve_;
  std::size_t next_loop_ = 0;
};

}  // namespace tacenda::net

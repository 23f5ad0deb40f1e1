#include "net/server.hpp"

#include <signal.h>

#include <algorithm>
#include <future>
#include <utility>
#include <vector>

#include "core/mutex.hpp"
#include "core/process.hpp"
#include "net/internal/acceptor.hpp"
#include "net/internal/listener.hpp"
#include "net/internal/loop.hpp"
#include "net/internal/sockets.hpp"
#include "net/internal/tls_context.hpp"
#include "net/internal/worker_pool.hpp"

namespace tacenda::net {
namespace {

/// Runs `task` on the thread of `loop` and waits for it.
template <typename Task>
void run_on(Loop& loop, Task task) {
  std::promise<void> done;
  loop.post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

struct Endpoint {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Acceptor> acceptor;
  std::uint16_t port = 0;   // 0: a unix socket
  std::string path;         // of the unix socket
  std::uint64_t inode = 0;  // of the unix socket's file
};

class AsioServer final : public Server {
 public:
  explicit AsioServer(Options const& options) : workers_(options.workers, options.queue) {
    // OpenSSL writes with write(2), which raises SIGPIPE on a connection that the peer closed.
    ::signal(SIGPIPE, SIG_IGN);
    for (std::size_t i = 0; i < std::max<std::size_t>(options.io_threads, 1); ++i) {
      loops_.push_back(std::make_unique<Loop>(workers_));
    }
  }
  ~AsioServer() override { stop(std::chrono::milliseconds(0)); }

  Result<std::uint16_t> listen_tls(std::string const& address, std::uint16_t port, TlsOptions tls,
                                   Limits const& limits, Handlers handlers) override {
    std::shared_ptr<ssl_ctx_st> const context = TACENDA_TRY(make_tls_context(tls));
    auto socket = TACENDA_TRY(listen_tcp(address, port));
    Endpoint endpoint;
    endpoint.port = TACENDA_TRY(port_of(socket));
    auto const bound = endpoint.port;
    endpoint.listener = std::make_unique<Listener>(limits, std::move(handlers), context);
    TACENDA_TRY_VOID(open(std::move(endpoint), std::move(socket)));
    return bound;
  }

  Result<void> listen_unix(std::string const& path, Limits const& limits, Handlers handlers) override {
    auto socket = TACENDA_TRY(listen_unix_path(path));
    Endpoint endpoint;
    endpoint.path = path;
    endpoint.inode = inode_of(path);
    endpoint.listener = std::make_unique<Listener>(limits, std::move(handlers), nullptr);
    return open(std::move(endpoint), std::move(socket));
  }

  Result<void> renew_tls(std::uint16_t port, TlsOptions tls) override {
    std::shared_ptr<ssl_ctx_st> context = TACENDA_TRY(make_tls_context(tls));
    MutexLock const lock(mutex_);
    auto const found = std::ranges::find(endpoints_, port, &Endpoint::port);
    if (port == 0 || found == endpoints_.end())
      return fail(ErrorKind::kNotFound, "no TLS listener on this port");
    found->listener->renew_tls(std::move(context));
    return {};
  }

  void stop(std::chrono::milliseconds grace) override {
    MutexLock const lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    for (auto& endpoint : endpoints_) {
      run_on(*loops_.front(), [&] { endpoint.acceptor->stop(); });
      if (!endpoint.path.empty()) remove_unix_path(endpoint.path, endpoint.inode);
    }
    for (auto const& loop : loops_) run_on(*loop, [&] { loop->drain_connections(); });
    auto const until = std::chrono::steady_clock::now() + grace;
    auto const is_busy = [&] {
      return std::ranges::any_of(loops_, [](auto const& loop) { return loop->connection_count() > 0; });
    };
    while (is_busy() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    for (auto const& loop : loops_) run_on(*loop, [&] { loop->close_connections(); });
    workers_.stop();
    for (auto const& loop : loops_) loop->stop();
  }

 private:
  Result<void> open(Endpoint endpoint, Descriptor&& socket) {
    TACENDA_ASSERT(endpoint.listener->handlers().handle || endpoint.listener->handlers().answer);
    TACENDA_ASSERT(!endpoint.listener->handlers().takes_body || endpoint.listener->handlers().begin);
    MutexLock const lock(mutex_);
    if (stopped_) return fail(ErrorKind::kUnavailable, "server is stopped");
    auto& loop = *loops_.front();
    endpoint.acceptor = std::make_unique<Acceptor>(loop, loops_, *endpoint.listener, std::move(socket));
    bool started = false;
    run_on(loop, [&] { started = endpoint.acceptor->start(); });
    if (!started) return fail(ErrorKind::kUnavailable, "listener cannot be watched");
    endpoints_.push_back(std::move(endpoint));
    return {};
  }

  WorkerPool workers_;
  std::vector<std::unique_ptr<Loop>> loops_;
  // Held while a listener opens or all stop; I/O threads and workers never take it.
  Mutex mutex_;
  std::vector<Endpoint> endpoints_ TACENDA_GUARDED_BY(mutex_);
  bool stopped_ TACENDA_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<Server> Server::create(Options const& options) {
  return std::make_unique<AsioServer>(options);
}

}  // namespace tacenda::net

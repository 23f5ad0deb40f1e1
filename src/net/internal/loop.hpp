#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/mutex.hpp"
#include "net/internal/session.hpp"
#include "net/internal/sockets.hpp"
#include "net/internal/worker_pool.hpp"

namespace tacenda::net {

class Connection;
class Listener;

/// One I/O thread and the connections that live on it. A connection never changes its loop, so nothing in
/// it needs a lock; other threads reach it by its handle and through `post` and `complete` only.
///
/// Owner: Server. `post` and `complete` from any thread, the rest from the loop's thread.
class Loop final : public CompletionSink {
 public:
  explicit Loop(WorkerPool& workers);
  ~Loop() override;
  Loop(Loop const&) = delete;
  Loop& operator=(Loop const&) = delete;

  void post(std::move_only_function<void()> task);
  void complete(Completion&& completion) override;
  std::size_t connection_count() const { return connection_count_.load(); }
  /// Ends the thread; connections that are left are closed.
  void stop();

  boost::asio::io_context& io() { return io_; }
  WorkerPool& workers() { return workers_; }
  /// Takes over an accepted, non-blocking socket that `listener` has admitted under `address_key`.
  void adopt(Listener& listener, Descriptor&& socket, Peer&& peer, std::string&& address_key);
  void drain_connections();
  void close_connections();

  /// Something happened to the socket of `handle`: `read` what was waited for.
  void socket_ready(ConnectionHandle handle, bool for_read);
  /// Calls the connection again when other connections have had their turn.
  void continue_later(ConnectionHandle handle);
  /// Has the connection told when `at` has passed, at a granularity of kTick.
  void schedule(ConnectionHandle handle, TimePoint at, TimePoint& scheduled);

  TimePoint now() const { return now_; }
  void refresh_now() { now_ = std::chrono::steady_clock::now(); }
  std::string_view date();
  /// Where the connection whose turn it is reads to: idle ones need no buffer.
  std::span<char> scratch() { return scratch_; }

 private:
  static constexpr std::chrono::milliseconds kTick{50};
  static constexpr std::size_t kWheelSlots = 2'048;
  struct Slot {
    std::unique_ptr<Connection> connection;
    std::uint32_t generation = 0;
  };

  Connection* find(ConnectionHandle handle);
  void settle(ConnectionHandle handle);
  void take_completions();
  void start_ticking();
  void tick();
  std::size_t tick_of(TimePoint at) const;

  WorkerPool& workers_;
  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_{io_};
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::atomic<std::size_t> connection_count_{0};

  // Timer wheel. An entry is only a hint to look at the connection's real deadline, which mostly has
  // moved on by then: setting a deadline per request costs a comparison and not a timer.
  std::array<std::vector<ConnectionHandle>, kWheelSlots> wheel_;
  TimePoint const epoch_;
  std::size_t ticks_done_ = 0;
  bool is_ticking_ = false;

  TimePoint now_;
  std::time_t date_second_ = 0;
  std::string date_;
  std::array<char, 16 * 1024 + 512> scratch_{};

  Mutex mutex_;
  std::vector<Completion> completions_ TACENDA_GUARDED_BY(mutex_);
  std::vector<Completion> taken_;  // swapped with completions_, so that neither allocates in the long run
  std::thread thread_;             // last: everything it uses is made before it
};

}  // namespace tacenda::net

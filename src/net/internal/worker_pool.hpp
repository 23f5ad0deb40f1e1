#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/mutex.hpp"
#include "net/http.hpp"
#include "net/internal/budget.hpp"
#include "net/internal/incoming_body.hpp"

namespace tacenda::net {

/// Names a connection of a Loop from other threads; a closed connection's handle finds nothing.
struct ConnectionHandle {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

/// An answer, or a piece of one, on its way back to the connection that waits for it.
struct Completion {
  ConnectionHandle connection;
  std::uint32_t stream = 0;
  Response response = {};
  std::unique_ptr<BodySource> source = nullptr;  // of a piece
  std::optional<Result<std::string>> piece = {};
  std::optional<Uptake> uptake = {};  // of a body that is taken while it comes
};

/// Where answers go: the loop of the connection. Called from worker threads.
class CompletionSink {
 public:
  virtual ~CompletionSink() = default;
  virtual void complete(Completion&& completion) = 0;
};

/// One request on its way to a worker, and where its answer goes; an answer whose next piece is wanted, or a
/// step of a body that is taken while it comes.
struct Job {
  Request request;
  Reservation body;
  Handlers const* handlers = nullptr;  // of the listener, which outlives the pool's threads
  CompletionSink* sink = nullptr;      // likewise
  ConnectionHandle connection;
  std::uint32_t stream = 0;
  std::unique_ptr<BodySource> source = nullptr;  // nullptr: a request
  std::optional<BodyStep> step = {};             // its first: `request` is the head
};

/// Threads that run handlers, before them a queue of fixed size.
///
/// Owner: Server. Thread-safe.
class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t queue_max);
  ~WorkerPool() { stop(); }
  WorkerPool(WorkerPool const&) = delete;
  WorkerPool& operator=(WorkerPool const&) = delete;

  /// Returns false, and leaves `job` as it is, when the queue is full or the pool stopped.
  bool try_push(Job&& job);

  /// Drops what waits, lets running handlers return and answers that were put off arrive, joins the threads.
  void stop();

 private:
  void run();
  std::optional<Job> next();
  /// Makes the next piece of an answer.
  static void supply(Job&& job);
  /// Begins to take a body, or takes the next piece of it.
  static void take_body(Job&& job);
  /// Hands the job to Handlers::answer, which may reply later and on another thread.
  void answer_later(Job&& job);
  void replied();

  Mutex mutex_;
  ConditionVariable ready_;
  std::vector<Job> ring_ TACENDA_GUARDED_BY(mutex_);  // fixed size: no allocation per request
  std::size_t first_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::size_t count_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::size_t sleeping_ TACENDA_GUARDED_BY(mutex_) = 0;
  // At most one thread is being woken at a time; it wakes the next if work is left. A burst of short
  // requests is then served by the few threads that are awake, not by 64 that queue for the lock.
  bool waking_ TACENDA_GUARDED_BY(mutex_) = false;
  bool stopped_ TACENDA_GUARDED_BY(mutex_) = false;
  // Replies that handlers still owe: the loops they go to live until none is left.
  std::atomic<std::size_t> owed_{0};
  std::vector<std::jthread> threads_;
};

}  // namespace tacenda::net

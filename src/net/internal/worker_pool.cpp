#include "net/internal/worker_pool.hpp"

#include <new>
#include <utility>

#include "core/log.hpp"
#include "core/process.hpp"

namespace tacenda::net {
namespace {

Response answer(Job& job) {
  try {
    return job.handlers->handle(std::move(job.request));
  } catch (std::bad_alloc const&) {
    die("out of memory in a request handler");
  } catch (...) {
    // Nothing throws across a module boundary; one request must not end the others if something does.
    log(LogLevel::kError, "request handler threw");
  }
  return job.handlers->refuse ? job.handlers->refuse(500) : Response{};
}

Uptake next_of(Job& job) {
  auto& step = *job.step;
  if (!step.sink) return job.handlers->begin(std::move(job.request));
  if (!step.piece.empty()) {
    if (auto ended = step.sink->take(std::move(step.piece))) return std::move(*ended);
  }
  if (step.is_last) return step.sink->finish();
  return std::move(step.sink);
}

}  // namespace

WorkerPool::WorkerPool(std::size_t threads, std::size_t queue_max) : ring_(queue_max) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

bool WorkerPool::try_push(Job&& job) {
  {
    MutexLock const lock(mutex_);
    if (stopped_ || count_ == ring_.size()) return false;
    ring_[(first_ + count_) % ring_.size()] = std::move(job);
    ++count_;
    if (sleeping_ == 0 || waking_) return true;
    waking_ = true;
  }
  ready_.notify_one();
  return true;
}

std::optional<Job> WorkerPool::next() {
  std::optional<Job> job;
  bool wake_another = false;
  {
    MutexLock const lock(mutex_);
    while (count_ == 0 && !stopped_) {
      ++sleeping_;
      ready_.wait(mutex_);
      --sleeping_;
      waking_ = false;
    }
    if (stopped_) return std::nullopt;
    job = std::move(ring_[first_]);
    first_ = (first_ + 1) % ring_.size();
    --count_;
    if (count_ > 0 && sleeping_ > 0 && !waking_) wake_another = waking_ = true;
  }
  if (wake_another) ready_.notify_one();
  return job;
}

void WorkerPool::run() {
  while (auto job = next()) {
    if (job->source) {
      supply(std::move(*job));
      continue;
    }
    if (job->step) {
      take_body(std::move(*job));
      continue;
    }
    if (job->handlers->answer) {
      answer_later(std::move(*job));
      continue;
    }
    auto response = answer(*job);
    job->body = Reservation();
    job->sink->complete({job->connection, job->stream, std::move(response)});
  }
}

void WorkerPool::supply(Job&& job) {
  Result<std::string> piece = fail(ErrorKind::kBug, "the source of a body threw");
  try {
    piece = job.source->next();
  } catch (std::bad_alloc const&) {
    die("out of memory in the source of a body");
  } catch (...) {
    // As for a handler: nothing throws across a module boundary, and the answer is cut off.
    log(LogLevel::kError, piece.error());
  }
  job.sink->complete({job.connection, job.stream, {}, std::move(job.source), std::move(piece)});
}

void WorkerPool::take_body(Job&& job) {
  std::optional<Uptake> uptake;
  try {
    uptake = next_of(job);
  } catch (std::bad_alloc const&) {
    die("out of memory while a body was taken");
  } catch (...) {
    // As above: a handler or a sink of a room above, of which nothing should come.
    log(LogLevel::kError, "the taking of a body threw");
    uptake = job.handlers->refuse ? job.handlers->refuse(500) : Response{};
  }
  job.step->sink.reset();  // of a body that is answered: before the peer can know
  job.sink->complete({job.connection, job.stream, {}, nullptr, {}, std::move(uptake)});
}

void WorkerPool::replied() {
  if (owed_.fetch_sub(1) == 1) owed_.notify_all();
}

void WorkerPool::answer_later(Job&& job) {
  owed_.fetch_add(1);
  auto* handlers = job.handlers;
  auto reply = [this, sink = job.sink, connection = job.connection, stream = job.stream,
                body = std::move(job.body)](Response response) mutable {
    body = Reservation();
    sink->complete({connection, stream, std::move(response)});
    replied();
  };
  try {
    handlers->answer(std::move(job.request), std::move(reply));
  } catch (std::bad_alloc const&) {
    die("out of memory in a request handler");
  } catch (...) {
    // Whether the reply was made nobody can tell: a second one could answer another request.
    die("a request handler threw");
  }
}

void WorkerPool::stop() {
  std::vector<Job> dropped;  // what its sinks and sources do at their end needs no lock of ours
  {
    MutexLock const lock(mutex_);
    stopped_ = true;
    dropped.swap(ring_);
    count_ = 0;
  }
  dropped.clear();
  ready_.notify_all();
  threads_.clear();
  for (std::size_t left = owed_.load(); left != 0; left = owed_.load()) owed_.wait(left);
}

}  // namespace tacenda::net

#include "net/internal/worker_pool.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/mutex.hpp"
#include "net/internal/fake_host.hpp"

namespace tacenda::net {
namespace {

class Sink final : public CompletionSink {
 public:
  void complete(Completion&& completion) override {
    MutexLock const lock(mutex_);
    answers_.push_back(std::move(completion));
    changed_.notify_all();
  }
  std::vector<std::uint32_t> wait_for(std::size_t count) {
    MutexLock const lock(mutex_);
    while (answers_.size() < count) changed_.wait(mutex_);
    std::vector<std::uint32_t> streams;
    for (auto const& answer : answers_) streams.push_back(answer.stream);
    return streams;
  }
  Completion take_last() {
    MutexLock const lock(mutex_);
    return std::move(answers_.back());
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<Completion> answers_ TACENDA_GUARDED_BY(mutex_);
};

Job job(Handlers const& handlers, Sink& sink, std::uint32_t stream) {
  Job made;
  made.handlers = &handlers;
  made.sink = &sink;
  made.stream = stream;
  return made;
}

TEST(WorkerPool, RunsEveryJobOnce) {
  Sink sink;
  std::atomic<int> runs = 0;
  Handlers handlers;
  handlers.handle = [&](Request&&) { return (++runs, Response{}); };
  WorkerPool pool(8, 10'000);
  for (std::uint32_t i = 0; i < 10'000; ++i) ASSERT_TRUE(pool.try_push(job(handlers, sink, i)));
  auto streams = sink.wait_for(10'000);
  std::ranges::sort(streams);
  for (std::uint32_t i = 0; i < 10'000; ++i) ASSERT_EQ(streams[i], i);
  EXPECT_EQ(runs, 10'000);
}

TEST(WorkerPool, RunsBlockedJobsSideBySide) {
  Sink sink;
  std::promise<void> opened;
  std::shared_future<void> const gate(opened.get_future());
  std::atomic<int> waiting = 0;
  Handlers handlers;
  handlers.handle = [&](Request&&) {
    if (++waiting == 6) opened.set_value();  // only when all six run at once does any of them return
    gate.wait();
    return Response{};
  };
  WorkerPool pool(6, 64);
  for (std::uint32_t i = 0; i < 6; ++i) ASSERT_TRUE(pool.try_push(job(handlers, sink, i)));
  EXPECT_EQ(sink.wait_for(6).size(), 6U);
}

struct ThrowingSource final : BodySource {
  Result<std::string> next() override { throw 1; }
};

TEST(WorkerPool, MakesPiecesOfAnswersAndGivesTheirSourceBack) {
  Sink sink;
  Handlers const handlers;
  WorkerPool pool(1, 4);
  auto asked = job(handlers, sink, 7);
  asked.source = std::make_unique<PieceSource>("abc", 2);
  for (auto const* expected : {"ab", "c"}) {
    ASSERT_TRUE(pool.try_push(std::move(asked)));
    sink.wait_for(*expected == 'a' ? 1 : 2);
    auto made = sink.take_last();
    ASSERT_TRUE(made.piece.has_value() && made.piece->has_value());
    EXPECT_EQ(**made.piece, expected);
    EXPECT_EQ(made.stream, 7U);
    asked = job(handlers, sink, 7);
    asked.source = std::move(made.source);
    ASSERT_NE(asked.source, nullptr);
  }
  asked.source = std::make_unique<ThrowingSource>();
  ASSERT_TRUE(pool.try_push(std::move(asked)));
  sink.wait_for(3);
  EXPECT_EQ(sink.take_last().piece->error().kind(), ErrorKind::kBug);
}

TEST(WorkerPool, RefusesWhatDoesNotFitAndDropsWhatWaitsWhenStopped) {
  Sink sink;
  std::promise<void> opened;
  std::shared_future<void> const gate(opened.get_future());
  std::promise<void> begun;
  std::atomic<int> runs = 0;
  Handlers handlers;
  handlers.handle = [&](Request&&) {
    if (++runs == 1) begun.set_value();
    gate.wait();
    return Response{};
  };
  Budget budget(100);
  WorkerPool pool(1, 2);
  ASSERT_TRUE(pool.try_push(job(handlers, sink, 1)));
  begun.get_future().wait();
  auto second = job(handlers, sink, 2);
  second.body = Reservation(budget);
  ASSERT_TRUE(second.body.grow_to(60));
  ASSERT_TRUE(pool.try_push(std::move(second)));
  ASSERT_TRUE(pool.try_push(job(handlers, sink, 3)));
  EXPECT_FALSE(pool.try_push(job(handlers, sink, 4)));
  auto stopped = std::async(std::launch::async, [&] { pool.stop(); });
  while (budget.used() > 0) std::this_thread::yield();  // what waited is dropped before the running one ends
  opened.set_value();
  stopped.get();
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(pool.try_push(job(handlers, sink, 5)));
}

TEST(WorkerPool, IsFreeForOtherJobsWhileAReplyIsPutOff) {
  using Reply = std::move_only_function<void(Response)>;
  Sink sink;
  Mutex mutex;
  std::vector<Reply> owed;
  Handlers handlers;
  handlers.answer = [&](Request&&, Reply reply) {
    MutexLock const lock(mutex);
    owed.push_back(std::move(reply));
  };
  Handlers at_once;
  at_once.handle = [](Request&&) { return Response{}; };
  Budget budget(100);
  WorkerPool pool(1, 8);
  auto first = job(handlers, sink, 1);
  first.body = Reservation(budget);
  ASSERT_TRUE(first.body.grow_to(60));
  ASSERT_TRUE(pool.try_push(std::move(first)));
  ASSERT_TRUE(pool.try_push(job(at_once, sink, 2)));
  EXPECT_THAT(sink.wait_for(1), ::testing::ElementsAre(2));
  EXPECT_EQ(budget.used(), 60U) << "the body is held until the reply";
  // The pool does not end before the reply has come: the loop it goes to must still be there.
  auto stopped = std::async(std::launch::async, [&] { pool.stop(); });
  EXPECT_EQ(stopped.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  {
    MutexLock const lock(mutex);
    ASSERT_EQ(owed.size(), 1U);
    owed.front()(Response{});
  }
  stopped.get();
  EXPECT_THAT(sink.wait_for(2), ::testing::ElementsAre(2, 1));
  EXPECT_EQ(budget.used(), 0U);
}

TEST(Budget, NeverGivesMoreThanItHasAndTakesEverythingBack) {
  Budget budget(10);
  {
    Reservation one(budget);
    Reservation two(budget);
    EXPECT_TRUE(one.grow_to(6));
    EXPECT_FALSE(two.grow_to(5));
    EXPECT_TRUE(two.grow_to(4));
    EXPECT_FALSE(one.grow_to(7));
    Reservation const moved(std::move(one));
    EXPECT_EQ(budget.used(), 10U);
    two = Reservation();
    EXPECT_EQ(budget.used(), 6U);
  }
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace tacenda::net

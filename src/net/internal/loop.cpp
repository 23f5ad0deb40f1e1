#include "net/internal/loop.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "net/internal/connection.hpp"
#include "net/internal/listener.hpp"

namespace tacenda::net {
namespace {

std::string format_date(std::time_t second) {
  // IMF-fixdate in English whatever the locale, so not strftime.
  static constexpr std::array<char const*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<char const*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  ::gmtime_r(&second, &parts);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return text.data();
}

}  // namespace

Loop::Loop(WorkerPool& workers)
    : workers_(workers), epoch_(std::chrono::steady_clock::now()), now_(epoch_), thread_([this] {
        auto const work = boost::asio::make_work_guard(io_);
        io_.run();
      }) {}

Loop::~Loop() {
  stop();
}

void Loop::stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
  slots_.clear();
  // What comes too late is let go while those who made it are still there.
  std::vector<Completion> late;
  {
    MutexLock const lock(mutex_);
    late.swap(completions_);
  }
  late.clear();
  connection_count_ = 0;
}

void Loop::post(std::move_only_function<void()> task) {
  boost::asio::post(io_, std::move(task));
}

void Loop::complete(Completion&& completion) {
  bool is_first = false;
  {
    MutexLock const lock(mutex_);
    is_first = completions_.empty();
    completions_.push_back(std::move(completion));
  }
  // One wake-up for all answers that come before the loop looks.
  if (is_first) boost::asio::post(io_, [this] { take_completions(); });
}

void Loop::take_completions() {
  {
    MutexLock const lock(mutex_);
    taken_.swap(completions_);
  }
  refresh_now();
  for (auto& completion : taken_) {
    if (auto* const found = find(completion.connection)) {
      if (completion.piece) {
        found->supply(completion.stream, std::move(completion.source), *std::move(completion.piece));
      } else if (completion.uptake) {
        found->taken(completion.stream, *std::move(completion.uptake));
      } else {
        found->respond(completion.stream, std::move(completion.response));
      }
    }
  }
  // A second pass: all answers to one HTTP/2 connection leave in one go.
  for (auto const& completion : taken_) {
    if (auto* const found = find(completion.connection)) {
      found->proceed();
      settle(completion.connection);
    }
  }
  taken_.clear();
}

Connection* Loop::find(ConnectionHandle handle) {
  if (handle.slot >= slots_.size() || slots_[handle.slot].generation != handle.generation) return nullptr;
  return slots_[handle.slot].connection.get();
}

void Loop::settle(ConnectionHandle handle) {
  auto const* const connection = find(handle);
  if (connection == nullptr || !connection->is_closed()) return;
  auto& slot = slots_[handle.slot];
  ++slot.generation;
  slot.connection.reset();
  free_slots_.push_back(handle.slot);
  --connection_count_;
}

void Loop::adopt(Listener& listener, Descriptor&& socket, Peer&& peer, std::string&& address_key) {
  refresh_now();
  Tls tls;
  if (auto const context = listener.tls()) {
    tls = make_tls(*context, socket.get());
    if (!tls) return listener.release(address_key);
    peer.tls = true;
  }
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  ConnectionHandle handle{free_slots_.back(), 0};
  free_slots_.pop_back();
  auto& slot = slots_[handle.slot];
  handle.generation = slot.generation;
  ++connection_count_;
  slot.connection = std::make_unique<Connection>(*this, listener, handle, std::move(socket), std::move(tls),
                                                 std::move(peer), std::move(address_key));
  start_ticking();
  slot.connection->start();
  settle(handle);
}

void Loop::socket_ready(ConnectionHandle handle, bool for_read) {
  auto* const connection = find(handle);
  if (connection == nullptr) return;  // closed since; this is its cancelled wait
  refresh_now();
  connection->socket_ready(for_read);
  settle(handle);
}

void Loop::continue_later(ConnectionHandle handle) {
  boost::asio::post(io_, [this, handle] {
    auto* const connection = find(handle);
    if (connection == nullptr) return;
    refresh_now();
    connection->proceed();
    settle(handle);
  });
}

void Loop::drain_connections() {
  refresh_now();
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].connection) continue;
    slots_[i].connection->drain();
    settle({i, slots_[i].generation});
  }
}

void Loop::close_connections() {
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].connection) continue;
    slots_[i].connection->close();
    settle({i, slots_[i].generation});
  }
}

std::string_view Loop::date() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
  if (time.tv_sec != date_second_) {
    date_second_ = time.tv_sec;
    date_ = format_date(time.tv_sec);
  }
  return date_;
}

std::size_t Loop::tick_of(TimePoint at) const {
  auto const ticks = at <= epoch_ ? 0 : static_cast<std::size_t>((at - epoch_) / kTick) + 1;
  return std::clamp(ticks, ticks_done_ + 1, ticks_done_ + kWheelSlots - 1);
}

void Loop::schedule(ConnectionHandle handle, TimePoint at, TimePoint& scheduled) {
  if (at >= scheduled) return;
  auto const due = tick_of(at);
  scheduled = epoch_ + kTick * static_cast<std::int64_t>(due);
  wheel_[due % kWheelSlots].push_back(handle);
}

void Loop::start_ticking() {
  if (is_ticking_) return;
  is_ticking_ = true;
  // The wheel stood still while there was nothing to watch; all its entries are of closed connections.
  for (auto& slot : wheel_) slot.clear();
  ticks_done_ = static_cast<std::size_t>((now_ - epoch_) / kTick);
  tick();
}

void Loop::tick() {
  refresh_now();
  auto const ticks_now = static_cast<std::size_t>((now_ - epoch_) / kTick);
  while (ticks_done_ < ticks_now) {
    auto due = std::exchange(wheel_[++ticks_done_ % kWheelSlots], {});
    for (auto const handle : due) {
      auto* const connection = find(handle);
      if (connection == nullptr) continue;
      connection->check_deadline(epoch_ + kTick * static_cast<std::int64_t>(ticks_done_));
      settle(handle);
    }
  }
  is_ticking_ = connection_count_.load() > 0;
  if (!is_ticking_) return;
  timer_.expires_after(kTick);
  timer_.async_wait([this](boost::system::error_code const& error) {
    if (!error) tick();
  });
}

}  // namespace tacenda::net

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "net/http.hpp"
#include "net/internal/budget.hpp"

namespace tacenda::net {

using TimePoint = std::chrono::steady_clock::time_point;

/// One piece of a body on its way to its sink, on a worker.
struct BodyStep {
  std::unique_ptr<BodySink> sink;  // nullptr: it is to be made (Handlers::begin)
  std::string piece = {};          // empty only of the last step
  bool is_last = false;            // the body ends with it
};

/// A body that is taken while it comes: one piece is with a worker, and the next one gathers here. Who calls
/// reads no more than `takes_more` lets him, so that the peer goes at the pace of the sink.
///
/// Owner: the session, one thread.
class IncomingBody {
 public:
  // Half of the window that HTTP/2 has for a stream: with a smaller share the peer would be stopped for
  // nothing, with a larger one for good.
  static constexpr std::size_t kPieceBytes = std::size_t{128} * 1024;
  /// What one body takes of the budget: two pieces, and what may come before the peer is stopped.
  static constexpr std::size_t kReservedBytes = std::size_t{512} * 1024;

  /// `bytes_max`: of the whole body.
  IncomingBody(Reservation&& reservation, std::uint64_t bytes_max, TimePoint now)
      : reservation_(std::move(reservation)), room_(bytes_max), progress_began_(now), began_(now) {}

  /// May more be read now?
  bool takes_more() const { return is_begun_ && !is_complete_ && piece_.size() < kPieceBytes; }
  bool is_complete() const { return is_complete_; }
  /// How many bytes the piece may have before the body is too large.
  std::uint64_t room() const { return room_; }
  /// What has come and was not handed on: for who appends to it, and says so with `came`.
  std::string& piece() { return piece_; }
  /// `bytes` arrived, at `now`.
  void came(std::size_t bytes, TimePoint now) {
    all_bytes_ += bytes;
    progress_ += bytes;
    if (progress_ < kProgressBytes) return;
    progress_ = 0;
    progress_began_ = now;
  }
  void complete() { is_complete_ = true; }

  /// True when a step can be made and is worth it.
  bool is_due() const { return sink_ != nullptr && (is_complete_ || piece_.size() >= kPieceBytes); }
  BodyStep next_step(TimePoint now) {
    room_ -= piece_.size();
    lent_ = piece_.size();
    lent_at_ = now;
    return {std::move(sink_), std::exchange(piece_, {}), is_complete_};
  }
  /// The sink was made, or has taken its piece: of how many bytes it was.
  std::size_t returned(std::unique_ptr<BodySink>&& sink, TimePoint now) {
    sink_ = std::move(sink);
    if (is_begun_) {
      began_ += now - lent_at_;  // the time that the sink took is not the peer's
    } else {
      began_ = now;
    }
    is_begun_ = true;
    // The peer was not waited for.
    progress_ = 0;
    progress_began_ = now;
    return std::exchange(lent_, 0);
  }
  bool is_begun() const { return is_begun_; }

  /// When the peer, who is waited for, is too slow: by what came lately, or by all that came, so that nobody
  /// holds a place for days by a little now and then.
  TimePoint too_slow_at(std::chrono::milliseconds body_time) const {
    std::chrono::milliseconds const earned(all_bytes_ / (kBytesPerSecond / 1'000));
    return std::min(progress_began_ + body_time, began_ + body_time + earned);
  }

 private:
  static constexpr std::size_t kProgressBytes =
      std::size_t{64} * 1024;  // a sender this slow per body_time is ended

  static constexpr std::uint64_t kBytesPerSecond = 16'000;  // of the whole, beside one body_time

  Reservation reservation_;
  std::unique_ptr<BodySink> sink_;  // nullptr while a worker has it
  std::string piece_;
  std::uint64_t room_;
  std::size_t lent_ = 0;
  bool is_begun_ = false;
  bool is_complete_ = false;
  TimePoint progress_began_;
  TimePoint began_;    // moved on by what the sink took
  TimePoint lent_at_;  // when the step under way was handed on
  std::uint64_t all_bytes_ = 0;
  std::size_t progress_ = 0;
};

}  // namespace tacenda::net

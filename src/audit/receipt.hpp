#pragma once

#include <cstdint>
#include <string>

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace tacenda::audit {

class Log;

/// Proof that the events of one request, and its write set, are durable. Move-only, made only by
/// audit::Log. A response with payload leaves only with one (LAYOUT, wall 4).
class Receipt {
 public:
  Receipt(Receipt&&) noexcept = default;
  Receipt& operator=(Receipt&&) noexcept = default;
  Receipt(Receipt const&) = delete;
  Receipt& operator=(Receipt const&) = delete;
  ~Receipt() = default;

  /// Leaf index of the first event of the commit; event i has first_sequence() + i.
  std::uint64_t first_sequence() const { return first_sequence_; }
  /// The commit time: meta.lastUpdated of every version it wrote.
  Time time() const { return time_; }
  std::string const& request_id() const { return request_id_; }

 private:
  friend class Log;
  Receipt(std::uint64_t first_sequence, Time time, std::string request_id)
      : first_sequence_(first_sequence), time_(time), request_id_(std::move(request_id)) {}
  std::uint64_t first_sequence_;
  Time time_;
  std::string request_id_;
};

}  // namespace tacenda::audit

#pragma once

#include <memory>

#include "core/bytes.hpp"

namespace tacenda::crypto {

/// SHA-256 of bytes that come piece by piece. Owner: one thread. Source: FIPS 180-4.
class RunningSha256 {
 public:
  RunningSha256();
  ~RunningSha256();
  RunningSha256(RunningSha256&&) noexcept;
  RunningSha256& operator=(RunningSha256&&) noexcept;

  void add(ByteView bytes);
  /// Of everything that was added. Nothing is added afterwards.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tacenda::crypto

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "core/mutex.hpp"
#include "net/internal/budget.hpp"
#include "net/internal/tls_context.hpp"
#include "net/server.hpp"

namespace tacenda::net {

/// What all connections of one listener share. Lives until every loop and worker has ended.
///
/// Owner: Server. Thread-safe: all is constant after construction, or guarded.
class Listener {
 public:
  Listener(Limits const& limits, Handlers handlers, std::shared_ptr<ssl_ctx_st> tls)
      : limits_(limits),
        handlers_(std::move(handlers)),
        budget_(limits.body_bytes_in_flight),
        tls_(std::move(tls)) {}

  Limits const& limits() const { return limits_; }
  Handlers const& handlers() const { return handlers_; }
  Budget& budget() { return budget_; }

  /// The settings for the next connection; null for a listener without TLS.
  std::shared_ptr<ssl_ctx_st> tls() const {
    MutexLock const lock(mutex_);
    return tls_;
  }
  void renew_tls(std::shared_ptr<ssl_ctx_st> tls) {
    MutexLock const lock(mutex_);
    tls_ = std::move(tls);
  }

  /// Counts a connection of `address_key`. Returns false, counting nothing, when one of the limits is
  /// reached.
  bool admit(std::string const& address_key) {
    MutexLock const lock(mutex_);
    if (connections_ >= limits_.connections) return false;
    auto& of_address = per_address_[address_key];
    if (of_address >= limits_.connections_per_address) return false;
    ++of_address;
    ++connections_;
    return true;
  }
  void release(std::string const& address_key) {
    MutexLock const lock(mutex_);
    --connections_;
    auto const found = per_address_.find(address_key);
    if (--found->second == 0) per_address_.erase(found);
  }

  void failed(ConnectionFailure failure, std::string_view address) const {
    if (handlers_.failed) handlers_.failed(failure, address);
  }

 private:
  Limits const limits_;
  Handlers const handlers_;
  Budget budget_;
  mutable Mutex mutex_;
  // Shared: a connection that is being made holds the settings while a renewal replaces them.
  std::shared_ptr<ssl_ctx_st> tls_ TACENDA_GUARDED_BY(mutex_);
  std::size_t connections_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::size_t> per_address_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::net

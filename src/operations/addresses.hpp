#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/mutex.hpp"

namespace tacenda::operations {

/// Under which addresses clients may know this server: a reference to one of them is one to what is stored
/// here. Thread-safe.
class Addresses {
 public:
  using All = std::shared_ptr<std::vector<std::string> const>;  // shared: requests keep those they began with

  /// Absolute URLs of the FHIR base: "https://host:8443/fhir".
  void serve(std::vector<std::string> base_urls) {
    auto all = std::make_shared<std::vector<std::string> const>(std::move(base_urls));
    MutexLock const lock(mutex_);
    all_ = std::move(all);
  }
  All all() const {
    MutexLock const lock(mutex_);
    return all_;
  }

 private:
  mutable Mutex mutex_;
  All all_ TACENDA_GUARDED_BY(mutex_) = std::make_shared<std::vector<std::string> const>();
};

struct Context;
/// All absolute URLs of the FHIR base that mean this server in a request, that which it names among them.
std::vector<std::string> own_addresses(Context const& context);

}  // namespace tacenda::operations

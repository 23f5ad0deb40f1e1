#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/mutex.hpp"
#include "fhirpath/expression.hpp"

namespace tacenda::operations {

/// UCUM, for expressions that compare quantities. Thread-safe.
class UcumUnits final : public fhirpath::Units {
 public:
  std::optional<Canonical> canonical(fhirpath::Decimal const& value, std::string_view unit) const override;
};

/// Compiled invariants by their text: each is compiled once, the ones that do not compile are remembered too.
///
/// Owner: Validation. Thread-safe.
class Invariants {
 public:
  static constexpr std::size_t kShards = 16;
  // The base definitions of R4 have some 500 texts; the rest are those of stored profiles.
  static constexpr std::size_t kPerShard = 256;

  /// Errors: those of Expression::compile.
  Result<fhirpath::Expression> find(std::string_view text);

 private:
  /// Of several, so that workers do not wait for each other at one lock.
  struct Shard {
    Mutex mutex;
    std::map<std::string, Result<fhirpath::Expression>, std::less<>> known TACENDA_GUARDED_BY(mutex);
  };
  std::array<Shard, kShards> shards_;
};

}  // namespace tacenda::operations

#include "operations/internal/invariants.hpp"

#include "codec/ucum.hpp"

namespace tacenda::operations {

std::optional<fhirpath::Units::Canonical> UcumUnits::canonical(fhirpath::Decimal const& value,
                                                               std::string_view unit) const {
  auto const found = codec::canonical(value.to_text(), unit);
  if (!found) return std::nullopt;
  auto const number = fhirpath::Decimal::parse(found->value.text());
  if (!number) return std::nullopt;
  return Canonical{*number, found->unit};
}

Result<fhirpath::Expression> Invariants::find(std::string_view text) {
  Shard& shard = shards_[std::hash<std::string_view>()(text) % kShards];
  {
    MutexLock const lock(shard.mutex);
    if (auto const at = shard.known.find(text); at != shard.known.end()) return at->second;
  }
  auto compiled = fhirpath::Expression::compile(text);
  MutexLock const lock(shard.mutex);
  // Full only when stored profiles come and go: what is needed still is compiled again.
  if (shard.known.size() >= kPerShard) shard.known.clear();
  shard.known.emplace(text, compiled);
  return compiled;
}

}  // namespace tacenda::operations

// Method and url of an entry, a line each. What is understood names only what R4 has, and has an id where the
// interaction needs one.
#include "operations/internal/entry_target.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/process.hpp"
#include "fhir/types.hpp"
#include "operations/history.hpp"
#include "operations/internal/entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;              // NOLINT(google-build-using-namespace): the harness is the whole file
  using namespace tacenda::operations;  // NOLINT(google-build-using-namespace)
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  fhir::BundleEntry entry;
  entry.method = text.substr(0, line);
  entry.url = text.substr(line + 1);
  auto const target = target_of(entry);
  if (!target.has_value()) return 0;
  TACENDA_ASSERT(rank(target->kind) == 0 || rank(target->kind) == 3);  // there is no resource to write
  TACENDA_ASSERT(target->type.empty() || fhir::is_resource_type(target->type));
  TACENDA_ASSERT(!target->type.empty() || target->kind == EntryKind::kSearch ||
                 target->kind == EntryKind::kHistorySystem);
  TACENDA_ASSERT(!reads_one(target->kind) || target->id.has_value());
  TACENDA_ASSERT(target->kind != EntryKind::kEverything || target->id.has_value());
  TACENDA_ASSERT(target->inner.empty() ||
                 (target->id.has_value() && (target->inner == "*" || fhir::is_resource_type(target->inner))));
  TACENDA_ASSERT(needs_permit(*target) || target->type.empty() || !target->inner.empty());
  TACENDA_ASSERT(asked_by(entry).size() <= entry.url.size());
  (void)parse_history(target->query);  // must only not crash
  (void)shape_of(target->query);       // must only not crash
  return 0;
}

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "operations/context.hpp"

namespace tacenda::operations {

/// Whose a record is as it stands, and what is watched of it.
struct StoredRecord {
  access::Watch watch;
  std::vector<std::string> patients;
};

/// What is watched of a record as it stands, and what `look` finds in it. What cannot be read is taken for
/// the most secret.
StoredRecord stored_record(Services const& services, std::string_view type, std::string_view id,
                           std::function<void(RecordFacts const&)> const& look = {});

}  // namespace tacenda::operations

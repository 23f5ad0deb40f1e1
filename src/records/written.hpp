#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace tacenda::records {

/// A version that was written into a Transaction and becomes real with its commit.
struct Written {
  std::string type;
  std::string id;
  std::uint64_t version = 0;
  bool created = false;  // 201 in place of 200
  bool deletion = false;
  bool changed = true;  // false: nothing was written (delete of what was not there)
  std::vector<std::string> patients;
  std::vector<std::string> left;  // patients whose record it was before this version, and is no more
  std::optional<Digest> digest;   // of the sealed version, for the audit event
  std::string text;               // the stored text; `render` adds the server's meta
  std::uint32_t meta_offset = 0;

  /// The resource as a client sees it once the commit has given it a time.
  std::string render(Time last_updated) const;
};

/// A living resource that a transaction is going to replace.
struct Living {
  std::uint64_t version = 0;
  std::string json;  // as a read gives it
};

}  // namespace tacenda::records

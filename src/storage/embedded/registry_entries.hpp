#pragma once

#include <map>
#include <string>
#include <vector>

#include "storage/embedded/registry.hpp"

namespace tacenda::storage {

/// What the registry's entries say about one name.
struct BoundName {
  std::vector<FileId> ids;  // the file may have any of these; the newest last
  bool must_exist = false;
  std::uint64_t synced = 0;  // of a log: how long it was at least
};

struct RegistryContent {
  FileId known_to_marks{};
  std::map<std::string, BoundName, std::less<>> names;
};

/// Errors: kCorrupt.
Result<RegistryContent> parse_registry(ByteView plaintext);

void append_begin(Bytes& out, FileId const& known_to_marks);
void append_bind(Bytes& out, std::string_view name, FileId const& id);
void append_establish(Bytes& out, std::string_view name);
void append_rename(Bytes& out, std::string_view from, std::string_view to, FileId const& id);
void append_length(Bytes& out, std::string_view name, std::uint64_t synced);
void append_unbind(Bytes& out, std::string_view name);

}  // namespace tacenda::storage

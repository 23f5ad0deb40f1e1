#pragma once

#include <cstdint>
#include <string_view>

#include "core/bytes.hpp"
#include "core/error.hpp"

/// Keys of the records view (docs/data-file.md, "Record rows"):
///   C type 00 id                                      current version
///   V type 00 id 00 version(8)                        an older version
///   h type 00 sequence(8)                             one version written: type and system history
///   B content id(16) chunk(4)                         a piece of what a Binary holds: internal/content.hpp
///   U content id(16)                                  an upload under way: internal/upload_rows.hpp
///   D, x                                              the index: internal/facts.hpp
///   E patient id                                      (empty) his records are being erased
///   G type 00 id                                      (empty) an erased resource had this id
/// Types and ids hold no 00 byte by their grammar.
namespace tacenda::records {

Bytes current_key(std::string_view type, std::string_view id);
Bytes current_prefix(std::string_view type);
Bytes version_key(std::string_view type, std::string_view id, std::uint64_t version);
Bytes version_prefix(std::string_view type, std::string_view id);
/// Ends in 8 bytes for the committer.
Bytes history_key(std::string_view type);
Bytes history_key_at(std::string_view type, std::uint64_t sequence);
Bytes history_prefix(std::string_view type);
/// While it is there, no record of that patient is written.
Bytes erasing_key(std::string_view patient);
/// Where it is, no resource is made: its versions would be taken for those of the erased one.
Bytes erased_key(std::string_view type, std::string_view id);
struct ParsedKey {
  std::string_view type;
  std::string_view id;
  std::uint64_t version = 0;
};
/// Type and id of a current key; also the version of a version key. Errors: kCorrupt.
Result<ParsedKey> parse_current_key(ByteView key);
Result<ParsedKey> parse_version_key(ByteView key);

}  // namespace tacenda::records

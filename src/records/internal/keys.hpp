#pragma once

#include <cstdint>
#include <string_view>

#include "core/bytes.hpp"
#include "core/error.hpp"

/// Keys of the records view (docs/data-file.md, "Record rows"):
///   C type 00 id                                      current version
///   V type 00 id 00 version(8)                        an older version
///   h type 00 sequence(8)                             one version written: type and system history
///   x type 00 param 00 value 00 01 system 00 01 id    token index (value first: a token without system is a
///   prefix)
/// Types and ids hold no 00 byte by their grammar. Value and system are any text: a 00 in them is written
/// as 00 FF and their end as 00 01, which keeps the order of the texts.
namespace tacenda::records {

Bytes current_key(std::string_view type, std::string_view id);
Bytes current_prefix(std::string_view type);
Bytes version_key(std::string_view type, std::string_view id, std::uint64_t version);
Bytes version_prefix(std::string_view type, std::string_view id);
/// Ends in 8 bytes for the committer.
Bytes history_key(std::string_view type);
Bytes history_key_at(std::string_view type, std::uint64_t sequence);
Bytes history_prefix(std::string_view type);
Bytes token_key(std::string_view type, std::string_view parameter, std::string_view value,
                std::string_view system, std::string_view id);
/// All systems of a value.
Bytes token_value_prefix(std::string_view type, std::string_view parameter, std::string_view value);
/// One system and value.
Bytes token_prefix(std::string_view type, std::string_view parameter, std::string_view value,
                   std::string_view system);
/// Text of the guard that every change of rows under this value touches.
Bytes criterion_guard(std::string_view type, std::string_view parameter, std::string_view value);

struct ParsedKey {
  std::string_view type;
  std::string_view id;
  std::uint64_t version = 0;
};
/// Type and id of a current key; also the version of a version key. Errors: kCorrupt.
Result<ParsedKey> parse_current_key(ByteView key);
Result<ParsedKey> parse_version_key(ByteView key);
/// The id at the end of a token key. Errors: kCorrupt.
Result<std::string_view> id_of_token_key(ByteView key, std::size_t prefix_bytes);

}  // namespace tacenda::records

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "vault/subject.hpp"

namespace tacenda::audit {

// Row q, format 1 (docs/data-file.md, "Text of a request"):
//   u8  format = 1
//       envelope of the audit term, plaintext:
//         u32  patients, then the alias (16) of each, ascending
//              envelope for all of them, plaintext:
//                u8   kind: 0 text, 1 link
//                0: u32 length and the text; 1: u64 sequence of the entry that has the text
//                zero bytes up to a multiple of 16
inline constexpr std::uint8_t kQueryFormat = 1;

/// The text of a request, or where it stands.
struct QueryText {
  std::string_view text;
  std::optional<std::uint64_t> at;
};
void encode_query(QueryText const& query, Bytes& out);
/// The text is a view of `plaintext`. Errors: kCorrupt (also for bytes that encode_query would not have
/// written).
Result<QueryText> decode_query(ByteView plaintext);

/// Whose keys open it, and what they open.
struct QueryRow {
  std::vector<vault::Alias> aliases;  // ascending, each once
  ByteView sealed;
};
void encode_query_row(QueryRow const& row, Bytes& out);
/// `sealed` is a view of `plaintext`. Errors: kCorrupt.
Result<QueryRow> decode_query_row(ByteView plaintext);

/// Ids of patients that the text names, as far as its form shows them: `Patient/<id>` anywhere, and the
/// values of _id, patient and subject, also at the end of a chain or of _has. At most kQueryNames. For texts
/// of any kind, also those that no parser took.
inline constexpr std::size_t kQueryNames = 2'000;
/// How many are looked up for one commit: a batch has many texts.
inline constexpr std::size_t kQueryNamesOfCommit = 100'000;
std::vector<std::string> patients_named_in(std::string_view query);

}  // namespace tacenda::audit

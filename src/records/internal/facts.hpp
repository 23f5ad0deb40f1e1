#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "core/permit.hpp"
#include "records/internal/row.hpp"
#include "records/internal/terms.hpp"
#include "vault/view.hpp"

/// What the index knows about a living resource without opening it (docs/data-file.md, "Index rows"): value
/// of the row D document(8). The document number of a resource is the audit sequence of its first version; it
/// stays the same for all versions and names the resource in every index row.
///
///   format(1) = 2 | flags(1): bit 0 labelled | version(8) | type, id | patients: count(2) {text}
///   | terms: count(4) {parameter(4) text}
///
/// Texts are size(4) and bytes. The terms are those that a search may want to compare, sort by or follow: all
/// but tokens. Labelled: it has security labels, which access control must look at. Format 1 had no flags:
/// what was written so may have labels.
namespace tacenda::records {

/// A term as facts keep it: without its row's value.
struct KeptTerm {
  std::uint32_t parameter = 0;
  std::string_view bytes;
};

struct DocumentFacts {
  DocumentFacts() = default;
  DocumentFacts(DocumentFacts&&) = default;
  DocumentFacts& operator=(DocumentFacts&&) = default;
  DocumentFacts(DocumentFacts const&) = delete;
  DocumentFacts& operator=(DocumentFacts const&) = delete;
  ~DocumentFacts() = default;

  std::uint64_t version = 0;
  std::string type;
  std::string id;
  std::vector<std::string> patients;
  std::vector<KeptTerm> terms;  // sorted; of `row`
  bool labelled = true;
  Bytes row;  // it was read from

  RecordFacts for_judging(RecordContent const* content) const {
    return {type, id, patients, version, false, content, labelled};
  }
};

/// The row of a living resource out of all its terms.
Bytes facts_row(RowPlace const& place, RowHeader const& header, std::vector<Term> const& terms);
/// Number of `_security` of a type: what has a term of it is labelled.
std::uint32_t label_parameter(std::string_view type);

/// True for the terms that facts keep.
bool is_kept(Term const& term);

/// Another one makes the index be written anew.
inline constexpr std::uint8_t kFactsFormat = 2;

Bytes facts_key(std::uint64_t document);
/// Errors: kCorrupt.
Result<DocumentFacts> parse_facts(Bytes row);

/// Key of an index row: x | parameter(4) | bytes | document(8).
Bytes index_key(std::uint32_t parameter, std::string_view bytes, std::uint64_t document);
/// Without the document: where a term's rows begin.
Bytes index_prefix(std::uint32_t parameter, std::string_view bytes);
/// Behind all rows whose term begins with `prefix`; with an empty one, behind the parameter's.
Bytes index_end(std::uint32_t parameter, std::string_view prefix);

struct IndexRow {
  std::uint32_t parameter = 0;
  std::string_view bytes;  // of the term
  std::uint64_t document = 0;
};
/// Errors: kCorrupt.
Result<IndexRow> parse_index_key(ByteView key);

/// Text of the guard that every change of a term touches.
Bytes term_guard(std::uint32_t parameter, std::string_view bytes);
/// Text of the guard that every change of any resource of the type touches.
Bytes type_guard(std::string_view type);

}  // namespace tacenda::records

#include "records/internal/facts.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include "fhir/search_parameter.hpp"
#include "fhir/types.hpp"
#include "records/internal/term_query.hpp"

namespace tacenda::records {
namespace {

constexpr std::uint8_t kWithoutFlags = 1;
constexpr std::uint8_t kLabelled = 1;
constexpr std::size_t kTermBytesMin = 8;  // parameter and size

}  // namespace

bool is_kept(Term const& term) {
  if (term.bytes.empty()) return false;
  switch (static_cast<Section>(term.bytes.front())) {
    case Section::kString:
    case Section::kLaterWord:
    case Section::kReference:
    case Section::kNested:
    case Section::kCanonical:
    case Section::kUri:
    case Section::kDate:
    case Section::kNumber:
    case Section::kCanonicalQuantity:
    case Section::kQuantity:
      return true;
    default:
      return false;
  }
}

std::uint32_t label_parameter(std::string_view type) {
  static auto const numbers = [] {
    std::map<std::string_view, std::uint32_t> made;
    // Every resource type has it.
    for (auto const each : fhir::resource_types())
      made.emplace(each, number_of(each, *fhir::find_search_parameter(each, "_security")));
    return made;
  }();
  auto const found = numbers.find(type);
  return found == numbers.end() ? 0 : found->second;
}

Bytes facts_row(RowPlace const& place, RowHeader const& header, std::vector<Term> const& terms) {
  // A Bundle is as confidential as what is in it.
  bool const is_labelled = place.type == "Bundle" || std::ranges::find(terms, label_parameter(place.type),
                                                                       &Term::parameter) != terms.end();
  Bytes row;
  ByteWriter writer(row);
  writer.u8(kFactsFormat)
      .u8(is_labelled ? kLabelled : 0)
      .u64(header.version)
      .sized(place.type)
      .sized(place.id);
  auto const patients = header.patients();
  writer.u16(static_cast<std::uint16_t>(patients.size()));
  for (auto const& patient : patients) writer.sized(patient);
  writer.u32(static_cast<std::uint32_t>(std::ranges::count_if(terms, is_kept)));
  for (auto const& term : terms) {
    if (is_kept(term)) writer.u32(term.parameter).sized(term.bytes);
  }
  return row;
}

Bytes facts_key(std::uint64_t document) {
  Bytes key;
  key.reserve(9);
  ByteWriter(key).u8('D').u64(document);
  return key;
}

Result<DocumentFacts> parse_facts(Bytes row) {
  DocumentFacts facts;
  facts.row = std::move(row);
  ByteReader reader(facts.row);
  auto const format = TACENDA_TRY(reader.u8());
  if (format != kFactsFormat && format != kWithoutFlags)
    return fail(ErrorKind::kCorrupt, "a facts row has another format");
  if (format == kFactsFormat) {
    auto const flags = TACENDA_TRY(reader.u8());
    if ((flags & ~kLabelled) != 0) return fail(ErrorKind::kCorrupt, "a facts row has unknown flags");
    facts.labelled = (flags & kLabelled) != 0;
  }
  facts.version = TACENDA_TRY(reader.u64());
  facts.type = as_text(TACENDA_TRY(reader.sized()));
  facts.id = as_text(TACENDA_TRY(reader.sized()));
  std::size_t const patients = TACENDA_TRY(reader.u16());
  for (std::size_t i = 0; i < patients; ++i) facts.patients.emplace_back(as_text(TACENDA_TRY(reader.sized())));
  std::size_t const terms = TACENDA_TRY(reader.u32());
  // No more than the row can hold, whatever it says.
  facts.terms.reserve(std::min(terms, facts.row.size() / kTermBytesMin));
  for (std::size_t i = 0; i < terms; ++i) {
    KeptTerm term;
    term.parameter = TACENDA_TRY(reader.u32());
    term.bytes = as_text(TACENDA_TRY(reader.sized()));
    facts.terms.push_back(term);
  }
  return facts;
}

Bytes index_prefix(std::uint32_t parameter, std::string_view bytes) {
  Bytes key;
  key.reserve(bytes.size() + 13);
  ByteWriter(key).u8('x').u32(parameter).raw(as_bytes(bytes));
  return key;
}

Bytes index_key(std::uint32_t parameter, std::string_view bytes, std::uint64_t document) {
  Bytes key = index_prefix(parameter, bytes);
  ByteWriter(key).u64(document);
  return key;
}

Bytes index_end(std::uint32_t parameter, std::string_view prefix) {
  auto const begin = index_prefix(parameter, prefix);
  return tacenda::to_bytes(after_prefix(std::string(as_text(begin))));
}

Result<IndexRow> parse_index_key(ByteView key) {
  ByteReader reader(key);
  if (TACENDA_TRY(reader.u8()) != 'x') return fail(ErrorKind::kCorrupt, "an index key has another form");
  IndexRow row;
  row.parameter = TACENDA_TRY(reader.u32());
  auto const rest = reader.rest();
  if (rest.size() < 8) return fail(ErrorKind::kCorrupt, "an index key has another form");
  row.bytes = as_text(rest.first(rest.size() - 8));
  ByteReader document(rest.last(8));
  row.document = TACENDA_TRY(document.u64());
  return row;
}

Bytes term_guard(std::uint32_t parameter, std::string_view bytes) {
  Bytes text = index_prefix(parameter, bytes);
  text.front() = std::byte{'?'};  // no row has such a key: the guard can meet no row's guard
  return text;
}

Bytes type_guard(std::string_view type) {
  return tacenda::to_bytes("?" + std::string(type));
}

}  // namespace tacenda::records

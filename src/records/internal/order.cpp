#include "records/internal/order.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <unordered_map>

#include "records/internal/keys.hpp"
#include "records/internal/opened.hpp"

namespace tacenda::records {
namespace {

using fhir::SortKey;

constexpr std::size_t kReadAhead = 256;
// What may have been written since the first page of an order: beyond it, placing that costs more than a new
// search.
constexpr std::size_t kChangesRead = 1'000'000;
constexpr std::size_t kChangesPlaced = 10'000;
// Versions of one resource that are looked at for the one of a moment.
constexpr std::size_t kVersionsBack = 1'000;

/// The number that a span is sorted by: its low end, or the high one of what is open below.
std::optional<std::string> sortable_span(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  bool const is_range = bytes.front() != '\0';
  bytes.remove_prefix(1);
  auto const low = take_text(bytes);
  if (!low.has_value()) return std::nullopt;
  if (!is_range || *low > std::string_view("\x00", 1)) return *low;
  auto const high = take_text(bytes);
  return high.has_value() ? std::optional(*high) : std::nullopt;
}

void take_better(std::optional<std::string>& best, std::optional<std::string> value, bool descending) {
  if (!value) return;
  if (!best || (descending ? *value > *best : *value < *best)) best = std::move(value);
}

/// Of the terms of one resource, in their order.
std::optional<std::string> best_of(auto const& terms, std::uint32_t parameter, bool descending) {
  std::optional<std::string> best;
  bool has_canonical = false;
  for (auto const& term : terms) {
    if (term.parameter != parameter) continue;
    auto const section = static_cast<Section>(term.bytes.front());
    has_canonical = has_canonical || section == Section::kCanonicalQuantity;
    // A quantity stands in the index twice; the canonical form comes first, and its own unit only without
    // one.
    if (has_canonical && section == Section::kQuantity) break;
    take_better(best, sortable(term.bytes), descending);
  }
  return best;
}

std::string bytes_of(Time time) {
  std::string bytes;
  append_u64(bytes, to_unix_ms(time));
  return bytes;
}

/// The values of one key for all documents.
class Column {
 public:
  Column(SearchState const& state, std::string_view type, SortKey const& key)
      : state_(state), key_(key), number_(number_of(type, *key.parameter)) {}

  /// Tokens are not among the facts: their rows are read in one go.
  Result<void> prepare(DocumentSet const& wanted) {
    if (key_.parameter->type != fhir::SearchType::kToken || key_.parameter->code == "_id") return {};
    auto const& index = state_.index();
    for (auto const kind : {Section::kToken, Section::kTextToken}) {
      auto const section = whole_section(static_cast<char>(kind));
      auto cursor =
          index.view.cursor(index_prefix(number_, section.from), index_end(number_, section.from), index.at);
      for (; cursor.valid(); cursor.next()) {
        TACENDA_TRY_VOID(index.budget.spend(1));
        auto const row = TACENDA_TRY(parse_index_key(cursor.key()));
        if (!wanted.contains(row.document)) continue;
        take_better(tokens_[row.document], sortable(row.bytes), key_.descending);
      }
      TACENDA_TRY_VOID(cursor.status());
    }
    return {};
  }

  Result<std::optional<std::string>> value(Candidate& candidate) const {
    if (key_.parameter->code == "_id") return std::optional(TACENDA_TRY(candidate.facts())->id);
    if (key_.parameter->code == "_lastUpdated") return time_of(*TACENDA_TRY(candidate.facts()));
    if (key_.parameter->type == fhir::SearchType::kToken) {
      auto const found = tokens_.find(candidate.document());
      return found == tokens_.end() ? std::nullopt : found->second;
    }
    return best_of(TACENDA_TRY(candidate.facts())->terms, number_, key_.descending);
  }

 private:
  Result<std::optional<std::string>> time_of(DocumentFacts const& facts) const {
    auto const& index = state_.index();
    TACENDA_TRY_VOID(index.budget.spend(1));
    auto const row = TACENDA_TRY(index.view.get(current_key(facts.type, facts.id), &index.at));
    if (!row) return std::nullopt;
    return bytes_of(TACENDA_TRY(parse_row(*row)).time);
  }

  SearchState const& state_;
  SortKey key_;
  std::uint32_t number_;
  std::unordered_map<std::uint64_t, std::optional<std::string>> tokens_;
};

/// Resources with a version behind `as_of`, and the first such version of each.
Result<std::map<std::string, std::uint64_t>> written_since(SearchState const& state, std::string_view type,
                                                           std::uint64_t as_of) {
  auto const& index = state.index();
  std::map<std::string, std::uint64_t> written;
  std::size_t placed = 0;
  Bytes const end = tacenda::to_bytes(after_prefix(std::string(as_text(history_prefix(type)))));
  auto cursor = index.view.cursor(history_key_at(type, as_of + 1), end, index.at);
  for (std::size_t rows = 0; cursor.valid(); cursor.next(), ++rows) {
    TACENDA_TRY_VOID(index.budget.spend(1));
    ByteReader reader(cursor.value());
    std::uint64_t const version = TACENDA_TRY(reader.u64());
    bool const is_first = written.emplace(as_text(reader.rest()), version).second;
    if (is_first && version > 1) ++placed;
    if (rows == kChangesRead || placed == kChangesPlaced)
      return fail(ErrorKind::kGone, "too much was written since the first page: search again");
  }
  TACENDA_TRY_VOID(cursor.status());
  return written;
}

Result<RowHeader> header_of(std::optional<Bytes> const& row) {
  if (!row) return fail(ErrorKind::kCorrupt, "a version is missing from a history");
  return parse_row(*row);
}

}  // namespace

bool comes_before(std::vector<SortKey> const& keys, SortedRow const& a, SortedRow const& b) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto const& left = a.values[i];
    auto const& right = b.values[i];
    if (left.has_value() != right.has_value()) return left.has_value();
    if (!left || *left == *right) continue;
    return keys[i].descending ? *left > *right : *left < *right;
  }
  return a.document < b.document;
}

std::optional<std::string> sortable(std::string_view term) {
  auto const section = static_cast<Section>(term.front());
  std::string_view rest = term.substr(1);
  switch (section) {
    case Section::kDate:
      return std::string(rest.substr(1, 8));  // where it begins
    case Section::kString:
    case Section::kReference:
    case Section::kNested:
    case Section::kCanonical:
    case Section::kUri:
    case Section::kToken:
    case Section::kTextToken: {
      if (section == Section::kReference && rest.starts_with("*/")) return std::nullopt;
      auto const text = take_text(rest);
      return text.has_value() ? std::optional(*text) : std::nullopt;
    }
    case Section::kNumber:
      return sortable_span(rest);
    case Section::kCanonicalQuantity:
    case Section::kQuantity:
      return take_text(rest).has_value() ? sortable_span(rest) : std::nullopt;
    default:
      return std::nullopt;
  }
}

Result<std::vector<SortedRow>> rows_of(SearchState& state, std::string_view type,
                                       std::vector<SortKey> const& keys,
                                       std::vector<std::uint64_t> const& documents) {
  DocumentSet wanted;
  for (auto const document : documents) wanted.add(document);
  std::vector<Column> columns;
  for (auto const& key : keys) {
    columns.emplace_back(state, type, key);
    TACENDA_TRY_VOID(columns.back().prepare(wanted));
  }
  std::vector<SortedRow> rows;
  rows.reserve(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (i % kReadAhead == 0) {
      TACENDA_TRY_VOID(state.read_ahead(
          std::span(documents).subspan(i).first(std::min(kReadAhead, documents.size() - i))));
    }
    Candidate candidate(state, documents[i]);
    SortedRow row{documents[i], {}};
    for (auto const& column : columns) row.values.push_back(TACENDA_TRY(column.value(candidate)));
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<SortValues> values_of(SearchState const& state, std::vector<SortKey> const& keys,
                             RowPlace const& place, RowHeader const& header) {
  std::optional<std::vector<Term>> terms;
  SortValues values;
  for (auto const& key : keys) {
    if (key.parameter->code == "_id") {
      values.emplace_back(place.id);
    } else if (key.parameter->code == "_lastUpdated") {
      values.emplace_back(bytes_of(header.time));
    } else {
      if (!terms) terms = TACENDA_TRY(terms_of_version(state, place, header));
      values.push_back(best_of(*terms, number_of(place.type, *key.parameter), key.descending));
    }
  }
  return values;
}

Result<std::optional<SortValues>> values_then(SearchState const& state, std::vector<SortKey> const& keys,
                                              std::uint64_t document, std::uint64_t as_of) {
  auto const& index = state.index();
  auto const facts = TACENDA_TRY(state.facts_of(document));
  if (!facts) return std::nullopt;
  auto row = TACENDA_TRY(index.view.get(current_key(facts->type, facts->id), &index.at));
  auto header = TACENDA_TRY(header_of(row));
  for (std::size_t back = 0; header.sequence > as_of; ++back) {
    if (back == kVersionsBack || header.version == 1) return std::nullopt;
    TACENDA_TRY_VOID(index.budget.spend(1));
    row = TACENDA_TRY(index.view.get(version_key(facts->type, facts->id, header.version - 1), &index.at));
    header = TACENDA_TRY(header_of(row));
  }
  if (header.deleted) return std::nullopt;
  auto values = values_of(state, keys, {facts->type, facts->id}, header);
  if (values.has_value()) return std::move(*values);
  if (values.error().kind() == ErrorKind::kGone) return std::nullopt;
  return std::unexpected(values.error());
}

Result<void> add_changes(SearchState const& state, Matcher& matcher, std::vector<SortKey> const& keys,
                         std::uint64_t as_of, Changes& changes) {
  auto const& index = state.index();
  for (auto const& [id, version] : TACENDA_TRY(written_since(state, matcher.type(), as_of))) {
    if (version == 1) continue;  // it was not there: its document number tells
    auto const current = TACENDA_TRY(index.view.get(current_key(matcher.type(), id), &index.at));
    auto const header = TACENDA_TRY(header_of(current));
    if (header.deleted) continue;
    std::uint64_t const document = header.document_number();
    changes.changed.add(document);
    Candidate candidate(state, document);
    if (!TACENDA_TRY(matcher.holds(candidate))) continue;
    auto const row = TACENDA_TRY(index.view.get(version_key(matcher.type(), id, version - 1), &index.at));
    auto const then = TACENDA_TRY(header_of(row));
    if (then.deleted) continue;
    auto values = values_of(state, keys, {matcher.type(), id}, then);
    if (values.has_value()) {
      changes.rows.push_back({document, std::move(*values)});
    } else if (values.error().kind() != ErrorKind::kGone) {
      return std::unexpected(values.error());
    }
  }
  return {};
}

}  // namespace tacenda::records

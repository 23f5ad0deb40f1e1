#include "records/internal/order.hpp"

#include <algorithm>
#include <unordered_map>

#include "records/internal/keys.hpp"
#include "records/internal/row.hpp"

namespace tacenda::records {
namespace {

using fhir::SortKey;

constexpr std::size_t kReadAhead = 256;

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

/// What a term is sorted by; nullopt: nothing (the same value again in another form).
std::optional<std::string> sortable(std::string_view bytes) {
  auto const section = static_cast<Section>(bytes.front());
  std::string_view rest = bytes.substr(1);
  switch (section) {
    case Section::kDate:
      return std::string(rest.substr(1, 8));  // where it begins
    case Section::kString:
    case Section::kReference:
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

void take_better(std::optional<std::string>& best, std::optional<std::string> value, bool descending) {
  if (!value) return;
  if (!best || (descending ? *value > *best : *value < *best)) best = std::move(value);
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
    std::optional<std::string> best;
    for (auto const& term : TACENDA_TRY(candidate.facts())->terms) {
      if (term.parameter != number_) continue;
      // A quantity stands in the index twice; the canonical form comes first, and its own unit only without
      // one.
      if (best && term.bytes.front() == static_cast<char>(Section::kQuantity)) break;
      take_better(best, sortable(term.bytes), key_.descending);
    }
    return best;
  }

 private:
  Result<std::optional<std::string>> time_of(DocumentFacts const& facts) const {
    auto const& index = state_.index();
    auto const row = TACENDA_TRY(index.view.get(current_key(facts.type, facts.id), &index.at));
    if (!row) return std::nullopt;
    std::string bytes;
    append_u64(bytes, to_unix_ms(TACENDA_TRY(parse_row(*row)).time));
    return bytes;
  }

  SearchState const& state_;
  SortKey key_;
  std::uint32_t number_;
  std::unordered_map<std::uint64_t, std::optional<std::string>> tokens_;
};

struct Row {
  std::uint64_t document = 0;
  std::vector<std::optional<std::string>> values;
};

bool comes_before(std::vector<SortKey> const& keys, Row const& a, Row const& b) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto const& left = a.values[i];
    auto const& right = b.values[i];
    if (left.has_value() != right.has_value()) return left.has_value();
    if (!left || *left == *right) continue;
    return keys[i].descending ? *left > *right : *left < *right;
  }
  return a.document < b.document;
}

}  // namespace

Result<std::vector<std::uint64_t>> sorted(SearchState& state, std::string_view type,
                                          std::vector<SortKey> const& keys,
                                          std::vector<std::uint64_t> documents) {
  DocumentSet wanted;
  for (auto const document : documents) wanted.add(document);
  std::vector<Column> columns;
  for (auto const& key : keys) {
    columns.emplace_back(state, type, key);
    TACENDA_TRY_VOID(columns.back().prepare(wanted));
  }
  std::vector<Row> rows;
  rows.reserve(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (i % kReadAhead == 0) {
      TACENDA_TRY_VOID(state.read_ahead(
          std::span(documents).subspan(i).first(std::min(kReadAhead, documents.size() - i))));
    }
    auto const document = documents[i];
    Candidate candidate(state, document);
    Row row{document, {}};
    for (auto const& column : columns) row.values.push_back(TACENDA_TRY(column.value(candidate)));
    rows.push_back(std::move(row));
  }
  std::ranges::sort(rows, [&](Row const& a, Row const& b) { return comes_before(keys, a, b); });
  std::ranges::transform(rows, documents.begin(), &Row::document);
  return documents;
}

}  // namespace tacenda::records

// _lastUpdated: versions get their time in commit order, so a time is a place in the history of a type.
#include <algorithm>

#include "core/bytes.hpp"
#include "records/internal/condition.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/row.hpp"

namespace tacenda::records {
namespace {

using fhir::DateRange;
using fhir::Prefix;

/// Milliseconds of an answer, both ends in it.
struct Span {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

constexpr std::int64_t kEver = INT64_MAX / 2;
constexpr std::uint64_t kBeyond = 1'024;

std::int64_t floor_ms(std::int64_t microseconds) {
  return microseconds >= 0 ? microseconds / 1'000 : -((-microseconds + 999) / 1'000);
}

/// A time of the server is an instant of one millisecond, so most prefixes say the same of it.
void add_spans(Prefix prefix, DateRange asked, std::int64_t now_ms, std::vector<Span>& spans) {
  std::int64_t const low = floor_ms(asked.low + 999);
  std::int64_t const high = floor_ms(asked.high);
  switch (prefix) {
    case Prefix::kEq:
      return spans.push_back({low, high});
    case Prefix::kNe:
      spans.push_back({-kEver, low - 1});
      return spans.push_back({high + 1, kEver});
    case Prefix::kGt:
    case Prefix::kSa:
      return spans.push_back({high + 1, kEver});
    case Prefix::kGe:
      return spans.push_back({low, kEver});
    case Prefix::kLt:
    case Prefix::kEb:
      return spans.push_back({-kEver, low - 1});
    case Prefix::kLe:
      return spans.push_back({-kEver, high});
    case Prefix::kAp: {
      auto const gap = [&](std::int64_t edge) {
        return (edge > now_ms ? edge - now_ms : now_ms - edge) / 10;
      };
      return spans.push_back({low - gap(low), high + gap(high)});
    }
  }
}

/// When the first version of the history at or after `sequence` was written; nullopt: there is none.
Result<std::optional<std::int64_t>> time_from(IndexReader const& index, std::string_view type,
                                              std::uint64_t sequence) {
  TACENDA_TRY_VOID(index.budget.spend(1));
  Bytes const end = tacenda::to_bytes(after_prefix(std::string(as_text(history_prefix(type)))));
  auto const cursor = index.view.cursor(history_key_at(type, sequence), end, index.at);
  if (!cursor.valid()) {
    TACENDA_TRY_VOID(cursor.status());
    return std::nullopt;
  }
  ByteReader reader(cursor.value());
  std::uint64_t const version = TACENDA_TRY(reader.u64());
  auto const id = as_text(reader.rest());
  auto row = TACENDA_TRY(index.view.get(version_key(type, id, version), &index.at));
  if (!row) row = TACENDA_TRY(index.view.get(current_key(type, id), &index.at));
  if (!row) return fail(ErrorKind::kCorrupt, "a version is missing from a history");
  return static_cast<std::int64_t>(to_unix_ms(TACENDA_TRY(parse_row(*row)).time));
}

class LastUpdatedCondition final : public Condition {
 public:
  LastUpdatedCondition(SearchState const& state, std::string_view type, std::vector<Span> spans)
      : state_(state), type_(type), spans_(std::move(spans)) {}

  bool is_seekable() const override { return false; }

  Result<std::uint64_t> count_rows(std::uint64_t limit) override {
    std::uint64_t rows = 0;
    auto const count = [&](ByteView, ByteView) -> Result<bool> { return ++rows < limit; };
    for (auto const& span : spans_) {
      if (rows >= limit) break;
      TACENDA_TRY_VOID(walk(span, count));
    }
    return std::min(rows, limit);
  }

  Result<std::unique_ptr<DocumentStream>> open() override {
    DocumentSet documents;
    auto const add = [&](ByteView, ByteView value) -> Result<bool> {
      ByteReader reader(value);
      std::uint64_t const version = TACENDA_TRY(reader.u64());
      auto const row = TACENDA_TRY(index().view.get(current_key(type_, as_text(reader.rest())), &index().at));
      if (!row) return true;
      auto const header = TACENDA_TRY(parse_row(*row));
      if (!header.deleted && header.version == version) documents.add(header.document_number());
      return true;
    };
    for (auto const& span : spans_) TACENDA_TRY_VOID(walk(span, add));
    return set_stream(std::move(documents));
  }

  Result<bool> holds(Candidate& candidate) override {
    auto const* facts = TACENDA_TRY(candidate.facts());
    TACENDA_TRY_VOID(index().budget.spend(1));
    auto const row = TACENDA_TRY(index().view.get(current_key(facts->type, facts->id), &index().at));
    if (!row) return false;
    auto const time = static_cast<std::int64_t>(to_unix_ms(TACENDA_TRY(parse_row(*row)).time));
    return std::ranges::any_of(spans_, [&](Span span) { return time >= span.first && time <= span.last; });
  }

  std::string_view kind() const override { return "last-updated"; }

 private:
  IndexReader const& index() const { return state_.index(); }

  /// Calls `visit` with the history rows of the span.
  Result<void> walk(Span span, std::function<Result<bool>(ByteView, ByteView)> const& visit) const {
    if (span.first > span.last) return {};
    std::uint64_t const begin = TACENDA_TRY(history_sequence_at(state_, type_, span.first));
    std::uint64_t const end = TACENDA_TRY(history_sequence_at(state_, type_, span.last + 1));
    if (begin >= end) return {};
    auto cursor = index().view.cursor(history_key_at(type_, begin), history_key_at(type_, end), index().at);
    for (; cursor.valid(); cursor.next()) {
      TACENDA_TRY_VOID(index().budget.spend(1));
      if (!TACENDA_TRY(visit(cursor.key(), cursor.value()))) return {};
    }
    return cursor.status();
  }

  SearchState const& state_;
  std::string type_;
  std::vector<Span> spans_;
};

}  // namespace

Result<std::uint64_t> history_sequence_at(SearchState const& state, std::string_view type, std::int64_t ms) {
  auto const& index = state.index();
  std::uint64_t low = 0;
  std::uint64_t high = index.at.sequence() + 1;  // the snapshot may show a little more: looked at below
  while (TACENDA_TRY(time_from(index, type, high))) high += kBeyond;
  while (low < high) {
    std::uint64_t const middle = low + (high - low) / 2;
    auto const time = TACENDA_TRY(time_from(index, type, middle));
    if (!time || *time >= ms) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

std::unique_ptr<Condition> last_updated_condition(SearchState const& state, std::string_view type,
                                                  std::vector<fhir::SearchValue> const& values) {
  std::vector<Span> spans;
  auto const now = static_cast<std::int64_t>(to_unix_ms(state.query().now));
  for (auto const& value : values) {
    if (auto const asked = fhir::parse_date_range(value.text)) add_spans(value.prefix, *asked, now, spans);
  }
  return std::make_unique<LastUpdatedCondition>(state, type, std::move(spans));
}

}  // namespace tacenda::records

#include "records/internal/documents.hpp"

#include <algorithm>

#include "core/process.hpp"
#include "records/internal/facts.hpp"

namespace tacenda::records {
namespace {

// A range that holds no more terms than this is read term by term, and so in document order.
constexpr std::size_t kFewTerms = 16;
constexpr std::uint64_t kRefusedUntilSeek = 16;  // rows of a term nobody wants that cost as much as one seek
constexpr std::uint64_t kSpentAtOnce = 1'024;
constexpr std::uint64_t kWatchedRows = 4'096;

class TermStream final : public DocumentStream {
 public:
  TermStream(IndexReader const& reader, std::uint32_t parameter, TermRange range)
      : prefix_(index_prefix(parameter, range.from)),
        range_(std::move(range)),
        budget_(reader.budget),
        cursor_(reader.view.cursor(prefix_, index_end(parameter, range_.from), reader.at)) {}

  Result<std::optional<std::uint64_t>> at_or_after(std::uint64_t from) override {
    // Most steps are to the next row: look there before searching.
    if (current_ && *current_ >= from) return current_;
    if (current_ && cursor_.valid()) {
      cursor_.next();
      TACENDA_TRY_VOID(settle());
      if (!current_ || *current_ >= from) return current_;
    }
    if (ended_) return std::nullopt;
    if (from > 0) {
      Bytes key = prefix_;
      ByteWriter(key).u64(from);
      cursor_.seek(key);
    }
    TACENDA_TRY_VOID(settle());
    return current_;
  }

  Result<std::uint64_t> count(std::uint64_t from) override {
    if (range_.accepts) return DocumentStream::count(from);
    if (!TACENDA_TRY(at_or_after(from))) return 0;
    std::uint64_t rows = 0;
    for (; cursor_.valid(); cursor_.next()) {
      if (++rows % kSpentAtOnce == 0) TACENDA_TRY_VOID(budget_.spend(kSpentAtOnce));
    }
    TACENDA_TRY_VOID(cursor_.status());
    ended_ = true;
    current_.reset();
    return rows;
  }

 private:
  /// Reads the row that the cursor stands on, or the next one that is wanted.
  Result<void> settle() {
    for (;; cursor_.next()) {
      TACENDA_TRY_VOID(budget_.spend(1));
      if (!cursor_.valid()) {
        TACENDA_TRY_VOID(cursor_.status());
        current_.reset();
        ended_ = true;
        return {};
      }
      auto const row = TACENDA_TRY(parse_index_key(cursor_.key()));
      if (range_.accepts && !range_.accepts(row.bytes, as_text(cursor_.value()))) continue;
      current_ = row.document;
      return {};
    }
  }

  Bytes prefix_;
  TermRange range_;
  Budget& budget_;
  vault::ViewCursor cursor_;
  std::optional<std::uint64_t> current_;
  bool ended_ = false;
};

class UnionStream final : public DocumentStream {
 public:
  explicit UnionStream(std::vector<std::unique_ptr<DocumentStream>> streams) {
    for (auto& stream : streams) heads_.push_back({0, std::move(stream)});
  }

  Result<std::optional<std::uint64_t>> at_or_after(std::uint64_t from) override {
    // A stream that was never asked stands at 0: the first call asks them all.
    while (!heads_.empty() && (heads_.front().document < from || !asked_)) {
      if (!asked_) {
        TACENDA_TRY_VOID(ask_all(from));
        continue;
      }
      std::ranges::pop_heap(heads_, std::ranges::greater(), &Head::document);
      auto const document = TACENDA_TRY(heads_.back().stream->at_or_after(from));
      if (!document) {
        heads_.pop_back();
        continue;
      }
      heads_.back().document = *document;
      std::ranges::push_heap(heads_, std::ranges::greater(), &Head::document);
    }
    if (heads_.empty()) return std::nullopt;
    return heads_.front().document;
  }

 private:
  struct Head {
    std::uint64_t document = 0;
    std::unique_ptr<DocumentStream> stream;
  };

  Result<void> ask_all(std::uint64_t from) {
    std::vector<Head> living;
    for (auto& head : heads_) {
      auto const document = TACENDA_TRY(head.stream->at_or_after(from));
      if (document) living.push_back({*document, std::move(head.stream)});
    }
    heads_ = std::move(living);
    std::ranges::make_heap(heads_, std::ranges::greater(), &Head::document);
    asked_ = true;
    return {};
  }

  std::vector<Head> heads_;  // a heap, the least document first
  bool asked_ = false;
};

class IntersectionStream final : public DocumentStream {
 public:
  explicit IntersectionStream(std::vector<std::unique_ptr<DocumentStream>> streams)
      : streams_(std::move(streams)) {}

  Result<std::optional<std::uint64_t>> at_or_after(std::uint64_t from) override {
    for (;;) {
      std::uint64_t const wanted = from;
      for (auto& stream : streams_) {
        auto const document = TACENDA_TRY(stream->at_or_after(from));
        if (!document) return std::nullopt;
        from = *document;
      }
      if (from == wanted) return from;
    }
  }

 private:
  std::vector<std::unique_ptr<DocumentStream>> streams_;
};

class SetStream final : public DocumentStream {
 public:
  explicit SetStream(DocumentSet set) : set_(std::move(set)), place_(set_.begin()) {}

  Result<std::optional<std::uint64_t>> at_or_after(std::uint64_t from) override {
    if (place_ == set_.end()) return std::nullopt;
    if (*place_ < from && !place_.move(from)) return std::nullopt;
    return *place_;
  }

 private:
  DocumentSet set_;
  DocumentSet::const_iterator place_;
};

/// The single terms of a range, when they are few.
Result<std::optional<std::vector<TermRange>>> few_terms(IndexReader const& reader, std::uint32_t parameter,
                                                        TermRange const& range) {
  std::vector<TermRange> terms;
  std::size_t looked_at = 0;
  Bytes const end = range.to.empty() ? index_end(parameter, {}) : index_prefix(parameter, range.to);
  auto cursor = reader.view.cursor(index_prefix(parameter, range.from), end, reader.at);
  while (cursor.valid()) {
    TACENDA_TRY_VOID(reader.budget.spend(1));
    auto const row = TACENDA_TRY(parse_index_key(cursor.key()));
    if (++looked_at > kFewTerms) return std::nullopt;
    std::string term(row.bytes);
    std::string after = after_prefix(term);
    bool const wanted = !range.accepts || range.accepts(term, {});
    cursor.seek(index_prefix(parameter, after));
    if (wanted) terms.push_back({std::move(term), std::move(after), true, {}});
  }
  TACENDA_TRY_VOID(cursor.status());
  return terms;
}

}  // namespace

Result<std::uint64_t> DocumentStream::count(std::uint64_t from) {
  for (std::uint64_t counted = 0;; ++counted) {
    auto const document = TACENDA_TRY(at_or_after(from));
    if (!document) return counted;
    from = *document + 1;
  }
}

Result<void> Budget::spend(std::uint64_t rows) {
  spent_ += rows;
  if (rows > left_) return fail(ErrorKind::kTooCostly, "this search would read too much: make it narrower");
  left_ -= rows;
  if (!watch_ || spent_ < watched_at_) return {};
  watched_at_ = spent_ + kWatchedRows;
  return watch_();
}

std::unique_ptr<DocumentStream> term_stream(IndexReader const& reader, std::uint32_t parameter,
                                            TermRange const& range) {
  TACENDA_ASSERT(range.one_term);
  return std::make_unique<TermStream>(reader, parameter, range);
}

std::unique_ptr<DocumentStream> union_stream(std::vector<std::unique_ptr<DocumentStream>> streams) {
  if (streams.size() == 1) return std::move(streams.front());
  return std::make_unique<UnionStream>(std::move(streams));
}

std::unique_ptr<DocumentStream> intersection_stream(std::vector<std::unique_ptr<DocumentStream>> streams) {
  TACENDA_ASSERT(!streams.empty());
  if (streams.size() == 1) return std::move(streams.front());
  return std::make_unique<IntersectionStream>(std::move(streams));
}

std::unique_ptr<DocumentStream> set_stream(DocumentSet set) {
  return std::make_unique<SetStream>(std::move(set));
}

Result<bool> collect(IndexReader const& reader, std::uint32_t parameter, TermRange const& range,
                     std::uint64_t limit, DocumentSet& out) {
  Bytes const end = range.to.empty() ? index_end(parameter, {}) : index_prefix(parameter, range.to);
  auto cursor = reader.view.cursor(index_prefix(parameter, range.from), end, reader.at);
  std::string term;
  bool wanted = true;
  std::uint64_t refused = 0;  // rows of `term`
  for (std::uint64_t rows = 0; cursor.valid(); ++rows) {
    if (rows == limit) return false;
    TACENDA_TRY_VOID(reader.budget.spend(1));
    auto const row = TACENDA_TRY(parse_index_key(cursor.key()));
    if (range.accepts && (range.one_term || row.bytes != term)) {
      term = row.bytes;
      wanted = range.accepts(term, as_text(cursor.value()));
      refused = 0;
    }
    if (wanted) {
      out.add(row.document);
    } else if (!range.one_term && ++refused == kRefusedUntilSeek) {
      cursor.seek(index_prefix(parameter, after_prefix(term)));
      continue;
    }
    cursor.next();
  }
  TACENDA_TRY_VOID(cursor.status());
  return true;
}

Result<std::uint64_t> count_rows(IndexReader const& reader, std::uint32_t parameter,
                                 std::vector<TermRange> const& ranges, std::uint64_t limit) {
  std::uint64_t rows = 0;
  for (auto const& range : ranges) {
    Bytes const end = range.to.empty() ? index_end(parameter, {}) : index_prefix(parameter, range.to);
    auto cursor = reader.view.cursor(index_prefix(parameter, range.from), end, reader.at);
    for (; cursor.valid() && rows < limit; cursor.next()) ++rows;
    TACENDA_TRY_VOID(cursor.status());
    if (rows >= limit) break;
  }
  TACENDA_TRY_VOID(reader.budget.spend(rows));
  return rows;
}

Result<std::unique_ptr<DocumentStream>> ranges_stream(IndexReader const& reader, std::uint32_t parameter,
                                                      std::vector<TermRange> const& ranges) {
  std::vector<std::unique_ptr<DocumentStream>> streams;
  DocumentSet collected;
  bool any_collected = false;
  for (auto const& range : ranges) {
    if (range.one_term && ranges.size() <= kTermsSideBySide) {
      streams.push_back(term_stream(reader, parameter, range));
      continue;
    }
    if (range.one_term) {
      TACENDA_TRY_VOID(collect(reader, parameter, range, UINT64_MAX, collected));
      any_collected = true;
      continue;
    }
    if (auto const terms = TACENDA_TRY(few_terms(reader, parameter, range))) {
      for (auto const& term : *terms) streams.push_back(term_stream(reader, parameter, term));
      continue;
    }
    TACENDA_TRY_VOID(collect(reader, parameter, range, UINT64_MAX, collected));
    any_collected = true;
  }
  if (any_collected || streams.empty()) streams.push_back(set_stream(std::move(collected)));
  return union_stream(std::move(streams));
}

}  // namespace tacenda::records

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <roaring/roaring64map.hh>

#include "core/error.hpp"
#include "records/internal/term_query.hpp"
#include "records/stored.hpp"
#include "vault/view.hpp"

namespace tacenda::records {

/// Numbers of documents. The library's class copies itself whole where it should move.
class DocumentSet : public Roaring64Map {
 public:
  DocumentSet() = default;
  DocumentSet(DocumentSet const&) = default;
  DocumentSet& operator=(DocumentSet const&) = default;
  DocumentSet(DocumentSet&& other) noexcept { swap(other); }
  DocumentSet& operator=(DocumentSet&& other) noexcept {
    swap(other);
    return *this;
  }
  ~DocumentSet() = default;
};

/// What one search may cost. Owner: one thread.
class Budget {
 public:
  /// `watch` (empty: none) is asked at the first row and then every some thousand whether to go on: rows that
  /// are slow to read must not hold a worker for good.
  explicit Budget(std::uint64_t rows, Watch watch = {}) : left_(rows), watch_(std::move(watch)) {}
  /// Errors: kTooCostly, those of the watch.
  Result<void> spend(std::uint64_t rows);
  std::uint64_t spent() const { return spent_; }

 private:
  std::uint64_t left_;
  std::uint64_t spent_ = 0;
  std::uint64_t watched_at_ = 0;  // rows spent when the watch is asked next
  Watch watch_;
};

/// Document numbers in ascending order. Owner: one thread; must not outlive what it reads.
class DocumentStream {
 public:
  DocumentStream() = default;
  DocumentStream(DocumentStream const&) = delete;
  DocumentStream& operator=(DocumentStream const&) = delete;
  virtual ~DocumentStream() = default;

  /// The first document at or after `from`; nullopt: there is none. Calls go upwards.
  virtual Result<std::optional<std::uint64_t>> at_or_after(std::uint64_t from) = 0;
  /// How many there are at or after `from`; the stream is used up.
  virtual Result<std::uint64_t> count(std::uint64_t from);
};

/// Where the index is read: one state of one view.
struct IndexReader {
  vault::View const& view;
  vault::ReadPoint const& at;
  Budget& budget;
};

/// The documents of one term.
std::unique_ptr<DocumentStream> term_stream(IndexReader const& reader, std::uint32_t parameter,
                                            TermRange const& range);
/// Those of any of the streams.
std::unique_ptr<DocumentStream> union_stream(std::vector<std::unique_ptr<DocumentStream>> streams);
/// Those of all of the streams; at least one (asserted).
std::unique_ptr<DocumentStream> intersection_stream(std::vector<std::unique_ptr<DocumentStream>> streams);
/// Those of a set.
std::unique_ptr<DocumentStream> set_stream(DocumentSet set);

/// How many single terms are read side by side: each holds a cursor open and is asked at each step. More of
/// them, as value sets come to, are read one after the other.
inline constexpr std::size_t kTermsSideBySide = 64;

/// The documents of any of the ranges. Reads a range that is no single term, and not few of them, at once.
Result<std::unique_ptr<DocumentStream>> ranges_stream(IndexReader const& reader, std::uint32_t parameter,
                                                      std::vector<TermRange> const& ranges);
/// Adds the documents of a range to `out`; gives up after `limit` rows: false.
Result<bool> collect(IndexReader const& reader, std::uint32_t parameter, TermRange const& range,
                     std::uint64_t limit, DocumentSet& out);
/// How many rows the ranges have, counted up to `limit`.
Result<std::uint64_t> count_rows(IndexReader const& reader, std::uint32_t parameter,
                                 std::vector<TermRange> const& ranges, std::uint64_t limit);

}  // namespace tacenda::records

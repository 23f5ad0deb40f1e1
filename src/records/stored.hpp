#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"

/// What the store gives.
namespace tacenda::records {

/// Asked now and then by work that reads many rows, whether to go on; its error ends the work.
using Watch = std::function<Result<void>()>;

/// One version as it leaves the store.
struct StoredVersion {
  std::string type;
  std::string id;
  std::uint64_t version = 0;
  Time last_updated{};
  bool deleted = false;
  std::vector<std::string> patients;  // logical ids of its compartments
  std::string json;                   // empty when deleted
  /// Of a Binary that was read apart: how much it holds, which is not in `json` (Store::content).
  std::optional<std::uint64_t> content_bytes = {};
};

/// How what a Binary holds is given. Only what is large lies apart: what does not is in the text always.
enum class ContentForm : std::uint8_t {
  kInText,  // as `data`, as FHIR has it
  kApart,   // piece by piece, as far as the Permit shows the resource whole
};

/// Bytes of a content.
struct ContentRange {
  std::uint64_t first = 0;
  std::size_t size = 0;
};

/// Where a history listing stands: entries older than this come next.
struct HistoryPosition {
  std::uint64_t before_sequence = 0;  // 0: from the newest
  std::uint64_t before_version = 0;   // instance level
};

/// Which versions a history lists; both may be asked. Source: R4 http.html#history.
struct HistoryWindow {
  struct Span {
    Time from;
    Time until;  // not in it
  };
  std::optional<Time> since;  // made at that time or later
  std::optional<Span> at;     // current at some time of it

  bool is_whole() const { return !since && !at; }
};

struct HistoryPage {
  std::vector<StoredVersion> entries;  // newest first
  std::optional<HistoryPosition> next;
};

/// What a resource is sorted by: bytes that compare as the values do, for each key; nullopt: it has none.
using SortValues = std::vector<std::optional<std::string>>;

/// Where a search goes on. The default: at its beginning.
struct SearchPosition {
  std::uint64_t query = 0;  // index of the query that goes on; those before it are done
  std::uint64_t after = 0;  // document number of the last match shown; 0: none yet
  std::uint64_t shown = 0;  // matches shown so far
  // Of a sorted search:
  std::uint64_t as_of = 0;           // audit sequence of the state whose order it is
  SortValues values;                 // what the last match shown is sorted by; empty: too long to be kept
  std::array<std::byte, 16> list{};  // an order that was kept; zeros: none
  std::uint64_t list_at = 0;         // where it goes on
};

/// One step of how a search was made, for `explain`.
struct SearchStep {
  std::string_view kind;  // of the condition
  std::string_view use;   // "walked", "read" or "tested"
  std::uint64_t rows = 0;
};

struct SearchPage {
  std::vector<StoredVersion> matches;   // in order
  std::vector<StoredVersion> included;  // each once, and none of the matches
  std::optional<std::uint64_t> total;   // of all matches, where it was asked for or costs nothing
  std::optional<SearchPosition> next;
  bool includes_cut = false;  // more would have been included than limits::kSearchIncluded
  std::vector<SearchStep> steps;
  std::uint64_t rows_read = 0;
};

/// What resources have in their meta, each value once.
struct MetaInUse {
  struct Label {
    std::string system;  // empty: none
    std::string code;

    friend auto operator<=>(Label const&, Label const&) = default;
  };
  std::set<std::string> profiles;
  std::set<Label> security;
  std::set<Label> tags;
  /// Patients of the resources that show it, where not every resource of their types may be seen.
  std::set<std::string> patients;
};

/// About how many bytes on disk the rows of a store take.
struct StoredBytes {
  std::uint64_t versions = 0;  // current and older ones, without what lies in chunks
  std::uint64_t contents = 0;  // chunks of what Binaries hold
  std::uint64_t index = 0;     // of searches and histories
};

/// A living resource by its place alone.
struct Located {
  std::string id;
  std::uint64_t version = 0;

  friend bool operator==(Located const& a, Located const& b) = default;
};

}  // namespace tacenda::records

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/search_query.hpp"
#include "records/internal/condition.hpp"

namespace tacenda::records {

/// The resources of a type in the order of one sort key, read from the index as far as is asked for. A
/// resource with several values comes with each of them; one without a value does not come.
///
/// Owner: one thread; must not outlive the state.
class KeyWalk {
 public:
  struct Group {
    std::string value;                     // as SortValues hold it
    std::vector<std::uint64_t> documents;  // ascending, each once
    bool is_whole = true;                  // false: more than `limit` rows have this value
  };

  /// True when the index has the key's values in their order, and facts tell which of several counts.
  static bool serves(fhir::SortKey const& key);
  /// Begins with the value `from`, or with the first one. Asserted: serves. Errors: kCorrupt, kTooCostly.
  static Result<KeyWalk> make(SearchState const& state, std::string_view type, fhir::SortKey const& key,
                              std::optional<std::string> const& from);

  /// The documents of the next value; nullopt: there are no more. Errors: kCorrupt, kTooCostly.
  Result<std::optional<Group>> next(std::size_t limit);

 private:
  struct Entry {
    std::string value;
    std::uint64_t document = 0;
  };
  /// What a row tells; nullopt: nothing.
  using Parse = std::function<Result<std::optional<Entry>>(ByteView key, ByteView value)>;
  /// Rows with one prefix, some of them read ahead. Dates lie in one lane for each width.
  struct Lane {
    Bytes prefix;
    Bytes from;  // where reading goes on; empty: at the beginning
    std::deque<Entry> entries;
    bool is_read = false;  // to its end
  };

  KeyWalk(SearchState const& state, bool descending, Parse parse)
      : state_(&state), descending_(descending), parse_(std::move(parse)) {}
  void add_lane(Bytes prefix, Bytes from) {
    lanes_.push_back({std::move(prefix), std::move(from), {}, false});
  }
  void add_term_lanes(std::uint32_t parameter, fhir::SortKey const& key,
                      std::optional<std::string> const& from);
  Result<void> read(Lane& lane);
  /// The lane with the entry that comes next; nullptr: all are at their end.
  Result<Lane*> first();

  SearchState const* state_;
  bool descending_;
  Parse parse_;
  std::vector<Lane> lanes_;
};

}  // namespace tacenda::records

#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "audit/internal/log_state.hpp"

namespace tacenda::audit {

/// Recomputes the whole log from its entries and compares everything that is stored with it.
///
/// Owner: one call of Log::verify.
class Verifier {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  explicit Verifier(LogState const& log) : log_(log) {}

  /// Errors: kUnavailable; damage is in the result.
  Result<std::vector<Log::Damage>> run(Progress const& progress);

 private:
  static constexpr std::size_t kDamagesMax = 10'000;  // enough to act on; a lost disk has millions

  struct Level {
    std::uint64_t index = 0;  // of the growing tile
    std::vector<Digest> hashes;
  };
  /// A stored tile that differs from what the entries give.
  struct Difference {
    merkle::TileId tile;
    std::vector<Digest> stored;
    std::vector<Digest> computed;
  };

  void damaged(std::string const& object, std::string_view problem);
  Result<void> note(std::string const& object, Error const& error);

  Result<void> read_anchored();
  void check_anchored();
  Result<void> check_head();
  Result<void> check_entries(Progress const& progress);
  Result<void> check_entry(std::uint64_t sequence, ByteView bytes);
  Result<void> check_query(std::uint64_t sequence, QueryMark const& mark);
  Result<void> check_query_rows();
  Result<void> check_index_of(Entry const& entry);
  Result<bool> has_row(Bytes prefix, std::uint64_t sequence) const;
  Result<void> missing(std::uint64_t begin, std::uint64_t end);
  Result<void> append(Digest const& leaf_hash);
  Result<void> add(std::uint32_t level, Digest const& hash);
  Result<void> compare_tile(merkle::TileId tile, std::vector<Digest> const& computed);
  Result<std::vector<Digest>> stored_tile(merkle::TileId tile);
  Result<void> compare_tail();
  Result<void> judge(Difference const& difference);
  void name_entries(Difference const& difference);
  Result<void> check_index_rows();
  Result<void> name_stray_rows();
  Result<bool> belongs(ByteView key, Entry const& entry) const;
  vault::ReadPoint const* at() const { return &*read_point_; }

  LogState const& log_;
  std::optional<vault::ReadPoint> read_point_;
  std::optional<merkle::Checkpoint> checkpoint_;
  std::uint64_t size_ = 0;
  bool entries_right_ = false;  // they add up to the signed root

  std::optional<merkle::TreeHead> anchored_;
  Digest root_at_anchor_ = merkle::empty_root();  // of the entries
  merkle::Frontier frontier_;
  std::vector<Level> levels_;
  std::vector<Difference> differences_;
  std::uint64_t time_ms_ = 0;
  std::vector<bool> uncertain_;  // entries whose index rows cannot be told: a key is destroyed
  std::vector<bool> has_query_;  // entries that have the text of a request
  std::optional<std::pair<std::uint64_t, Digest>> query_row_;  // the last that was looked at
  std::uint64_t index_rows_ = 0;                               // of entries that are not uncertain
  std::set<std::string> named_;
  std::vector<Log::Damage> damages_;
};

}  // namespace tacenda::audit

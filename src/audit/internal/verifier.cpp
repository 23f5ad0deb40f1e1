#include "audit/internal/verifier.hpp"

#include <algorithm>

#include "audit/internal/rows.hpp"
#include "vault/digest.hpp"

namespace tacenda::audit {
namespace {

constexpr std::uint64_t kProgressEvery = 1'024;  // leaves

std::string entry_name(std::uint64_t sequence) {
  return "audit entry " + std::to_string(sequence);
}
std::string index_name(std::uint64_t sequence) {
  return "index of audit entry " + std::to_string(sequence);
}
std::string query_name(std::uint64_t sequence) {
  return "query of audit entry " + std::to_string(sequence);
}
std::string tile_name(merkle::TileId tile) {
  return "audit tile " + std::to_string(tile.level) + "/" + std::to_string(tile.index);
}

Bytes with_sequence(Bytes prefix, std::uint64_t sequence) {
  ByteWriter(prefix).u64(sequence);
  return prefix;
}

}  // namespace

void Verifier::damaged(std::string const& object, std::string_view problem) {
  if (damages_.size() >= kDamagesMax || !named_.insert(object).second) return;
  damages_.push_back({object, std::string(problem)});
}

/// Damage is written down; only an error that says nothing about the log goes up.
Result<void> Verifier::note(std::string const& object, Error const& error) {
  if (error.kind() == ErrorKind::kUnavailable) return std::unexpected(error);
  damaged(object, error.message());
  return {};
}

Result<std::vector<Log::Damage>> Verifier::run(Progress const& progress) {
  // The anchor first: it may move on while the rest is read.
  TACENDA_TRY_VOID(read_anchored());
  read_point_ = log_.vault.read_point();
  size_ = log_.size();
  TACENDA_TRY_VOID(check_head());
  uncertain_.assign(size_, false);
  has_query_.assign(size_, false);
  TACENDA_TRY_VOID(check_entries(progress));

  entries_right_ = checkpoint_ && merkle::TreeHead{frontier_.size(), frontier_.root()} == checkpoint_->head;
  for (std::uint32_t level = 1; level < levels_.size(); ++level) {
    if (levels_[level].hashes.empty()) continue;
    TACENDA_TRY_VOID(compare_tile({level, levels_[level].index}, levels_[level].hashes));
  }
  check_anchored();
  for (auto const& difference : differences_) TACENDA_TRY_VOID(judge(difference));
  TACENDA_TRY_VOID(compare_tail());
  TACENDA_TRY_VOID(check_index_rows());
  TACENDA_TRY_VOID(check_query_rows());
  if (checkpoint_ && !entries_right_ && damages_.empty()) {
    damaged("audit log", "its entries do not add up to the signed root");
  }
  return std::move(damages_);
}

Result<void> Verifier::read_anchored() {
  auto const anchor = read_anchor(log_.vault, log_.verifier());
  if (!anchor) return note("audit anchor", anchor.error());
  anchored_ = anchor->checkpoint.head;
  return {};
}

void Verifier::check_anchored() {
  if (!anchored_) return;
  if (anchored_->size > size_) {
    damaged("audit log", "shorter than its anchor: rollback or truncation of the data folder");
  } else if (entries_right_ && anchored_->root != root_at_anchor_) {
    damaged("audit log", "not the one its anchor was made of: rollback to another history");
  }
}

Result<void> Verifier::check_head() {
  auto checkpoint = stored_checkpoint(log_.rows, log_.verifier(), at());
  if (!checkpoint) return note("audit checkpoint", checkpoint.error());
  checkpoint_ = std::move(*checkpoint);
  size_ = checkpoint_->head.size;
  if (auto const state = stored_state(log_.vault, log_.keys, *checkpoint_, at()); !state) {
    TACENDA_TRY_VOID(note("current-state row", state.error()));
  }
  auto const beyond = log_.rows.get(rows::of(rows::kEntry, size_), at());
  if (!beyond) return note(entry_name(size_), beyond.error());
  if (*beyond) damaged(entry_name(size_), "lies beyond the signed checkpoint");
  return {};
}

Result<void> Verifier::check_entries(Progress const& progress) {
  std::uint64_t next = 0;
  auto const visit = [&](ByteView key, ByteView value) -> Result<bool> {
    std::uint64_t const sequence = rows::sequence_of(key);
    if (sequence >= size_) return false;
    if (sequence > next) TACENDA_TRY_VOID(missing(next, sequence));
    next = sequence + 1;
    TACENDA_TRY_VOID(check_entry(sequence, value));
    if (progress && next % kProgressEvery == 0) progress(next, size_);
    return true;
  };
  while (next < size_) {
    auto const scanned = log_.rows.scan(rows::of(rows::kEntry), rows::of(rows::kEntry, next),
                                        storage::Direction::kForward, visit, at());
    if (scanned) break;
    if (scanned.error().kind() == ErrorKind::kUnavailable) return scanned;
    damaged(entry_name(next), "its block of the file is damaged");  // the walk goes on behind it
    uncertain_[next] = true;
    TACENDA_TRY_VOID(append(Digest{}));
    ++next;
  }
  if (next < size_) TACENDA_TRY_VOID(missing(next, size_));
  if (progress) progress(size_, size_);
  return {};
}

Result<void> Verifier::missing(std::uint64_t begin, std::uint64_t end) {
  damaged(end - begin == 1 ? entry_name(begin)
                           : "audit entries " + std::to_string(begin) + " to " + std::to_string(end - 1),
          "missing");
  for (std::uint64_t i = begin; i < end; ++i) {
    named_.insert(entry_name(i));
    uncertain_[i] = true;
    TACENDA_TRY_VOID(append(Digest{}));  // keeps the places of those behind it
  }
  return {};
}

Result<void> Verifier::check_entry(std::uint64_t sequence, ByteView bytes) {
  TACENDA_TRY_VOID(append(merkle::leaf_hash(bytes)));
  std::string const name = entry_name(sequence);
  auto const header = read_header(bytes);
  if (!header) return note(name, header.error());
  if (header->sequence != sequence) damaged(name, "stands in the place of another entry");
  if (header->wall_ms < time_ms_) damaged(name, "is older than the entry before it");
  time_ms_ = std::max(time_ms_, header->wall_ms);

  auto const entry = log_.sealer.open(bytes, log_.long_bodies(at()));
  if (!entry) {
    uncertain_[sequence] = true;
    return note(name, entry.error());
  }
  if (entry->entry.readable) {
    // By the place it is in: an entry that lies about its sequence is named above.
    Entry placed = entry->entry;
    placed.sequence = sequence;
    if (entry->mark.kind == QueryMark::Kind::kKept) TACENDA_TRY_VOID(check_query(sequence, entry->mark));
    return check_index_of(placed);
  }
  uncertain_[sequence] = true;
  auto const alias = log_.sealer.alias_of(bytes);
  if (!alias) return note(name, alias.error());
  if (*alias && !TACENDA_TRY(has_row(rows::patient(**alias), sequence))) {
    damaged(index_name(sequence), "row of its patient is missing");
  }
  return {};
}

/// The row as it lies there. Whether it still opens is no question of the log's: who was erased closed it.
Result<void> Verifier::check_query(std::uint64_t sequence, QueryMark const& mark) {
  if (mark.back > sequence) {
    damaged(entry_name(sequence), "its query is nowhere");
    return {};
  }
  std::uint64_t const at_sequence = sequence - mark.back;
  has_query_[at_sequence] = true;
  if (!query_row_ || query_row_->first != at_sequence) {
    query_row_.reset();
    auto const stored = log_.rows.get(rows::of(rows::kQuery, at_sequence), at());
    if (!stored && stored.error().kind() == ErrorKind::kUnavailable) return std::unexpected(stored.error());
    if (!stored || !*stored) {
      damaged(query_name(at_sequence), "missing");
      return {};
    }
    query_row_.emplace(at_sequence, vault::digest(**stored));
  }
  if (query_row_->second != mark.digest) damaged(query_name(at_sequence), "altered");
  return {};
}

Result<void> Verifier::check_query_rows() {
  auto const visit = [&](ByteView key, ByteView) -> Result<bool> {
    std::uint64_t const sequence = rows::sequence_of(key);
    if (sequence >= size_ || (!uncertain_[sequence] && !has_query_[sequence]))
      damaged(query_name(sequence), "belongs to no entry");
    return true;
  };
  auto const scanned = log_.rows.scan(rows::of(rows::kQuery), {}, storage::Direction::kForward, visit, at());
  return scanned ? Result<void>() : note("audit queries", scanned.error());
}

Result<bool> Verifier::has_row(Bytes prefix, std::uint64_t sequence) const {
  auto const row = log_.rows.get(with_sequence(std::move(prefix), sequence), at());
  if (!row && row.error().kind() == ErrorKind::kUnavailable) return std::unexpected(row.error());
  return row && *row;
}

Result<void> Verifier::check_index_of(Entry const& entry) {
  std::uint64_t const sequence = entry.sequence;
  std::uint64_t found = 0;
  if (!entry.event.actor_id.empty()) {
    if (TACENDA_TRY(has_row(rows::text(rows::kUser, entry.event.actor_id), sequence))) {
      ++found;
    } else {
      damaged(index_name(sequence), "row of its user is missing");
    }
  }
  if (!entry.event.labels.empty()) {
    if (TACENDA_TRY(has_row(rows::of(rows::kWatched), sequence))) {
      ++found;
    } else {
      damaged(index_name(sequence), "row of a watched entry is missing");
    }
  }
  std::set<std::string> const patients(entry.event.patients.begin(), entry.event.patients.end());
  for (auto const& patient : patients) {
    if (TACENDA_TRY(has_row(rows::text(rows::kUnknownPatient, patient), sequence))) {
      ++found;
      continue;
    }
    auto const keys = log_.sealer.keys_of(patient);
    if (!keys || !*keys) {  // erased since: his alias is not known any more
      uncertain_[sequence] = true;
    } else if (TACENDA_TRY(has_row(rows::patient((*keys)->alias()), sequence))) {
      ++found;
    } else {
      damaged(index_name(sequence), "row of a patient is missing");
    }
  }
  if (!uncertain_[sequence]) index_rows_ += found;
  return {};
}

Result<void> Verifier::append(Digest const& leaf_hash) {
  Result<void> result;
  frontier_.append(leaf_hash, [&](merkle::Node const& node) {
    if (result && node.id.level % merkle::kTileHeight == 0) {
      result = add(node.id.level / merkle::kTileHeight, node.hash);
    }
  });
  if (anchored_ && frontier_.size() == anchored_->size) root_at_anchor_ = frontier_.root();
  return result;
}

Result<void> Verifier::add(std::uint32_t level, Digest const& hash) {
  if (level >= levels_.size()) levels_.resize(level + 1);
  Level& edge = levels_[level];
  edge.hashes.push_back(hash);
  if (edge.hashes.size() < merkle::kTileWidth) return {};
  TACENDA_TRY_VOID(compare_tile({level, edge.index}, edge.hashes));
  edge.hashes.clear();
  ++edge.index;
  return {};
}

Result<std::vector<Digest>> Verifier::stored_tile(merkle::TileId tile) {
  auto const row = log_.rows.get(rows::tile(tile.level, tile.index), at());
  if (!row) {
    if (row.error().kind() == ErrorKind::kUnavailable) return std::unexpected(row.error());
    return std::vector<Digest>();
  }
  if (!*row) return std::vector<Digest>();
  auto hashes = parse_hashes(**row);
  return hashes ? std::move(*hashes) : std::vector<Digest>();
}

Result<void> Verifier::compare_tile(merkle::TileId tile, std::vector<Digest> const& computed) {
  auto stored = TACENDA_TRY(stored_tile(tile));
  if (stored == computed || differences_.size() >= kDamagesMax) return {};
  differences_.push_back({tile, std::move(stored), computed});
  return {};
}

/// Which of the two is wrong, the tile or the entries below it? The signed root decides, and where the
/// entries as a whole do not reach it, the hash above.
Result<void> Verifier::judge(Difference const& difference) {
  merkle::TileId const tile = difference.tile;
  if (entries_right_ || difference.stored.size() != difference.computed.size()) {
    damaged(tile_name(tile), difference.stored.empty() ? "missing" : "altered");
    if (entries_right_) return {};
  }
  if (tile.level > 0) {
    for (std::size_t i = 0; i < std::min(difference.stored.size(), difference.computed.size()); ++i) {
      if (difference.stored[i] == difference.computed[i]) continue;
      auto const below = TACENDA_TRY(stored_tile({tile.level - 1, tile.index * merkle::kTileWidth + i}));
      if (merkle::root_of(below) != difference.stored[i])
        damaged(tile_name(tile), "does not fit the tiles below it");
    }
    return {};
  }
  auto const above = TACENDA_TRY(stored_tile({1, tile.index / merkle::kTileWidth}));
  std::size_t const place = tile.index % merkle::kTileWidth;
  bool const known = place < above.size();
  if (known && merkle::root_of(difference.computed) == above[place]) {
    damaged(tile_name(tile), "altered");
    return {};
  }
  name_entries(difference);
  if (!known || merkle::root_of(difference.stored) != above[place]) damaged(tile_name(tile), "altered, too");
  return {};
}

void Verifier::name_entries(Difference const& difference) {
  for (std::size_t i = 0; i < std::min(difference.stored.size(), difference.computed.size()); ++i) {
    if (difference.stored[i] == difference.computed[i]) continue;
    damaged(entry_name(difference.tile.index * merkle::kTileWidth + i), "differs from its leaf hash");
  }
}

/// The newest entries, whose tile is not complete, against the hashes stored with their batches.
Result<void> Verifier::compare_tail() {
  static std::vector<Digest> const kNone;
  auto const& leaves = levels_.empty() ? kNone : levels_.front().hashes;
  std::uint64_t const start = size_ - leaves.size();
  std::vector<std::optional<Digest>> stored(leaves.size());
  auto const visit = [&](ByteView, ByteView value) -> Result<bool> {
    ByteReader in(value);
    auto const first = in.u64();
    auto const hashes = first ? parse_hashes(in.rest()) : std::unexpected(first.error());
    if (!hashes || hashes->empty() || *first > size_ || hashes->size() > size_ - *first) {
      damaged("audit tail row", "malformed");
      return true;
    }
    for (std::size_t i = 0; i < hashes->size() && *first >= start; ++i)
      stored[*first - start + i] = (*hashes)[i];
    return true;
  };
  auto const scanned = log_.rows.scan(rows::of(rows::kTail), {}, storage::Direction::kForward, visit, at());
  if (!scanned) return note("audit tail row", scanned.error());
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!stored[i]) {
      damaged("audit tail row of entry " + std::to_string(start + i), "missing");
    } else if (*stored[i] != leaves[i]) {
      if (entries_right_) {
        damaged("audit tail row of entry " + std::to_string(start + i), "altered");
      } else {
        damaged(entry_name(start + i), "differs from its leaf hash");
      }
    }
  }
  return {};
}

Result<void> Verifier::check_index_rows() {
  std::uint64_t found = 0;
  auto const visit = [&](ByteView key, ByteView value) -> Result<bool> {
    std::uint64_t const sequence = rows::sequence_of(key);
    if (sequence >= size_ || !value.empty()) {
      damaged(index_name(sequence), "a row is altered or leads to no entry");
      return true;
    }
    if (!uncertain_[sequence]) ++found;
    return true;
  };
  for (char const kind : {rows::kPatient, rows::kUnknownPatient, rows::kUser, rows::kWatched}) {
    auto const scanned = log_.rows.scan(rows::of(kind), {}, storage::Direction::kForward, visit, at());
    if (!scanned) TACENDA_TRY_VOID(note("audit index", scanned.error()));
  }
  // Those that must be there were looked up one by one; more than those are strays.
  return found > index_rows_ ? name_stray_rows() : Result<void>();
}

Result<bool> Verifier::belongs(ByteView key, Entry const& entry) const {
  auto const is = [&](Bytes const& prefix) {
    return equal(key.first(key.size() - rows::kSequenceBytes), prefix);
  };
  if (is(rows::text(rows::kUser, entry.event.actor_id))) return true;
  if (!entry.event.labels.empty() && is(rows::of(rows::kWatched))) return true;
  for (auto const& patient : entry.event.patients) {
    if (is(rows::text(rows::kUnknownPatient, patient))) return true;
    auto const keys = TACENDA_TRY(log_.sealer.keys_of(patient));
    if (keys && is(rows::patient(keys->alias()))) return true;
  }
  return false;
}

Result<void> Verifier::name_stray_rows() {
  auto const visit = [&](ByteView key, ByteView) -> Result<bool> {
    std::uint64_t const sequence = rows::sequence_of(key);
    if (key.size() <= rows::kSequenceBytes || sequence >= size_ || uncertain_[sequence]) return true;
    auto const bytes = TACENDA_TRY(log_.rows.get(rows::of(rows::kEntry, sequence), at()));
    if (!bytes) return true;  // named as missing
    auto const entry = log_.sealer.open(*bytes, log_.long_bodies(at()));
    if (!entry || TACENDA_TRY(belongs(key, entry->entry))) return true;
    damaged(index_name(sequence), "a row leads to an entry that does not name its patient or user");
    return true;
  };
  for (char const kind : {rows::kPatient, rows::kUnknownPatient, rows::kUser, rows::kWatched}) {
    auto const scanned = log_.rows.scan(rows::of(kind), {}, storage::Direction::kForward, visit, at());
    if (!scanned) TACENDA_TRY_VOID(note("audit index", scanned.error()));
  }
  return {};
}

Result<std::vector<Log::Damage>> Log::verify(
    std::function<void(std::uint64_t, std::uint64_t)> const& progress) const {
  return Verifier(*state_).run(progress);
}

}  // namespace tacenda::audit

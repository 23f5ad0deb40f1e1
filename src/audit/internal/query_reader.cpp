#include "audit/internal/query_reader.hpp"

#include "audit/internal/query_codec.hpp"
#include "audit/internal/rows.hpp"
#include "vault/digest.hpp"

namespace tacenda::audit {

Result<void> QueryReader::read(EntrySealer::Opened& opened) {
  Entry& entry = opened.entry;
  if (entry.query_state != QueryState::kSealed) return {};
  auto const& mark = opened.mark;
  if (mark.back > entry.sequence) return fail(ErrorKind::kCorrupt, "audit entry: its query is nowhere");
  std::uint64_t const sequence = entry.sequence - mark.back;
  if (!last_ || last_->sequence != sequence || last_->digest != mark.digest) {
    last_.reset();
    last_ = Text{sequence, mark.digest, TACENDA_TRY(text_at(sequence, mark, Links::kOne))};
  }
  entry.query_state = last_->text ? QueryState::kOpen : QueryState::kErased;
  if (last_->text) entry.event.query = *last_->text;
  return {};
}

Result<QueryReader::Keys> QueryReader::keys_behind(vault::Alias const& alias) {
  if (auto const found = keys_.find(alias); found != keys_.end()) return found->second;
  if (keys_.size() >= kKeysMax) keys_.clear();
  return keys_.emplace(alias, TACENDA_TRY(sealer_.keys_behind(alias))).first->second;
}

Result<std::optional<std::string>> QueryReader::text_at(std::uint64_t sequence, QueryMark const& mark,
                                                        Links links) {
  auto const stored = TACENDA_TRY(rows_.get(rows::of(rows::kQuery, sequence), at_));
  // The digest stands in the sealed body, and so in the tree: a row of another entry, or one made by whoever
  // has some of the keys, is none.
  if (!stored || vault::digest(*stored) != mark.digest)
    return fail(ErrorKind::kCorrupt, "audit entry: its query is missing or altered");
  Bytes const plaintext = TACENDA_TRY(sealer_.open_query_row(*stored));
  QueryRow const row = TACENDA_TRY(decode_query_row(plaintext));
  std::vector<Keys> all;
  all.reserve(row.aliases.size());
  for (auto const& alias : row.aliases) {
    all.push_back(TACENDA_TRY(keys_behind(alias)));
    if (!all.back()) return std::nullopt;
  }
  Bytes const opened = TACENDA_TRY(sealer_.open_query(row, all));
  QueryText const query = TACENDA_TRY(decode_query(opened));
  if (query.at && links == Links::kNone)
    return fail(ErrorKind::kCorrupt, "audit entry: its query leads to no text");
  if (query.at) return follow(sequence, *query.at);
  return std::string(query.text);
}

/// The text of a later page is that of the first.
Result<std::optional<std::string>> QueryReader::follow(std::uint64_t from, std::uint64_t to) {
  if (to >= from) return fail(ErrorKind::kCorrupt, "audit entry: its query leads forward");
  auto const bytes = TACENDA_TRY(rows_.get(rows::of(rows::kEntry, to), at_));
  if (!bytes) return fail(ErrorKind::kCorrupt, "an audit entry is missing");
  auto const long_body = [this](std::uint64_t sequence) {
    return rows_.get(rows::of(rows::kLongBody, sequence), at_);
  };
  auto const first = TACENDA_TRY(sealer_.open(*bytes, long_body));
  if (first.entry.sequence != to || first.mark.back > to)
    return fail(ErrorKind::kCorrupt, "an audit entry stands in another's place");
  if (!first.entry.readable || first.mark.kind != QueryMark::Kind::kKept) return std::nullopt;
  return text_at(to - first.mark.back, first.mark, Links::kNone);
}

}  // namespace tacenda::audit

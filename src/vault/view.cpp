#include "vault/view.hpp"

#include <algorithm>

#include "core/process.hpp"
#include "crypto/table_hash.hpp"
#include "vault/internal/sealed_rows.hpp"
#include "vault/vault.hpp"

namespace tacenda::vault {

Bytes View::full_key(ByteView key) const {
  Bytes full;
  full.reserve(prefix_.size() + key.size());
  append(full, prefix_);
  append(full, key);
  return full;
}

Result<std::optional<Bytes>> View::get(ByteView key, ReadPoint const* at) const {
  Bytes const full = full_key(key);
  return at != nullptr ? at->snapshot_->get(full) : engine_->get(full);
}

Result<std::vector<std::optional<Bytes>>> View::get_many(std::span<Bytes const> keys,
                                                         ReadPoint const& at) const {
  std::vector<Bytes> full;
  full.reserve(keys.size());
  for (auto const& key : keys) full.push_back(full_key(key));
  return at.snapshot_->get_many(full);
}

Result<void> View::scan(ByteView prefix, ByteView from, storage::Direction direction,
                        std::function<Result<bool>(ByteView key, ByteView value)> const& visit,
                        ReadPoint const* at) const {
  auto range = storage::prefix_range(full_key(prefix));
  storage::Reader const& reader =
      at != nullptr ? static_cast<storage::Reader const&>(*at->snapshot_) : *engine_;
  auto const cursor = reader.scan(range, direction);
  if (!from.empty()) cursor->seek(full_key(from));
  for (; cursor->valid(); cursor->next()) {
    if (!TACENDA_TRY(visit(cursor->key().subspan(prefix_.size()), cursor->value()))) return {};
  }
  return cursor->status();
}

void ViewCursor::seek(ByteView key) {
  Bytes full = prefix_;
  append(full, key);
  cursor_->seek(full);
}

ViewCursor View::cursor(ByteView begin, ByteView end, ReadPoint const& at) const {
  storage::Range range{full_key(begin), {}};
  range.end = end.empty() ? storage::prefix_range(prefix_).end : full_key(end);
  return {at.snapshot_->scan(range, storage::Direction::kForward), prefix_};
}

Result<std::uint64_t> View::size_bytes(ByteView prefix) const {
  return engine_->size_bytes(storage::prefix_range(full_key(prefix)));
}

void View::put(WriteSet& set, ByteView key, Bytes value) const {
  set.add({full_key(key), std::move(value), WriteSet::Stamp::kNone, 0});
}

void View::put_stamped_value(WriteSet& set, ByteView key, Bytes value, std::uint32_t event) const {
  set.add({full_key(key), std::move(value), WriteSet::Stamp::kValue, event});
}

void View::put_stamped_key(WriteSet& set, ByteView key, Bytes value, std::uint32_t event) const {
  set.add({full_key(key), std::move(value), WriteSet::Stamp::kKey, event});
}

void View::erase(WriteSet& set, ByteView key) const {
  set.add({full_key(key), std::nullopt, WriteSet::Stamp::kNone, 0});
}

Guard View::guard(ByteView key) const {
  return Guard{crypto::table_hash({ByteView(prefix_), key})};
}

Result<std::optional<Bytes>> SealedView::get(ByteView key, ReadPoint const* at) const {
  auto const in_use = vault_->reading();
  auto const sealed = TACENDA_TRY(view_.get(key, at));
  if (!sealed) return std::nullopt;
  return TACENDA_TRY(vault_->open(static_cast<Purpose>(purpose_), view_.full_key(key), *sealed));
}

Result<void> SealedView::scan(
    ByteView prefix, std::function<Result<bool>(ByteView key, ByteView plaintext)> const& visit) const {
  auto const in_use = vault_->reading();
  return view_.scan(prefix, [&](ByteView key, ByteView sealed) -> Result<bool> {
    auto plaintext = TACENDA_TRY(vault_->open(static_cast<Purpose>(purpose_), view_.full_key(key), sealed));
    auto result = visit(key, plaintext);
    // Rows of the directory hold TOTP secrets. An empty one has no data, and a null pointer is not for bzero.
    if (!plaintext.empty()) ::explicit_bzero(plaintext.data(), plaintext.size());
    return result;
  });
}

Result<void> SealedView::put(WriteSet& set, ByteView key, ByteView plaintext) const {
  auto const purpose = static_cast<Purpose>(purpose_);
  Bytes const full = view_.full_key(key);
  // A row that nobody seals anew would be lost with its term.
  TACENDA_ASSERT(is_sealed_under(static_cast<Keeper>(full.front()), purpose));
  view_.put(set, key, TACENDA_TRY(vault_->seal_for(set, purpose, full, plaintext)));
  return {};
}

}  // namespace tacenda::vault

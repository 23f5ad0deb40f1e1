#include "audit/log.hpp"

#include <algorithm>

#include "audit/internal/log_state.hpp"
#include "audit/internal/query_reader.hpp"
#include "audit/internal/rows.hpp"
#include "core/limits.hpp"

namespace tacenda::audit {
namespace {

Error not_queued() {
  return Error(ErrorKind::kUnavailable, "audit log takes no commits");
}

std::string request_id_of(std::vector<Event> const& events) {
  return events.empty() ? std::string() : events.front().request_id;
}

}  // namespace

Log::Log(std::unique_ptr<LogState> state) : state_(std::move(state)) {}
Log::~Log() = default;

EntrySealer::LongBody LogState::long_bodies(vault::ReadPoint const* at) const {
  return [this, at](std::uint64_t sequence) { return rows.get(rows::of(rows::kLongBody, sequence), at); };
}

Result<void> LogState::prepare(Pending& pending) const {
  auto const& events = pending.events;
  if (events.empty()) return fail(ErrorKind::kBug, "a commit needs an event");
  bool const stamps_fit = std::ranges::all_of(pending.set.operations(), [&](auto const& operation) {
    return operation.stamp == vault::WriteSet::Stamp::kNone || operation.event < events.size();
  });
  if (!stamps_fit)
    return fail(ErrorKind::kBug, "a row is stamped for an event that is not committed with it");
  TACENDA_TRY_VOID(sealer.seal_events(pending));
  if (!pending.set.state_changes().empty()) {
    pending.state_delta = std::make_unique<StateDelta>();
    for (auto const& change : pending.set.state_changes()) {
      if (change.added) {
        keys.items.add(pending.state_delta->sum, change.item);
        ++pending.state_delta->count;
      } else {
        keys.items.remove(pending.state_delta->sum, change.item);
        --pending.state_delta->count;
      }
    }
  }
  return {};
}

void Log::run(std::stop_token stop) {
  if (state_->committer) state_->committer->run(stop);
}

Result<Receipt> Log::commit(vault::WriteSet set, std::vector<Event> events) {
  if (!state_->committer) return std::unexpected(not_queued());
  Pending pending;
  pending.set = std::move(set);
  pending.events = std::move(events);
  TACENDA_TRY_VOID(state_->prepare(pending));
  if (!state_->committer->submit(pending)) return std::unexpected(not_queued());
  state_->committer->await(pending);
  if (pending.error) return std::unexpected(*pending.error);
  return Receipt(pending.committed.first_sequence, from_unix_ms(pending.committed.time_ms),
                 request_id_of(pending.events));
}

Result<void> Log::commit_unseen(vault::ChunkBatch batch) {
  if (batch.empty()) return {};
  if (!state_->committer) return std::unexpected(not_queued());
  Pending pending;
  pending.set = std::move(batch.set_);
  pending.is_unseen = true;
  pending.size_bytes = pending.set.size_bytes();
  if (!state_->committer->submit(pending)) return std::unexpected(not_queued());
  state_->committer->await(pending);
  if (pending.error) return std::unexpected(*pending.error);
  return {};
}

void Log::commit_async(vault::WriteSet set, std::vector<Event> events,
                       std::move_only_function<void(Result<Receipt>)> done) {
  // Callers that wait are bounded by the number of threads; these are not.
  if (state_->not_waiting.fetch_add(1) >= limits::kWorkQueue) {
    --state_->not_waiting;
    return done(fail(ErrorKind::kUnavailable, "too many commits are on their way"));
  }
  auto pending = std::make_unique<Pending>();
  pending->set = std::move(set);
  pending->events = std::move(events);
  auto prepared = state_->committer ? state_->prepare(*pending) : std::unexpected(not_queued());
  if (!prepared) {
    --state_->not_waiting;
    return done(std::unexpected(prepared.error()));
  }
  pending->done = [done = std::move(done), request_id = request_id_of(pending->events),
                   &not_waiting = state_->not_waiting](Result<Committed> result) mutable {
    --not_waiting;
    if (!result) return done(std::unexpected(result.error()));
    done(Receipt(result->first_sequence, from_unix_ms(result->time_ms), std::move(request_id)));
  };
  if (state_->committer->submit(*pending)) {
    [[maybe_unused]] auto const* const queued = pending.release();  // the committer frees it after `done`
  } else {
    pending->done(std::unexpected(not_queued()));
  }
}

bool Log::failed() const {
  return state_->committer != nullptr && state_->committer->failed();
}

std::uint64_t Log::size() const {
  return state_->size();
}

Result<std::uint64_t> Log::stored_bytes() const {
  return state_->rows.size_bytes({});
}

std::string Log::verifier_key() const {
  return state_->verifier().vkey();
}

Result<std::string> Log::certify(std::string_view lines) const {
  if (!lines.starts_with(kCertificateLine))
    return fail(ErrorKind::kInvalid, "the log's key signs checkpoints and certificates of erasure alone");
  return state_->keys.signer.sign(lines);
}

Result<std::string> Log::checkpoint() const {
  auto const row = TACENDA_TRY(state_->rows.get(rows::of(rows::kCheckpoint)));
  if (!row) return fail(ErrorKind::kNotFound, "audit log has no entry yet");
  return std::string(as_text(*row));
}

Result<std::vector<Digest>> Log::inclusion_proof(std::uint64_t sequence, std::uint64_t tree_size) const {
  std::uint64_t const size = state_->size();
  if (tree_size > size) return fail(ErrorKind::kInvalid, "the audit log is not that large");
  vault::ReadPoint const at = state_->vault.read_point();
  StoredTree tree(state_->rows, size, &at);
  return merkle::inclusion_proof({sequence, tree_size}, tree.reader());
}

Result<std::vector<Digest>> Log::consistency_proof(std::uint64_t old_size, std::uint64_t new_size) const {
  std::uint64_t const size = state_->size();
  if (new_size > size) return fail(ErrorKind::kInvalid, "the audit log is not that large");
  vault::ReadPoint const at = state_->vault.read_point();
  StoredTree tree(state_->rows, size, &at);
  return merkle::consistency_proof({old_size, new_size}, tree.reader());
}

Result<Bytes> Log::entry_bytes(std::uint64_t sequence) const {
  if (sequence >= state_->size()) return fail(ErrorKind::kNotFound, "the audit log has no such entry");
  auto bytes = TACENDA_TRY(state_->rows.get(rows::of(rows::kEntry, sequence)));
  if (!bytes) return fail(ErrorKind::kCorrupt, "an audit entry is missing");
  return std::move(*bytes);
}

Result<Entry> Log::entry(std::uint64_t sequence, Texts texts) const {
  Bytes const bytes = TACENDA_TRY(entry_bytes(sequence));
  auto out = TACENDA_TRY(state_->sealer.open(bytes, state_->long_bodies(nullptr)));
  if (out.entry.sequence != sequence)
    return fail(ErrorKind::kCorrupt, "an audit entry stands in another's place");
  QueryReader queries(state_->sealer, state_->rows, nullptr);
  if (texts == Texts::kOpened) TACENDA_TRY_VOID(queries.read(out));
  return std::move(out.entry);
}

Result<bool> Log::verify_state(
    std::function<Result<void>(std::function<void(ByteView item)> const&)> const& recompute,
    vault::ReadPoint const* at) const {
  // The items first: what they are found to be counts also when there is nothing left to compare them with.
  StateHash found;
  TACENDA_TRY_VOID(recompute([&](ByteView item) {
    state_->keys.items.add(found.sum, item);
    ++found.count;
  }));
  auto const checkpoint = TACENDA_TRY(stored_checkpoint(state_->rows, state_->verifier(), at));
  StateHash const stored = TACENDA_TRY(stored_state(state_->vault, state_->keys, checkpoint, at));
  return found.count == stored.count && found.sum == stored.sum;
}

}  // namespace tacenda::audit

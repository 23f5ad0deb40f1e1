// Opening a log: keys, the edge of the tree, and whether the store still holds what was promised.
#include "audit/internal/log_state.hpp"
#include "audit/internal/rows.hpp"
#include "codec/text.hpp"

namespace tacenda::audit {
namespace {

constexpr std::string_view kSeedName = "checkpoint";

/// "tacenda/" and the store's id as a UUID: unique, and tells an operator which store a note is of.
Result<merkle::KeyName> name_of(vault::Vault const& vault) {
  std::string const hex = codec::hex_encode(vault.store_id());
  std::string name = "tacenda/";
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) name += '-';
    name += hex[i];
  }
  return merkle::KeyName::parse(name);
}

Result<LogKeys> keys_from(vault::Vault const& vault, SecretBuffer const& kept) {
  crypto::Ed25519Seed seed;
  if (kept.size() != crypto::Ed25519Seed::kSize)
    return fail(ErrorKind::kCorrupt, "audit log: signing key is malformed");
  std::ranges::copy(kept.reveal(), seed.reveal_mutable().begin());
  auto name = TACENDA_TRY(name_of(vault));
  auto signer = TACENDA_TRY(crypto::Ed25519Signer::create(seed));
  auto const state_key = TACENDA_TRY(vault.derived_key(vault::Purpose::kState, "current state of the log"));
  auto const item_key = TACENDA_TRY(vault.derived_key(vault::Purpose::kState, "items of the current state"));
  return LogKeys{merkle::NoteSigner(std::move(name), std::move(signer)), crypto::Hmac(state_key),
                 crypto::LtHash(item_key)};
}

merkle::Checkpoint empty_head(merkle::NoteVerifier const& key) {
  return {key.name().text(), {0, merkle::empty_root()}, {}};
}

}  // namespace

Result<LogKeys> open_keys(vault::Vault& vault) {
  auto const kept = vault.kept_secret(kSeedName);
  if (!kept) return std::unexpected(kept.error());
  return keys_from(vault, *kept);
}

Result<LogKeys> begin_log(vault::Vault& vault, crypto::Random& random) {
  vault::View const rows = vault.view(vault::Keeper::kAudit);
  if (TACENDA_TRY(rows.get(rows::of(rows::kCheckpoint))) ||
      TACENDA_TRY(rows.get(rows::of(rows::kEntry, 0)))) {
    return fail(ErrorKind::kCorrupt, "audit log: entries are there, but their signing key is not");
  }
  SecretBuffer seed(crypto::Ed25519Seed::kSize);
  TACENDA_TRY_VOID(random.fill(seed.reveal_mutable()));
  LogKeys keys = TACENDA_TRY(keys_from(vault, seed));
  // The anchor comes before the key is kept: from then on a missing anchor is always an alarm.
  auto head = empty_head(keys.signer.verifier());
  head.extensions.push_back(state_line({}, keys.state_key));
  std::string const note = TACENDA_TRY(merkle::sign_checkpoint(head, keys.signer));
  TACENDA_TRY_VOID(Anchor::create(vault.files(), Anchor::path_of(vault.places()), note));
  TACENDA_TRY_VOID(vault.keep_secret(kSeedName, seed));
  return keys;
}

Result<merkle::Checkpoint> stored_checkpoint(vault::View const& rows, merkle::NoteVerifier const& key,
                                             vault::ReadPoint const* at) {
  auto const row = TACENDA_TRY(rows.get(rows::of(rows::kCheckpoint), at));
  if (!row) {
    if (!TACENDA_TRY(rows.get(rows::of(rows::kEntry, 0), at))) return empty_head(key);
    return fail(ErrorKind::kCorrupt, "audit checkpoint is missing");
  }
  auto checkpoint = merkle::open_checkpoint(as_text(*row), key);
  if (!checkpoint)
    return fail(ErrorKind::kCorrupt, "audit checkpoint is altered: its signature does not fit");
  return checkpoint;
}

Result<Anchor::Found> read_anchor(vault::Vault const& vault, merkle::NoteVerifier const& key) {
  auto found = TACENDA_TRY(Anchor::read(vault.files(), Anchor::path_of(vault.places()), key));
  if (!found)
    return fail(ErrorKind::kCorrupt, "audit anchor is missing: rollback or truncation cannot be ruled out");
  return std::move(*found);
}

Result<void> check_anchor(merkle::TreeHead const& anchored, StoredTree& tree) {
  if (anchored.size > tree.size()) {
    return fail(ErrorKind::kCorrupt,
                "audit log is shorter than its anchor: rollback or truncation of the data folder");
  }
  if (TACENDA_TRY(merkle::root_of(anchored.size, tree.reader())) != anchored.root) {
    return fail(ErrorKind::kCorrupt,
                "audit log is not the one its anchor was made of: rollback to another history");
  }
  return {};
}

Result<StateHash> stored_state(vault::Vault const& vault, LogKeys const& keys,
                               merkle::Checkpoint const& checkpoint, vault::ReadPoint const* at) {
  auto const sealed = vault.sealed_view(vault::Keeper::kState, vault::Purpose::kState);
  auto const row = TACENDA_TRY(sealed.get(as_bytes(kStateRow), at));
  StateHash state;
  if (row) state = TACENDA_TRY(parse_state(*row));
  if (checkpoint.head.size == 0 && !row) return state;
  if (checkpoint.extensions.size() != 1 ||
      checkpoint.extensions.front() != state_line(state, keys.state_key)) {
    return fail(ErrorKind::kCorrupt, "current-state row is not the one of the newest checkpoint");
  }
  return state;
}

Result<LoadedLog> load_log(vault::Vault const& vault, LogKeys const& keys) {
  LoadedLog out;
  auto const note = [&out](std::string_view object, Error const& error) -> Result<void> {
    if (error.kind() == ErrorKind::kUnavailable) return std::unexpected(error);
    out.findings.push_back({std::string(object), error});
    return {};
  };
  vault::View const rows = vault.view(vault::Keeper::kAudit);
  auto const& key = keys.signer.verifier();
  auto const checkpoint = stored_checkpoint(rows, key, nullptr);
  if (!checkpoint) {  // without it nothing below means anything
    TACENDA_TRY_VOID(note("audit checkpoint", checkpoint.error()));
    return out;
  }
  StoredTree stored(rows, checkpoint->head.size, nullptr);
  if (auto tree = GrowingTree::read(stored); !tree) {
    TACENDA_TRY_VOID(note("audit log", tree.error()));
  } else if (tree->head() != checkpoint->head) {
    TACENDA_TRY_VOID(
        note("audit log", Error(ErrorKind::kCorrupt, "entries or tiles do not add up to the signed root")));
  } else {
    out.edge.tree = std::move(*tree);
  }
  if (TACENDA_TRY(rows.get(rows::of(rows::kEntry, checkpoint->head.size)))) {
    TACENDA_TRY_VOID(
        note("audit log", Error(ErrorKind::kCorrupt, "audit log has entries beyond its checkpoint")));
  }
  if (auto const anchor = read_anchor(vault, key); !anchor) {
    TACENDA_TRY_VOID(note("audit anchor", anchor.error()));
  } else if (auto const checked = check_anchor(anchor->checkpoint.head, stored); !checked) {
    TACENDA_TRY_VOID(note("audit anchor", checked.error()));
  } else {
    out.anchor_slot = anchor->slot;
  }
  if (auto state = stored_state(vault, keys, *checkpoint, nullptr); !state) {
    TACENDA_TRY_VOID(note("current-state row", state.error()));
  } else {
    out.edge.state = *state;
  }
  if (checkpoint->head.size > 0) {
    auto const last = TACENDA_TRY(rows.get(rows::of(rows::kEntry, checkpoint->head.size - 1)));
    auto const header =
        last ? read_header(*last) : fail(ErrorKind::kCorrupt, "the newest audit entry is missing");
    if (!header) {
      TACENDA_TRY_VOID(note("audit log", header.error()));
    } else {
      out.edge.time_ms = header->wall_ms;
    }
  }
  return out;
}

Result<std::unique_ptr<Log>> Log::open(vault::Vault& vault, Clock const& clock, crypto::Random& random) {
  auto keys = open_keys(vault);
  if (!keys && keys.error().kind() == ErrorKind::kNotFound) keys = begin_log(vault, random);
  if (!keys) return std::unexpected(keys.error());
  auto loaded = TACENDA_TRY(load_log(vault, *keys));
  if (!loaded.findings.empty()) return std::unexpected(loaded.findings.front().error);

  LogKeys committer_keys = TACENDA_TRY(open_keys(vault));
  auto state = std::make_unique<LogState>(vault, std::move(*keys));
  vault.order().start_at(loaded.edge.tree.size());
  state->committer = std::make_unique<Committer>(
      vault, clock, state->sealer, std::move(committer_keys.signer), std::move(committer_keys.state_key),
      Anchor(vault.files(), Anchor::path_of(vault.places()), loaded.anchor_slot), std::move(loaded.edge));
  return std::unique_ptr<Log>(new Log(std::move(state)));
}

Result<std::unique_ptr<Log>> Log::open_damaged(vault::Vault& vault) {
  auto state = std::make_unique<LogState>(vault, TACENDA_TRY(open_keys(vault)));
  if (auto const checkpoint = stored_checkpoint(state->rows, state->verifier(), nullptr)) {
    state->damaged_size = checkpoint->head.size;
  } else {
    // The log goes as far as its entries do; `verify` says what the checkpoint lacks.
    std::uint64_t size = 0;
    TACENDA_TRY_VOID(state->rows.scan(rows::of(rows::kEntry), {}, storage::Direction::kReverse,
                                      [&size](ByteView row_key, ByteView) -> Result<bool> {
                                        size = rows::sequence_of(row_key) + 1;
                                        return false;
                                      }));
    state->damaged_size = size;
  }
  return std::unique_ptr<Log>(new Log(std::move(state)));
}

}  // namespace tacenda::audit

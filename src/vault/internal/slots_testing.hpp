#pragma once

#include <string>
#include <vector>

#include "vault/key_slots.hpp"
#include "vault/share_collection.hpp"
#include "vault/store_testing.hpp"

/// Slots of a store in memory, for tests of the vault.
namespace tacenda::vault::testing {

inline Unlock const kByKeyFile{};

inline SlotChange change_of(TestStore& store, Unlock const& unlock = kByKeyFile) {
  return {*store.files, store.places, unlock,
          store.random, store.clock,  [](SlotAct const&) -> Result<void> { return {}; }};
}

/// The texts of the shares of a new slot.
inline std::vector<std::string> shares_of(TestStore& store, crypto::ShareCounts counts) {
  std::vector<std::string> texts;
  auto const added =
      add_shares(change_of(store), counts, [&](std::span<SecretBuffer const> made) -> Result<void> {
        for (auto const& text : made) texts.emplace_back(as_text(text.reveal()));
        return {};
      });
  EXPECT_TRUE(added.has_value()) << (added ? "" : added.error().message());
  return texts;
}

inline SecretBuffer typed(std::string_view text) {
  return SecretBuffer(as_bytes(text));
}

/// Opens the store with these shares. Errors: as ShareCollection and TestStore::open.
inline Result<void> open_with(TestStore& store, std::vector<std::string> const& texts) {
  ShareCollection collection(*store.files, store.places, store.clock);
  for (auto const& text : texts) {
    auto const progress = TACENDA_TRY(collection.add(typed(text)));
    if (progress.ready) return collection.settle(store.open(*progress.ready));
  }
  return fail(ErrorKind::kUnavailable, "more shares are needed");
}

}  // namespace tacenda::vault::testing

// `tacenda slot`: the ways to open a store that no server has open.
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "start/compositions.hpp"
#include "start/open_store.hpp"
#include "storage/files.hpp"

namespace tacenda::start {
namespace {

storage::Files& files() {
  static auto const files = storage::posix_files();
  return *files;
}

std::string describe(vault::SlotInfo const& slot) {
  std::string text = "slot " + std::to_string(slot.id) + " (" + std::string(name_of(slot.kind));
  if (slot.kind == vault::SlotKind::kShares)
    text += ", " + std::to_string(slot.counts.threshold) + " of " + std::to_string(slot.counts.shares);
  return text + ")";
}

/// Changes the slots of a store that this process holds meanwhile. A key operation is recorded before it is
/// done: what fails with `recorded` set may have been done all the same.
template <typename Change>
Result<void> change_slots(cli::SlotOptions const& options, vault::Unlock const& unlock, std::string_view verb,
                          bool& recorded, Change change) {
  ::umask(077);
  SystemClock const clock;
  crypto::SystemRandom random;
  vault::Places const places{options.data, options.key_file};
  auto const store = TACENDA_TRY(OpenStore::open(files(), places, unlock, {}, random, clock));
  auto const record = [&](vault::SlotAct const& act) -> Result<void> {
    TACENDA_TRY_VOID(
        store->record(audit::EventKind::kKeyOperation, describe(act.slot) + std::string(verb),
                      "opened with " + describe(act.opened_with) + " by uid " + std::to_string(::getuid())));
    recorded = true;
    return {};
  };
  TACENDA_TRY_VOID(change(vault::SlotChange{files(), places, unlock, random, clock, record}));
  return {};
}

int failed(std::string_view command, Error const& error) {
  std::cerr << "tacenda: slot " << command << ": " << error.message() << "\n";
  if (error.kind() == ErrorKind::kUnauthenticated) return cli::kDenied;
  return error.kind() == ErrorKind::kCorrupt ? cli::kDamage : cli::kFailed;
}

std::string text_of(std::optional<Time> const& time, std::string_view otherwise) {
  return time ? codec::format_instant(*time) : std::string(otherwise);
}

codec::Json json_of(vault::SlotInfo const& slot) {
  codec::Json json = codec::Json::object();
  json.set("id", codec::Json::number(slot.id));
  json.set("kind", codec::Json::string(name_of(slot.kind)));
  if (slot.kind == vault::SlotKind::kShares) {
    json.set("threshold", codec::Json::number(slot.counts.threshold));
    json.set("shares", codec::Json::number(slot.counts.shares));
  }
  if (slot.created) json.set("created", codec::Json::string(codec::format_instant(*slot.created)));
  if (slot.opened) json.set("opened", codec::Json::string(codec::format_instant(*slot.opened)));
  return json;
}

}  // namespace

int add_passphrase(cli::SlotOptions const& options, vault::Unlock const& unlock,
                   SecretBuffer const& passphrase) {
  bool recorded = false;
  auto const result = change_slots(options, unlock, " added", recorded, [&](vault::SlotChange const& change) {
    return vault::add_passphrase(change, passphrase);
  });
  if (!result.has_value()) return failed("add", result.error());
  std::cout
      << "the passphrase opens the store: keep the key file itself elsewhere, what lies beside it in place,\n"
         "start tacenda serve with the same --key-file, then tacenda unseal\n";
  return cli::kOk;
}

int add_shares(cli::SlotOptions const& options, vault::Unlock const& unlock, vault::HandOut const& show) {
  auto const hand_out = [&](std::span<SecretBuffer const> texts) {
    if (options.out.empty()) return show(texts);
    return vault::write_share_files(files(), {options.data, options.key_file}, options.out, texts);
  };
  std::uint32_t id = 0;
  bool recorded = false;
  auto const result =
      change_slots(options, unlock, " added", recorded, [&](vault::SlotChange const& change) -> Result<void> {
        crypto::ShareCounts const counts{static_cast<std::uint8_t>(options.threshold),
                                         static_cast<std::uint8_t>(options.shares)};
        id = TACENDA_TRY(vault::add_shares(change, counts, hand_out));
        return {};
      });
  if (!result.has_value()) {
    int const code = failed("add", result.error());
    std::cerr
        << (recorded ? "tacenda: slot add: keep the shares as secret as if they opened the store, and do not "
                       "rely on them\n"
                     : "tacenda: slot add: no slot was added: what was shown or written of its shares opens "
                       "nothing\n");
    return code;
  }
  std::cerr
      << "slot " << id << ": any " << options.threshold << " of " << options.shares
      << " shares open the store with tacenda unseal; none is kept here. Try it before you rely on it.\n";
  if (!options.out.empty())
    std::cerr << "the files in " << options.out.string()
              << " are the only copies: give each to its holder, then erase it here\n";
  return cli::kOk;
}

int add_key_file(cli::SlotOptions const& options, vault::Unlock const& unlock) {
  bool recorded = false;
  auto const result = change_slots(options, unlock, " added", recorded, [](vault::SlotChange const& change) {
    return vault::add_key_file(change);
  });
  if (!result.has_value()) return failed("add", result.error());
  std::cout
      << options.key_file.string()
      << " is a new key file and opens the store. If the one before may be with others, take its slot away "
         "(tacenda slot list, tacenda slot remove) and rotate the root key\n";
  return cli::kOk;
}

int remove_slot(cli::SlotOptions const& options, vault::Unlock const& unlock) {
  bool recorded = false;
  auto const result =
      change_slots(options, unlock, " removed", recorded,
                   [&](vault::SlotChange const& change) { return vault::remove_slot(change, options.id); });
  if (!result.has_value()) return failed("remove", result.error());
  std::cout
      << "slot " << options.id
      << " is removed. Copies of the slots from before still open with it: see docs/operating/unseal.md\n";
  return cli::kOk;
}

Result<std::vector<vault::SlotInfo>> slots_of(std::filesystem::path const& data,
                                              std::filesystem::path const& key_file) {
  return vault::list_slots(files(), {data, key_file});
}

int list_slots(cli::SlotOptions const& options) {
  auto const slots = slots_of(options.data, options.key_file);
  if (!slots.has_value()) return failed("list", slots.error());
  if (options.json) {
    codec::Json list = codec::Json::array();
    for (auto const& slot : *slots) list.push(json_of(slot));
    std::cout << codec::write_json(list) << "\n";
    return cli::kOk;
  }
  for (auto const& slot : *slots) {
    std::cout << describe(slot) << "  made " << text_of(slot.created, "before this was noted")
              << "  opened the store " << text_of(slot.opened, "never, as far as is known") << "\n";
  }
  return cli::kOk;
}

std::unique_ptr<vault::ShareCollection> share_collection(std::filesystem::path const& data,
                                                         std::filesystem::path const& key_file) {
  static SystemClock const clock;
  return std::make_unique<vault::ShareCollection>(files(), vault::Places{data, key_file}, clock);
}

}  // namespace tacenda::start

// `tacenda slot add`: a passphrase beside the key file.
#include <sys/stat.h>

#include <iostream>

#include "start/compositions.hpp"
#include "start/open_store.hpp"
#include "storage/files.hpp"

namespace tacenda::start {
namespace {

Result<void> add(cli::SlotOptions const& options, SecretBuffer const& passphrase) {
  auto const files = storage::posix_files();
  SystemClock const clock;
  crypto::SystemRandom random;
  vault::Places const places{options.data, options.key_file};
  // The store is opened for its log: a key operation is recorded before it is done.
  auto const store = TACENDA_TRY(OpenStore::open(*files, places, {}, {}, random, clock));
  TACENDA_TRY_VOID(store->record(audit::EventKind::kKeyOperation, "passphrase slot added"));
  return vault::Vault::add_passphrase(*files, places, {}, passphrase, random);
}

}  // namespace

int add_passphrase(cli::SlotOptions const& options, SecretBuffer const& passphrase) {
  ::umask(077);
  auto const result = add(options, passphrase);
  if (!result.has_value()) {
    std::cerr << "tacenda: slot add: " << result.error().message() << "\n";
    return result.error().kind() == ErrorKind::kCorrupt ? cli::kDamage : cli::kFailed;
  }
  std::cout
      << "the passphrase opens the store: keep the key file itself elsewhere, what lies beside it in place,\n"
         "start tacenda serve with the same --key-file, then tacenda unseal\n";
  return cli::kOk;
}

}  // namespace tacenda::start

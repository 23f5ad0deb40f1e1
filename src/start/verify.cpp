// `tacenda verify` of a store that no server has open.
#include <unistd.h>

#include <iostream>

#include "api/verification.hpp"
#include "cli/progress.hpp"
#include "start/compositions.hpp"
#include "start/open_store.hpp"
#include "storage/files.hpp"

namespace tacenda::start {
namespace {

int report_failure(cli::VerifyOptions const& options, Error const& error) {
  bool const damage = error.kind() == ErrorKind::kCorrupt;
  if (damage && options.json) {
    api::VerificationReport report;
    report.damage.push_back({"store", std::string(error.message())});
    std::cout << api::to_json(report) << "\n";
  }
  std::cerr << "tacenda: verify: " << error.message() << "\n";
  if (error.kind() == ErrorKind::kUnauthenticated) return cli::kDenied;
  return damage ? cli::kDamage : cli::kFailed;
}

/// Passphrases and shares are tried in this way, too, and whoever brings them has the keys meanwhile: it is
/// recorded as every unsealing by them is.
Result<void> record_way(OpenStore& store, vault::Unlock const& unlock) {
  if (!unlock.passphrase && !unlock.share_secret) return {};
  TACENDA_TRY_VOID(store.record(audit::EventKind::kUnsealed,
                                unlock.share_secret ? "verify, with shares" : "verify, with a passphrase",
                                "by uid " + std::to_string(::getuid())));
  return {};
}

}  // namespace

int verify(cli::VerifyOptions const& options, vault::Unlock const& unlock) {
  auto const files = storage::posix_files();
  SystemClock const clock;
  crypto::SystemRandom random;
  vault::Places const places{options.data, options.key_file};
  OpenOptions open;
  auto store = OpenStore::open(*files, places, unlock, open, random, clock);
  std::optional<Error> refused;
  if (!store.has_value() && store.error().kind() == ErrorKind::kCorrupt) {
    // The log does not hold: look at it all the same, to name what is wrong.
    refused = store.error();
    open.damaged = true;
    store = OpenStore::open(*files, places, unlock, open, random, clock);
  }
  if (!store.has_value()) return report_failure(options, refused.value_or(store.error()));
  // A damaged log takes no entry.
  auto const recorded = refused ? Result<void>() : record_way(**store, unlock);
  if (!recorded.has_value()) return report_failure(options, recorded.error());
  cli::Progress progress(!options.json);
  auto report =
      api::verify_store((*store)->parts(), [&](std::string_view what, std::uint64_t done,
                                               std::uint64_t total) { progress.show(what, done, total); });
  progress.done();
  if (!report.has_value()) return report_failure(options, report.error());
  if (refused) report->damage.push_back({"audit log", std::string(refused->message())});
  if (options.json) {
    std::cout << api::to_json(*report) << "\n";
  } else {
    for (auto const& finding : report->damage)
      std::cout << "DAMAGED  " << finding.object << ": " << finding.problem << "\n";
    std::cout << report->resources << " resources, " << report->versions << " versions, "
              << report->audit_entries
              << " audit entries: " << (report->damage.empty() ? "all well" : "damage found") << "\n";
  }
  return report->damage.empty() ? cli::kOk : cli::kDamage;
}

}  // namespace tacenda::start

// How many entries a second become durable, by number of callers that each wait for their own.
// usage: tacenda_audit_bench FOLDER [SECONDS]   FOLDER must not exist; it is left behind for a look
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "audit/log.hpp"
#include "core/clock.hpp"
#include "crypto/random.hpp"
#include "storage/embedded/open.hpp"
#include "vault/vault.hpp"

namespace {

using namespace tacenda;  // NOLINT(google-build-using-namespace): a program of one file
using Steady = std::chrono::steady_clock;

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(result.error().message().size()),
                 result.error().message().data());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

audit::Event read_of(std::string const& patient) {
  audit::Event event;
  event.kind = audit::EventKind::kRead;
  event.http_status = 200;
  event.actor_id = "5c1d6cbe-6c3d-4f43-9d2a-0d3a8a6f3f10";
  event.actor_name = "doctor.who";
  event.role = "doctor";
  event.authentication = "token";
  event.token_id = "7a1d6cbe-6c3d-4f43-9d2a-0d3a8a6f3f10";
  event.client = "bench";
  event.network = "192.0.2.7";
  event.request_id = "0b57a1be-6c3d-4f43-9d2a-0d3a8a6f3f10";
  event.resource_type = "Patient";
  event.resource_id = patient;
  event.resource_version = 1;
  event.patients = {patient};
  event.purpose_of_use = "TREAT";
  return event;
}

std::vector<std::string> make_patients(vault::Vault& vault, audit::Log& log, int count) {
  std::vector<std::string> patients;
  for (int i = 0; i < count; ++i) {
    std::array<char, 40> id{};
    std::snprintf(id.data(), id.size(), "0b57a1be-6c3d-4f43-9d2a-%012d", i);
    vault::WriteSet set;
    must(vault.subject_for_write(vault::Subject::patient(id.data()), set));
    must(log.commit(std::move(set), {read_of(id.data())}));
    patients.emplace_back(id.data());
  }
  return patients;
}

struct Figures {
  double per_second = 0;
  std::uint64_t p50_us = 0;
  std::uint64_t p99_us = 0;
  double cpu_us = 0;  // processor time per entry, all threads: what stays when the machine is busy
};

Figures measure(audit::Log& log, std::vector<std::string> const& patients, unsigned callers,
                std::chrono::seconds time) {
  std::atomic<bool> stop{false};
  std::vector<std::vector<std::uint64_t>> took(callers);
  auto const begin = Steady::now();
  auto const cpu_begin = std::clock();
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < callers; ++i) {
      threads.emplace_back([&, i] {
        for (std::size_t n = i; !stop; ++n) {
          auto const start = Steady::now();
          must(log.commit({}, {read_of(patients[n % patients.size()])}));
          took[i].push_back(
              static_cast<std::uint64_t>((Steady::now() - start) / std::chrono::microseconds(1)));
        }
      });
    }
    std::this_thread::sleep_for(time);
    stop = true;
  }
  double const seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  double const cpu_us = static_cast<double>(std::clock() - cpu_begin) * 1e6 / CLOCKS_PER_SEC;
  std::vector<std::uint64_t> all;
  for (auto const& one : took) all.insert(all.end(), one.begin(), one.end());
  std::ranges::sort(all);
  return {static_cast<double>(all.size()) / seconds, all[all.size() / 2], all[all.size() * 99 / 100],
          cpu_us / static_cast<double>(all.size())};
}

/// Follows the whole log as monitor::Detector does; `wants` says which entries are opened.
void follow(audit::Log const& log, char const* what,
            std::function<bool(audit::EventKind, audit::Outcome)> wants) {
  audit::Log::Following following{0, 4'096, 256, std::move(wants)};
  std::uint64_t opened = 0;
  auto const begin = std::clock();
  while (following.from < log.size()) {
    auto const followed = must(log.follow(following));
    opened += followed.entries.size();
    following.from = followed.next;
  }
  double const ns = static_cast<double>(std::clock() - begin) * 1e9 / CLOCKS_PER_SEC;
  std::printf("follow, %s: %.0f ns an entry, %llu of %llu opened\n", what,
              ns / static_cast<double>(log.size()), static_cast<unsigned long long>(opened),
              static_cast<unsigned long long>(log.size()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::filesystem::path const folder(argv[1]);
  std::chrono::seconds const time(argc > 2 ? std::atoi(argv[2]) : 5);
  std::filesystem::create_directory(folder);
  auto const files = storage::posix_files();
  crypto::SystemRandom random;
  SystemClock const clock;
  vault::Places const places{folder / "data", folder / "key"};
  must(vault::Vault::create(*files, places, random, clock));
  auto const vault = must(vault::Vault::unseal(*files, places, {}, random, clock));
  storage::EmbeddedOptions options;
  options.folder = places.data / "store";
  options.create = true;
  must(vault->attach(must(storage::open_embedded(options, vault->file_keys(), random))));
  auto const log = must(audit::Log::open(*vault, clock, random));
  std::jthread const committer([&](std::stop_token const& stop) { log->run(stop); });
  auto const patients = make_patients(*vault, *log, 200);

  std::printf("%8s %14s %10s %10s %12s\n", "callers", "entries/s", "p50 us", "p99 us", "cpu us/entry");
  for (unsigned const callers : {1U, 8U, 64U}) {
    auto const figures = measure(*log, patients, callers, time);
    std::printf("%8u %14.0f %10llu %10llu %12.1f\n", callers, figures.per_second,
                static_cast<unsigned long long>(figures.p50_us),
                static_cast<unsigned long long>(figures.p99_us), figures.cpu_us);
  }
  follow(*log, "nothing wanted", [](audit::EventKind, audit::Outcome) { return false; });
  follow(*log, "all wanted", [](audit::EventKind, audit::Outcome) { return true; });
  auto const start = Steady::now();
  auto const damages = must(log->verify({}));
  double const seconds = std::chrono::duration<double>(Steady::now() - start).count();
  std::printf("verify: %llu entries in %.1f s, %zu damaged\n", static_cast<unsigned long long>(log->size()),
              seconds, damages.size());
  return damages.empty() ? 0 : 1;
}

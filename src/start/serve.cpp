// `tacenda serve`: the server until SIGTERM or SIGINT.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "core/log.hpp"
#include "core/process.hpp"
#include "start/compositions.hpp"
#include "start/server.hpp"

namespace tacenda::start {
namespace {

int failed(Error const& error) {
  std::cerr << "tacenda: serve: " << error.message() << "\n";
  return error.kind() == ErrorKind::kCorrupt ? cli::kDamage : cli::kFailed;
}

std::expected<Config, ConfigProblem> load_config(cli::ServeOptions const& options) {
  Config config;
  if (!options.config.empty()) {
    std::ifstream file(options.config);
    // A folder opens as a file does, and reading it throws.
    if (!file || std::filesystem::is_directory(options.config))
      return std::unexpected(ConfigProblem{"cannot be read"});
    std::string const text{std::istreambuf_iterator<char>(file), {}};
    auto parsed = parse_config(text);
    if (!parsed.has_value()) return parsed;
    config = std::move(*parsed);
  }
  if (!options.listen.empty()) {
    auto listen = parse_listen(options.listen);
    if (!listen.has_value()) return std::unexpected(ConfigProblem{std::string(listen.error().message())});
    config.address = listen->first;
    config.port = listen->second;
  }
  return config;
}

/// Signals are taken here alone: blocked before any thread starts, so that all threads inherit it.
sigset_t block_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (int const signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return signals;
}

/// Once a second, until a signal comes or the store fails.
int wait(Server& server, sigset_t const& signals) {
  while (true) {
    timespec const second{1, 0};
    if (int const signal = ::sigtimedwait(&signals, nullptr, &second); signal == SIGTERM || signal == SIGINT)
      return cli::kOk;
    server.tick();
    if (server.failed()) die("the store can take no more writes: ending, so that nothing untrue is told");
  }
}

/// As many descriptors as the system lets this process have: connections are limited by configuration.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    log(LogLevel::kWarning, "the limit of open files cannot be raised");
}

void warn_of_shared_filesystem(storage::Files& files, cli::ServeOptions const& options) {
  auto const folder = options.key_file.parent_path();
  auto const same = files.same_filesystem(options.data, folder.empty() ? std::filesystem::path(".") : folder);
  if (same.has_value() && *same) {
    log(LogLevel::kWarning, "the key file lies on the data's filesystem: who takes one takes both");
  }
}

}  // namespace

int serve(cli::ServeOptions const& options) {
  auto const signals = block_signals();
  ::umask(077);
  raise_descriptor_limit();
  auto config = load_config(options);
  if (!config.has_value()) {
    std::cerr << "tacenda: " << (options.config.empty() ? "--listen" : options.config.string()) << ": "
              << config.error().text << "\n";
    return cli::kUsage;
  }
  auto const files = storage::posix_files();
  SystemClock const clock;
  crypto::SystemRandom random;
  Server server(*files, {options.data, options.key_file}, std::move(*config), random, clock);
  server.begin_emergency(options.emergency);
  // The path alone also says where vault root and anchor lie: with it a passphrase can open the store.
  if (options.key_file.empty()) {
    log(LogLevel::kWarning,
        "no --key-file: starting sealed, and nothing can unseal without what lies beside it");
  } else if (!std::filesystem::exists(options.key_file)) {
    if (auto const result = server.check_ready_to_unseal(); !result.has_value())
      return failed(result.error());
    log(LogLevel::kWarning, "no key file: starting sealed, waiting for tacenda unseal");
  } else {
    if (auto const result = server.unseal({}, "key file"); !result.has_value()) return failed(result.error());
    warn_of_shared_filesystem(*files, options);
  }
  auto const endpoint = server.listen();
  if (!endpoint.has_value()) return failed(endpoint.error());
  std::cout << "ready " << *endpoint << std::endl;
  int const code = wait(server, signals);
  server.stop();
  return code;
}

}  // namespace tacenda::start

// `tacenda bench`: reads of one resource by several connections, to see what a server and its network give.
#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "cli/internal/terminal.hpp"

namespace tacenda::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Tally {
  std::vector<double> latencies_ms;
  std::size_t refused = 0;
};

/// Reads again and again until `end`.
Tally read_until(net::Client& client, std::string const& url, std::string const& token,
                 Clock::time_point end) {
  Tally tally;
  std::vector<net::Header> const headers{{"authorization", "Bearer " + token}};
  while (Clock::now() < end) {
    auto const start = Clock::now();
    auto const response = client.send("GET", url, headers, "");
    if (!response.has_value() || response->status != 200) {
      ++tally.refused;
      continue;
    }
    tally.latencies_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  return tally;
}

double percentile(std::vector<double> const& sorted, double part) {
  return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

int bench(BenchOptions const& options) {
  auto token = read_file(options.token_file, 4096);
  if (!token.has_value())
    return report("bench", Error(ErrorKind::kNotFound, "the token file cannot be read"));
  token->erase(token->find_last_not_of(" \r\n\t") + 1);
  std::vector<Tally> tallies(options.connections);
  std::atomic<bool> failed{false};
  auto const end = Clock::now() + std::chrono::seconds(options.seconds);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < options.connections; ++i) {
      threads.emplace_back([&, i] {
        net::Client::Options client_options;
        client_options.ca_file = options.ca;
        auto client = net::Client::create(client_options);
        if (!client.has_value()) {
          failed = true;
          return;
        }
        tallies[i] = read_until(**client, options.url + "/" + options.resource, *token, end);
      });
    }
  }
  if (failed) return report("bench", Error(ErrorKind::kUnavailable, "the trust anchor cannot be read"));
  Tally all;
  for (auto& tally : tallies) {
    all.latencies_ms.insert(all.latencies_ms.end(), tally.latencies_ms.begin(), tally.latencies_ms.end());
    all.refused += tally.refused;
  }
  std::ranges::sort(all.latencies_ms);
  std::cout << all.latencies_ms.size() / static_cast<std::size_t>(options.seconds) << " reads/s, median "
            << percentile(all.latencies_ms, 0.5) << " ms, p99 " << percentile(all.latencies_ms, 0.99)
            << " ms, " << all.refused << " refused\n";
  return all.refused == 0 && !all.latencies_ms.empty() ? kOk : kFailed;
}

}  // namespace tacenda::cli

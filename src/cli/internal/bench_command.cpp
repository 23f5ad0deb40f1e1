#include "cli/internal/bench_command.hpp"

namespace tacenda::cli {

void add_bench_command(CLI::App& app, BenchOptions& options, AddCommand const& command) {
  auto* sub =
      command(app, "bench", "Read one resource again and again: reads a second and their times",
              "tacenda bench Patient/123 --url https://localhost:8443/fhir --ca ca.pem --token-file token",
              [&options] { return bench(options); });
  sub->add_option("resource", options.resource, "Type/id of the resource")->required();
  sub->add_option("--url", options.url, "FHIR base of the server")->required();
  sub->add_option("--ca", options.ca, "Trust anchor (PEM)");
  sub->add_option("--token-file", options.token_file, "File with the access token")->required();
  sub->add_option("--connections", options.connections, "Connections at once")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  sub->add_option("--seconds", options.seconds, "How long")->check(CLI::Range(1, 600))->capture_default_str();
}

}  // namespace tacenda::cli

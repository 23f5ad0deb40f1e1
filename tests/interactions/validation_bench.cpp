// What validation costs for each resource of transaction bundles, with invariants and a store that has no
// profile.
#include "operations/validation.hpp"

#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "interactions/test_server.hpp"

namespace tacenda::operations {
namespace {

struct Cost {
  std::size_t count = 0;
  double microseconds = 0;
  std::size_t errors = 0;
};

void print(std::string_view name, Cost const& cost) {
  std::cout << name << ": " << cost.count << " resources, "
            << cost.microseconds / static_cast<double>(cost.count) << " us each, " << cost.errors
            << " with errors\n";
}

int run(int count, char** paths) {
  test::TestServer server;
  Validation const validation(server.store(), server.gate(), {});
  std::map<std::string, Cost> by_type;
  Cost all;
  Time const now = SystemClock().now();
  for (int i = 0; i < count; ++i) {
    std::ifstream file(paths[i]);
    std::string const text{std::istreambuf_iterator<char>(file), {}};
    auto const bundle = fhir::parse_bundle(text);
    if (!bundle.has_value()) continue;
    for (auto const& entry : bundle->entries) {
      if (!entry.resource) continue;
      auto const begin = std::chrono::steady_clock::now();
      bool const valid = Validation::Session(validation, now).validate(*entry.resource).is_valid();
      std::chrono::duration<double, std::micro> const took = std::chrono::steady_clock::now() - begin;
      for (Cost* cost : {&by_type[std::string(entry.resource->type())], &all}) {
        ++cost->count;
        cost->microseconds += took.count();
        cost->errors += valid ? 0 : 1;
      }
    }
  }
  for (auto const& [type, cost] : by_type) print(type, cost);
  print("all", all);
  return 0;
}

}  // namespace
}  // namespace tacenda::operations

int main(int count, char** arguments) {
  return tacenda::operations::run(count - 1, arguments + 1);
}

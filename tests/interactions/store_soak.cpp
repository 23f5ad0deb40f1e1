// store_soak [--seeds N] [--from K]: power-loss replays of a whole store by seed (./dev soak). Prints each
// failing seed and ends with 1 when there was one.
#include <charconv>
#include <cstdint>
#include <iostream>
#include <string_view>

#include "core/log.hpp"
#include "interactions/power_loss.hpp"

int main(int argc, char** argv) {
  std::uint64_t seeds = 20'000;
  std::uint64_t from = 1;
  for (int i = 1; i < argc; i += 2) {
    std::string_view const name = argv[i];
    std::uint64_t* const target = name == "--seeds" ? &seeds : name == "--from" ? &from : nullptr;
    std::string_view const value = i + 1 < argc ? argv[i + 1] : "";
    if (target == nullptr ||
        std::from_chars(value.data(), value.data() + value.size(), *target).ec != std::errc()) {
      std::cerr << "usage: store_soak [--seeds N] [--from K]\n";
      return 2;
    }
  }
  tacenda::set_log_level(static_cast<tacenda::LogLevel>(4));  // damage is what this program makes
  std::uint64_t failures = 0;
  std::uint64_t acknowledged = 0;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    tacenda::operations::test::StorePowerLoss replay(seed);
    if (auto const wrong = replay.run(2); !wrong.empty()) {
      std::cout << "seed " << seed << ": " << wrong << std::endl;
      ++failures;
    }
    acknowledged += replay.acknowledged();
  }
  std::cout << seeds << " seeds, " << acknowledged << " transactions acknowledged, " << failures
            << " seeds with a loss" << std::endl;
  return failures == 0 && acknowledged > 0 ? 0 : 1;
}

// storage_soak --seeds N --from K [--flips M]: power-loss replays by seed and bit flips, until N seeds and
// M flips are done. Prints each failing seed and ends with 1 when there was one.
#include <charconv>
#include <cstdint>
#include <iostream>
#include <string_view>

#include "core/log.hpp"
#include "storage/fault/bit_flips.hpp"
#include "storage/fault/power_loss.hpp"

namespace {

struct Arguments {
  std::uint64_t seeds = 20'000;
  std::uint64_t from = 1;
  std::uint64_t flips = 10'000;
};

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; i += 2) {
    std::string_view const name = argv[i];
    std::uint64_t* const target = name == "--seeds"   ? &arguments.seeds
                                  : name == "--from"  ? &arguments.from
                                  : name == "--flips" ? &arguments.flips
                                                      : nullptr;
    if (target == nullptr || i + 1 == argc) return false;
    std::string_view const value = argv[i + 1];
    auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), *target);
    if (error != std::errc() || end != value.data() + value.size()) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::cerr << "usage: storage_soak [--seeds N] [--from K] [--flips M]\n";
    return 2;
  }
  tacenda::set_log_level(static_cast<tacenda::LogLevel>(4));  // damage is what this program makes
  std::uint64_t failures = 0;
  std::uint64_t acknowledged = 0;
  for (std::uint64_t seed = arguments.from; seed < arguments.from + arguments.seeds; ++seed) {
    tacenda::storage::PowerLossReplay replay(seed);
    if (auto const wrong = replay.run(4); !wrong.empty()) {
      std::cout << "seed " << seed << ": " << wrong << std::endl;
      ++failures;
    }
    acknowledged += replay.acknowledged();
  }
  std::cout << arguments.seeds << " seeds, " << acknowledged << " batches acknowledged, " << failures
            << " seeds with a loss" << std::endl;
  if (arguments.flips > 0) {
    auto const report = tacenda::storage::flip_bits(arguments.from, arguments.flips);
    std::cout << report.flips << " bit flips, " << report.refused << " refused at opening, "
              << report.unreadable << " with unreadable keys, " << report.harmless << " without effect, "
              << report.wrong << " wrong answers, " << report.unnamed << " not named by verify_files"
              << std::endl;
    failures += report.wrong + report.unnamed;
  }
  return failures == 0 ? 0 : 1;
}

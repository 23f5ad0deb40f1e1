#pragma once

#include <cstdint>

namespace tacenda::storage {

struct FlipReport {
  std::uint64_t flips = 0;
  std::uint64_t refused = 0;     // the store did not open
  std::uint64_t unreadable = 0;  // it opened, and some keys read as kCorrupt
  std::uint64_t harmless = 0;    // every key read well
  std::uint64_t wrong = 0;       // a key read as something that it never was: must be 0
  std::uint64_t unnamed = 0;     // it opened, and verify_files did not name the file: must be 0
};

/// Flips single bits in every kind of file of one store, one at a time, and reads all keys after each.
/// Files take turns, so that small ones get as many flips as large ones.
FlipReport flip_bits(std::uint64_t seed, std::uint64_t flips);

}  // namespace tacenda::storage

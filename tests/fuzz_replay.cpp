// Runs a fuzz target over its corpus as a plain test, with any compiler: each argument that is a file
// or a folder of files is fed once. Flags of libFuzzer (they start with '-') are passed over.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace {

void feed(std::filesystem::path const& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<char> const bytes{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::uint8_t> const input(bytes.begin(), bytes.end());
  (void)LLVMFuzzerTestOneInput(input.data(), input.size());  // the contract of libFuzzer: always 0
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    std::filesystem::path const path(argv[i]);
    if (std::string_view(argv[i]).starts_with('-')) continue;
    if (std::filesystem::is_regular_file(path)) {
      feed(path);
      ++count;
    }
    if (!std::filesystem::is_directory(path)) continue;
    for (auto const& entry : std::filesystem::directory_iterator(path)) {
      feed(entry.path());
      ++count;
    }
  }
  std::cout << count << " inputs replayed\n";
  return count > 0 ? 0 : 1;
}

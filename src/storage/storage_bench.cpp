// storage_bench FOLDER [--keys N]: RocksDB over sealed files against RocksDB over clear files, same options.
// FOLDER is made and must not exist; it holds no secret afterwards, only random values.
#include <time.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/db.h>

#include "crypto/random.hpp"
#include "storage/embedded/rocksdb_engine.hpp"
#include "storage/fault/fixed_file_keys.hpp"

namespace tacenda::storage {
namespace {

constexpr std::size_t kValueBytes = 600;
constexpr std::uint64_t kGets = 200'000;
constexpr std::uint64_t kSyncedWrites = 2'000;

using Seconds = std::chrono::duration<double>;

/// What is measured, by name, in order. Processor time (all threads) holds on a busy machine, too.
struct Measured {
  double rate;    // operations a second of the clock on the wall
  double cpu_us;  // processor time of one operation
};
struct Figure {
  std::string name;
  Measured measured;
};

std::string key_of(std::uint64_t number) {
  return fmt::format("r/Patient/{:012}", number);
}

std::string random_value(std::mt19937_64& random) {
  std::string value(kValueBytes, '\0');
  for (std::size_t i = 0; i + 8 <= value.size(); i += 8) {
    std::uint64_t const bits = random();
    std::copy_n(reinterpret_cast<char const*>(&bits), 8, value.data() + i);
  }
  return value;
}

Seconds processor_time() {
  struct ::timespec now{};
  (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);  // cannot fail with this clock
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

Measured measured(std::uint64_t count, std::function<void()> const& work) {
  auto const start = std::chrono::steady_clock::now();
  auto const start_cpu = processor_time();
  work();
  auto const cpu = processor_time() - start_cpu;
  auto const n = static_cast<double>(count);
  return {.rate = n / Seconds(std::chrono::steady_clock::now() - start).count(),
          .cpu_us = cpu.count() * 1e6 / n};
}

void check(rocksdb::Status const& status) {
  if (status.ok()) return;
  std::cerr << status.ToString() << '\n';
  std::exit(1);
}

void write(rocksdb::DB& db, std::uint64_t first, std::uint64_t count, bool sync, std::mt19937_64& random) {
  rocksdb::WriteBatch batch;
  for (std::uint64_t i = 0; i < count; ++i) check(batch.Put(key_of(first + i), random_value(random)));
  rocksdb::WriteOptions options;
  options.sync = sync;
  check(db.Write(options, &batch));
}

std::vector<Figure> measure(rocksdb::DB& db, std::uint64_t keys) {
  std::mt19937_64 random(1);
  std::vector<Figure> figures;
  auto const bulk = [&] {
    for (std::uint64_t i = 0; i < keys; i += 1'000) write(db, i, 1'000, true, random);
    check(db.Flush({}));
  };
  figures.push_back({"bulk load, keys/s (synced batches of 1,000)", measured(keys, bulk)});
  check(db.CompactRange({}, nullptr, nullptr));
  auto const get = [&] {
    rocksdb::PinnableSlice value;
    for (std::uint64_t i = 0; i < kGets; ++i) {
      value.Reset();
      check(db.Get({}, db.DefaultColumnFamily(), key_of(random() % keys), &value));
    }
  };
  figures.push_back({"point get, gets/s (all keys alike)", measured(kGets, get)});
  auto const hot = [&] {
    rocksdb::PinnableSlice value;
    for (std::uint64_t i = 0; i < kGets; ++i) {
      value.Reset();
      check(db.Get({}, db.DefaultColumnFamily(), key_of(random() % (keys / 100)), &value));
    }
  };
  hot();
  figures.push_back({"point get, gets/s (1 % of the keys)", measured(kGets, hot)});
  auto const seek = [&] {
    std::unique_ptr<rocksdb::Iterator> const iterator(db.NewIterator({}));
    for (std::uint64_t i = 0; i < kGets / 4; ++i) {
      iterator->Seek(key_of(random() % keys));
      for (int n = 0; n < 10 && iterator->Valid(); ++n) iterator->Next();
    }
  };
  figures.push_back({"seek and 10 next, seeks/s", measured(kGets / 4, seek)});
  auto const scan = [&] {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    std::unique_ptr<rocksdb::Iterator> const iterator(db.NewIterator(options));
    std::uint64_t count = 0;
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++count;
    if (count < keys) std::exit(1);
  };
  figures.push_back({"full scan, keys/s", measured(keys, scan)});
  for (std::uint64_t const batch : {1U, 64U}) {
    auto const synced = [&] {
      for (std::uint64_t i = 0; i < kSyncedWrites; ++i) write(db, keys + i * batch, batch, true, random);
    };
    figures.push_back(
        {fmt::format("synced write of {}, keys/s", batch), measured(kSyncedWrites * batch, synced)});
  }
  return figures;
}

std::uint64_t folder_bytes(std::filesystem::path const& folder) {
  std::uint64_t total = 0;
  for (auto const& entry : std::filesystem::directory_iterator(folder)) total += entry.file_size();
  return total;
}

int run(std::filesystem::path const& folder, std::uint64_t keys) {
  FixedFileKeys file_keys;
  crypto::SystemRandom random;
  std::filesystem::create_directory(folder);
  EmbeddedOptions const options{.folder = folder / "sealed", .create = true, .disk = nullptr};
  std::vector<Figure> sealed;
  std::vector<Figure> clear;
  {
    auto lock = lock_folder(options);
    if (!lock) return 1;
    auto const database = open_database(options, file_keys, random, *std::move(lock));
    if (!database) return 1;
    sealed = measure(*(*database)->db, keys);
  }
  {
    Database unused;
    rocksdb::Options rocks = rocksdb_options(options, unused);
    rocks.env = rocksdb::Env::Default();
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(rocks, folder / "clear", &db));
    std::unique_ptr<rocksdb::DB> const owned(db);
    clear = measure(*owned, keys);
  }
  std::cout << fmt::format("{:<48} {:>10} {:>10} {:>6} {:>9} {:>9} {:>6}\n", "", "sealed", "clear", "ratio",
                           "cpu us", "clear us", "ratio");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto const& [name, a] = sealed[i];
    auto const& b = clear[i].measured;
    std::cout << fmt::format("{:<48} {:>10.0f} {:>10.0f} {:>6.2f} {:>9.2f} {:>9.2f} {:>6.2f}\n", name, a.rate,
                             b.rate, a.rate / b.rate, a.cpu_us, b.cpu_us, a.cpu_us / b.cpu_us);
  }
  auto const sealed_bytes = folder_bytes(folder / "sealed");
  auto const clear_bytes = folder_bytes(folder / "clear");
  std::cout << fmt::format("{:<48} {:>12} {:>12} {:>7.4f}\n", "bytes on disk", sealed_bytes, clear_bytes,
                           static_cast<double>(sealed_bytes) / static_cast<double>(clear_bytes));
  return 0;
}

}  // namespace
}  // namespace tacenda::storage

int main(int argc, char** argv) {
  std::uint64_t keys = 500'000;
  if (argc != 2 && !(argc == 4 && std::string_view(argv[2]) == "--keys")) {
    std::cerr << "usage: storage_bench FOLDER [--keys N]\n";
    return 2;
  }
  if (argc == 4) {
    std::string_view const value = argv[3];
    auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), keys);
    if (error != std::errc() || keys < 1'000) return 2;
  }
  return tacenda::storage::run(argv[1], keys - keys % 1'000);
}

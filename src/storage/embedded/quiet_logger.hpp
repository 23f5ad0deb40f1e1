#pragma once

#include <rocksdb/env.h>

namespace tacenda::storage {

/// Drops everything: RocksDB's own log would hold keys in clear.
class QuietLogger final : public rocksdb::Logger {
 public:
  QuietLogger() : Logger(rocksdb::InfoLogLevel::NUM_INFO_LOG_LEVELS) {}
  using rocksdb::Logger::Logv;
  void Logv(char const*, va_list) override {}
};

}  // namespace tacenda::storage

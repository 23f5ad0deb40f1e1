#pragma once

#include <filesystem>
#include <string>

namespace tacenda::cli {

/// Exit codes of every subcommand (PRODUCT, "The outside").
enum ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2, kDamage = 3, kDenied = 4, kIsSealed = 5, kWaits = 6 };

struct InitOptions {
  std::filesystem::path data;
  std::filesystem::path key_file;
  std::string admin;
  std::string policy = "separated";
  std::filesystem::path tls_cert;
  std::filesystem::path tls_key;
  bool json = false;
};

struct ServeOptions {
  std::filesystem::path data;
  std::filesystem::path key_file;  // empty: start sealed
  std::string listen;
  std::filesystem::path config;
  std::string emergency;  // why emergency mode is to be on; empty: no order
};

struct VerifyOptions {
  std::filesystem::path data;
  std::filesystem::path key_file;
  bool json = false;
};

/// `tacenda slot add`: another way to open the store.
struct SlotOptions {
  std::filesystem::path data;
  std::filesystem::path key_file;
};

struct DoctorOptions {
  std::filesystem::path data;
  std::filesystem::path key_file;
};

}  // namespace tacenda::cli

#pragma once

#include <cstdint>
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

/// `tacenda slot`: the ways to open the store.
struct SlotOptions {
  std::filesystem::path data;
  std::filesystem::path key_file;
  unsigned shares = 0;        // of a new slot; 0: a passphrase
  unsigned threshold = 0;     // of them; 0: more than half
  std::filesystem::path out;  // folder for files of the shares; empty: they are shown
  bool new_key_file = false;  // in place of passphrase or shares
  std::uint32_t id = 0;       // of the slot to remove
  bool json = false;
};

/// `tacenda unseal`.
struct UnsealOptions {
  std::filesystem::path data;
  std::string share_file;  // empty: what is typed
  bool reset = false;
};

struct DoctorOptions {
  std::filesystem::path data;
  std::filesystem::path key_file;
};

}  // namespace tacenda::cli

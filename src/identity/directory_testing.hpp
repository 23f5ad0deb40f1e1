#pragma once

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "crypto/totp.hpp"
#include "identity/directory.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::identity::testing {

inline constexpr crypto::Argon2idCost kCheap{64, 1};
inline constexpr char const* kPassword = "correct horse battery staple";
inline constexpr char const* kHome = "192.0.2.1";
inline constexpr char const* kAway = "198.51.100.9";

/// A directory on a store in memory, for tests only.
class DirectoryTest : public ::testing::Test {
 protected:
  DirectoryTest() { open(); }

  void open(crypto::Argon2idCost cost = kCheap) {
    directory.reset();
    auto opened = Directory::open(*store.vault, store.clock, store.random, cost);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    directory = std::move(*opened);
  }
  void restart(crypto::Argon2idCost cost = kCheap) {
    directory.reset();
    ASSERT_TRUE(store.reopen());
    open(cost);
  }

  /// What the pipeline does with a change.
  Result<void> commit(Pending& pending) {
    for (int attempt = 0; attempt < 8; ++attempt) {
      auto const stored = store.commit(TACENDA_TRY(pending.set()));
      if (stored.has_value()) {
        pending.committed();
        return {};
      }
      if (stored.error().kind() != ErrorKind::kConflict) return stored;
    }
    return fail(ErrorKind::kConflict, "too many conflicts");
  }
  template <typename Made>
  void expect_committed(Result<Made>& made) {
    ASSERT_TRUE(made.has_value()) << made.error().message();
    auto const stored = commit(made->pending);
    ASSERT_TRUE(stored.has_value()) << stored.error().message();
  }
  void expect_committed(Result<Pending>& made) {
    ASSERT_TRUE(made.has_value()) << made.error().message();
    auto const stored = commit(*made);
    ASSERT_TRUE(stored.has_value()) << stored.error().message();
  }

  /// Adds a person and has him enrol; gives his TOTP secret.
  SecretBuffer person(std::string const& name, std::string const& role = "doctor") {
    auto added = directory->add_user({name, role, false, std::nullopt});
    expect_committed(added);
    return enrol(added->enrolment_code);
  }
  SecretBuffer enrol(std::string const& code, char const* password = kPassword) {
    auto step = directory->enrol(code, SecretBuffer(as_bytes(password)), kHome);
    expect_committed(step);
    auto secret = secret_of(step->otpauth_uri);
    auto done = directory->confirm_enrolment(code, code_of(secret), kHome);
    expect_committed(done);
    return secret;
  }
  void service(std::string const& name) {
    auto added = directory->add_user({name, "loader", true, std::nullopt});
    expect_committed(added);
  }

  static SecretBuffer secret_of(std::string const& uri) {
    std::string const label = "?secret=";
    Bytes bytes;
    unsigned bits = 0;
    unsigned held = 0;
    for (auto i = uri.find(label) + label.size(); i < uri.size() && uri[i] != '&'; ++i) {
      auto const value = std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").find(uri[i]);
      bits = (bits << 5U | static_cast<unsigned>(value)) & 0xFFFFU;
      held += 5;
      if (held < 8) continue;
      held -= 8;
      bytes.push_back(static_cast<std::byte>(bits >> held));
    }
    return SecretBuffer(ByteView(bytes));
  }
  std::string code_of(SecretBuffer const& secret, int steps = 0) const {
    return crypto::totp_code(secret, crypto::totp_step(store.clock.now() + std::chrono::seconds(30 * steps)));
  }

  Directory::Attempt try_login(std::string_view name, std::string_view password, std::string_view totp,
                               std::string_view address = kHome) {
    auto attempt = directory->login(name, SecretBuffer(as_bytes(password)), {totp}, address);
    EXPECT_TRUE(attempt.has_value()) << (attempt ? "" : attempt.error().message());
    EXPECT_TRUE(commit(attempt->pending).has_value());
    return std::move(*attempt);
  }
  /// A right log-in with the next code; gives the access token, empty when refused.
  std::string login(std::string_view name, SecretBuffer const& secret, std::string_view address = kHome) {
    store.clock.advance(std::chrono::seconds(30));
    return try_login(name, kPassword, code_of(secret), address).access_token;
  }
  bool is_known(std::string_view token) { return directory->authenticate_token(token).has_value(); }
  std::size_t token_rows() {
    std::size_t count = 0;
    EXPECT_TRUE(store.vault->view(vault::Keeper::kIdentity)
                    .scan(as_bytes("t"), [&](ByteView, ByteView) -> Result<bool> { return ++count > 0; }));
    return count;
  }

  vault::testing::TestStore store;
  std::unique_ptr<Directory> directory;
};

}  // namespace tacenda::identity::testing

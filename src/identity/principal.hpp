#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/id.hpp"
#include "identity/application.hpp"
#include "identity/standing.hpp"

namespace tacenda::identity {

class Directory;

/// How it was recognised. kSession: of password and TOTP; kPasskey, kRecoveryCode, kProvider (the OpenID
/// provider of the hospital) and kSealed (the printed credential of an emergency account): sessions too. The
/// number is stored: never reuse one.
enum class Method : std::uint8_t {
  kToken,
  kSession,
  kCertificate,
  kSocket,
  kPasskey,
  kRecoveryCode,
  kProvider,
  kSealed
};

/// Who is asking: proof that identity::Directory recognised a live, complete sign-in (all factors).
/// Made only by Directory; copyable, because a request may be answered in parts.
class Principal {
 public:
  UserId const& id() const { return id_; }
  std::string const& name() const { return name_; }  // log-in name
  std::string const& role() const { return role_; }  // a role of the policy
  bool is_service() const { return is_service_; }
  /// The patient whose own record this person may see (role patient, proxies later).
  std::optional<PatientId> const& patient() const { return patient_; }
  Method method() const { return method_; }
  std::string const& token_id() const { return token_id_; }  // random jti for the audit; never the token
  Time second_factor_at() const { return second_factor_at_; }
  /// Why he asks, as the request says (a code of v3-ActReason); empty: as his role does. Whether he may is
  /// access' question.
  std::string const& purpose() const { return purpose_; }
  void state_purpose(std::string purpose) { purpose_ = std::move(purpose); }
  /// What is demanded of the account as it was when the request came; never nullptr.
  std::shared_ptr<Standing const> const& standing() const { return standing_; }
  Time account_created() const { return account_created_; }
  /// The application that acts for him; nullptr: he acts himself, or a service with a token of its own.
  std::shared_ptr<Application const> const& application() const { return application_; }
  /// Until when what he was recognised by is good, if nothing ends it before; of a certificate: unknown.
  Time expires() const { return expires_; }
  /// Counts what ends all tokens of the account.
  std::uint32_t account_epoch() const { return epoch_; }
  /// Is it an emergency account? It reads, as who has broken the glass does, and does nothing else (S-03).
  bool is_emergency() const { return is_emergency_; }

 private:
  friend class Directory;
  friend class OwnAccount;
  Principal(UserId id, std::string name, std::string role)
      : id_(std::move(id)), name_(std::move(name)), role_(std::move(role)) {}
  UserId id_;
  std::string name_;
  std::string role_;
  bool is_service_ = false;
  bool is_emergency_ = false;
  std::optional<PatientId> patient_;
  Method method_ = Method::kToken;
  std::string token_id_;
  std::string purpose_;
  Time second_factor_at_{};
  std::shared_ptr<Standing const> standing_ = std::make_shared<Standing const>();  // shared: copied with this
  Time account_created_{};
  Time expires_{};
  std::shared_ptr<Application const> application_;  // shared: copied with this
  std::uint32_t epoch_ = 0;  // the account's when it was recognised: see Directory::confirm
};

}  // namespace tacenda::identity

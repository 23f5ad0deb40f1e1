#include "identity/internal/account.hpp"

#include <algorithm>
#include <utility>

#include "identity/internal/row.hpp"

namespace tacenda::identity {
namespace {

constexpr std::uint8_t kTokenFormat = 3;       // of a token of an application
constexpr std::uint8_t kBoundTokenFormat = 4;  // the same, bound to a certificate
constexpr std::uint8_t kPlainTokenFormat = 2;  // of every other; 1 has neither method nor address

Result<Digest> read_digest(ByteReader& reader) {
  Digest digest;
  std::ranges::copy(TACENDA_TRY(reader.raw(digest.size())), digest.begin());
  return digest;
}

void put_application(ByteWriter& writer, Application const& application) {
  writer.sized(application.client).sized(application.grant).sized(codec::write_scopes(application.scopes));
  writer.sized(application.patient.value_or(std::string()));
  if (application.certificate) writer.raw(*application.certificate);
}

Result<std::shared_ptr<Application const>> read_application(ByteReader& reader, std::uint8_t format) {
  auto application = std::make_shared<Application>();
  application->client = TACENDA_TRY(row::read_text(reader));
  application->grant = TACENDA_TRY(row::read_text(reader));
  auto scopes = codec::parse_scopes(TACENDA_TRY(row::read_text(reader)));
  if (!scopes.has_value()) return fail(ErrorKind::kCorrupt, "a token row has scopes that are none");
  application->scopes = std::move(*scopes);
  if (auto patient = TACENDA_TRY(row::read_text(reader)); !patient.empty()) application->patient = std::move(patient);
  if (format == kBoundTokenFormat) application->certificate = TACENDA_TRY(read_digest(reader));
  return application;
}

void wipe(Bytes& bytes) {
  ::explicit_bzero(bytes.data(), bytes.size());
}

}  // namespace

void Account::receive(Opening const& opening) {
  if (opening.role) role = *opening.role;
  if (opening.certificate) certificate = opening.certificate;
  failures -= std::min(failures, opening.forgiven);
  if (opening.standing) standing = opening.standing;
  if (opening.provider) provider = opening.provider;
  if (!opening.provisioned) return;
  provisioned = *opening.provisioned;
  suspended = provisioned && !provisioned->active;
}

SecretBuffer encode_account(Account const& account, Opening const& opening) {
  Bytes row;
  row.reserve(4096);  // one allocation: growing would leave copies of the TOTP secret behind
  ByteWriter writer(row);
  writer.u8(row::kFormat).sized(account.id.view()).sized(account.name);
  writer.sized(opening.role ? *opening.role : account.role);
  writer.u8(account.is_service ? 1 : 0).u8(account.enabled ? 1 : 0).u32(account.token_epoch);
  writer.sized(account.patient ? account.patient->view() : std::string_view());
  writer.u64(to_unix_ms(account.created)).sized(account.password_phc).sized(account.totp_secret.reveal());
  auto const& certificate = opening.certificate ? opening.certificate : account.certificate;
  writer.u8(certificate ? 1 : 0);
  if (certificate) writer.raw(*certificate);
  writer.u8(account.enrolment ? 1 : 0);
  if (account.enrolment) {
    auto const& enrolment = *account.enrolment;
    writer.raw(enrolment.code_hash).u64(to_unix_ms(enrolment.expires)).u32(enrolment.failures);
    writer.sized(enrolment.password_phc).sized(enrolment.totp_secret.reveal());
  }
  SecretBuffer sealed_input{ByteView(row)};
  wipe(row);
  return sealed_input;
}

Result<std::shared_ptr<Account>> decode_account(ByteView row) {
  ByteReader reader(row);
  TACENDA_TRY_VOID(row::read_format(reader));
  auto account = std::make_shared<Account>(TACENDA_TRY(UserId::parse(as_text(TACENDA_TRY(reader.sized())))));
  account->name = TACENDA_TRY(row::read_text(reader));
  account->role = TACENDA_TRY(row::read_text(reader));
  account->is_service = TACENDA_TRY(reader.u8()) != 0;
  account->enabled = TACENDA_TRY(reader.u8()) != 0;
  account->token_epoch = TACENDA_TRY(reader.u32());
  if (auto const patient = TACENDA_TRY(row::read_text(reader)); !patient.empty()) {
    account->patient = TACENDA_TRY(PatientId::parse(patient));
  }
  account->created = from_unix_ms(TACENDA_TRY(reader.u64()));
  account->password_phc = TACENDA_TRY(row::read_text(reader));
  account->totp_secret = SecretBuffer(TACENDA_TRY(reader.sized()));
  if (TACENDA_TRY(reader.u8()) != 0) account->certificate = TACENDA_TRY(read_digest(reader));
  if (TACENDA_TRY(reader.u8()) != 0) {
    Enrolment enrolment;
    enrolment.code_hash = TACENDA_TRY(read_digest(reader));
    enrolment.expires = from_unix_ms(TACENDA_TRY(reader.u64()));
    enrolment.failures = TACENDA_TRY(reader.u32());
    enrolment.password_phc = TACENDA_TRY(row::read_text(reader));
    enrolment.totp_secret = SecretBuffer(TACENDA_TRY(reader.sized()));
    account->enrolment = std::move(enrolment);
  }
  TACENDA_TRY_VOID(row::check_end(reader));
  return account;
}

Bytes encode_counters(Account const& account, Opening const& opening) {
  Bytes row;
  ByteWriter(row)
      .u8(row::kFormat)
      .u64(account.totp_last_step)
      .u32(account.failures - std::min(account.failures, opening.forgiven))
      .u64(account.last_login ? to_unix_ms(*account.last_login) : 0);
  return row;
}

Result<void> decode_counters(ByteView row, Account& account) {
  ByteReader reader(row);
  TACENDA_TRY_VOID(row::read_format(reader));
  account.totp_last_step = TACENDA_TRY(reader.u64());
  account.failures = TACENDA_TRY(reader.u32());
  if (auto const login = TACENDA_TRY(reader.u64()); login != 0) account.last_login = from_unix_ms(login);
  return row::check_end(reader);
}

Bytes encode_token(Token const& token) {
  Bytes row;
  ByteWriter writer(row);
  bool const is_bound = token.application && token.application->certificate;
  writer.u8(is_bound            ? kBoundTokenFormat
            : token.application ? kTokenFormat
                                : kPlainTokenFormat)
      .sized(token.account->id.view())
      .sized(token.token_id)
      .u64(to_unix_ms(token.created))
      .u64(to_unix_ms(token.expires))
      .u64(to_unix_ms(token.second_factor_at))
      .u32(token.epoch)
      .u8(token.idles ? 1 : 0)
      .u8(std::to_underlying(token.method))
      .sized(token.address);
  if (token.application) put_application(writer, *token.application);
  return row;
}

Result<DecodedToken> decode_token(ByteView row) {
  ByteReader reader(row);
  std::uint8_t const format = TACENDA_TRY(reader.u8());
  if (format < row::kFormat || format > kBoundTokenFormat)
    return fail(ErrorKind::kCorrupt, "a directory row has an unknown format");
  DecodedToken decoded;
  decoded.token = std::make_shared<Token>();
  decoded.user = TACENDA_TRY(row::read_text(reader));
  decoded.token->token_id = TACENDA_TRY(row::read_text(reader));
  decoded.token->created = from_unix_ms(TACENDA_TRY(reader.u64()));
  decoded.token->expires = from_unix_ms(TACENDA_TRY(reader.u64()));
  decoded.token->second_factor_at = from_unix_ms(TACENDA_TRY(reader.u64()));
  decoded.token->epoch = TACENDA_TRY(reader.u32());
  decoded.token->idles = TACENDA_TRY(reader.u8()) != 0;
  if (format >= kPlainTokenFormat) {
    std::uint8_t const method = TACENDA_TRY(reader.u8());
    if (method > std::to_underlying(Method::kSealed))
      return fail(ErrorKind::kCorrupt, "a token row has an unknown method");
    decoded.token->method = static_cast<Method>(method);
    decoded.token->address = TACENDA_TRY(row::read_text(reader));
  } else {
    decoded.token->method = decoded.token->idles ? Method::kSession : Method::kToken;
  }
  if (format >= kTokenFormat) decoded.token->application = TACENDA_TRY(read_application(reader, format));
  TACENDA_TRY_VOID(row::check_end(reader));
  // When it was used last was in memory only: the idle time runs from when its owner was last known there.
  decoded.token->last_used_ms = to_unix_ms(std::max(decoded.token->created, decoded.token->second_factor_at));
  return decoded;
}

}  // namespace tacenda::identity

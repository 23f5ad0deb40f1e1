#include "identity/sign_in_provider.hpp"

#include <algorithm>
#include <utility>

#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/ip_address.hpp"
#include "crypto/hash.hpp"

namespace tacenda::identity {
namespace {

using codec::Json;
using namespace std::chrono_literals;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kReturnedBytes = 4'096;  // of a code
constexpr std::size_t kUrlBytes = 2'048;
constexpr std::chrono::minutes kMetadataAge{60};
constexpr std::chrono::minutes kKeysAge{60};
constexpr std::chrono::seconds kKeysAgain{30};  // an unknown kid has them asked for anew, at most so often
constexpr std::chrono::seconds kRetry{5};       // who asks sooner is not made to wait
constexpr std::chrono::hours kSignInAge{12};    // a session there, that a sign-in here rests on

crypto::MacKey key_of(crypto::MacKey const& key, std::string_view what) {
  Digest const mac = crypto::Hmac(key).sign({as_bytes(what)});
  crypto::MacKey made;
  std::ranges::copy(mac, made.reveal_mutable().begin());
  return made;
}

/// The host of an https URL without user, in lower case as it must be; empty: it is none.
std::string_view host_of(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme) || url.size() > kUrlBytes) return {};
  constexpr auto is_allowed = [](char c) { return c > ' ' && c < 0x7F && c != '\\' && c != '#' && c != '@'; };
  if (!std::ranges::all_of(url, is_allowed)) return {};
  auto const authority = url.substr(kScheme.size(), url.find_first_of("/?", kScheme.size()) - kScheme.size());
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

Result<Json> object_of(std::string_view text) {
  auto json = codec::parse_json(text, {.depth = 8, .size_bytes = 256 * 1024, .values = 16'384});
  if (!json.has_value() || !json->is_object())
    return fail(ErrorKind::kUnavailable, "the OpenID provider does not answer with JSON");
  return std::move(*json);
}

bool is_one_of(std::vector<std::string> const& list, Json const& value) {
  return value.is_string() && std::ranges::find(list, value.as_string()) != list.end();
}

void add(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form.push_back('&');
  form.append(name).append("=").append(codec::percent_encode(value));
}

}  // namespace

/// A turn at the provider, given back with the scope.
class SignInProvider::Turn {
 public:
  static Result<std::unique_ptr<Turn>> take(SignInProvider& provider, std::string_view address) {
    std::string network = subscriber_of(address);
    MutexLock const lock(provider.mutex_);
    auto const mine = provider.calls_of_.find(network);
    bool const has_enough = mine != provider.calls_of_.end() && mine->second >= kCallsPerAddress;
    if (provider.calls_ >= kCallsAtOnce || has_enough)
      return fail(ErrorKind::kUnavailable, "too many sign-ins wait for the OpenID provider");
    ++provider.calls_;
    ++provider.calls_of_[network];
    return std::unique_ptr<Turn>(new Turn(provider, std::move(network)));
  }
  ~Turn() {
    MutexLock const lock(provider_.mutex_);
    --provider_.calls_;
    auto const mine = provider_.calls_of_.find(network_);
    if (--mine->second == 0) provider_.calls_of_.erase(mine);
  }
  Turn(Turn const&) = delete;
  Turn& operator=(Turn const&) = delete;

 private:
  Turn(SignInProvider& provider, std::string network) : provider_(provider), network_(std::move(network)) {}
  SignInProvider& provider_;
  std::string network_;
};

Result<std::unique_ptr<SignInProvider>> SignInProvider::create(ProviderSettings settings, CallProvider call,
                                                               Clock const& clock, crypto::Random& random) {
  auto const key = TACENDA_TRY(crypto::random_secret<crypto::MacKey>(random));
  return std::unique_ptr<SignInProvider>(
      new SignInProvider(std::move(settings), std::move(call), clock, random, key));
}

SignInProvider::SignInProvider(ProviderSettings settings, CallProvider call, Clock const& clock,
                               crypto::Random& random, crypto::MacKey const& key)
    : settings_(std::move(settings)),
      call_(std::move(call)),
      clock_(clock),
      random_(random),
      secrets_(key_of(key, "secrets")),
      states_(key_of(key, "states")) {}

void SignInProvider::serve(std::string_view origin) {
  MutexLock const lock(mutex_);
  origin_ = origin;
}

std::string SignInProvider::redirect_uri() const {
  MutexLock const lock(mutex_);
  return origin_ + "/auth/openid/callback";
}

std::string SignInProvider::derived(std::string_view what, std::string_view browser,
                                    std::string_view state) const {
  std::string const text = std::string(what) + "\n" + std::string(browser) + "\n" + std::string(state);
  return codec::base64url_encode(secrets_.sign({as_bytes(text)}));
}

bool SignInProvider::is_endpoint(std::string_view url) const {
  auto const host = host_of(url);
  return !host.empty() && (host == host_of(settings_.issuer) ||
                           std::ranges::find(settings_.hosts, host) != settings_.hosts.end());
}

Result<std::string> SignInProvider::get(std::string const& url) const {
  auto answer = TACENDA_TRY(call_({.url = url, .authorization = {}, .form = {}}));
  if (answer.status != 200)
    return fail(ErrorKind::kUnavailable, "the OpenID provider refuses what it must give");
  return std::move(answer.body);
}

Result<std::shared_ptr<SignInProvider::Metadata const>> SignInProvider::read_metadata(
    std::string_view text) const {
  auto const json = TACENDA_TRY(object_of(text));
  // Discovery 1.0 section 4.3: or somebody could speak for another.
  if (json.text_of("issuer") != settings_.issuer)
    return fail(ErrorKind::kUnavailable, "the OpenID provider says that it is another issuer");
  auto read = std::make_shared<Metadata>();
  read->authorization_endpoint = json.text_of("authorization_endpoint");
  read->token_endpoint = json.text_of("token_endpoint");
  read->jwks_uri = json.text_of("jwks_uri");
  auto const* named = json.find("authorization_response_iss_parameter_supported");
  read->names_issuer = named != nullptr && named->is_boolean() && named->as_boolean();
  if (!is_endpoint(read->authorization_endpoint) || !is_endpoint(read->token_endpoint) ||
      !is_endpoint(read->jwks_uri))
    return fail(ErrorKind::kUnavailable, "the OpenID provider has an endpoint at a host that is not its own");
  read->fetched = clock_.now();
  return read;
}

Result<std::shared_ptr<SignInProvider::Metadata const>> SignInProvider::fetch_metadata() const {
  std::string base = settings_.issuer;
  if (base.ends_with('/')) base.pop_back();
  auto const text = TACENDA_TRY(get(base + "/.well-known/openid-configuration"));
  return read_metadata(text);
}

std::shared_ptr<SignInProvider::Metadata const> SignInProvider::known_metadata() const {
  MutexLock const lock(mutex_);
  return metadata_ && clock_.now() - metadata_->fetched < kMetadataAge ? metadata_ : nullptr;
}

Result<std::shared_ptr<SignInProvider::Metadata const>> SignInProvider::metadata() {
  if (auto known = known_metadata()) return known;
  {
    MutexLock const lock(mutex_);
    if (failed_ && clock_.monotonic() - *failed_ < kRetry)
      return fail(ErrorKind::kUnavailable, "the OpenID provider could not be reached a moment ago");
  }
  auto read = fetch_metadata();
  MutexLock const lock(mutex_);
  failed_.reset();
  if (read.has_value()) metadata_ = *read;
  if (!read.has_value()) failed_ = clock_.monotonic();
  return read;
}

Result<std::shared_ptr<SignInProvider::Keys const>> SignInProvider::keys(Metadata const& metadata,
                                                                         Time newer_than) {
  {
    MutexLock const lock(mutex_);
    Time const now = clock_.now();
    bool const is_fresh = keys_ && now - keys_fetched_ < kKeysAge;
    if (is_fresh && (keys_fetched_ > newer_than || now - keys_fetched_ < kKeysAgain)) return keys_;
  }
  auto const text = TACENDA_TRY(get(metadata.jwks_uri));
  auto read = provider_keys(text);
  if (!read.has_value()) return fail(ErrorKind::kUnavailable, "the OpenID provider's keys cannot be read");
  auto kept = std::make_shared<Keys const>(std::move(*read));
  MutexLock const lock(mutex_);
  keys_ = kept;
  keys_fetched_ = clock_.now();
  return kept;
}

bool SignInProvider::is_begun(std::string_view state, std::string_view browser) const {
  auto const challenge = codec::base64url_decode(state);
  return challenge.has_value() && check_open(*challenge, browser).has_value();
}

Result<SignInProvider::Begun> SignInProvider::begin(std::string_view address, std::string_view browser,
                                                    std::optional<std::chrono::seconds> max_age) {
  auto known = known_metadata();
  if (!known) {
    auto const turn = TACENDA_TRY(Turn::take(*this, address));
    known = TACENDA_TRY(metadata());
  }
  Begun begun;
  begun.browser = browser;
  if (browser.empty()) {
    Bytes secret(kSecretBytes);
    TACENDA_TRY_VOID(random_.fill(secret));
    begun.browser = codec::base64url_encode(secret);
  }
  Bytes challenge;
  {
    MutexLock const lock(mutex_);
    challenge = TACENDA_TRY(
        states_.offer(ChallengeBook::Ceremony::kProvider, begun.browser, clock_.monotonic(), random_));
  }
  std::string const state = codec::base64url_encode(challenge);
  std::string query;
  add(query, "response_type", "code");
  add(query, "client_id", settings_.client_id);
  add(query, "redirect_uri", redirect_uri());
  add(query, "scope", "openid");
  add(query, "state", state);
  add(query, "nonce", derived("nonce", begun.browser, state));
  add(query, "max_age",
      std::to_string(std::min<std::chrono::seconds>(max_age.value_or(kSignInAge), kSignInAge).count()));
  add(query, "code_challenge_method", "S256");
  auto const verifier = derived("verifier", begun.browser, state);
  add(query, "code_challenge", codec::base64url_encode(crypto::sha256(as_bytes(verifier))));
  if (!settings_.factor_acr.empty()) {
    std::string wanted;
    for (auto const& acr : settings_.factor_acr) wanted.append(wanted.empty() ? "" : " ").append(acr);
    add(query, "acr_values", wanted);
  }
  begun.url = known->authorization_endpoint;
  begun.url.append(begun.url.contains('?') ? "&" : "?").append(query);
  return begun;
}

Result<std::string> SignInProvider::id_token_for(Metadata const& metadata, Returned const& returned) {
  ProviderCall call;
  call.url = metadata.token_endpoint;
  // RFC 6749 section 2.3.1: each encoded as in a form first.
  Bytes credentials = to_bytes(codec::percent_encode(settings_.client_id) + ":");
  append(credentials, codec::percent_encode(as_text(settings_.client_secret.reveal())));
  call.authorization = "Basic " + codec::base64_encode(credentials);
  ::explicit_bzero(credentials.data(), credentials.size());
  add(call.form, "grant_type", "authorization_code");
  add(call.form, "code", returned.code);
  add(call.form, "redirect_uri", redirect_uri());
  add(call.form, "code_verifier", derived("verifier", returned.browser, returned.state));
  auto const answer = call_(call);
  ::explicit_bzero(call.authorization.data(), call.authorization.size());
  if (!answer.has_value()) return std::unexpected(answer.error());
  if (answer->status >= 500) return fail(ErrorKind::kUnavailable, "the OpenID provider is not well");
  if (answer->status != 200)
    return fail(ErrorKind::kUnauthenticated,
                "the OpenID provider does not take the code, or not from this server");
  auto const json = TACENDA_TRY(object_of(answer->body));
  return std::string(json.text_of("id_token"));
}

Result<IdToken> SignInProvider::checked(Metadata const& metadata, std::string_view id_token,
                                        Returned const& returned) {
  auto const nonce = derived("nonce", returned.browser, returned.state);
  IdTokenRules const rules{settings_.issuer, settings_.client_id, nonce, kSignInAge, clock_.now()};
  auto const known = TACENDA_TRY(keys(metadata, Time{}));
  auto token = check_id_token(id_token, *known, rules);
  if (token.has_value() || token.error().kind() != ErrorKind::kNotFound) return token;
  // They may have changed since.
  auto const newer = TACENDA_TRY(keys(metadata, clock_.now()));
  token = check_id_token(id_token, *newer, rules);
  if (!token.has_value() && token.error().kind() == ErrorKind::kNotFound)
    return fail(ErrorKind::kUnauthenticated, token.error().literal());
  return token;
}

bool SignInProvider::shows_factor(Json const& claims) const {
  if (auto const* acr = claims.find("acr"); acr != nullptr && is_one_of(settings_.factor_acr, *acr))
    return true;
  auto const* amr = claims.find("amr");
  return amr != nullptr && std::ranges::any_of(amr->items(), [&](Json const& method) {
           return is_one_of(settings_.factor_amr, method);
         });
}

Result<void> SignInProvider::check_open(ByteView state, std::string_view browser) const {
  MutexLock const lock(mutex_);
  if (states_.is_open(state, ChallengeBook::Ceremony::kProvider, browser, clock_.monotonic())) return {};
  return fail(ErrorKind::kInvalid, "this browser has begun no such sign-in, or it is over: begin again");
}

Result<void> SignInProvider::use(ByteView state, std::string_view browser, std::string_view address) {
  std::string const network = subscriber_of(address);
  MutexLock const lock(mutex_);
  auto const now = clock_.monotonic();
  if (states_.is_open(state, ChallengeBook::Ceremony::kProvider, browser, now) &&
      states_.use(state, {network, limits::kProviderSignInsPerNetwork}, now))
    return {};
  return fail(ErrorKind::kInvalid, "this browser has begun no such sign-in, or it is over: begin again");
}

Result<Asserted> SignInProvider::finish(Returned const& returned, std::string_view address) {
  auto const challenge = codec::base64url_decode(returned.state);
  if (returned.code.empty() || returned.code.size() > kReturnedBytes || !challenge.has_value())
    return fail(ErrorKind::kInvalid, "what came back from the OpenID provider is no answer of it");
  TACENDA_TRY_VOID(check_open(*challenge, returned.browser));
  auto const turn =
      TACENDA_TRY(Turn::take(*this, address));  // before the state is used: who has to wait can try again
  TACENDA_TRY_VOID(use(*challenge, returned.browser, address));
  auto const known = TACENDA_TRY(metadata());
  if (returned.issuer.empty() ? known->names_issuer : returned.issuer != settings_.issuer)
    return fail(ErrorKind::kUnauthenticated, "the answer is another issuer's");
  auto const text = TACENDA_TRY(id_token_for(*known, returned));
  auto const token = TACENDA_TRY(checked(*known, text, returned));
  if (!shows_factor(token.claims))
    return fail(ErrorKind::kUnauthenticated,
                "the OpenID provider asked for no second factor that counts here");
  return Asserted{settings_.issuer, token.subject, std::string(token.claims.text_of(settings_.account_claim)),
                  token.authenticated};
}

}  // namespace tacenda::identity

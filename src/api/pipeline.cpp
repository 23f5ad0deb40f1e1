#include "api/pipeline.hpp"

#include <algorithm>
#include <array>

#include "api/capability.hpp"
#include "api/internal/commit.hpp"
#include "api/internal/exchange.hpp"
#include "api/internal/format.hpp"
#include "api/internal/scim_json.hpp"
#include "api/outcome.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "identity/own_account.hpp"
#include "operations/refused.hpp"

namespace tacenda::api {

namespace {

// Rounds against all other writers before a loser waits for the losers before him.
constexpr std::size_t kRaces = 4;

/// The log did not take the event: nothing may be told but that.
Released unrecorded(Error const& error, std::optional<fhir::Format> asked) {
  auto const format = asked.value_or(fhir::Format::kJson);
  if (error.kind() == ErrorKind::kNoSpace) return Released(Unrecorded::kNoSpace, 0, format);
  // The account changed while the read waited for its turn: who asks again hears what became of it.
  if (error.kind() != ErrorKind::kConflict) log(LogLevel::kError, error);
  return Released(Unrecorded::kAuditUnavailable, 0, format);
}

/// Did the search or history find nothing that may be shown?
bool has_nothing(operations::Outcome const& outcome) {
  if (auto const* found = std::get_if<operations::SearchAnswer>(&outcome.result))
    return found->matches.empty() && found->total.value_or(0) == 0;
  auto const* versions = std::get_if<records::HistoryPage>(&outcome.result);
  return versions != nullptr && versions->entries.empty();
}

}  // namespace

std::size_t Pipeline::body_limit(net::Request const& head) const {
  // Nothing of it is kept before it is known who sends it.
  if (takes_body(head)) return static_cast<std::size_t>(parts_.uploads.limits().bytes_max);
  if (!authenticate(head).has_value()) return limits::kUnauthenticatedBodyBytes;
  bool const is_bundle = head.method == "POST" && (head.path == "/fhir" || head.path == "/fhir/");
  return is_bundle ? limits::kBundleBodyBytes : limits::kBodyBytes;
}

Result<identity::Principal> Pipeline::authenticate(net::Request const& request) const {
  auto principal = recognise(request);
  if (!principal.has_value()) return principal;
  if (auto const purpose = request.header("x-purpose-of-use"))
    principal->state_purpose(std::string(*purpose));
  return principal;
}

Result<void> Pipeline::confirm(identity::Principal const& principal, vault::WriteSet& set) const {
  TACENDA_TRY_VOID(parts_.directory.confirm(principal, set));
  if (!principal.application()) return {};
  return parts_.authorization.confirm(*principal.application(), set);
}

Result<void> Pipeline::bind(Exchange const& exchange, std::uint64_t seen, vault::WriteSet& set) const {
  TACENDA_TRY_VOID(confirm(*exchange.principal, set));
  // A list of the application that has changed since, too: its row is what `set` depends on.
  if (auto const& application = exchange.principal->application())
    TACENDA_TRY_VOID(parts_.authorization.clients().admits(application->client, exchange.address));
  set.read_at(seen);
  parts_.store.depend_on_consents(set);
  return {};
}

Result<identity::Principal> Pipeline::recognise(net::Request const& request) const {
  if (auto const token = bearer_token(request)) {
    auto principal = TACENDA_TRY(parts_.directory.authenticate_token(*token));
    if (auto const& application = principal.application()) {
      // RFC 8705 section 3: a token in other hands than those it was given to.
      if (application->certificate && application->certificate != request.peer.certificate)
        return fail(ErrorKind::kUnauthenticated, "the token is bound to another client certificate");
      TACENDA_TRY_VOID(parts_.authorization.confirm(*application));
    }
    return principal;
  }
  if (request.peer.certificate) return parts_.directory.authenticate_certificate(*request.peer.certificate);
  return fail(ErrorKind::kUnauthenticated, "sign in first: an access token is needed");
}

Released Pipeline::handle(net::Request&& request) {
  Exchange exchange;
  exchange.request = std::move(request);
  if (auto ended = admit(exchange)) return std::move(*ended);
  return dispatch(exchange);
}

std::string Pipeline::permitted_origin(net::Request const& request) const {
  auto const origin = request.header("origin");
  if (!origin) return {};
  constexpr auto kOpen =
      std::to_array<std::string_view>({"/fhir/metadata", "/fhir/.well-known/smart-configuration",
                                       "/.well-known/openid-configuration", "/oauth/jwks"});
  if (std::ranges::find(kOpen, request.path) != kOpen.end()) return "*";
  // Nothing here goes by a cookie but the pages of /oauth/authorize and /auth, which are ours alone.
  bool const is_for_applications = request.path == "/fhir" || request.path.starts_with("/fhir/") ||
                                   request.path == "/oauth/token" || request.path == "/oauth/revoke" ||
                                   request.path == "/oauth/launch";
  if (!is_for_applications || !parts_.authorization.clients().has_origin(*origin)) return {};
  return std::string(*origin);
}

void Pipeline::handle(net::Request&& request, std::move_only_function<void(Released)> reply) {
  if (auto origin = permitted_origin(request); !origin.empty()) {
    bool const is_preflight =
        request.method == "OPTIONS" && request.header("access-control-request-method").has_value();
    reply = [origin = std::move(origin), reply = std::move(reply)](Released released) mutable {
      released.permit_origin(origin);
      reply(std::move(released));
    };
    if (is_preflight) return reply(Released(Unrecorded::kPreflight));
  }
  auto exchange = std::make_unique<Exchange>();
  exchange->request = std::move(request);
  exchange->begun = parts_.clock.monotonic();
  if (auto ended = admit(*exchange)) return reply(std::move(*ended));
  if (!try_read(*exchange)) return send(*exchange, dispatch(*exchange), std::move(reply));
  finish_read(std::move(exchange), std::move(reply), 0);
}

void Pipeline::send(Exchange const& exchange, Released released,
                    std::move_only_function<void(Released)> reply) {
  if (!exchange.is_judged || !exchange.shows_nothing) return reply(std::move(released));
  even_times_.push(
      EvenTimes::next(exchange.begun, parts_.clock.monotonic()),
      [released = std::move(released), reply = std::move(reply)]() mutable { reply(std::move(released)); });
}

void Pipeline::finish_read(std::unique_ptr<Exchange> exchange, std::move_only_function<void(Released)> reply,
                           std::size_t attempt) {
  auto set = std::move(exchange->read->set);
  auto events = std::move(exchange->read->events);
  parts_.log.commit_async(
      std::move(set), std::move(events),
      [this, attempt, exchange = std::move(exchange),
       reply = std::move(reply)](Result<audit::Receipt> receipt) mutable {
        if (!receipt.has_value()) {
          if (receipt.error().kind() != ErrorKind::kConflict)
            return reply(unrecorded(receipt.error(), exchange->format));
          // What it rests on changed meanwhile: it is read again, by what holds now.
          exchange->is_on_committer = true;
          exchange->read.reset();
          if (attempt < kRaces && try_read(*exchange))
            return finish_read(std::move(exchange), std::move(reply), attempt + 1);
          // It is judged, or not allowed any more: the slow way waits for commits.
          return slow_way_.push([this, exchange = std::move(exchange), reply = std::move(reply)]() mutable {
            send(*exchange, dispatch(*exchange), std::move(reply));
          });
        }
        Wishes const wishes{std::move(exchange->base_url), exchange->prefer, *exchange->format, {}, {}, {}};
        reply(Released(*receipt, render(*std::move(exchange->read), *receipt, wishes)));
      });
}

std::optional<Released> Pipeline::try_commit(Exchange& exchange,
                                             std::move_only_function<Result<operations::Outcome>()>& run) {
  exchange.remarks.refusal.clear();
  exchange.remarks.matched.clear();
  exchange.remarks.questions.clear();
  exchange.remarks.denied_by = {};
  exchange.content.reset();
  std::uint64_t const seen = parts_.store.committed();
  auto outcome = run();
  if (!outcome.has_value()) return refuse(exchange, outcome.error());
  // Nothing is done or told for who was disabled, or given another role, while the request ran (S-11, S-12),
  // nor against a consent that was withdrawn meanwhile (G-05).
  auto const still = bind(exchange, outcome->rest ? outcome->rest->seen : seen, outcome->set);
  if (!still.has_value()) return refuse(exchange, still.error());
  auto receipt = parts_.log.commit(std::move(outcome->set), std::move(outcome->events));
  if (receipt.has_value()) {
    exchange.shows_nothing = has_nothing(*outcome);
    if (exchange.content) return Released(*receipt, *std::move(exchange.content));
    Wishes wishes{exchange.base_url, exchange.prefer, *exchange.format, {}, {}, {}};
    if (exchange.remarks.wanted) wishes.outcome = exchange.remarks.outcome_of(0);
    page_links(exchange, *outcome, *receipt, wishes);
    return Released(*receipt, render(*std::move(outcome), *receipt, wishes));
  }
  switch (receipt.error().kind()) {
    case ErrorKind::kConflict:
      // Another commit was faster: look at the new state. What a batch has written stays written.
      if (outcome->rest) run = std::move(outcome->rest->again);
      return std::nullopt;
    case ErrorKind::kUnauthenticated:
    case ErrorKind::kForbidden:
      return refuse(exchange, receipt.error());  // the account ended meanwhile
    case ErrorKind::kCorrupt:
      // Nothing is stored, and the log goes on: reads of what is whole are answered.
      log(LogLevel::kError, receipt.error());
      return refuse(exchange, Error(ErrorKind::kUnavailable,
                                    "the store is damaged: nothing is changed until it is repaired"));
    default:
      return unrecorded(receipt.error(), exchange.format);
  }
}

Released Pipeline::commit(Exchange& exchange, std::move_only_function<Result<operations::Outcome>()> run) {
  for (std::size_t attempt = 0; attempt < kRaces; ++attempt) {
    if (auto released = try_commit(exchange, run)) return std::move(*released);
  }
  MutexLock const turn(losers_);
  for (std::size_t attempt = 0; attempt < limits::kCommitRetries; ++attempt) {
    if (auto released = try_commit(exchange, run)) return std::move(*released);
  }
  return refuse(exchange, Error(ErrorKind::kConflict, "too many concurrent changes of the same resource"));
}

Result<audit::Receipt> Pipeline::commit(identity::Pending& pending, audit::Event const& event) {
  return commit_change(parts_.log, pending, event);
}

Released Pipeline::answer(Exchange& exchange, audit::Event event, net::Response response) {
  put_into(exchange.format.value_or(fhir::Format::kJson), response);
  event.http_status = response.status;
  if (!exchange.principal && response.status >= 400) {
    // Nobody was recognised: a flood of these is counted and does not slow down who was.
    auto noted = parts_.failures.note(std::move(event));
    if (!noted)
      return Released(Unrecorded::kCounted, response.status, exchange.format.value_or(fhir::Format::kJson));
    event = std::move(*noted);
  }
  std::vector<audit::Event> events;
  events.push_back(std::move(event));
  // What was asked before the refusal, which may tell an answer.
  for (auto& question : exchange.remarks.questions) {
    question.outcome = events.front().outcome;
    if (question.reason.empty()) question.reason = events.front().reason;
    question.http_status = response.status;
    events.push_back(std::move(question));
  }
  exchange.remarks.questions.clear();
  auto receipt = parts_.log.commit({}, std::move(events));
  if (receipt.has_value()) return Released(*receipt, std::move(response));
  return unrecorded(receipt.error(), exchange.format);
}

Released Pipeline::record(audit::Event event, net::Response response) {
  std::vector<audit::Event> events{std::move(event)};
  auto const receipt = parts_.log.commit({}, std::move(events));
  if (receipt.has_value()) return Released(*receipt, std::move(response));
  return unrecorded(receipt.error(), std::nullopt);
}

Released Pipeline::refuse(Exchange& exchange, Error const& error) {
  net::Response response;
  response.status = status_of(error);
  response.body = exchange.remarks.refusal.empty() ? outcome_json(error) : exchange.remarks.refusal;
  response.headers.push_back({"content-type", "application/fhir+json; charset=utf-8"});
  if (is_scim(exchange.request.path)) response = scim_refusal(response.status, exchange.scim_type, error);
  // RFC 9470: who is recognised and refused for the age of his second factor can step up.
  bool const step_up = response.status == 401 && exchange.principal &&
                       !identity::is_fresh(*exchange.principal, parts_.clock.now());
  if (response.status == 401)
    response.headers.push_back(
        {"www-authenticate", step_up
                                 ? "Bearer realm=\"tacenda\", error=\"insufficient_user_authentication\", "
                                   "max_age=300"
                                 : "Bearer realm=\"tacenda\""});
  if (response.status == 429 || response.status == 503) response.headers.push_back({"retry-after", "30"});
  if (error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kBug) {
    log(LogLevel::kError, error, {{"line", error.where().line()}});
  }
  audit::Event event = exchange.origin;
  // Who was not recognised may not choose what the log says of records.
  if (error.kind() == ErrorKind::kUnauthenticated && !exchange.principal) {
    event.kind = audit::EventKind::kAuthenticationFailed;
  }
  event.outcome = audit_outcome_of(response.status);
  event.reason = error.message();
  auto const denied_by = exchange.denied_by.empty() ? exchange.remarks.denied_by : exchange.denied_by;
  // To who may not see it, what is not there and what is not for him look alike; the log tells.
  exchange.shows_nothing = response.status == 404;
  if (exchange.principal && (response.status == 403 || response.status == 404)) {
    operations::mark_refused(services(), *exchange.principal, {error.kind(), denied_by}, event);
  } else if (!denied_by.empty()) {
    operations::mark_denied(denied_by, event);
  }
  auto const& matched = exchange.remarks.matched;
  event.query_patients.assign(matched.begin(), matched.end());
  return answer(exchange, std::move(event), std::move(response));
}

Released Pipeline::refuse(Exchange& exchange, std::uint16_t status) {
  net::Response response;
  response.status = status;
  response.body = outcome_json(status);
  response.headers.push_back({"content-type", "application/fhir+json; charset=utf-8"});
  if (is_scim(exchange.request.path))
    response = scim_refusal(status, "", Error(ErrorKind::kNotSupported, "this is not available here"));
  // "The origin server MUST generate an Allow header field in a 405" (RFC 9110 section 15.5.6).
  if (status == 405) response.headers.push_back({"allow", exchange.route.methods});
  audit::Event event = exchange.origin;
  event.outcome = audit_outcome_of(status);
  event.reason = "the request does not fit this address";
  return answer(exchange, std::move(event), std::move(response));
}

Released Pipeline::capabilities(Exchange& exchange) {
  if (!exchange.format) return refuse(exchange, 406);
  ServerAddresses const addresses{exchange.base_url, parts_.authorization.origin()};
  // What was defined for this server is for those who work with it.
  auto known = std::make_shared<fhir::SearchParameters const>();
  if (auto principal = authenticate(exchange.request);
      principal.has_value() && admits(*principal, exchange.address).has_value()) {
    identify(exchange.origin, *principal);
    known = parts_.store.parameters();
  } else {
    // Anybody may ask: a flood is counted, as failures are, and must not fill the log.
    exchange.origin.http_status = 200;
    auto noted = parts_.failures.note(exchange.origin);
    if (!noted) return Released(PublicStatement{addresses, *exchange.format});
  }
  net::Response response;
  response.status = 200;
  response.body = capability_statement(addresses, "", kCapabilityDate, *known);
  response.headers.push_back({"content-type", "application/fhir+json; charset=utf-8"});
  return answer(exchange, exchange.origin, std::move(response));
}

}  // namespace tacenda::api

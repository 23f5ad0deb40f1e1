#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/internal/even_times.hpp"
#include "api/internal/job_queue.hpp"
#include "api/internal/page_token.hpp"
#include "api/internal/render.hpp"
#include "api/parts.hpp"
#include "api/response.hpp"
#include "api/routes.hpp"
#include "codec/json.hpp"
#include "core/mutex.hpp"
#include "net/http.hpp"
#include "operations/context.hpp"
#include "operations/patch.hpp"
#include "operations/search.hpp"

namespace tacenda::api {

/// One request from its line to its released response, always in the same order: route, authenticate, decide,
/// do, commit with the audit events, answer. Nothing is told before the commit, nothing is done after it.
///
/// Owner: start. Thread-safe; runs on the worker pool.
class Pipeline {
 public:
  explicit Pipeline(Parts parts);
  ~Pipeline();

  Released handle(net::Request&& request);
  /// The same, but a read gives its worker back while its audit event becomes durable: `reply` is then called
  /// on the committer's thread, or on one that runs `work`.
  void handle(net::Request&& request, std::move_only_function<void(Released)> reply);
  /// Until asked to stop: answers reads that must wait for more than one commit, and (one thread) sends the
  /// answers that leave at even times.
  void work(std::stop_token const& stop) { slow_way_.run(stop); }
  void send_evenly(std::stop_token const& stop) { even_times_.run(stop); }

  /// How large a body the request may have, known from its head: full size only for who is signed in.
  std::size_t body_limit(net::Request const& head) const;

  /// Is the body taken while it comes? Then the functions below are called, and not `handle`.
  static bool takes_body(net::Request const& head);
  enum class UploadNumber : std::uint64_t {};
  /// The answer when the request ends here; else nothing that is known by now stands against the upload.
  std::variant<Released, UploadNumber> begin_upload(net::Request&& head);
  /// Takes the next bytes; the answer when the upload ends with them.
  std::optional<Released> take_upload(UploadNumber number, std::string_view piece);
  /// All has come: decides anew and writes the version.
  Released finish_upload(UploadNumber number);
  /// Forgets the upload, whatever became of it; what is left of it is removed. Quick.
  void drop_upload(UploadNumber number);

  /// Commits a change of the directory with its event, and makes it effective.
  /// Errors: kUnavailable, kNoSpace: nothing may be told.
  Result<audit::Receipt> commit(identity::Pending& pending, audit::Event const& event);

 private:
  struct Exchange;  // one request and what is known of it so far

  /// Whose pages may read the answer in a browser; empty: nobody's but ours (REQUIREMENTS F-18).
  std::string permitted_origin(net::Request const& request) const;
  /// Route and principal. The answer when the request ends here.
  std::optional<Released> admit(Exchange& exchange);
  /// The answer to who is not recognised, may not come from there, is not complete yet, or asks too often.
  std::optional<Released> admit_caller(Exchange& exchange);
  std::optional<Released> hold_caller(Exchange& exchange);
  /// May he, and the application that he uses, ask from there (N-05)? Errors: kForbidden.
  Result<void> admits(identity::Principal const& principal, std::string_view address) const;
  std::optional<Released> hold_to_rate(Exchange& exchange, access::RateLimiter::Kind kind,
                                       std::string_view who);
  Released dispatch(Exchange& exchange);
  /// At once, or at an even time when it says that nothing is there (EvenTimes).
  void send(Exchange const& exchange, Released released, std::move_only_function<void(Released)> reply);
  /// Puts what a read came to into the exchange; false when it is no read, or fails: the slow way tells why.
  bool try_read(Exchange& exchange);
  /// Makes the event of a read durable and answers; reads again what rests on what changed meanwhile.
  void finish_read(std::unique_ptr<Exchange> exchange, std::move_only_function<void(Released)> reply,
                   std::size_t attempt);
  Released capabilities(Exchange& exchange);
  Released fhir(Exchange& exchange);
  enum class Intent : std::uint8_t { kCommit, kTry };  // kTry commits nothing; only a refusal answers
  std::optional<Released> fhir(Exchange& exchange, Intent intent);
  std::optional<Released> settle_formats(Exchange& exchange);
  struct Uploading;  // in uploads.cpp
  Uploading& uploading(UploadNumber number);
  /// Would it still be let in? Errors: kUnauthenticated, kForbidden.
  Result<void> still_admitted(Exchange const& exchange) const;
  Result<void> record_begun(Exchange const& exchange, records::Upload const* stored_or_null);
  Result<void> begin_storing(Uploading& uploading);
  Result<void> store_batch(Uploading& uploading);
  /// The audit log as AuditEvents. `own`: the patient who reads what it says of him.
  Released access_log(Exchange& exchange);
  Released read_log(Exchange& exchange, std::optional<std::string> const& own);
  Released search_log(Exchange& exchange, std::optional<std::string> const& own);
  /// /oauth, and what applications discover of it (internal/oauth.hpp).
  class OAuth;
  Released oauth(Exchange& exchange);
  /// /scim/v2 (internal/scim.hpp).
  class Scim;
  Released scim(Exchange& exchange);
  /// Breaks the glass for one patient: $break-glass.
  Released break_glass(Exchange& exchange);
  Released enrol(Exchange& exchange);
  Released confirm_enrolment(Exchange& exchange);
  Released login(Exchange& exchange);
  Released logout(Exchange& exchange);
  /// What a sign-in, step-up or change of password came to.
  Released conclude(Exchange& exchange, audit::Event event, identity::Directory::Attempt& attempt);
  Released refuse_attempt(Exchange& exchange, audit::Event event, identity::Directory::Attempt& attempt);
  Released refuse_password(Exchange& exchange, Error const& error, codec::Json const& asked,
                           std::string_view field);
  /// /auth of who is signed in, passkeys, and the OpenID provider (internal/account.hpp).
  class Account;
  Released own_account(Exchange& exchange);
  /// The patients whose compartments a resource is in, for who may read it. Errors: kForbidden, kNotFound,
  /// kGone.
  Result<std::vector<std::string>> compartments_of(identity::Principal const& principal,
                                                   std::string_view type, ResourceId const& id) const;
  /// Commits a change of his own account.
  Released change_own(Exchange& exchange, Result<identity::Pending> pending, net::Response response);

  /// Runs an interaction, commits what it asks for, and runs it again while others were faster.
  Released commit(Exchange& exchange, std::move_only_function<Result<operations::Outcome>()> run);
  /// One round of it; nullopt when another commit was faster, and `run` is then what is left to run.
  std::optional<Released> try_commit(Exchange& exchange,
                                     std::move_only_function<Result<operations::Outcome>()>& run);
  /// Records the failure and answers it.
  Released refuse(Exchange& exchange, Error const& error);
  Released refuse(Exchange& exchange, std::uint16_t status);
  Released refuse_unless_committed(Exchange& exchange, Error const& error);
  Released answer(Exchange& exchange, audit::Event event, net::Response response);
  Released record(audit::Event event, net::Response response);

  Result<operations::Outcome> run_interaction(Exchange& exchange, operations::Context const& context,
                                              std::optional<Permit> const& permit);
  Result<operations::Outcome> run_read(Exchange& exchange, operations::Context const& context,
                                       Permit const& permit);
  /// A read of a Binary: what it holds goes into the exchange when that is asked for.
  Result<operations::Outcome> run_binary_read(Exchange& exchange, operations::Context const& context,
                                              Permit const& permit);
  Result<operations::Outcome> run_write(Exchange& exchange, operations::Context const& context,
                                        Permit const& permit);
  Result<operations::Outcome> run_history(Exchange& exchange, operations::Context const& context,
                                          Permit const& permit);
  /// That of a body, of this type. Errors: kInvalid, kTooLarge; the exchange's remarks then have every issue.
  static Result<fhir::Resource> resource_of(Exchange& exchange, std::string_view type);
  /// What a body patches with. Errors: as resource_of.
  static Result<operations::Patch> patch_of(Exchange& exchange);
  Result<operations::Outcome> run_bundle(Exchange& exchange, operations::Context const& context);
  Result<operations::Outcome> run_export(Exchange& exchange, operations::Context const& context,
                                         std::optional<Permit> const& permit);
  operations::Services services() const;
  Result<operations::Outcome> run_validate(Exchange const& exchange, operations::Context const& context);
  Result<operations::Outcome> run_terminology(Exchange& exchange, operations::Context const& context);
  /// What a search asks: its parameters, or those that its page token holds.
  Result<operations::SearchRequest> search_of(Exchange& exchange) const;
  Result<operations::SearchRequest> everything_of(Exchange& exchange) const;
  static Result<operations::SearchRequest> last_n_of(Exchange& exchange);
  /// Of an operation: that of the address, and what Parameters of the body say. Errors: kInvalid, kTooLarge.
  static Result<std::string> with_body_parameters(Exchange& exchange);
  static PageScope search_scope(Exchange const& exchange);
  static PageScope search_scope(identity::Principal const& principal, std::string_view type,
                                std::string_view id, std::string_view inner);
  PageLinks links_of_search(Exchange const& exchange, operations::SearchAnswer const& answer,
                            audit::Receipt const& receipt) const;
  PageLinks links_of_history(Exchange const& exchange, records::HistoryPage const& page) const;
  PageLinks links_of_entry(Exchange const& exchange, operations::EntryOutcome const& entry,
                           audit::Receipt const& receipt) const;
  void page_links(Exchange const& exchange, operations::Outcome const& outcome, audit::Receipt const& receipt,
                  Wishes& wishes) const;
  /// Who asks, and why he says he does.
  Result<identity::Principal> authenticate(net::Request const& request) const;
  Result<identity::Principal> recognise(net::Request const& request) const;
  /// A change of a consent or of the policy that commits after `seen` makes the commit conflict. Errors: the
  /// account ended or changed.
  Result<void> bind(Exchange const& exchange, std::uint64_t seen, vault::WriteSet& set) const;
  /// Is he still who he was, and his application still one that may act? Binds `set` to the answer.
  Result<void> confirm(identity::Principal const& principal, vault::WriteSet& set) const;

  Parts parts_;
  Mutex uploads_mutex_;  // of the map alone: one upload has one caller at a time
  std::map<UploadNumber, std::unique_ptr<Uploading>> uploads_ TACENDA_GUARDED_BY(uploads_mutex_);
  std::uint64_t last_upload_ TACENDA_GUARDED_BY(uploads_mutex_) = 0;
  // Who lost several rounds goes on alone, so that of many writers of one resource none loses without end.
  // Held across commits, by losers only; no other lock is waited for under it but the log's.
  Mutex losers_;
  // Each change of an identity provider ends before the next looks. As losers_, and the directory's lock too.
  Mutex provisioning_;
  JobQueue slow_way_;
  EvenTimes even_times_;
};

}  // namespace tacenda::api

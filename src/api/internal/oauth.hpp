#pragma once

#include "api/internal/exchange.hpp"

namespace tacenda::api {

/// The endpoints of applications: discovery, authorization with its pages, token, revocation, introspection,
/// and what people see of what they allowed. Owner: the worker that runs one request.
class Pipeline::OAuth {
 public:
  explicit OAuth(Pipeline& pipeline) : pipeline_(pipeline), parts_(pipeline.parts_) {}

  Released dispatch(Exchange& exchange);

 private:
  Released discovery(Exchange& exchange);
  /// A person, or an application of his, starts another application for a patient.
  Released launch(Exchange& exchange);
  /// For who is still who he was. Errors: the account ended or changed; those of audit::Log::commit.
  Result<audit::Receipt> record_launch(Exchange const& exchange);
  /// Is there such an encounter of the patient, and may this person see it?
  bool is_encounter_of(std::string_view encounter, std::string_view patient,
                       identity::Principal const& person) const;
  Released authorize(Exchange& exchange);
  Released authorize_sign_in(Exchange& exchange);
  /// The page that asks for a passkey, and what the browser answered.
  Released authorize_passkey(Exchange& exchange);
  Released sign_in_by_passkey(Exchange& exchange, audit::Event event, authorization::Server::Opened opened,
                              authorization::Form const& form);
  /// Sends the browser to the hospital's OpenID provider, and signs in who comes back from there. Who came
  /// from the page of his own account gets that page, which goes on by its script.
  Released authorize_provider(Exchange& exchange);
  Released provider_callback(Exchange& exchange);
  Released sign_in_at_provider(Exchange& exchange, authorization::Form const& form,
                               authorization::Server::Opened opened, std::string_view sealed);
  /// The page to sign in on; `problem`: what went wrong with the last try.
  HtmlPage sign_in_again(std::uint16_t status, authorization::Server::Opened const& opened,
                         std::string_view sealed, std::string_view problem) const;
  std::string_view provider_issuer() const;  // empty: the server knows none
  Released authorize_consent(Exchange& exchange);
  Released applications(Exchange& exchange);
  Released end_application(Exchange& exchange);
  /// Makes an event of the pages durable and shows the page; a flood of strangers is counted.
  Released show(Exchange& exchange, audit::Event event, HtmlPage page);
  Released show_problem(Exchange& exchange, audit::Event event, std::uint16_t status, Literal problem);
  Released refuse_page_sign_in(Exchange& exchange, audit::Event event, identity::Directory::Attempt& attempt,
                               authorization::Server::Opened const& opened, std::string_view sealed,
                               std::optional<Literal> told);
  /// May this person go on with the request, from where he is? Errors: those of Gate::admits; kConflict (it
  /// was started by somebody else, or asks for a newer sign-in).
  Result<void> admit_person(Exchange const& exchange, authorization::AuthorizationRequest const& request,
                            identity::Principal const& person) const;
  /// What a sign-in on a page came to, whichever way.
  Released conclude_sign_in(Exchange& exchange, audit::Event event, identity::Directory::Attempt& attempt,
                            authorization::Server::Opened opened, std::string_view sealed);
  Released consent_page(Exchange& exchange, authorization::Server::Opened const& opened,
                        identity::Principal const& person, audit::Receipt const& receipt, Literal problem);
  Released token(Exchange& exchange);
  /// The answer when they could not be recorded.
  std::optional<Released> record_keys(Exchange& exchange,
                                      std::vector<authorization::KeysNotice> const& notices);
  Released answer_token(Exchange& exchange, authorization::TokenReply& reply);
  Released refuse_token(Exchange& exchange, authorization::Refusal const& refusal,
                        authorization::TokenReply& reply);

  Pipeline& pipeline_;
  Parts& parts_;
};

}  // namespace tacenda::api

#pragma once

#include <functional>
#include <vector>

#include "api/internal/exchange.hpp"
#include "api/internal/scim_json.hpp"

namespace tacenda::api {

/// /scim/v2: accounts and groups that the hospital's identity provider keeps. Owner: the worker that runs one
/// request. Source: RFC 7644.
class Pipeline::Scim {
 public:
  explicit Scim(Pipeline& pipeline);

  Released dispatch(Exchange& exchange);

 private:
  Released discovery(Exchange& exchange);
  Released users(Exchange& exchange);
  Released user(Exchange& exchange);
  Released add_user(Exchange& exchange);
  Released change_user(Exchange& exchange);
  Released remove_user(Exchange& exchange);
  Released groups(Exchange& exchange);
  Released group(Exchange& exchange);
  Released add_group(Exchange& exchange);
  Released change_group(Exchange& exchange);

  /// Makes the resource of a place in a list.
  using Make = std::function<codec::Json(std::size_t place)>;
  /// One page of those of `size` resources that the request asks for. They are made one at a time.
  Released list(Exchange& exchange, std::size_t size, Make const& make);
  Released show(Exchange& exchange, codec::Json resource);
  /// Before anything takes effect: the answer to who was disabled while he waited for his turn (S-11).
  std::optional<Released> refuse_who_ended(Exchange& exchange);
  Released refuse(Exchange& exchange, ScimRefusal const& refusal);
  Released refuse(Exchange& exchange, Error const& error);
  /// The resource must still be in the version that the client saw (RFC 7644 section 3.14).
  static Result<void> check_version(Exchange const& exchange, std::uint32_t version);
  /// Commits a change while its caller still may make it.
  Released commit(Exchange& exchange, identity::Pending& pending, std::vector<audit::Event> events,
                  net::Response response);
  codec::Json json_of(identity::Provisioning::User const& user) const;

  Pipeline& pipeline_;
  Parts& parts_;
  identity::Provisioning provisioning_;
  std::string base_;
};

/// What became of one account, as the log says it: at least one event.
std::vector<audit::Event> events_of(audit::Event const& origin, identity::Provisioning::Effect const& effect);
/// The same of a change of a group: of the account's place in it, and of its role.
audit::Event event_of(audit::Event const& origin, identity::Provisioning::Effect const& effect,
                      identity::Group const& group);
/// What the identity provider says of an account, for the log.
std::string text_of(identity::Provisioned const& provisioned);

}  // namespace tacenda::api

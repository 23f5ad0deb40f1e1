// /scim/v2: what every request to it has in common, discovery, and what the log says of changes.
#include "api/internal/scim.hpp"

#include <algorithm>
#include <charconv>

#include "api/outcome.hpp"
#include "codec/scim_filter.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/log.hpp"

namespace tacenda::api {
namespace {

using codec::Json;
using identity::Provisioning;

/// What a list is asked for.
struct Question {
  std::optional<codec::ScimFilter> filter;
  std::size_t start = 1;
  std::size_t count = limits::kScimPage;
  ScimView view;
};

std::vector<std::string> names_of(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    auto const end = std::min(text.find(','), text.size());
    auto name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (auto const colon = name.rfind(':'); colon != std::string_view::npos) name.remove_prefix(colon + 1);
    name = name.substr(0, name.find('.'));
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

/// A whole number; what is below 0 is 0, and what is none is nothing.
std::optional<std::size_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<std::size_t>(std::max<std::int64_t>(number, 0));
}

ScimResult<Question> question_of(std::string_view query) {
  using Type = ScimRefusal::Type;
  auto const fields = codec::parse_query(query);
  if (!fields.has_value()) return std::unexpected(ScimRefusal{fields.error(), Type::kInvalidSyntax});
  Question question;
  for (auto const& [name, value] : *fields) {
    if (name == "filter") {
      auto filter = codec::parse_scim_filter(value);
      if (!filter.has_value()) return std::unexpected(ScimRefusal{filter.error(), Type::kInvalidFilter});
      question.filter = std::move(*filter);
    } else if (name == "startIndex" || name == "count") {
      auto const number = number_of(value);
      if (!number)
        return std::unexpected(ScimRefusal{
            Error(ErrorKind::kInvalid, "startIndex or count is no whole number"), Type::kInvalidValue});
      if (name == "count") question.count = std::min(*number, limits::kScimPageMax);
      if (name == "startIndex") question.start = std::max<std::size_t>(*number, 1);
    } else if (name == "attributes") {
      question.view.wanted = names_of(value);
    } else if (name == "excludedAttributes") {
      question.view.unwanted = names_of(value);
    }
  }
  return question;
}

}  // namespace

std::string text_of(identity::Provisioned const& provisioned) {
  std::string text = "userName " + provisioned.user_name;
  if (!provisioned.external_id.empty()) text += ", externalId " + provisioned.external_id;
  if (!provisioned.display_name.empty()) text += ", displayName " + provisioned.display_name;
  return text;
}

std::vector<audit::Event> events_of(audit::Event const& origin, Provisioning::Effect const& effect) {
  std::vector<audit::Event> events;
  auto const note = [&](audit::EventKind kind, std::string before, std::string after) {
    audit::Event event = origin;
    event.kind = kind;
    event.target = effect.before.name;
    event.old_value = std::move(before);
    event.new_value = std::move(after);
    events.push_back(std::move(event));
  };
  auto const& was = *effect.before.is;
  auto const& is = *effect.after.is;
  if (is.deleted) {
    note(audit::EventKind::kUserDeleted, text_of(was), "deleted");
    return events;
  }
  if (was.active != is.active)
    note(is.active ? audit::EventKind::kUserEnabled : audit::EventKind::kUserDisabled,
         was.active ? "active" : "suspended", is.active ? "active" : "suspended");
  if (events.empty() || text_of(was) != text_of(is))
    note(audit::EventKind::kUserChanged, text_of(was), text_of(is));
  return events;
}

audit::Event event_of(audit::Event const& origin, Provisioning::Effect const& effect,
                      identity::Group const& group) {
  auto const say = [&](Provisioning::User const& user) {
    bool const in = std::ranges::binary_search(user.is->groups, group.id);
    return std::string(in ? "in " : "not in ") + group.display_name + ", role " +
           (user.role.empty() ? "none" : user.role);
  };
  audit::Event event = origin;
  event.kind = effect.before.role == effect.after.role ? audit::EventKind::kGroupChanged
                                                       : audit::EventKind::kRoleChanged;
  event.target = effect.before.name;
  event.old_value = say(effect.before);
  event.new_value = say(effect.after);
  return event;
}

Released Pipeline::scim(Exchange& exchange) {
  return Scim(*this).dispatch(exchange);
}

Pipeline::Scim::Scim(Pipeline& pipeline)
    : pipeline_(pipeline),
      parts_(pipeline.parts_),
      provisioning_(parts_.directory),
      base_(std::string(parts_.authorization.origin()) + std::string(kScimBase)) {}

Released Pipeline::Scim::dispatch(Exchange& exchange) {
  if (auto const allowed = parts_.gate.authorize_provisioning(*exchange.principal); !allowed.has_value())
    return refuse(exchange, allowed.error());
  bool const reads = exchange.request.method == "GET" || exchange.request.method == "HEAD";
  switch (exchange.route.route->interaction) {
    case Interaction::kScimUsers:
      return reads ? users(exchange) : add_user(exchange);
    case Interaction::kScimUser:
      return user(exchange);
    case Interaction::kScimGroups:
      return reads ? groups(exchange) : add_group(exchange);
    case Interaction::kScimGroup:
      return group(exchange);
    default:
      return discovery(exchange);
  }
}

Released Pipeline::Scim::discovery(Exchange& exchange) {
  std::string_view const pattern = exchange.route.route->pattern;
  if (pattern.ends_with("/ServiceProviderConfig")) return show(exchange, service_provider_config(base_));
  if (pattern.ends_with("/Bulk"))
    return refuse(exchange, Error(ErrorKind::kNotSupported, "bulk operations are not supported"));
  Json const all = pattern.contains("/Schemas") ? schemas(base_) : resource_types(base_);
  if (exchange.route.version.empty()) {
    auto const total = all.items().size();
    return show(exchange, list_json(total, 1, all));
  }
  for (auto const& item : all.items()) {
    if (item.text_of("id") == exchange.route.version) return show(exchange, item);
  }
  return refuse(exchange, Error(ErrorKind::kNotFound, "there is no such schema or type"));
}

Released Pipeline::Scim::list(Exchange& exchange, std::size_t size, Make const& make) {
  auto const question = question_of(exchange.request.query);
  if (!question.has_value()) return refuse(exchange, question.error());
  std::size_t total = 0;
  Json page = Json::array();
  for (std::size_t place = 0; place < size; ++place) {
    bool const is_shown = total + 1 >= question->start && page.items().size() < question->count;
    if (!question->filter && !is_shown) {
      ++total;
      continue;
    }
    Json resource = make(place);
    if (question->filter && !codec::matches(*question->filter, resource)) continue;
    ++total;
    if (!is_shown) continue;
    show_only(question->view, resource);
    page.push(std::move(resource));
  }
  return pipeline_.answer(exchange, exchange.origin,
                          scim_response(200, list_json(total, question->start, std::move(page))));
}

Released Pipeline::Scim::show(Exchange& exchange, Json resource) {
  auto const question = question_of(exchange.request.query);
  if (!question.has_value()) return refuse(exchange, question.error());
  std::string const version(resource.find("meta") != nullptr ? resource.find("meta")->text_of("version")
                                                             : "");
  show_only(question->view, resource);
  auto response = scim_response(200, resource);
  if (!version.empty()) response.headers.push_back({"etag", version});
  return pipeline_.answer(exchange, exchange.origin, std::move(response));
}

Released Pipeline::Scim::refuse(Exchange& exchange, ScimRefusal const& refusal) {
  exchange.scim_type = word_of(refusal.type);
  return pipeline_.refuse(exchange, refusal.error);
}

Released Pipeline::Scim::refuse(Exchange& exchange, Error const& error) {
  auto const type = error.kind() == ErrorKind::kConflict  ? ScimRefusal::Type::kUniqueness
                    : error.kind() == ErrorKind::kInvalid ? ScimRefusal::Type::kInvalidValue
                                                          : ScimRefusal::Type::kNone;
  return refuse(exchange, ScimRefusal{error, type});
}

std::optional<Released> Pipeline::Scim::refuse_who_ended(Exchange& exchange) {
  vault::WriteSet unused;
  auto const still = pipeline_.confirm(*exchange.principal, unused);
  return still.has_value() ? std::nullopt : std::optional(pipeline_.refuse(exchange, still.error()));
}

Result<void> Pipeline::Scim::check_version(Exchange const& exchange, std::uint32_t version) {
  auto const wanted = exchange.request.header("if-match");
  if (!wanted || *wanted == "*" || *wanted == etag_of(version)) return {};
  return fail(ErrorKind::kPrecondition, "the resource is in another version");
}

Released Pipeline::Scim::commit(Exchange& exchange, identity::Pending& pending,
                                std::vector<audit::Event> events, net::Response response) {
  for (auto& event : events) event.http_status = response.status;
  for (std::size_t attempt = 0; attempt < limits::kCommitRetries; ++attempt) {
    auto set = pending.set();
    if (!set.has_value()) return pipeline_.refuse(exchange, set.error());
    // Nothing is changed for who was disabled, or given another role, while the request ran (S-11).
    if (auto const still = pipeline_.confirm(*exchange.principal, *set); !still.has_value())
      return pipeline_.refuse(exchange, still.error());
    auto const receipt = parts_.log.commit(std::move(*set), events);
    if (receipt.has_value()) {
      pending.committed();
      return Released(*receipt, std::move(response));
    }
    if (receipt.error().kind() != ErrorKind::kConflict)
      return pipeline_.refuse_unless_committed(exchange, receipt.error());
  }
  return pipeline_.refuse(exchange,
                          Error(ErrorKind::kUnavailable, "too many concurrent changes of the directory"));
}

Json Pipeline::Scim::json_of(Provisioning::User const& user) const {
  return user_json(user, provisioning_.groups_by_id(), base_);
}

}  // namespace tacenda::api

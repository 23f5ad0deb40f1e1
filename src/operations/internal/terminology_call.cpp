#include "operations/internal/terminology_call.hpp"

#include "operations/vocabulary.hpp"

namespace tacenda::operations {

using codec::Json;

TerminologyCall::TerminologyCall(Context const& context, TerminologyRequest const& request,
                                 Arguments arguments)
    : context_(context),
      request_(request),
      arguments_(std::move(arguments)),
      permits_(context, Action::kRead),
      terminology_(context.services.vocabulary == nullptr
                       ? fhir::TerminologySource{}
                       : context.services.vocabulary->source(permits_.source())) {}

Result<std::shared_ptr<fhir::ValueSet const>> TerminologyCall::value_set() {
  std::shared_ptr<fhir::ValueSet const> found;
  if (request_.id) {
    if (context_.services.vocabulary != nullptr) {
      found = TACENDA_TRY(context_.services.vocabulary->value_set(permits_.source(), *request_.id));
    }
  } else if (Json const* own = arguments_.object("valueSet")) {
    return fhir::ValueSet::parse(*own);
  } else {
    std::string canonical(arguments_.text("url"));
    if (canonical.empty()) return fail(ErrorKind::kInvalid, "the value set is not named: url or valueSet");
    auto const version = arguments_.text("valueSetVersion");
    if (!version.empty()) canonical.append("|").append(version);
    found = TACENDA_TRY(terminology_.value_set(canonical));
  }
  if (found == nullptr) return fail(ErrorKind::kNotFound, "there is no such value set here");
  return found;
}

Result<std::shared_ptr<fhir::CodeSystem const>> TerminologyCall::code_system(std::string_view url,
                                                                             std::string_view version) {
  std::shared_ptr<fhir::CodeSystem const> found;
  if (request_.id) {
    if (context_.services.vocabulary != nullptr) {
      found = TACENDA_TRY(context_.services.vocabulary->code_system(permits_.source(), *request_.id));
    }
  } else if (Json const* own = arguments_.object("codeSystem")) {
    return fhir::CodeSystem::parse(*own);
  } else {
    if (url.empty()) return fail(ErrorKind::kInvalid, "the code system is not named");
    found = TACENDA_TRY(terminology_.code_system(url, version));
  }
  if (found == nullptr) return fail(ErrorKind::kNotFound, "there is no such code system here");
  return found;
}

Outcome TerminologyCall::finish(std::string_view canonical, Json const& answer) const {
  Outcome outcome;
  auto event = event_of(context_, audit::EventKind::kTerminology, request_.type,
                        request_.id ? request_.id->view() : std::string_view());
  // What a body names stands in no query.
  if (event.query.empty() && !canonical.empty()) event.query = std::string("url=").append(canonical);
  outcome.events.push_back(std::move(event));
  outcome.result = Advice{codec::write_json(answer)};
  return outcome;
}

Json ParametersBuilder::part(std::string_view name, std::string_view member, Json value) {
  Json part = Json::object();
  part.set("name", Json::string(name));
  part.set(member, std::move(value));
  return part;
}

void ParametersBuilder::text(std::string_view name, std::string_view member, std::string_view value) {
  if (!value.empty()) list_.push(part(name, member, Json::string(value)));
}

void ParametersBuilder::flag(std::string_view name, bool value) {
  list_.push(part(name, "valueBoolean", Json::boolean(value)));
}

void ParametersBuilder::parts(std::string_view name, Json parts) {
  list_.push(part(name, "part", std::move(parts)));
}

Json ParametersBuilder::take() && {
  Json parameters = Json::object();
  parameters.set("resourceType", Json::string("Parameters"));
  parameters.set("parameter", std::move(list_));
  return parameters;
}

}  // namespace tacenda::operations

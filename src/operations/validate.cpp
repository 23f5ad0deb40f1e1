#include "operations/validate.hpp"

#include <algorithm>

#include "codec/xml.hpp"
#include "core/limits.hpp"
#include "fhir/outcome.hpp"
#include "fhir/types.hpp"
#include "fhir/xml.hpp"
#include "operations/internal/writing.hpp"
#include "operations/validation.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;
using fhir::IssueKind;
using fhir::Severity;

constexpr std::size_t kProfilesMax = 16;

enum class Mode : std::uint8_t { kNone, kCreate, kUpdate, kDelete };

/// What is asked, from the URL and the body.
struct Asked {
  std::optional<Json> resource;
  Mode mode = Mode::kNone;
  std::vector<std::string> profiles;     // canonical URLs
  std::optional<fhir::Issues> not_fhir;  // what keeps a body of XML from being a resource of R4
};

/// Hears nothing but whether a text is XML.
class Unheard final : public codec::XmlEvents {
 public:
  bool open(codec::XmlTag const&) override { return true; }
  bool text(std::string_view) override { return true; }
  bool close(std::size_t) override { return true; }
};

Result<void> take_parameter(std::string_view name, std::string_view value, Asked& asked) {
  if (name == "profile") {
    if (value.empty() || asked.profiles.size() == kProfilesMax) {
      return fail(ErrorKind::kInvalid, "profile is a canonical URL, and there may be a few only");
    }
    asked.profiles.emplace_back(value);
    return {};
  }
  if (name != "mode") return fail(ErrorKind::kInvalid, "$validate takes resource, mode and profile");
  if (value == "create") {
    asked.mode = Mode::kCreate;
  } else if (value == "update") {
    asked.mode = Mode::kUpdate;
  } else if (value == "delete") {
    asked.mode = Mode::kDelete;
  } else {
    return fail(ErrorKind::kInvalid, "mode is create, update or delete");
  }
  return {};
}

/// True for Parameters that carry what is asked; other Parameters are a resource like any.
bool is_wrapper(Json const& body, std::string_view type) {
  if (body.text_of("resourceType") != "Parameters") return false;
  if (type != "Parameters") return true;
  Json const* list = body.find("parameter");
  return list != nullptr && std::ranges::any_of(list->items(), [](Json const& each) {
           return each.text_of("name") == "resource";
         });
}

Result<void> unwrap(Json body, Asked& asked) {
  Json* list = body.find("parameter");
  if (list == nullptr || !list->is_array()) return fail(ErrorKind::kInvalid, "the Parameters are empty");
  for (auto& each : list->items()) {
    auto const name = each.text_of("name");
    if (name == "resource") {
      Json* resource = each.find("resource");
      if (resource == nullptr || asked.resource) {
        return fail(ErrorKind::kInvalid, "the Parameters must have one resource");
      }
      asked.resource = std::move(*resource);
      continue;
    }
    std::string_view value;
    for (auto const* member : {"valueCode", "valueUri", "valueCanonical", "valueString"}) {
      if (value.empty()) value = each.text_of(member);
    }
    TACENDA_TRY_VOID(take_parameter(name, value, asked));
  }
  return {};
}

/// A body of XML. An element that R4 does not know is what is wrong with the resource, as a property is in
/// JSON; what is no XML at all is nothing to validate.
Result<Json> parse_xml(std::string_view text, Asked& asked) {
  auto read = fhir::read_xml(text);
  if (read.has_value()) return std::move(*read);
  Unheard unheard;
  TACENDA_TRY_VOID(
      codec::scan_xml(text, codec::XmlForm::kDocument, {.size_bytes = limits::kBodyBytes}, unheard));
  asked.not_fhir = std::move(read.error());
  return Json::object();
}

Result<Asked> asked_of(ValidateRequest const& request) {
  Asked asked;
  for (auto const& [name, value] : request.parameters) {
    if (name == "_format" || name == "_pretty") continue;
    TACENDA_TRY_VOID(take_parameter(name, value, asked));
  }
  if (request.body.empty()) return asked;
  auto body = TACENDA_TRY(request.format == fhir::Format::kXml
                              ? parse_xml(request.body, asked)
                              : codec::parse_json(request.body, {.size_bytes = limits::kBodyBytes}));
  if (asked.not_fhir) return asked;
  if (is_wrapper(body, request.type)) {
    TACENDA_TRY_VOID(unwrap(std::move(body), asked));
  } else {
    asked.resource = std::move(body);
  }
  if (!asked.resource) return asked;
  auto const type = asked.resource->text_of("resourceType");
  if (!type.empty() && type != request.type) {
    return fail(ErrorKind::kInvalid, "the resource has another type than the URL");
  }
  return asked;
}

void complain(fhir::Report& report, IssueKind kind, Literal text, std::string path) {
  report.add({Severity::kError, kind, text, std::move(path), {}, {}});
}

/// The profiles that the request names, as far as they are stored and of this type. That a resource is of its
/// own type needs no profile.
std::vector<std::shared_ptr<fhir::Profile const>> named_profiles(Validation::Session& session,
                                                                 Asked const& asked, std::string_view type,
                                                                 fhir::Report& report) {
  std::vector<std::shared_ptr<fhir::Profile const>> found;
  for (auto const& url : asked.profiles) {
    auto const plain = fhir::without_version(url);
    if (plain.starts_with(fhir::kBaseDefinitions)) {
      auto const base = plain.substr(fhir::kBaseDefinitions.size());
      if (base == type || base == "DomainResource" || base == "Resource") continue;
    }
    auto profile = session.profile(url);
    if (!profile.has_value()) {
      complain(report, IssueKind::kNotSupported, profile.error().literal(), {});
    } else if (*profile == nullptr) {
      complain(report, IssueKind::kNotSupported, "the profile to validate against is not known here", {});
    } else if ((*profile)->type() != type) {
      complain(report, IssueKind::kStructure, "the profile to validate against is one of another type", {});
    } else {
      found.push_back(*std::move(profile));
    }
  }
  return found;
}

/// What an update would refuse (R4 http.html#update); a create takes any id, and gives a new one.
void check_mode(ValidateRequest const& request, Asked const& asked, fhir::Resource const& resource,
                fhir::Report& report) {
  if (asked.mode != Mode::kUpdate) return;
  if (resource.id().empty()) {
    complain(report, IssueKind::kRequired, "an update needs the id of the resource", request.type + ".id");
  } else if (request.id && resource.id() != request.id->view()) {
    complain(report, IssueKind::kValue, "the resource must have the id of the request's URL",
             request.type + ".id");
  }
}

std::string judge(Context const& context, ValidateRequest const& request, Asked& asked, Json json) {
  auto checked = fhir::Resource::check(std::move(json));
  // Without its shape nothing more can be asked of it.
  if (!checked.has_value()) return fhir::outcome_text(checked.error());
  Validation::Session session(*context.services.validation, context.now);
  fhir::Report remarks;
  auto const profiles = named_profiles(session, asked, checked->type(), remarks);
  check_mode(request, asked, *checked, remarks);
  std::vector<fhir::Profile const*> held;
  for (auto const& profile : profiles) held.push_back(profile.get());
  for (auto const& finding : session.validate(*checked, held)) remarks.add(finding);
  return codec::write_json(fhir::to_outcome(remarks));
}

Result<void> may_write(Context const& context, std::string_view type) {
  auto const& gate = context.services.gate;
  if (gate.authorize(context.principal, Action::kCreate, type).has_value()) return {};
  TACENDA_TRY_VOID(gate.authorize(context.principal, Action::kUpdate, type));
  return {};
}

/// Whether the resource could be deleted: it is, in a transaction that nobody commits.
Result<Outcome> try_delete(Context const& context, ValidateRequest const& request) {
  if (!request.id)
    return fail(ErrorKind::kInvalid, "mode delete is of a stored resource: its id must be in the URL");
  auto const permit =
      TACENDA_TRY(context.services.gate.authorize(context.principal, Action::kDelete, request.type));
  auto transaction = begin_writing(context);
  auto const written = TACENDA_TRY(transaction.remove(permit, request.type, *request.id, std::nullopt, 0));
  Outcome outcome;
  outcome.events.push_back(event_of(context, audit::EventKind::kValidate, request.type, request.id->view()));
  outcome.events.back().patients = written.patients;
  explain(context, outcome.events.back());
  outcome.result = Advice{codec::write_json(fhir::to_outcome(fhir::Report()))};
  return outcome;
}

}  // namespace

Result<Outcome> validate(Context const& context, ValidateRequest const& request) {
  auto asked = TACENDA_TRY(asked_of(request));
  if (asked.mode == Mode::kDelete) return try_delete(context, request);
  Outcome outcome;
  if (asked.resource || asked.not_fhir) {
    TACENDA_TRY_VOID(may_write(context, request.type));
    std::string_view const id = request.id ? request.id->view() : std::string_view();
    outcome.events.push_back(event_of(context, audit::EventKind::kValidate, request.type, id));
    outcome.result = Advice{asked.not_fhir ? fhir::outcome_text(*asked.not_fhir)
                                           : judge(context, request, asked, std::move(*asked.resource))};
    return outcome;
  }
  if (!request.id) return fail(ErrorKind::kInvalid, "there is no resource to validate");
  auto const permit =
      TACENDA_TRY(context.services.gate.authorize(context.principal, Action::kRead, request.type));
  auto const version = TACENDA_TRY(context.services.store.read(permit, request.type, *request.id));
  outcome.events.push_back(event_of(context, audit::EventKind::kValidate, version));
  outcome.result = Advice{judge(context, request, asked, TACENDA_TRY(codec::parse_json(version.json)))};
  return outcome;
}

}  // namespace tacenda::operations

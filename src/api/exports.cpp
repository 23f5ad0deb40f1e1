// Bulk Data: from a matched route to an operation.
#include "api/internal/exchange.hpp"
#include "codec/text.hpp"
#include "fhir/resource.hpp"
#include "operations/export.hpp"

namespace tacenda::api {
namespace {

std::string as_query(std::vector<std::pair<std::string, std::string>> const& parameters) {
  std::string query;
  for (auto const& [name, value] : parameters) {
    if (!query.empty()) query.push_back('&');
    query.append(codec::percent_encode(name)).append("=").append(codec::percent_encode(value));
  }
  return query;
}

}  // namespace

Result<operations::Outcome> Pipeline::run_export(Exchange& exchange, operations::Context const& context,
                                                 std::optional<Permit> const& permit) {
  auto const& route = exchange.route;
  net::Request const& request = exchange.request;
  switch (route.route->interaction) {
    case Interaction::kExportStatus:
      return operations::export_status(context, route.id);
    case Interaction::kExportCancel:
      return operations::cancel_export(context, route.id);
    case Interaction::kExportFile:
      return operations::export_file(context, route.id, route.version);
    default:
      break;
  }
  if (!prefers_async(request))
    return fail(ErrorKind::kInvalid, "an export answers later only: send Prefer: respond-async");
  operations::ExportKickOff kick_off;
  kick_off.lenient = says_lenient(request);
  if (!route.id.empty()) {
    kick_off.level = records::ExportLevel::kGroup;
    kick_off.group = route.id;
  } else if (route.route->pattern.contains("/Patient/")) {
    kick_off.level = records::ExportLevel::kPatient;
  }
  kick_off.url = "https://" + request.authority + request.path;
  if (!request.query.empty()) kick_off.url.append("?").append(request.query);
  kick_off.parameters = TACENDA_TRY(codec::parse_query(request.query));
  if (request.method == "POST") {
    auto const body = TACENDA_TRY(fhir::parse_resource(request.body, exchange.body_format));
    auto sent = TACENDA_TRY(operations::export_parameters(body));
    for (auto& parameter : sent) kick_off.parameters.push_back(std::move(parameter));
    // Whatever becomes of it, the audit log keeps what was asked, in the form that a GET has.
    exchange.origin.query = as_query(kick_off.parameters);
  }
  return operations::start_export(context, *permit, kick_off);
}

}  // namespace tacenda::api

// The FHIR interactions of the pipeline: from a matched route to an operation.
#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "api/internal/binary.hpp"
#include "api/internal/exchange.hpp"
#include "api/internal/format.hpp"
#include "api/internal/page_token.hpp"
#include "api/outcome.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "core/process.hpp"
#include "fhir/bundle.hpp"
#include "fhir/date_range.hpp"
#include "fhir/outcome.hpp"
#include "fhir/resource.hpp"
#include "operations/bundle.hpp"
#include "operations/history.hpp"
#include "operations/last_n.hpp"
#include "operations/meta.hpp"
#include "operations/patch.hpp"
#include "operations/read.hpp"
#include "operations/search.hpp"
#include "operations/terminology.hpp"
#include "operations/validate.hpp"
#include "operations/write.hpp"

namespace tacenda::api {
namespace {

using operations::Context;
using operations::Outcome;

Result<std::uint64_t> version_of(std::string_view text) {
  std::uint64_t version = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  // A version id this server never gave is simply not there.
  if (error != std::errc() || end != text.data() + text.size() || version == 0) {
    return fail(ErrorKind::kNotFound, "there is no such version");
  }
  return version;
}

operations::ReadConditions read_conditions(net::Request const& request) {
  operations::ReadConditions conditions;
  if (auto const field = request.header("if-none-match")) conditions.if_none_match = *field;
  if (auto const field = request.header("if-modified-since")) {
    // "A recipient MUST ignore the If-Modified-Since header field if the received field value is not a valid
    // HTTP-date" (RFC 9110 section 13.1.3). It stands for its whole second: it cannot say more.
    auto const time = codec::parse_http_date(*field);
    if (time.has_value()) conditions.if_modified_since = *time + std::chrono::milliseconds(999);
  }
  return conditions;
}

/// What the request asks of the store, for the log: also of one that is refused.
std::string asked_by(net::Request const& request) {
  std::string asked = request.query;
  auto const add = [&asked](std::string_view more) {
    if (!asked.empty() && !more.empty()) asked.push_back('&');
    asked.append(more);
  };
  if (request.method == "POST" && sends_form(request)) add(request.body);
  if (auto const criteria = request.header("if-none-exist")) add(*criteria);
  return operations::recorded_query(asked);
}

std::optional<fhir::Format> body_format_for(Interaction interaction, net::Request const& request) {
  switch (interaction) {
    case Interaction::kSearchType:
    case Interaction::kSearchSystem:
    case Interaction::kSearchCompartment:
      // A search without a form has its parameters in the URL alone.
      return request.body.empty() || sends_form(request) ? std::optional(fhir::Format::kJson) : std::nullopt;
    case Interaction::kPatch:
    case Interaction::kPatchMatching:
      return sends_json_patch(request) ? fhir::Format::kJson : body_format_of(request);
    case Interaction::kEverything:
    case Interaction::kLastN:
      return request.body.empty() ? fhir::Format::kJson : body_format_of(request);
    default:
      return body_format_of(request);
  }
}

}  // namespace

Result<Outcome> Pipeline::run_interaction(Exchange& exchange, Context const& context,
                                          std::optional<Permit> const& permit) {
  Match const& route = exchange.route;
  auto const id = [&] { return ResourceId::parse(route.id); };
  switch (route.route->interaction) {
    case Interaction::kRead:
    case Interaction::kVread:
      return reads_binary(route.route->interaction, route.type) ? run_binary_read(exchange, context, *permit)
                                                                : run_read(exchange, context, *permit);
    case Interaction::kCreate:
    case Interaction::kUpdate:
    case Interaction::kUpdateMatching:
    case Interaction::kDelete:
    case Interaction::kDeleteMatching:
    case Interaction::kPatch:
    case Interaction::kPatchMatching:
    case Interaction::kMetaAdd:
    case Interaction::kMetaDelete:
      return run_write(exchange, context, *permit);
    case Interaction::kSearchType:
    case Interaction::kSearchSystem:
    case Interaction::kSearchCompartment:
    case Interaction::kEverything:
      exchange.search = TACENDA_TRY(search_of(exchange));
      return operations::search(context, exchange.search);
    case Interaction::kLastN:
      exchange.search = TACENDA_TRY(last_n_of(exchange));
      return operations::last_n(context, exchange.search);
    case Interaction::kMeta:
      return operations::meta_of(context, *permit, route.type, TACENDA_TRY(id()));
    case Interaction::kMetaInUse:
      return operations::meta_in_use(context, route.type);
    case Interaction::kHistoryInstance:
    case Interaction::kHistoryType:
    case Interaction::kHistorySystem:
      return run_history(exchange, context, *permit);
    case Interaction::kExport:
    case Interaction::kExportStatus:
    case Interaction::kExportFile:
    case Interaction::kExportCancel:
      return run_export(exchange, context, permit);
    case Interaction::kBundle:
      return run_bundle(exchange, context);
    case Interaction::kValidate:
      return run_validate(exchange, context);
    case Interaction::kExpand:
    case Interaction::kValidateCode:
    case Interaction::kLookup:
    case Interaction::kSubsumes:
      return run_terminology(exchange, context);
    default:
      return fail(ErrorKind::kBug, "a route has no interaction");
  }
}

Result<Outcome> Pipeline::run_read(Exchange& exchange, Context const& context, Permit const& permit) {
  Match const& route = exchange.route;
  auto const id = TACENDA_TRY(ResourceId::parse(route.id));
  auto shape = TACENDA_TRY(operations::shape_of(exchange.request.query));
  shape.content = exchange.reads_apart ? records::ContentForm::kApart : records::ContentForm::kInText;
  if (route.route->interaction == Interaction::kVread)
    return operations::vread(context, permit, route.type, id, TACENDA_TRY(version_of(route.version)), shape);
  return operations::read(context, permit, route.type, id, read_conditions(exchange.request), shape);
}

Result<Outcome> Pipeline::run_binary_read(Exchange& exchange, Context const& context, Permit const& permit) {
  exchange.reads_apart = true;
  auto outcome = TACENDA_TRY(run_read(exchange, context, permit));
  auto const* version = std::get_if<records::StoredVersion>(&outcome.result);
  if (version == nullptr || outcome.not_modified) return outcome;
  // Shared: std::function copies. It judges each piece anew.
  auto const reader = std::make_shared<Permit const>(TACENDA_TRY(
      parts_.gate.authorize(*exchange.principal, *exchange.route.route->action, exchange.route.type)));
  auto read = [&store = parts_.store, reader, type = version->type, id = TACENDA_TRY(ResourceId::parse(version->id)),
               number = version->version](std::uint64_t first, std::size_t size) {
    return store.content(*reader, type, id, number, {first, size});
  };
  exchange.content = TACENDA_TRY(render_content(*version, exchange.request, std::move(read)));
  if (exchange.content || !version->content_bytes) return outcome;
  // The resource is asked for, with all that it holds.
  exchange.reads_apart = false;
  return run_read(exchange, context, permit);
}

Result<Outcome> Pipeline::run_bundle(Exchange& exchange, Context const& context) {
  // Parsed anew at each attempt: a transaction uses its resources up.
  auto bundle = fhir::check_bundle(exchange.request.body, exchange.body_format);
  if (!bundle.has_value()) {
    exchange.remarks.refusal = fhir::outcome_text(bundle.error());
    return std::unexpected(bundle.error().first_error());
  }
  return bundle->type == fhir::BundleType::kTransaction ? operations::transaction(context, *bundle)
                                                        : operations::batch(context, std::move(*bundle));
}

Result<Outcome> Pipeline::run_validate(Exchange const& exchange, Context const& context) {
  operations::ValidateRequest asked;
  asked.type = exchange.route.type;
  if (!exchange.route.id.empty()) asked.id = TACENDA_TRY(ResourceId::parse(exchange.route.id));
  asked.body = exchange.request.body;
  asked.format = exchange.body_format;
  asked.parameters = TACENDA_TRY(codec::parse_query(exchange.request.query));
  return operations::validate(context, asked);
}

Result<Outcome> Pipeline::run_terminology(Exchange& exchange, Context const& context) {
  operations::TerminologyRequest asked;
  asked.type = exchange.route.type;
  if (!exchange.route.id.empty()) asked.id = TACENDA_TRY(ResourceId::parse(exchange.route.id));
  asked.parameters = TACENDA_TRY(codec::parse_query(exchange.request.query));
  if (!exchange.request.body.empty()) {
    asked.body = TACENDA_TRY(resource_of(exchange, "Parameters")).json();
  }
  switch (exchange.route.route->interaction) {
    case Interaction::kExpand:
      return operations::expand(context, asked);
    case Interaction::kValidateCode:
      return operations::validate_code(context, asked);
    case Interaction::kLookup:
      return operations::lookup(context, asked);
    default:
      return operations::subsumes(context, asked);
  }
}

bool Pipeline::try_read(Exchange& exchange) {
  Match const& match = exchange.route;
  bool const is_read =
      match.route->interaction == Interaction::kRead || match.route->interaction == Interaction::kVread;
  // Only what is told as it is stored: `reply` comes on the committer's thread, which writes no XML.
  if (!is_read || exchange.format != fhir::Format::kJson || match.type == "Binary") return false;
  std::uint64_t const seen = parts_.store.committed();
  auto permit = parts_.gate.authorize(*exchange.principal, *match.route->action, match.type);
  if (!permit.has_value()) return false;
  // To judge may take looking up consents, and whatever takes long on the committer's thread holds up
  // everybody.
  if (exchange.is_on_committer && !permit->judges_all(match.type)) return false;
  exchange.origin.query = operations::recorded_query(exchange.request.query);
  auto const used = services();
  Context const context{used, *exchange.principal, exchange.origin, exchange.base_url, false, {}};
  auto outcome = run_interaction(exchange, context, std::move(*permit));
  if (!outcome.has_value() || !bind(exchange, seen, outcome->set).has_value()) return false;
  exchange.read = std::move(*outcome);
  return true;
}

operations::Services Pipeline::services() const {
  return {parts_.store,       parts_.gate,     parts_.log,         &parts_.validation,
          &parts_.vocabulary, &parts_.exports, parts_.export_time, parts_.addresses.all()};
}

/// Refuses what cannot be understood or answered; else fills in what the body and the answer are.
std::optional<Released> Pipeline::settle_formats(Exchange& exchange) {
  Route const& route = *exchange.route.route;
  net::Request const& request = exchange.request;
  // What has a content type of its own is sent whatever is accepted.
  bool const own_type =
      route.interaction == Interaction::kExportFile || reads_binary(route.interaction, exchange.route.type);
  if (!exchange.format && own_type) exchange.format = fhir::Format::kJson;
  if (!exchange.format) return refuse(exchange, 406);
  exchange.sends_content = writes_binary(route.interaction, exchange.route.type) && sends_content(request);
  if (exchange.sends_content && exchange.prefer == Prefer::kDefault) exchange.prefer = Prefer::kMinimal;
  // What was stored while it came is not put into one text again.
  if (exchange.uploaded && exchange.prefer == Prefer::kRepresentation) exchange.prefer = Prefer::kMinimal;
  bool const has_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (has_body && !exchange.sends_content) {
    auto const body_format = body_format_for(route.interaction, request);
    if (!body_format) return refuse(exchange, 415);
    exchange.body_format = *body_format;
  }
  exchange.origin.query = asked_by(request);
  return std::nullopt;
}

Released Pipeline::fhir(Exchange& exchange) {
  auto released = fhir(exchange, Intent::kCommit);
  TACENDA_ASSERT(released.has_value());
  return std::move(*released);
}

std::optional<Released> Pipeline::fhir(Exchange& exchange, Intent intent) {
  if (auto refused = settle_formats(exchange)) return refused;
  if (auto const purpose = parts_.gate.purpose_of(*exchange.principal); !purpose.has_value())
    return refuse(exchange, purpose.error());
  Route const& route = *exchange.route.route;
  auto const used = services();
  Deadline const deadline(parts_.clock, limits::kRequestTime);
  std::function<Result<void>(vault::WriteSet&)> const still_allowed =
      [&](vault::WriteSet& set) -> Result<void> {
    TACENDA_TRY_VOID(confirm(*exchange.principal, set));
    parts_.store.depend_on_consents(set);
    return {};
  };
  Context const context{used,
                        *exchange.principal,
                        exchange.origin,
                        exchange.base_url,
                        exchange.prefer == Prefer::kRepresentation,
                        parts_.clock.now(),
                        &exchange.remarks,
                        &still_allowed,
                        handling_of(exchange.request),
                        &deadline,
                        exchange.uploaded ? &*exchange.uploaded : nullptr};
  auto run = [&]() -> Result<operations::Outcome> {
    // Decided anew each time: the policy may have changed with what made the commit conflict.
    std::optional<Permit> permit;
    // A search within a compartment is of the types that it looks for, and asks for each by itself.
    if (route.action && exchange.route.inner.empty())
      permit = TACENDA_TRY(parts_.gate.authorize(*exchange.principal, *route.action, exchange.route.type));
    exchange.is_judged = !permit || !permit->judges_all(exchange.route.type);
    return run_interaction(exchange, context, permit);
  };
  if (intent == Intent::kCommit) return commit(exchange, std::move(run));
  auto const outcome = run();
  if (!outcome.has_value()) return refuse(exchange, outcome.error());
  for (auto const& event : outcome->events)
    std::ranges::copy(event.patients, std::back_inserter(exchange.tried_patients));
  return std::nullopt;
}

}  // namespace tacenda::api

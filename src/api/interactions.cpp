// The FHIR interactions of the pipeline: from a matched route to an operation.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "api/internal/binary.hpp"
#include "api/internal/exchange.hpp"
#include "api/internal/format.hpp"
#include "api/internal/page_token.hpp"
#include "api/outcome.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
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

struct Paging {
  std::size_t count = limits::kPageSize;
  std::string page;
  records::HistoryWindow window;
};

/// The time that a parameter of history names, in milliseconds: the first of them, and the first behind it.
Result<records::HistoryWindow::Span> span_of(std::string_view text) {
  using std::chrono::floor, std::chrono::microseconds, std::chrono::milliseconds;
  auto const range = fhir::parse_date_range(text);
  if (!range) return fail(ErrorKind::kInvalid, "_since or _at is no date and no time");
  return records::HistoryWindow::Span{Time(floor<milliseconds>(microseconds(range->low))),
                                      Time(floor<milliseconds>(microseconds(range->high)) + milliseconds(1))};
}

Result<Paging> paging_of(std::string_view query) {
  Paging paging;
  for (auto& [name, value] : TACENDA_TRY(codec::parse_query(query))) {
    if (name == "_count") {
      std::uint64_t number = 0;
      auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error == std::errc::result_out_of_range)
        number = limits::kPageSizeMax;
      else if (error != std::errc() || end != value.data() + value.size())
        return fail(ErrorKind::kInvalid, "_count is not a number");
      paging.count = std::clamp<std::size_t>(number, 1, limits::kPageSizeMax);
    } else if (name == "_page") {
      paging.page = std::move(value);
    } else if (name == "_since") {
      paging.window.since = TACENDA_TRY(span_of(value)).from;
    } else if (name == "_at") {
      paging.window.at = TACENDA_TRY(span_of(value));
    } else if (name != "_format" && name != "_pretty") {
      return fail(ErrorKind::kInvalid, "history takes _count, _since, _at, _page and _format only");
    }
  }
  return paging;
}

Result<std::uint64_t> version_of(std::string_view text) {
  std::uint64_t version = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  // A version id this server never gave is simply not there.
  if (error != std::errc() || end != text.data() + text.size() || version == 0) {
    return fail(ErrorKind::kNotFound, "there is no such version");
  }
  return version;
}

Result<std::optional<std::uint64_t>> if_match_of(net::Request const& request) {
  auto const field = request.header("if-match");
  if (!field) return std::nullopt;
  return TACENDA_TRY(operations::parse_etag(*field));
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

Result<operations::Patch> patch_of(net::Request const& request) {
  return sends_json_patch(request) ? operations::Patch::parse_json_patch(request.body)
                                   : operations::Patch::parse_fhirpath_patch(request.body);
}

/// The format of a body by its content type; nullopt when the interaction does not take it (415).
std::optional<fhir::Format> body_format_for(Interaction interaction, net::Request const& request) {
  switch (interaction) {
    case Interaction::kSearchType:
    case Interaction::kSearchSystem:
    case Interaction::kSearchCompartment:
      // A search without a form has its parameters in the URL alone.
      return request.body.empty() || sends_form(request) ? std::optional(fhir::Format::kJson) : std::nullopt;
    case Interaction::kPatch:
    case Interaction::kPatchMatching:
      if (sends_json_patch(request)) return fhir::Format::kJson;
      [[fallthrough]];
    case Interaction::kValidate: {
      auto const format = body_format_of(request);
      return format == fhir::Format::kJson ? format : std::nullopt;
    }
    default:
      return body_format_of(request);
  }
}

}  // namespace

Result<Outcome> Pipeline::run_interaction(Exchange& exchange, Context const& context,
                                          std::optional<Permit> const& permit) {
  Match const& route = exchange.route;
  net::Request const& request = exchange.request;
  auto const id = [&] { return ResourceId::parse(route.id); };
  switch (route.route->interaction) {
    case Interaction::kRead:
      return operations::read(context, *permit, route.type, TACENDA_TRY(id()), read_conditions(request));
    case Interaction::kVread:
      return operations::vread(context, *permit, route.type, TACENDA_TRY(id()),
                               TACENDA_TRY(version_of(route.version)));
    case Interaction::kCreate: {
      auto resource = TACENDA_TRY(resource_of(exchange, route.type));
      std::optional<operations::Criteria> unless;
      if (auto const field = request.header("if-none-exist")) {
        unless = TACENDA_TRY(operations::criteria_of(context, route.type, *field));
      }
      return operations::create(context, *permit, std::move(resource), unless);
    }
    case Interaction::kUpdate: {
      auto resource = TACENDA_TRY(resource_of(exchange, route.type));
      return operations::update(context, *permit, std::move(resource), TACENDA_TRY(id()),
                                TACENDA_TRY(if_match_of(request)));
    }
    case Interaction::kUpdateMatching: {
      auto resource = TACENDA_TRY(resource_of(exchange, route.type));
      return operations::update_matching(context, *permit, std::move(resource),
                                         TACENDA_TRY(
                                             operations::criteria_of(context, route.type, request.query)),
                                         TACENDA_TRY(if_match_of(request)));
    }
    case Interaction::kDeleteMatching:
      return operations::remove_matching(context, *permit, route.type,
                                         TACENDA_TRY(
                                             operations::criteria_of(context, route.type, request.query)));
    case Interaction::kPatch:
      return operations::patch(context, *permit, TACENDA_TRY(patch_of(request)), route.type,
                               TACENDA_TRY(id()), TACENDA_TRY(if_match_of(request)));
    case Interaction::kPatchMatching:
      return operations::patch_matching(context, *permit, TACENDA_TRY(patch_of(request)), route.type,
                                        TACENDA_TRY(
                                            operations::criteria_of(context, route.type, request.query)),
                                        TACENDA_TRY(if_match_of(request)));
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
    case Interaction::kMetaAdd:
    case Interaction::kMetaDelete: {
      auto const change = route.route->interaction == Interaction::kMetaAdd ? operations::MetaChange::kAdd
                                                                            : operations::MetaChange::kDelete;
      return operations::change_meta(context, *permit, route.type, TACENDA_TRY(id()), change,
                                     TACENDA_TRY(resource_of(exchange, "Parameters")).json());
    }
    case Interaction::kDelete:
      return operations::remove(context, *permit, route.type, TACENDA_TRY(id()),
                                TACENDA_TRY(if_match_of(request)));
    case Interaction::kHistoryInstance:
    case Interaction::kHistoryType:
    case Interaction::kHistorySystem: {
      auto const paging = TACENDA_TRY(paging_of(request.query));
      HistoryListing listing{{}, paging.window};
      if (!paging.page.empty()) {
        PageScope const scope{std::string(exchange.principal->id().view()), request.path};
        listing = TACENDA_TRY(open_page(parts_.vault, scope, paging.page, parts_.clock.now()));
      }
      exchange.history = listing.window;
      if (route.route->interaction == Interaction::kHistoryInstance) {
        return operations::history_of(context, *permit, route.type,
                                      TACENDA_TRY(id()), listing.position, paging.count,
                                      listing.window);
      }
      return operations::history(context, *permit, route.type, listing.position, paging.count,
                                 listing.window);
    }
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

Result<operations::SearchRequest> Pipeline::everything_of(Exchange const& exchange) const {
  if (exchange.route.type != "Patient")
    return fail(ErrorKind::kUnsupported, "there is nothing at this address");
  std::string raw = exchange.request.query;
  auto parameters = TACENDA_TRY(codec::parse_query(raw));
  records::SearchPosition position;
  std::optional<std::uint64_t> first_entry;
  if (auto const page = std::ranges::find(parameters, "_page", [](auto const& each) { return each.first; });
      page != parameters.end()) {
    auto const listing =
        TACENDA_TRY(open_search(parts_.vault, search_scope(exchange), page->second, parts_.clock.now()));
    raw = listing.raw;
    position = listing.position;
    first_entry = listing.first_entry;
    parameters = TACENDA_TRY(codec::parse_query(raw));
  }
  auto search =
      TACENDA_TRY(operations::everything(TACENDA_TRY(ResourceId::parse(exchange.route.id)), parameters));
  search.raw = std::move(raw);
  search.position = position;
  search.first_entry = first_entry;
  return search;
}

Result<operations::SearchRequest> Pipeline::last_n_of(Exchange& exchange) {
  operations::SearchRequest search;
  search.type = "Observation";
  search.raw = exchange.request.query;
  search.parameters = TACENDA_TRY(codec::parse_query(search.raw));
  if (exchange.request.body.empty()) return search;
  auto const body = TACENDA_TRY(resource_of(exchange, "Parameters"));
  auto const* list = body.json().find("parameter");
  if (list == nullptr) return search;
  for (auto const& each : list->items()) {
    for (auto const& member : each.members()) {
      if (!member.name.starts_with("value")) continue;
      if (!member.value.is_string() && !member.value.is_number())
        return fail(ErrorKind::kInvalid, "the parameters of $lastn are texts and numbers");
      std::string const value(member.value.is_string() ? member.value.as_string()
                                                       : member.value.number_text());
      std::string const name(each.text_of("name"));
      search.raw.append(search.raw.empty() ? "" : "&").append(codec::percent_encode(name)).append("=");
      search.raw.append(codec::percent_encode(value));
      search.parameters.emplace_back(name, value);
    }
  }
  return search;
}

Result<fhir::Resource> Pipeline::resource_of(Exchange& exchange, std::string_view type) {
  if (exchange.sends_content) return resource_of_content(exchange.request, exchange.route.id);
  auto checked = fhir::check_resource(exchange.request.body, exchange.body_format);
  if (!checked.has_value()) {
    exchange.remarks.refusal = fhir::outcome_text(checked.error());
    return std::unexpected(checked.error().first_error());
  }
  if (checked->type() != type) {
    return fail(ErrorKind::kInvalid, "the resource has another type than it must have here");
  }
  return std::move(*checked);
}

Result<Outcome> Pipeline::run_bundle(Exchange& exchange, Context const& context) {
  // Parsed anew at each attempt: a transaction uses its resources up.
  auto bundle = fhir::check_bundle(exchange.request.body, exchange.body_format);
  if (!bundle.has_value()) {
    exchange.remarks.refusal = fhir::outcome_text(bundle.error());
    return std::unexpected(bundle.error().first_error());
  }
  return bundle->type == fhir::BundleType::kTransaction ? operations::transaction(context, *bundle)
                                                        : operations::batch(context, *bundle);
}

Result<Outcome> Pipeline::run_validate(Exchange const& exchange, Context const& context) {
  operations::ValidateRequest asked;
  asked.type = exchange.route.type;
  if (!exchange.route.id.empty()) asked.id = TACENDA_TRY(ResourceId::parse(exchange.route.id));
  asked.body = exchange.request.body;
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

Result<operations::SearchRequest> Pipeline::search_of(Exchange const& exchange) const {
  net::Request const& request = exchange.request;
  if (exchange.route.route->interaction == Interaction::kEverything) return everything_of(exchange);
  operations::SearchRequest search;
  search.type = exchange.route.type;
  if (!exchange.route.inner.empty()) {
    search.compartment = exchange.route.type;
    search.compartment_id = exchange.route.id;
    search.type = exchange.route.inner == "*" ? std::string() : exchange.route.inner;
  }
  search.handling = handling_of(request);
  search.raw = request.query;
  if (request.method == "POST" && !request.body.empty()) {
    if (!search.raw.empty()) search.raw.push_back('&');
    search.raw.append(request.body);
  }
  search.parameters = TACENDA_TRY(codec::parse_query(search.raw));
  auto const page =
      std::ranges::find(search.parameters, "_page", [](auto const& each) { return each.first; });
  if (page == search.parameters.end()) return search;
  auto const listing =
      TACENDA_TRY(open_search(parts_.vault, search_scope(exchange), page->second, parts_.clock.now()));
  search.raw = listing.raw;
  search.handling = listing.handling;
  search.position = listing.position;
  search.first_entry = listing.first_entry;
  search.parameters = TACENDA_TRY(codec::parse_query(search.raw));
  return search;
}

PageScope Pipeline::search_scope(Exchange const& exchange) {
  auto const& route = exchange.route;
  bool const everything = route.route->interaction == Interaction::kEverything;
  return {std::string(exchange.principal->id().view()),
          fmt::format("search {}/{}/{}", route.type, route.id, everything ? "$everything" : route.inner)};
}

std::optional<Outcome> Pipeline::try_read(Exchange& exchange) {
  Match const& match = exchange.route;
  bool const is_read =
      match.route->interaction == Interaction::kRead || match.route->interaction == Interaction::kVread;
  // Only what is told as it is stored: `reply` comes on the committer's thread, which writes no XML.
  if (!is_read || exchange.format != fhir::Format::kJson || match.type == "Binary") return std::nullopt;
  auto permit = parts_.gate.authorize(*exchange.principal, *match.route->action, match.type);
  if (!permit.has_value()) return std::nullopt;
  exchange.origin.query = operations::recorded_query(exchange.request.query);
  auto const used = services();
  Context const context{used,   *exchange.principal, exchange.origin, exchange.base_url, false, {}, nullptr,
                        nullptr};
  auto outcome = run_interaction(exchange, context, std::move(*permit));
  if (!outcome.has_value()) return std::nullopt;
  return std::move(*outcome);
}

operations::Services Pipeline::services() const {
  return {parts_.store,       parts_.gate,     parts_.log,        &parts_.validation,
          &parts_.vocabulary, &parts_.exports, parts_.export_time};
}

Released Pipeline::fhir(Exchange& exchange) {
  Route const& route = *exchange.route.route;
  net::Request const& request = exchange.request;
  // What has a content type of its own is sent whatever is accepted.
  bool const own_type =
      route.interaction == Interaction::kExportFile || reads_binary(route.interaction, exchange.route.type);
  if (!exchange.format && own_type) exchange.format = fhir::Format::kJson;
  if (!exchange.format) return refuse(exchange, 406);
  exchange.sends_content = writes_binary(route.interaction, exchange.route.type) && sends_content(request);
  if (exchange.sends_content && exchange.prefer == Prefer::kDefault) exchange.prefer = Prefer::kMinimal;
  bool const has_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (has_body && !exchange.sends_content) {
    auto const body_format = body_format_for(route.interaction, request);
    if (!body_format) return refuse(exchange, 415);
    exchange.body_format = *body_format;
  }
  exchange.origin.query = asked_by(request);

  std::optional<Permit> permit;
  if (route.action) {
    auto decision = parts_.gate.authorize(*exchange.principal, *route.action, exchange.route.type);
    if (!decision.has_value()) return refuse(exchange, decision.error());
    permit = std::move(*decision);
  }
  auto const used = services();
  std::function<Result<void>()> const still_allowed = [&] {
    return parts_.directory.confirm(*exchange.principal);
  };
  Context const context{used,
                        *exchange.principal,
                        exchange.origin,
                        exchange.base_url,
                        exchange.prefer == Prefer::kRepresentation,
                        parts_.clock.now(),
                        &exchange.remarks,
                        &still_allowed};
  return commit(exchange, [&] { return run_interaction(exchange, context, permit); });
}

void Pipeline::search_links(Exchange const& exchange, operations::SearchAnswer const& answer,
                            audit::Receipt const& receipt, Wishes& wishes) const {
  std::string address = exchange.base_url;
  for (auto const* part : {&exchange.route.type, &exchange.route.id, &exchange.route.inner}) {
    if (!part->empty()) address.append("/").append(*part);
  }
  if (exchange.route.route->interaction == Interaction::kEverything) address.append("/$everything");
  if (exchange.route.route->interaction == Interaction::kLastN) address.append("/$lastn");
  bool const is_first = exchange.search.position.shown == 0;
  // Behind the first page the address says no more than a sealed token does.
  std::string const& query = is_first ? exchange.search.raw : exchange.request.query;
  wishes.self_url = query.empty() ? address : address + "?" + query;
  if (!answer.next) return;
  auto const first_entry = exchange.search.first_entry.value_or(receipt.first_sequence());
  SearchListing const listing{exchange.search.raw, exchange.search.handling, *answer.next, first_entry};
  auto const token = seal_search(parts_.vault, search_scope(exchange), listing, parts_.clock.now());
  if (token.has_value())
    wishes.next_url = address + "?_page=" + *token + format_parameter_of(exchange.request);
}

void Pipeline::page_links(Exchange const& exchange, Outcome const& outcome, audit::Receipt const& receipt,
                          Wishes& wishes) const {
  if (auto const* answer = std::get_if<operations::SearchAnswer>(&outcome.result)) {
    return search_links(exchange, *answer, receipt, wishes);
  }
  auto const* page = std::get_if<records::HistoryPage>(&outcome.result);
  if (page == nullptr) return;
  std::string const address = "https://" + exchange.request.authority + exchange.request.path;
  wishes.self_url = exchange.request.query.empty() ? address : address + "?" + exchange.request.query;
  if (!page->next) return;
  PageScope const scope{std::string(exchange.principal->id().view()), exchange.request.path};
  auto const token = seal_page(parts_.vault, scope, {*page->next, exchange.history}, parts_.clock.now());
  auto const paging = paging_of(exchange.request.query);
  if (!token.has_value() || !paging.has_value()) return;
  wishes.next_url = address + "?_count=" + std::to_string(paging->count) + "&_page=" + *token +
                    format_parameter_of(exchange.request);
}

}  // namespace tacenda::api

// GET /fhir/AuditEvent: the audit log, for auditors, and for patients what it says of their own record
// (REQUIREMENTS G-17, EHDS article 9).
#include <algorithm>
#include <charconv>

#include "api/internal/exchange.hpp"
#include "api/internal/format.hpp"
#include "api/internal/page_token.hpp"
#include "audit/log.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"
#include "fhir/date_range.hpp"

namespace tacenda::api {
namespace {

using codec::Json;
using std::chrono::milliseconds;

constexpr std::size_t kCount = 50;
constexpr std::size_t kCountMax = 1'000;

/// What a listing is asked for.
struct Asked {
  audit::Log::Filter filter;
  std::string page;
  std::string kept;  // the query without the page, for the links
};

Result<std::size_t> count_of(std::string_view text) {
  std::size_t count = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count == 0)
    return fail(ErrorKind::kInvalid, "_count is a number above 0");
  return std::min(count, kCountMax);
}

/// Narrows to a `date`, whose prefix is one of those of R4 search.html#prefix that make sense for an instant.
Result<void> narrow(audit::Log::Filter& filter, std::string_view text) {
  std::string_view prefix = "eq";
  if (text.size() > 2 && text[0] >= 'a' && text[0] <= 'z') {
    prefix = text.substr(0, 2);
    text.remove_prefix(2);
  }
  auto const range = fhir::parse_date_range(text);
  if (!range) return fail(ErrorKind::kInvalid, "date is no date");
  // The log counts in milliseconds, and until is the first that is not in it.
  Time const from{std::chrono::floor<milliseconds>(std::chrono::microseconds(range->low))};
  Time const until{std::chrono::floor<milliseconds>(std::chrono::microseconds(range->high)) +
                   milliseconds(1)};
  auto const since_at = [&](Time time) { filter.since = std::max(filter.since.value_or(time), time); };
  auto const until_at = [&](Time time) { filter.until = std::min(filter.until.value_or(time), time); };
  if (prefix == "eq" || prefix == "ge") since_at(from);
  if (prefix == "eq" || prefix == "le") until_at(until);
  if (prefix == "gt" || prefix == "sa") since_at(until);
  if (prefix == "lt" || prefix == "eb") until_at(from);
  for (auto const* known : {"eq", "ge", "le", "gt", "sa", "lt", "eb"})
    if (prefix == known) return {};
  return fail(ErrorKind::kNotSupported, "date takes eq, ge, le, gt, lt, sa and eb");
}

Result<Asked> asked_by(std::string_view query) {
  Asked asked;
  asked.filter.limit = kCount;
  asked.filter.newest_first = true;
  for (auto const& [name, value] : TACENDA_TRY(codec::parse_query(query))) {
    if (name == "_page") {
      asked.page = value;
      continue;
    }
    if (!asked.kept.empty()) asked.kept.push_back('&');
    asked.kept.append(codec::percent_encode(name)).append("=").append(codec::percent_encode(value));
    if (name == "patient") {
      std::string_view const id = std::string_view(value).substr(value.starts_with("Patient/") ? 8 : 0);
      if (asked.filter.patient && *asked.filter.patient != id)
        return fail(ErrorKind::kInvalid, "the log is asked about one patient");
      asked.filter.patient = TACENDA_TRY(ResourceId::parse(id)).view();
    } else if (name == "date") {
      TACENDA_TRY_VOID(narrow(asked.filter, value));
    } else if (name == "_count") {
      asked.filter.limit = TACENDA_TRY(count_of(value));
    } else if (name != "_format" && name != "_pretty") {
      return fail(ErrorKind::kNotSupported, "the log is searched by patient, date, _count and _format");
    }
  }
  return asked;
}

Json link(std::string_view relation, std::string const& url) {
  Json link = Json::object();
  link.set("relation", Json::string(relation));
  link.set("url", Json::string(url));
  return link;
}

/// `own`: the patient who reads it.
std::string event_text(vault::Vault const& vault, audit::Entry const& entry,
                       std::optional<std::string> const& own) {
  auto const store = codec::hex_encode(vault.store_id());
  return own ? audit::to_fhir_for_patient(entry, *own, store) : audit::to_fhir(entry, store);
}

/// Who acts for a patient is not told of a record by its log that he may not see.
void hide_unseen(Parts const& parts, identity::Principal const& principal, audit::Event& event) {
  auto const role = parts.gate.role(principal.role());
  auto const id = ResourceId::parse(event.resource_id);
  if (!role || !role->acts_for_another || !id.has_value()) return;
  auto const permit = parts.gate.authorize(principal, Action::kRead, event.resource_type);
  if (permit.has_value() &&
      parts.store.with_facts(*permit, event.resource_type, *id, [](RecordFacts const&) {}).has_value())
    return;
  event.resource_type.clear();
  event.resource_id.clear();
  event.resource_version = 0;
}

net::Response as_fhir(std::string body) {
  net::Response response;
  response.status = 200;
  response.body = std::move(body);
  response.headers.push_back({"content-type", "application/fhir+json; charset=utf-8"});
  return response;
}

}  // namespace

Released Pipeline::access_log(Exchange& exchange) {
  if (!exchange.format) return refuse(exchange, 406);
  auto const& principal = *exchange.principal;
  auto const own = parts_.gate.authorize_log(principal, parts_.clock.now());
  if (!own.has_value()) {
    bool const is_old = own.error().kind() == ErrorKind::kUnauthenticated;
    exchange.denied_by = is_old ? "step-up" : principal.application() ? "scope" : "role";
    return refuse(exchange, own.error());
  }
  if (*own) exchange.origin.patients.push_back(**own);
  bool const is_read = exchange.route.route->interaction == Interaction::kAuditRead;
  return is_read ? read_log(exchange, *own) : search_log(exchange, *own);
}

Released Pipeline::read_log(Exchange& exchange, std::optional<std::string> const& own) {
  std::uint64_t sequence = 0;
  std::string_view const id = exchange.route.id;
  auto const [end, error] = std::from_chars(id.data(), id.data() + id.size(), sequence);
  auto entry = error == std::errc() && end == id.data() + id.size()
                   ? parts_.log.entry(sequence, own ? audit::Log::Texts::kSealed : audit::Log::Texts::kOpened)
                   : fail(ErrorKind::kNotFound, "there is no such entry");
  if (!entry.has_value()) return refuse(exchange, entry.error());
  auto const& patients = entry->event.patients;
  // Of what is not about him he learns nothing, not even that it is there.
  if (own && (!entry->readable || std::ranges::find(patients, *own) == patients.end()))
    return refuse(exchange, Error(ErrorKind::kNotFound, "there is no such entry"));
  hide_unseen(parts_, *exchange.principal, entry->event);
  return answer(exchange, exchange.origin, as_fhir(event_text(parts_.vault, *entry, own)));
}

Released Pipeline::search_log(Exchange& exchange, std::optional<std::string> const& own) {
  exchange.origin.query = operations::recorded_query(exchange.request.query);
  auto asked = asked_by(exchange.request.query);
  if (!asked.has_value()) return refuse(exchange, asked.error());
  auto& filter = asked->filter;
  if (own && filter.patient.value_or(*own) != *own) {
    exchange.denied_by = "own-record";
    return refuse(exchange, Error(ErrorKind::kForbidden,
                                  "a patient, and who acts for him, sees the log of his own record"));
  }
  if (own) filter.patient = *own;
  if (!own && filter.patient) exchange.origin.patients.push_back(*filter.patient);
  filter.texts = own ? audit::Log::Texts::kSealed : audit::Log::Texts::kOpened;

  std::string const address = exchange.base_url + "/AuditEvent";
  PageScope const scope{std::string(exchange.principal->id().view()), "AuditEvent?" + asked->kept};
  if (!asked->page.empty()) {
    auto const listing = open_page(parts_.vault, scope, asked->page, parts_.clock.now());
    if (!listing.has_value()) return refuse(exchange, listing.error());
    filter.after = listing->position.before_sequence;
  }
  std::size_t const count = filter.limit++;  // one more: is there a next page?
  auto entries = parts_.log.list(filter);
  if (!entries.has_value()) return refuse(exchange, entries.error());

  Json links = Json::array();
  links.push(link("self", asked->kept.empty() ? address : address + "?" + asked->kept));
  if (entries->size() > count) {
    entries->resize(count);
    auto const token =
        seal_page(parts_.vault, scope, {{entries->back().sequence, 0}, {}}, parts_.clock.now());
    if (!token.has_value()) return refuse(exchange, token.error());
    links.push(
        link("next", address + "?" + asked->kept + (asked->kept.empty() ? "" : "&") + "_page=" + *token));
  }
  std::string body = R"({"resourceType":"Bundle","type":"searchset","link":)" + codec::write_json(links);
  for (std::size_t i = 0; i < entries->size(); ++i) {
    auto& entry = (*entries)[i];
    hide_unseen(parts_, *exchange.principal, entry.event);
    body.append(i == 0 ? R"(,"entry":[)" : ",").append(R"({"fullUrl":)");
    body.append(codec::write_json(Json::string(address + "/" + std::to_string(entry.sequence))));
    body.append(R"(,"resource":)")
        .append(event_text(parts_.vault, entry, own))
        .append(R"(,"search":{"mode":"match"}})");
  }
  body.append(entries->empty() ? "}" : "]}");
  return answer(exchange, exchange.origin, as_fhir(std::move(body)));
}

}  // namespace tacenda::api

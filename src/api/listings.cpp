// What is answered page by page: searches and histories, and the links of their pages.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "api/internal/exchange.hpp"
#include "api/internal/format.hpp"
#include "api/internal/page_token.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "fhir/date_range.hpp"
#include "operations/history.hpp"
#include "operations/last_n.hpp"
#include "operations/search.hpp"

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

}  // namespace

Result<Outcome> Pipeline::run_history(Exchange& exchange, Context const& context, Permit const& permit) {
  Match const& route = exchange.route;
  auto const paging = TACENDA_TRY(paging_of(exchange.request.query));
  HistoryListing listing{{}, paging.window};
  if (!paging.page.empty()) {
    PageScope const scope{std::string(exchange.principal->id().view()), exchange.request.path};
    listing = TACENDA_TRY(open_page(parts_.vault, scope, paging.page, parts_.clock.now()));
  }
  exchange.history = listing.window;
  if (route.route->interaction == Interaction::kHistoryInstance) {
    return operations::history_of(context, permit, route.type,
                                  TACENDA_TRY(ResourceId::parse(route.id)), listing.position,
                                  paging.count, listing.window);
  }
  return operations::history(context, permit, route.type, listing.position, paging.count, listing.window);
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
  exchange.origin.query = operations::recorded_query(search.raw);
  return search;
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

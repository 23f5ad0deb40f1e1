// What is answered page by page: searches and histories, and the links of their pages.
#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include "api/internal/exchange.hpp"
#include "api/internal/format.hpp"
#include "api/internal/page_token.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "operations/history.hpp"
#include "operations/last_n.hpp"
#include "operations/search.hpp"

namespace tacenda::api {
namespace {

using operations::Context;
using operations::Outcome;

constexpr std::size_t kBodyParameters = 1'000;  // of an operation that searches

/// A page of a listing, for its links.
struct Listing {
  std::string address;  // without parameters
  std::string query;    // of this page, as it came
  PageScope scope;      // of the tokens of the pages behind it
  std::string format;   // "&_format=xml" when the client asked so
};

/// What seals page tokens, and when.
struct Sealer {
  vault::Vault const& vault;
  Time now;
};

std::string with_query(std::string const& address, std::string const& query) {
  return query.empty() ? address : address + "?" + query;
}

/// The address of what stands under the base; each part is empty where it has none.
std::string address_of(std::string base, std::initializer_list<std::string_view> parts) {
  for (auto const part : parts) {
    if (!part.empty()) base.append("/").append(part);
  }
  return base;
}

/// A query without the parameters that were left out, which are in order. Source: R4 search.html#self.
std::string used_query(std::string_view raw, std::vector<operations::LeftOut> const& left_out) {
  std::string used;
  auto skipped = left_out.begin();
  for (std::size_t index = 0; !raw.empty();) {
    auto const end = raw.find('&');
    auto const part = raw.substr(0, end);
    raw.remove_prefix(end == std::string_view::npos ? raw.size() : end + 1);
    if (part.empty()) continue;  // as codec::parse_query counts them
    if (skipped != left_out.end() && skipped->index == index++) {
      ++skipped;
      continue;
    }
    if (!used.empty()) used.push_back('&');
    used.append(part);
  }
  return used;
}

PageLinks history_links(Sealer const& sealer, Listing const& listing, records::HistoryPage const& page,
                        std::size_t count, records::HistoryWindow const& window) {
  PageLinks links{with_query(listing.address, listing.query), {}};
  if (!page.next) return links;
  auto const token = seal_page(sealer.vault, listing.scope, {*page.next, window}, sealer.now);
  if (!token.has_value()) return links;
  links.next = listing.address + "?_count=" + std::to_string(count) + "&_page=" + *token + listing.format;
  return links;
}

/// `first`: what the first page asks, and its audit entry; without a position.
PageLinks search_links(Sealer const& sealer, Listing const& listing, operations::SearchAnswer const& answer,
                       SearchListing first) {
  PageLinks links{with_query(listing.address, listing.query), {}};
  if (!answer.next) return links;
  first.position = *answer.next;
  auto const token = seal_search(sealer.vault, listing.scope, first, sealer.now);
  if (token.has_value()) links.next = listing.address + "?_page=" + *token + listing.format;
  return links;
}

}  // namespace

Result<Outcome> Pipeline::run_history(Exchange& exchange, Context const& context, Permit const& permit) {
  Match const& route = exchange.route;
  auto const asked = TACENDA_TRY(operations::parse_history(exchange.request.query));
  HistoryListing listing{{}, asked.window};
  if (!asked.page.empty()) {
    PageScope const scope{std::string(exchange.principal->id().view()), exchange.request.path};
    listing = TACENDA_TRY(open_page(parts_.vault, scope, asked.page, parts_.clock.now()));
  }
  exchange.history = listing.window;
  if (route.route->interaction == Interaction::kHistoryInstance) {
    return operations::history_of(context, permit, route.type,
                                  TACENDA_TRY(ResourceId::parse(route.id)), listing.position,
                                  asked.count, listing.window);
  }
  return operations::history(context, permit, route.type, listing.position, asked.count, listing.window);
}

Result<operations::SearchRequest> Pipeline::search_of(Exchange& exchange) const {
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
  return search_scope(*exchange.principal, route.type, route.id, everything ? "$everything" : route.inner);
}

PageScope Pipeline::search_scope(identity::Principal const& principal, std::string_view type,
                                 std::string_view id, std::string_view inner) {
  return {std::string(principal.id().view()), fmt::format("search {}/{}/{}", type, id, inner)};
}

Result<std::string> Pipeline::with_body_parameters(Exchange& exchange) {
  std::string raw = exchange.request.query;
  if (exchange.request.method != "POST" || exchange.request.body.empty()) return raw;
  auto const body = TACENDA_TRY(resource_of(exchange, "Parameters"));
  auto const* list = body.json().find("parameter");
  if (list == nullptr) return raw;
  if (list->items().size() > kBodyParameters)
    return fail(ErrorKind::kTooLarge, "there are too many parameters");
  for (auto const& each : list->items()) {
    for (auto const& [name, value] : each.members()) {
      bool const is_text = value.is_string() || value.is_number();
      if (name == "resource" || name == "part" || (name.starts_with("value") && !is_text))
        return fail(ErrorKind::kInvalid, "the parameters of this operation are texts and numbers");
      if (!name.starts_with("value")) continue;
      raw.append(raw.empty() ? "" : "&").append(codec::percent_encode(each.text_of("name"))).append("=");
      raw.append(codec::percent_encode(value.is_string() ? value.as_string() : value.number_text()));
    }
  }
  // Whatever becomes of it, the audit log keeps what was asked, in the form that a GET has.
  exchange.origin.query = operations::recorded_query(raw);
  return raw;
}

Result<operations::SearchRequest> Pipeline::everything_of(Exchange& exchange) const {
  if (exchange.route.type != "Patient")
    return fail(ErrorKind::kUnsupported, "there is nothing at this address");
  std::string raw = TACENDA_TRY(with_body_parameters(exchange));
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
  search.raw = TACENDA_TRY(with_body_parameters(exchange));
  search.parameters = TACENDA_TRY(codec::parse_query(search.raw));
  return search;
}

PageLinks Pipeline::links_of_search(Exchange const& exchange, operations::SearchAnswer const& answer,
                                    audit::Receipt const& receipt) const {
  auto const& route = exchange.route;
  auto const& search = exchange.search;
  auto const interaction = route.route->interaction;
  std::string_view const operation = interaction == Interaction::kEverything ? "$everything"
                                     : interaction == Interaction::kLastN    ? "$lastn"
                                                                             : "";
  bool const is_first = search.position.shown == 0;
  // Behind the first page the address says no more than a sealed token does.
  Listing const listing{address_of(exchange.base_url, {route.type, route.id, route.inner, operation}),
                        is_first ? used_query(search.raw, answer.left_out) : exchange.request.query,
                        search_scope(exchange), format_parameter_of(exchange.request)};
  return search_links(
      {parts_.vault, parts_.clock.now()}, listing, answer,
      {search.raw, search.handling, {}, search.first_entry.value_or(receipt.first_sequence())});
}

PageLinks Pipeline::links_of_history(Exchange const& exchange, records::HistoryPage const& page) const {
  net::Request const& request = exchange.request;
  Listing const listing{"https://" + request.authority + request.path,
                        request.query,
                        {std::string(exchange.principal->id().view()), request.path},
                        format_parameter_of(request)};
  // It was read like this before, to make the listing.
  auto const asked = operations::parse_history(request.query);
  return history_links({parts_.vault, parts_.clock.now()}, listing, page,
                       asked.has_value() ? asked->count : limits::kPageSize, exchange.history);
}

PageLinks Pipeline::links_of_entry(Exchange const& exchange, operations::EntryOutcome const& entry,
                                   audit::Receipt const& receipt) const {
  if (!entry.page) return {};
  auto const& page = *entry.page;
  auto const& principal = *exchange.principal;
  Listing listing{address_of(exchange.base_url, {page.type, page.id, page.inner}),
                  page.query,
                  {},
                  format_parameter_of(exchange.request)};
  Sealer const sealer{parts_.vault, parts_.clock.now()};
  if (auto const* history = std::get_if<records::HistoryPage>(&entry.result)) {
    listing.scope = {std::string(principal.id().view()),
                     address_of("/fhir", {page.type, page.id, page.inner})};
    return history_links(sealer, listing, *history, page.count, page.window);
  }
  auto const* answer = std::get_if<operations::SearchAnswer>(&entry.result);
  if (answer == nullptr) return {};
  listing.scope = search_scope(principal, page.type, page.id, page.inner);
  listing.query = used_query(page.query, answer->left_out);
  return search_links(sealer, listing, *answer,
                      {page.query, page.handling, {}, receipt.first_sequence() + page.event});
}

void Pipeline::page_links(Exchange const& exchange, Outcome const& outcome, audit::Receipt const& receipt,
                          Wishes& wishes) const {
  if (auto const* answer = std::get_if<operations::SearchAnswer>(&outcome.result)) {
    wishes.links = links_of_search(exchange, *answer, receipt);
  } else if (auto const* page = std::get_if<records::HistoryPage>(&outcome.result)) {
    wishes.links = links_of_history(exchange, *page);
  } else if (auto const* bundle = std::get_if<operations::BundleOutcome>(&outcome.result)) {
    for (auto const& entry : bundle->entries)
      wishes.entry_links.push_back(links_of_entry(exchange, entry, receipt));
  }
}

}  // namespace tacenda::api

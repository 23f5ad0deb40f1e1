// The interactions that change resources: from a matched route to an operation.
#include "api/internal/binary.hpp"
#include "api/internal/exchange.hpp"
#include "api/internal/format.hpp"
#include "fhir/outcome.hpp"
#include "fhir/resource.hpp"
#include "operations/meta.hpp"
#include "operations/patch.hpp"
#include "operations/search.hpp"
#include "operations/write.hpp"

namespace tacenda::api {
namespace {

using operations::Context;
using operations::Outcome;

Result<std::optional<std::uint64_t>> if_match_of(net::Request const& request) {
  auto const field = request.header("if-match");
  if (!field) return std::nullopt;
  return TACENDA_TRY(operations::parse_etag(*field));
}

}  // namespace

Result<fhir::Resource> Pipeline::resource_of(Exchange& exchange, std::string_view type) {
  if (exchange.uploaded) return resource_of_upload(exchange.request, exchange.route.id);
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

Result<operations::Patch> Pipeline::patch_of(Exchange& exchange) {
  if (sends_json_patch(exchange.request)) return operations::Patch::parse_json_patch(exchange.request.body);
  return operations::Patch::from_resource(TACENDA_TRY(resource_of(exchange, "Parameters")));
}

Result<Outcome> Pipeline::run_write(Exchange& exchange, Context const& context, Permit const& permit) {
  Match const& route = exchange.route;
  net::Request const& request = exchange.request;
  auto const id = [&] { return ResourceId::parse(route.id); };
  switch (route.route->interaction) {
    case Interaction::kCreate: {
      auto resource = TACENDA_TRY(resource_of(exchange, route.type));
      std::optional<operations::Criteria> unless;
      if (auto const field = request.header("if-none-exist")) {
        unless = TACENDA_TRY(operations::criteria_of(context, route.type, *field));
      }
      return operations::create(context, permit, std::move(resource), unless);
    }
    case Interaction::kUpdate: {
      auto resource = TACENDA_TRY(resource_of(exchange, route.type));
      return operations::update(context, permit, std::move(resource), TACENDA_TRY(id()),
                                TACENDA_TRY(if_match_of(request)));
    }
    case Interaction::kUpdateMatching: {
      auto resource = TACENDA_TRY(resource_of(exchange, route.type));
      return operations::update_matching(context, permit, std::move(resource),
                                         TACENDA_TRY(
                                             operations::criteria_of(context, route.type, request.query)),
                                         TACENDA_TRY(if_match_of(request)));
    }
    case Interaction::kDeleteMatching:
      return operations::remove_matching(context, permit, route.type,
                                         TACENDA_TRY(
                                             operations::criteria_of(context, route.type, request.query)),
                                         TACENDA_TRY(if_match_of(request)));
    case Interaction::kPatch:
      return operations::patch(context, permit, TACENDA_TRY(patch_of(exchange)), route.type,
                               TACENDA_TRY(id()), TACENDA_TRY(if_match_of(request)));
    case Interaction::kPatchMatching:
      return operations::patch_matching(context, permit, TACENDA_TRY(patch_of(exchange)), route.type,
                                        TACENDA_TRY(
                                            operations::criteria_of(context, route.type, request.query)),
                                        TACENDA_TRY(if_match_of(request)));
    case Interaction::kMetaAdd:
    case Interaction::kMetaDelete: {
      auto const change = route.route->interaction == Interaction::kMetaAdd ? operations::MetaChange::kAdd
                                                                            : operations::MetaChange::kDelete;
      return operations::change_meta(context, permit, route.type, TACENDA_TRY(id()), change,
                                     TACENDA_TRY(resource_of(exchange, "Parameters")).json());
    }
    case Interaction::kDelete:
      return operations::remove(context, permit, route.type, TACENDA_TRY(id()),
                                TACENDA_TRY(if_match_of(request)));
    default:
      return fail(ErrorKind::kBug, "a route has no interaction");
  }
}

}  // namespace tacenda::api

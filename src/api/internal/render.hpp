#pragma once

#include <optional>
#include <string>

#include "audit/receipt.hpp"
#include "fhir/format.hpp"
#include "net/http.hpp"
#include "operations/context.hpp"

namespace tacenda::api {

enum class Prefer : std::uint8_t { kDefault, kMinimal, kRepresentation, kOutcome };

/// What the client asked of the answer.
struct Wishes {
  std::string base_url;  // without a slash at its end
  Prefer prefer = Prefer::kDefault;
  fhir::Format format = fhir::Format::kJson;
  std::string self_url;  // of this request, for Bundle.link
  std::string next_url;  // of the next page; empty: none
  std::string
      outcome;  // what there is to say of a resource that was written (Prefer: return=OperationOutcome)
  net::Request const* content_for = nullptr;  // of a read of a Binary: who may want its content alone
};

/// Turns what an interaction came to into HTTP, once its receipt gives the time. Source: R4 http.html.
net::Response render(operations::Outcome const& outcome, audit::Receipt const& receipt, Wishes const& wishes);

/// `W/"3"`.
std::string etag_of(std::uint64_t version);

}  // namespace tacenda::api

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/receipt.hpp"
#include "fhir/format.hpp"
#include "net/http.hpp"
#include "operations/context.hpp"

namespace tacenda::api {

enum class Prefer : std::uint8_t { kDefault, kMinimal, kRepresentation, kOutcome };

/// Addresses for the Bundle.link of a page.
struct PageLinks {
  std::string self;
  std::string next;  // empty: there is no next page
};

/// What the client asked of the answer.
struct Wishes {
  std::string base_url;  // without a slash at its end
  Prefer prefer = Prefer::kDefault;
  fhir::Format format = fhir::Format::kJson;
  PageLinks links;                     // of a search or history
  std::vector<PageLinks> entry_links;  // of a bundle: those of each of its entries
  std::string
      outcome;  // what there is to say of a resource that was written (Prefer: return=OperationOutcome)
};

/// Turns what an interaction came to into HTTP, once its receipt gives the time. Source: R4 http.html.
net::Response render(operations::Outcome&& outcome, audit::Receipt const& receipt, Wishes const& wishes);

/// `W/"3"`.
std::string etag_of(std::uint64_t version);

}  // namespace tacenda::api

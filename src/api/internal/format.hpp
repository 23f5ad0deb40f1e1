#pragma once

#include <optional>
#include <string>

#include "fhir/format.hpp"
#include "net/http.hpp"

namespace tacenda::api {

/// The format that the client asked for: by the parameter _format, which wins, or by the quality values of
/// Accept. JSON when it has no preference; nullopt when it takes neither (406).
/// Source: R4 http.html#mime-type; RFC 9110 section 12.5.1.
std::optional<fhir::Format> answer_format_of(net::Request const& request);

/// The format of the body by its content type; nullopt when it is neither JSON nor XML in UTF-8 (415).
std::optional<fhir::Format> body_format_of(net::Request const& request);

/// "&_format=xml" when the query asked so: what the link to a next page must go on with.
std::string format_parameter_of(net::Request const& request);

/// Turns a response whose body is FHIR JSON into the format; every other response stays as it is. What cannot
/// be written in it becomes an error in that format: 406 for what is larger than limits::kBundleBodyBytes,
/// 500 for what is no resource of R4. Never an answer in another format than was asked for.
void put_into(fhir::Format format, net::Response& response);

}  // namespace tacenda::api

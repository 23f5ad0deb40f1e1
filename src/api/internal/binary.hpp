#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/internal/content_source.hpp"
#include "api/routes.hpp"
#include "fhir/resource.hpp"
#include "net/http.hpp"
#include "records/store.hpp"

/// A Binary as what it holds, under its own content type. Source: R4 binary.html, http.html#binary.
namespace tacenda::api {

bool reads_binary(Interaction interaction, std::string_view type);
bool writes_binary(Interaction interaction, std::string_view type);

/// True when the body is the content itself: its type is none of FHIR's, or it is JSON or XML and no Binary
/// resource.
bool sends_content(net::Request const& request);

/// True when the body is the content itself, as its head alone tells, and is not surely so small that it is
/// better held: it is taken while it comes. JSON and XML are not: such a body may be a Binary resource, which
/// has to be read whole.
bool streams_content(net::Request const& head);

/// A Binary of the body under its content type and X-Security-Context. `id`: of an update; else empty.
/// Errors: kInvalid (a field that no resource can hold).
Result<fhir::Resource> resource_of_content(net::Request const& request, std::string_view id);
/// The same of content that lies apart already: its data stands for it (records::Transaction::hold).
Result<fhir::Resource> resource_of_upload(net::Request const& request, std::string_view id);

/// The answer with the content alone: whole, a range of it (206), or the news that there is no such range
/// (416). nullopt: the client asked for the resource, which it does by naming a FHIR type, or one of JSON or
/// XML that the content does not have. Of a version that was read apart the beginning is read here, and the
/// rest while it is sent. Errors: those of `reader`. Source: RFC 9110 section 14.
Result<std::optional<net::Response>> render_content(records::StoredVersion const& version,
                                                    net::Request const& request, ContentReader reader = {});

}  // namespace tacenda::api

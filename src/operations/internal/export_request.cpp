#include "operations/internal/export_request.hpp"

#include <algorithm>
#include <set>

#include "codec/text.hpp"
#include "core/limits.hpp"
#include "fhir/reference.hpp"
#include "fhir/types.hpp"

namespace tacenda::operations {
namespace {

using records::ExportLevel;

// Served by other servers; named by the guide, so that a client that needs one is told in its own words.
constexpr auto kNotServed = std::to_array<std::string_view>(
    {"_elements", "includeAssociatedData", "organizeOutputBy", "allowPartialManifests"});

/// Splits at commas; of _typeFilter only at those with a `Type?` behind them, since values have commas too.
std::vector<std::string> split(std::string_view text, bool queries) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && text[at] != ',') continue;
    if (at < text.size() && queries) {
      auto const rest = text.substr(at + 1);
      auto const mark = rest.find('?');
      if (mark == std::string_view::npos || !fhir::is_resource_type(rest.substr(0, mark))) continue;
    }
    parts.emplace_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  return parts;
}

bool is_ndjson(std::string_view format) {
  return format == "application/fhir+ndjson" || format == "application/ndjson" || format == "ndjson" ||
         format == "application/fhir ndjson";  // a '+' that was not escaped
}

class ParameterReader {
 public:
  ParameterReader(fhir::SearchParameters const& known, ExportKickOff const& kick_off,
                  std::span<std::string const> addresses, records::ExportJob& job)
      : known_(known), kick_off_(kick_off), addresses_(addresses), job_(job), request_(job.request) {}

  Result<void> read() {
    request_.level = kick_off_.level;
    request_.url = kick_off_.url;
    for (auto const& [name, value] : kick_off_.parameters) TACENDA_TRY_VOID(read_one(name, value));
    TACENDA_TRY_VOID(choose_types());
    request_.patients.assign(patients_.begin(), patients_.end());
    for (auto const& [type, query] : request_.filters) {
      if (!std::ranges::binary_search(request_.types, type))
        return fail(ErrorKind::kInvalid, "_typeFilter names a type that is not exported");
    }
    for (auto const& type : request_.types) TACENDA_TRY(queries_of(known_, request_, type));
    return {};
  }

 private:
  Result<void> read_one(std::string const& name, std::string const& value) {
    if (name == "_outputFormat") {
      if (!is_ndjson(value)) return fail(ErrorKind::kNotSupported, "_outputFormat can be ndjson only");
      return {};
    }
    if (name == "_since") {
      auto const time = codec::parse_instant(value);
      if (!time.has_value()) return fail(ErrorKind::kInvalid, "_since is no instant");
      request_.since = *time;
      return {};
    }
    if (name == "_type") return add_types(value);
    if (name == "_typeFilter") return add_filters(value);
    if (name == "patient" && kick_off_.level != ExportLevel::kSystem) return add_patient(value);
    if (name == "_format" || name == "_pretty") return {};
    if (std::ranges::find(kNotServed, name) != kNotServed.end())
      return leave_out("a parameter of the kick-off is not served here");
    return leave_out("a parameter of the kick-off is not known");
  }

  /// What cannot be served is an error, unless the client said that it may be left out.
  template <std::size_t N>
  Result<void> leave_out(char const (&text)[N]) {
    if (!kick_off_.lenient)
      return fail(ErrorKind::kNotSupported, "the kick-off has a parameter that is not served here");
    if (std::ranges::find(job_.remarks, text) == job_.remarks.end()) job_.remarks.emplace_back(text);
    return {};
  }

  Result<void> add_types(std::string_view value) {
    for (auto& type : split(value, false)) {
      if (fhir::is_resource_type(type) && type != "AuditEvent") {
        named_types_.insert(std::move(type));
      } else if (!kick_off_.lenient) {
        return fail(ErrorKind::kInvalid, "_type names a type that is not exported");
      } else {
        TACENDA_TRY_VOID(leave_out("a type of _type is not exported"));
      }
    }
    if (named_types_.empty()) return fail(ErrorKind::kInvalid, "_type names no type that is exported");
    return {};
  }

  Result<void> add_filters(std::string_view value) {
    for (auto const& filter : split(value, true)) {
      auto const mark = filter.find('?');
      if (mark == std::string::npos || !fhir::is_resource_type(filter.substr(0, mark)))
        return fail(ErrorKind::kInvalid, "_typeFilter is no query of a resource type");
      if (request_.filters.size() == limits::kExportFilters)
        return fail(ErrorKind::kTooLarge, "_typeFilter has too many queries");
      request_.filters.emplace_back(filter.substr(0, mark), filter.substr(mark + 1));
    }
    return {};
  }

  Result<void> add_patient(std::string_view value) {
    auto id = patient_of_reference(value, addresses_);
    if (!id)
      return fail(ErrorKind::kInvalid, "a patient is named by no reference to a Patient of this server");
    if (patients_.size() == limits::kCompartmentsPerResource)
      return fail(ErrorKind::kTooLarge, "more patients are named than one export takes");
    patients_.insert(std::move(*id));
    return {};
  }

  /// Of patients and groups: what is in their compartments, and of all other types what that refers to.
  Result<void> choose_types() {
    if (named_types_.empty()) {
      for (auto const type : fhir::resource_types()) {
        if (type != "AuditEvent") named_types_.emplace(type);
      }
    }
    request_.types.assign(named_types_.begin(), named_types_.end());
    return {};
  }

  fhir::SearchParameters const& known_;
  ExportKickOff const& kick_off_;
  std::span<std::string const> addresses_;
  records::ExportJob& job_;
  records::ExportRequest& request_;
  std::set<std::string> named_types_;
  std::set<std::string> patients_;
};

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> export_parameters(fhir::Resource const& resource) {
  if (resource.type() != "Parameters")
    return fail(ErrorKind::kInvalid, "the body of a kick-off is a Parameters resource");
  std::vector<std::pair<std::string, std::string>> parameters;
  auto const* list = resource.json().find("parameter");
  if (list == nullptr) return parameters;
  for (auto const& parameter : list->items()) {
    std::optional<std::string> value;
    for (auto const& member : parameter.members()) {
      if (member.name == "valueReference") value = member.value.text_of("reference");
      if (member.name.starts_with("value") && member.value.is_string()) value = member.value.as_string();
      if (member.name == "valueBoolean") value = member.value.as_boolean() ? "true" : "false";
    }
    if (!value)
      return fail(ErrorKind::kInvalid, "a parameter of the kick-off has no value, or one of another type");
    parameters.emplace_back(parameter.text_of("name"), std::move(*value));
  }
  return parameters;
}

std::optional<std::string> patient_of_reference(std::string_view reference,
                                                std::span<std::string const> addresses) {
  auto const parsed = fhir::parse_reference(reference, addresses);
  if (parsed.kind != fhir::ReferenceKind::kLocal || parsed.type != "Patient") return std::nullopt;
  if (!ResourceId::parse(parsed.id).has_value()) return std::nullopt;
  return std::string(parsed.id);
}

Result<void> read_parameters(fhir::SearchParameters const& known, ExportKickOff const& kick_off,
                             std::span<std::string const> addresses, records::ExportJob& job) {
  return ParameterReader(known, kick_off, addresses, job).read();
}

Result<std::vector<fhir::SearchQuery>> queries_of(fhir::SearchParameters const& known,
                                                  records::ExportRequest const& request,
                                                  std::string const& type) {
  std::vector<std::string_view> wanted;
  for (auto const& [filtered, query] : request.filters) {
    if (filtered == type) wanted.push_back(query);
  }
  if (wanted.empty()) wanted.emplace_back();
  std::vector<fhir::SearchQuery> queries;
  for (auto const query : wanted) {
    auto parameters = TACENDA_TRY(codec::parse_query(query));
    if (request.since) parameters.emplace_back("_lastUpdated", "ge" + codec::format_instant(*request.since));
    // Strict: leaving a condition out would export what nobody asked for.
    auto parsed = TACENDA_TRY(fhir::parse_search(known, type, parameters, fhir::Handling::kStrict));
    bool const shapes = !parsed.sort.empty() || !parsed.includes.empty() || parsed.count ||
                        !parsed.elements.empty() || !parsed.page.empty() ||
                        parsed.summary != fhir::Summary::kFalse;
    if (shapes) return fail(ErrorKind::kInvalid, "_typeFilter takes conditions only");
    queries.push_back(std::move(parsed));
  }
  return queries;
}

}  // namespace tacenda::operations

#include "operations/internal/entry_target.hpp"

#include <array>
#include <charconv>
#include <vector>

#include "codec/text.hpp"
#include "fhir/compartment.hpp"
#include "fhir/types.hpp"

namespace tacenda::operations {
namespace {

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (true) {
    auto const slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

Result<std::uint64_t> parse_version(std::string_view text) {
  std::uint64_t version = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version == 0) {
    return fail(ErrorKind::kInvalid, "a version id is not a number of this server");
  }
  return version;
}

/// An operation that a GET can ask for.
struct OperationRow {
  std::string_view name;
  std::string_view type;  // empty: every type
  bool on_type;
  bool on_instance;
  EntryKind kind;
};
constexpr auto kOperations = std::to_array<OperationRow>({
    {"$everything", "Patient", false, true, EntryKind::kEverything},
    {"$lastn", "Observation", true, false, EntryKind::kLastN},
    {"$meta", "", false, true, EntryKind::kMeta},
    {"$validate", "", false, true, EntryKind::kValidate},
    {"$expand", "ValueSet", true, true, EntryKind::kExpand},
    {"$validate-code", "ValueSet", true, true, EntryKind::kValidateCode},
    {"$validate-code", "CodeSystem", true, true, EntryKind::kValidateCode},
    {"$lookup", "CodeSystem", true, false, EntryKind::kLookup},
    {"$subsumes", "CodeSystem", true, true, EntryKind::kSubsumes},
});

Result<EntryKind> operation_of(std::string_view name, std::string_view type, bool on_instance) {
  for (auto const& row : kOperations) {
    if (row.name != name || (!row.type.empty() && row.type != type)) continue;
    if (on_instance ? row.on_instance : row.on_type) return row.kind;
  }
  return fail(ErrorKind::kUnsupported, "an entry asks for an operation that is not available in a bundle");
}

Result<void> target_within(std::vector<std::string_view> const& parts, EntryTarget& target) {
  auto const inner = parts[2];
  if (inner == "_history" && parts.size() == 3) {
    target.kind = EntryKind::kHistory;
  } else if (inner == "_history" && parts.size() == 4) {
    target.kind = EntryKind::kVread;
    target.version = TACENDA_TRY(parse_version(parts[3]));
  } else if (parts.size() == 3 && inner.starts_with('$')) {
    target.kind = TACENDA_TRY(operation_of(inner, target.type, true));
  } else if (parts.size() == 3 && fhir::is_compartment(target.type) &&
             (inner == "*" || fhir::is_resource_type(inner))) {
    target.kind = EntryKind::kSearch;
    target.inner = inner;
  } else {
    return fail(ErrorKind::kUnsupported,
                "an entry asks for an interaction that is not available in a bundle");
  }
  return {};
}

Result<void> target_of_get(std::vector<std::string_view> const& parts, EntryTarget& target) {
  if (target.type.empty()) {
    target.kind = parts[0].empty() ? EntryKind::kSearch : EntryKind::kHistorySystem;
    return {};
  }
  if (parts.size() == 1) {
    target.kind = EntryKind::kSearch;
    return {};
  }
  if (parts.size() == 2 && parts[1] == "_history") {
    target.kind = EntryKind::kHistoryType;
    return {};
  }
  if (parts.size() == 2 && parts[1].starts_with('$')) {
    target.kind = TACENDA_TRY(operation_of(parts[1], target.type, false));
    return {};
  }
  target.id = TACENDA_TRY(ResourceId::parse(parts[1]));
  if (parts.size() > 2) return target_within(parts, target);
  target.kind = EntryKind::kRead;
  return {};
}

Result<void> target_of_post(std::vector<std::string_view> const& parts, EntryTarget& target) {
  if (parts.back() == "_search") {
    return fail(ErrorKind::kNotSupported, "an entry has no form to search with: ask by GET, with a query");
  }
  if (parts.back().starts_with('$'))
    return fail(ErrorKind::kNotSupported, "in a bundle operations are asked for by GET only");
  if (parts.size() != 1 || target.type.empty())
    return fail(ErrorKind::kUnsupported, "POST in a bundle takes the url of a type");
  target.kind = EntryKind::kCreate;
  return {};
}

Result<void> target_of_change(std::string_view method, std::vector<std::string_view> const& parts,
                              EntryTarget& target) {
  bool const is_conditional = parts.size() == 1 && !target.query.empty();
  if (target.type.empty() || (parts.size() != 2 && !is_conditional))
    return fail(ErrorKind::kUnsupported, "PUT, PATCH and DELETE in a bundle take the url of a resource");
  if (!is_conditional) target.id = TACENDA_TRY(ResourceId::parse(parts[1]));
  target.kind = method == "PUT"     ? EntryKind::kUpdate
                : method == "PATCH" ? EntryKind::kPatch
                                    : EntryKind::kDelete;
  return {};
}

Result<void> read_conditions(fhir::BundleEntry const& entry, EntryTarget& target) {
  if (entry.if_none_match.empty() && entry.if_modified_since.empty()) return {};
  if (target.kind != EntryKind::kRead) {
    return fail(ErrorKind::kNotSupported, "in a bundle only a read takes ifNoneMatch and ifModifiedSince");
  }
  target.read_conditions.if_none_match = entry.if_none_match;
  if (!entry.if_modified_since.empty()) {
    target.read_conditions.if_modified_since = TACENDA_TRY(codec::parse_instant(entry.if_modified_since));
  }
  return {};
}

Result<void> check_resource(fhir::BundleEntry const& entry, EntryTarget const& target) {
  bool const is_patch = target.kind == EntryKind::kPatch;
  bool const wanted = is_patch || target.kind == EntryKind::kCreate || target.kind == EntryKind::kUpdate;
  if (wanted && !entry.resource) return fail(ErrorKind::kInvalid, "an entry that writes has no resource");
  if (!wanted && entry.resource)
    return fail(ErrorKind::kInvalid, "an entry that reads or deletes has a resource");
  if (wanted && !is_patch && entry.resource->type() != target.type) {
    return fail(ErrorKind::kInvalid, "an entry's resource has another type than its url");
  }
  return {};
}

}  // namespace

Result<std::uint64_t> parse_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() < 3 || etag.front() != '"' || etag.back() != '"') {
    return fail(ErrorKind::kInvalid, "If-Match is not an entity tag of this server");
  }
  return parse_version(etag.substr(1, etag.size() - 2));
}

Result<EntryTarget> target_of(fhir::BundleEntry const& entry) {
  if (!entry.issues.empty()) return std::unexpected(entry.issues.first_error());
  std::string_view url = entry.url;
  EntryTarget target;
  if (auto const question = url.find('?'); question != std::string_view::npos) {
    target.query = url.substr(question + 1);
    url = url.substr(0, question);
  }
  if (url.starts_with('/')) url.remove_prefix(1);
  std::string const path = TACENDA_TRY(codec::percent_decode(url));
  auto const parts = split_path(path);
  bool const reads = entry.method == "GET" || entry.method == "HEAD";
  bool const is_system = parts.size() == 1 && (parts[0].empty() || parts[0] == "_history");
  if (!is_system || !reads) {
    target.type = parts[0];
    if (!fhir::is_resource_type(target.type))
      return fail(ErrorKind::kUnsupported, "an entry's url names no resource type");
  }
  if (!entry.if_match.empty()) target.if_match = TACENDA_TRY(parse_etag(entry.if_match));
  if (reads) {
    TACENDA_TRY_VOID(target_of_get(parts, target));
  } else if (entry.method == "POST") {
    TACENDA_TRY_VOID(target_of_post(parts, target));
  } else if (entry.method == "PUT" || entry.method == "PATCH" || entry.method == "DELETE") {
    TACENDA_TRY_VOID(target_of_change(entry.method, parts, target));
  } else {
    return fail(ErrorKind::kUnsupported, "an entry's method is not available in a bundle");
  }
  if (!reads && !target.query.empty() && (target.id || target.kind == EntryKind::kCreate))
    return fail(ErrorKind::kUnsupported, "this interaction takes no parameters in a bundle");
  TACENDA_TRY_VOID(read_conditions(entry, target));
  TACENDA_TRY_VOID(check_resource(entry, target));
  return target;
}

}  // namespace tacenda::operations

#include "operations/read.hpp"

#include "codec/field_text.hpp"
#include "codec/text.hpp"
#include "operations/internal/subset.hpp"

namespace tacenda::operations {
namespace {

using codec::trim;

/// True when one of the entity tags is that of `version`. A tag that this server never gave is none of its.
bool has_tag(std::string_view tags, std::uint64_t version) {
  std::string const own = "\"" + std::to_string(version) + "\"";
  while (true) {
    auto const comma = tags.find(',');  // no tag of this server has one inside
    auto tag = trim(tags.substr(0, comma));
    if (tag.starts_with("W/")) tag.remove_prefix(2);  // the weak comparison: RFC 9110 section 13.1.2
    if (tag == own || tag == "*") return true;
    if (comma == std::string_view::npos) return false;
    tags.remove_prefix(comma + 1);
  }
}

Result<void> apply(ReadShape const& shape, records::StoredVersion& version) {
  if (version.type == "Binary") return {};
  version.json = TACENDA_TRY(subset(std::move(version.json), shape.summary, shape.elements));
  return {};
}

}  // namespace

Result<ReadShape> shape_of(std::string_view query) {
  if (query.empty()) return ReadShape{};
  std::vector<std::pair<std::string, std::string>> asked;
  for (auto& parameter : TACENDA_TRY(codec::parse_query(query))) {
    if (parameter.first == "_summary" || parameter.first == "_elements")
      asked.push_back(std::move(parameter));
  }
  auto parsed =
      TACENDA_TRY(fhir::parse_search(fhir::r4_parameters(), "Resource", asked, fhir::Handling::kStrict));
  if (parsed.summary == fhir::Summary::kCount)
    return fail(ErrorKind::kInvalid, "a read counts nothing: _summary=count is for searches");
  ReadShape shape;
  shape.summary = parsed.summary;
  shape.elements = std::move(parsed.elements);
  return shape;
}

bool ReadConditions::are_met_by(records::StoredVersion const& version) const {
  if (!if_none_match.empty()) return has_tag(if_none_match, version.version);
  return if_modified_since && version.last_updated <= *if_modified_since;
}

Result<Outcome> read(Context const& context, Permit const& permit, std::string_view type,
                     ResourceId const& id, ReadConditions const& conditions, ReadShape const& shape) {
  Outcome outcome;
  auto version = TACENDA_TRY(context.services.store.read(permit, type, id, shape.content));
  outcome.events.push_back(event_of(context, audit::EventKind::kRead, version));
  outcome.not_modified = conditions.are_met_by(version);
  if (outcome.not_modified) {
    version.json.clear();
  } else {
    TACENDA_TRY_VOID(apply(shape, version));
  }
  outcome.result = std::move(version);
  return outcome;
}

Result<Outcome> vread(Context const& context, Permit const& permit, std::string_view type,
                      ResourceId const& id, std::uint64_t version_id, ReadShape const& shape) {
  Outcome outcome;
  auto version = TACENDA_TRY(context.services.store.vread(permit, type, id, version_id, shape.content));
  outcome.events.push_back(event_of(context, audit::EventKind::kVread, version));
  TACENDA_TRY_VOID(apply(shape, version));
  outcome.result = std::move(version);
  return outcome;
}

}  // namespace tacenda::operations

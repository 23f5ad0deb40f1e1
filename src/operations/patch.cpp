#include "operations/patch.hpp"

#include <algorithm>

#include "codec/json_equal.hpp"
#include "codec/json_patch.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "operations/fhirpath_patch.hpp"
#include "operations/internal/hold.hpp"
#include "operations/internal/links.hpp"
#include "operations/internal/permits.hpp"
#include "operations/internal/writing.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;

Result<Json> parse_patch(std::string_view text) {
  return codec::parse_json(text, {.depth = limits::kJsonDepth, .size_bytes = limits::kBodyBytes});
}

/// True when both have the same data; narrative and meta are none.
bool has_same_data(Json const& a, Json const& b) {
  auto const is_data = [](Json::Member const& member) {
    return member.name != "text" && member.name != "meta";
  };
  auto const is_in_b = [&](Json::Member const& member) {
    auto const* other = b.find(member.name);
    return other != nullptr && codec::equal_by_value(member.value, *other);
  };
  return std::ranges::count_if(a.members(), is_data) == std::ranges::count_if(b.members(), is_data) &&
         std::ranges::all_of(a.members(),
                             [&](Json::Member const& member) { return !is_data(member) || is_in_b(member); });
}

/// "Servers that process PATCH operations SHALL ensure that the narrative in a resource is not clinically
/// unsafe after the PATCH operation is performed" (R4 http.html#patch). What was generated from data that
/// changed is removed, as the standard offers; what people wrote beside the data is theirs to change.
Result<void> keep_narrative_safe(Json const& before, Json& after) {
  auto const* old_text = before.find("text");
  auto const* new_text = after.find("text");
  if (old_text == nullptr || new_text == nullptr || !codec::equal_by_value(*old_text, *new_text)) return {};
  auto const status = new_text->text_of("status");
  if (status == "empty" || has_same_data(before, after)) return {};
  if (status != "generated" && status != "extensions") {
    return fail(ErrorKind::kUnprocessable,
                "the narrative says more than the data: a patch of the data must change the narrative too");
  }
  after.remove("text");
  return {};
}

}  // namespace

Result<Patch> Patch::parse_json_patch(std::string_view text) {
  Json json = TACENDA_TRY(parse_patch(text));
  if (!json.is_array()) return fail(ErrorKind::kInvalid, "a JSON Patch is an array of operations");
  return Patch(Form::kJsonPatch, std::move(json));
}

Result<Patch> Patch::from_resource(fhir::Resource const& resource) {
  if (resource.type() == "Parameters") return Patch(Form::kFhirPathPatch, resource.json());
  if (resource.type() != "Binary")
    return fail(ErrorKind::kInvalid, "a patch is a Parameters resource, or in a bundle a Binary");
  auto const data = TACENDA_TRY(codec::base64_decode(resource.json().text_of("data")));
  auto const type = resource.json().text_of("contentType");
  auto const semicolon = type.find(';');
  if (type.substr(0, semicolon) != "application/json-patch+json")
    return fail(ErrorKind::kNotSupported, "the Binary of a patch must hold application/json-patch+json");
  return parse_json_patch(as_text(data));
}

Result<fhir::Resource> Patch::apply(Json const& resource) const {
  Json json = TACENDA_TRY(form_ == Form::kJsonPatch ? codec::apply_json_patch(resource, content_)
                                                    : apply_fhirpath_patch(resource, content_));
  if (!json.is_object() || json.text_of("resourceType") != resource.text_of("resourceType")) {
    return fail(ErrorKind::kUnprocessable, "a patch must not change the resource's type");
  }
  if (json.text_of("id") != resource.text_of("id")) {
    return fail(ErrorKind::kUnprocessable, "a patch must not change the resource's id");
  }
  TACENDA_TRY_VOID(keep_narrative_safe(resource, json));
  if (form_ == Form::kFhirPathPatch && codec::write_json(json).size() > limits::kBodyBytes)
    return fail(ErrorKind::kTooLarge, "the patch would make the resource too large");
  auto checked = fhir::Resource::parse(std::move(json));
  if (checked.has_value()) return std::move(*checked);
  if (checked.error().kind() != ErrorKind::kInvalid) return std::unexpected(checked.error());
  return fail(ErrorKind::kUnprocessable, "the patch would leave what is no well-formed resource of its type");
}

Result<fhir::Resource> patched(Context const& context, records::Transaction& transaction, Patch const& patch,
                               std::string_view type, ResourceId const& id,
                               std::optional<std::uint64_t> if_match) {
  auto const reader = TACENDA_TRY(context.services.gate.authorize(context.principal, Action::kRead, type));
  auto const living = TACENDA_TRY(transaction.living(reader, type, id));
  // Before the patch is tried: of another version than the client knows, what does not fit says nothing.
  if (if_match && *if_match != living.version) {
    return fail(ErrorKind::kPrecondition, "the resource has another version than If-Match names");
  }
  auto const json = codec::parse_json(living.json);
  if (!json.has_value()) return fail(ErrorKind::kCorrupt, "a stored resource is no JSON");
  return patch.apply(*json);
}

namespace {

Result<Outcome> run(Context const& context, Permit const& permit, records::Transaction& transaction,
                    Patch const& patch, std::string_view type, ResourceId const& id,
                    std::optional<std::uint64_t> if_match) {
  auto resource = TACENDA_TRY(patched(context, transaction, patch, type, id, if_match));
  TACENDA_TRY_VOID(make_local(context, resource));
  TACENDA_TRY_VOID(hold(context, resource));
  auto written = TACENDA_TRY(transaction.update(permit, std::move(resource), id, if_match, 0));
  Outcome outcome;
  outcome.events.push_back(event_of(context, audit::EventKind::kPatch, written));
  outcome.result = std::move(written);
  outcome.set = TACENDA_TRY(end_writing(context, transaction));
  return outcome;
}

}  // namespace

Result<Outcome> patch(Context const& context, Permit const& permit, Patch const& patch, std::string_view type,
                      ResourceId const& id, std::optional<std::uint64_t> if_match) {
  auto transaction = begin_writing(context);
  return run(context, permit, transaction, patch, type, id, if_match);
}

Result<Outcome> patch_matching(Context const& context, Permit const& permit, Patch const& patch,
                               std::string_view type, Criteria const& criteria,
                               std::optional<std::uint64_t> if_match) {
  auto transaction = begin_writing(context);
  auto const reader = TACENDA_TRY(context.services.gate.authorize(context.principal, Action::kRead, type));
  Permits permits(context, type, reader);
  auto const matches = TACENDA_TRY(transaction.match(permits.source(), type, criteria, 2));
  TACENDA_TRY_VOID(note_matched(context, transaction, type, matches));
  if (matches.empty()) return fail(ErrorKind::kNotFound, "the criteria match no resource");
  if (matches.size() > 1) return fail(ErrorKind::kPrecondition, "the criteria match several resources");
  auto const id = TACENDA_TRY(ResourceId::parse(matches.front()));
  return run(context, permit, transaction, patch, type, id, if_match);
}

}  // namespace tacenda::operations

#include "fhir/bundle.hpp"

#include <unordered_set>

#include "core/limits.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

Result<BundleEntry> parse_entry(Json& json) {
  if (!json.is_object()) return fail(ErrorKind::kInvalid, "an entry of the bundle is no object");
  BundleEntry entry;
  entry.full_url = json.text_of("fullUrl");
  Json const* request = json.find("request");
  if (request == nullptr || !request->is_object())
    return fail(ErrorKind::kInvalid, "an entry of the bundle has no request");
  entry.method = request->text_of("method");
  entry.url = request->text_of("url");
  entry.if_match = request->text_of("ifMatch");
  entry.if_none_exist = request->text_of("ifNoneExist");
  if (entry.method.empty() || entry.url.empty()) {
    return fail(ErrorKind::kInvalid, "the request of an entry has no method or no url");
  }
  if (request->find("ifNoneMatch") != nullptr || request->find("ifModifiedSince") != nullptr) {
    return fail(ErrorKind::kUnsupported, "conditional reads are not available in a bundle");
  }
  if (Json* resource = json.find("resource")) entry.resource = TACENDA_TRY(Resource::parse(std::move(*resource)));
  return entry;
}

}  // namespace

Result<Bundle> parse_bundle(std::string_view text) {
  auto json = TACENDA_TRY(
      codec::parse_json(text, {.depth = limits::kJsonDepth, .size_bytes = limits::kBundleBodyBytes}));
  if (json.text_of("resourceType") != "Bundle") return fail(ErrorKind::kInvalid, "the body is no Bundle");
  Bundle bundle;
  auto const type = json.text_of("type");
  if (type == "transaction") {
    bundle.type = BundleType::kTransaction;
  } else if (type != "batch") {
    return fail(ErrorKind::kInvalid, "the bundle is neither a transaction nor a batch");
  }
  Json* entries = json.find("entry");
  if (entries == nullptr) return bundle;
  if (!entries->is_array()) return fail(ErrorKind::kInvalid, "entry is an array");
  if (entries->items().size() > limits::kBundleEntries)
    return fail(ErrorKind::kTooLarge, "the bundle has too many entries");
  bundle.entries.reserve(entries->items().size());
  std::unordered_set<std::string_view> urls;
  for (auto& item : entries->items()) {
    bundle.entries.push_back(TACENDA_TRY(parse_entry(item)));
    item = Json();  // large bundles: give the memory back as we go
  }
  for (auto const& entry : bundle.entries) {
    if (!entry.full_url.empty() && !urls.insert(entry.full_url).second) {
      return fail(ErrorKind::kInvalid, "two entries of the bundle have the same fullUrl");
    }
  }
  return bundle;
}

}  // namespace tacenda::fhir

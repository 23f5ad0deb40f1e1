#include "fhir/bundle.hpp"

#include <unordered_set>

#include "core/limits.hpp"
#include "fhir/elements.hpp"
#include "fhir/internal/report.hpp"
#include "fhir/internal/structure.hpp"
#include "fhir/reference.hpp"
#include "fhir/xml.hpp"

namespace tacenda::fhir {

using codec::Json;

namespace {

constexpr std::string_view kBundle = "Bundle";

/// The node of Bundle.entry.
Node const& entry_node() {
  static Node const& node = node_of(find_element(*find_resource_node(kBundle), "entry")->type_code());
  return node;
}

Issues one_issue(IssueKind kind, Literal text, std::string path) {
  Issues issues;
  issues.add(kind, text, std::move(path));
  return issues;
}

Checked<Json> read_document(std::string_view text, Format format) {
  if (format == Format::kXml) return read_xml(text, limits::kBundleBodyBytes);
  auto json = codec::parse_json(text, {.depth = limits::kJsonDepth, .size_bytes = limits::kBundleBodyBytes});
  if (!json.has_value()) return std::unexpected(to_issues(json.error()));
  return std::move(*json);
}

}  // namespace

/// Takes a Bundle apart.
class BundleReader {
 public:
  Checked<Bundle> read(Json json) {
    Json* entries = json.find("entry");
    Json list = Json::array();
    if (entries != nullptr && entries->is_array() && !entries->items().empty()) {
      // The entries are checked one by one: those of a batch fail alone, and their memory is given back.
      list = std::move(*entries);
      json.remove("entry");
    }
    if (list.items().size() > limits::kBundleEntries) {
      return std::unexpected(
          one_issue(IssueKind::kTooLong, "the bundle has too many entries", "Bundle.entry"));
    }
    StructureCheck(issues_).check_resource(json, nullptr);
    read_type(json);
    bundle_.entries.reserve(list.items().size());
    Place const root{nullptr, kBundle};
    for (auto& item : list.items()) {
      if (issues_.full()) break;
      read_entry(item, root.child("entry", bundle_.entries.size()));
      item = Json();  // large bundles: give the memory back as we go
    }
    find_duplicates();
    if (!issues_.empty()) return std::unexpected(std::move(issues_));
    return std::move(bundle_);
  }

 private:
  void read_type(Json const& json) {
    auto const type = json.text_of("type");
    if (type == "transaction") {
      bundle_.type = BundleType::kTransaction;
    } else if (type != "batch") {
      issues_.add(IssueKind::kValue, "the bundle is neither a transaction nor a batch", "Bundle.type");
    }
  }

  void read_entry(Json& json, Place const& place) {
    auto& entry = bundle_.entries.emplace_back();
    Issues& issues = bundle_.type == BundleType::kBatch ? entry.issues : issues_;
    std::size_t const before = issues.size();
    StructureCheck(issues).check_object(entry_node(), json, place);
    // Also of an entry that failed: its place in the answer and its audit entry name what was asked for.
    entry.full_url = json.text_of("fullUrl");
    if (Json const* request = json.find("request")) {
      entry.method = request->text_of("method");
      entry.url = request->text_of("url");
      entry.if_match = request->text_of("ifMatch");
      entry.if_none_exist = request->text_of("ifNoneExist");
      entry.if_none_match = request->text_of("ifNoneMatch");
      entry.if_modified_since = request->text_of("ifModifiedSince");
    }
    // bdl-3: an entry of a batch or transaction must have a request, which must have both.
    if (issues.size() == before && (entry.method.empty() || entry.url.empty())) {
      issues.add(IssueKind::kRequired, "an entry has no request, or one without method or url",
                 place.child("request").path());
    }
    if (issues.size() != before) return;
    if (Json* resource = json.find("resource")) entry.resource = Resource(std::move(*resource));
  }

  /// bdl-7: "FullUrl must be unique in a bundle".
  void find_duplicates() {
    std::unordered_set<std::string_view> urls;
    for (std::size_t i = 0; i < bundle_.entries.size(); ++i) {
      auto const& url = bundle_.entries[i].full_url;
      if (url.empty() || urls.insert(url).second) continue;
      Place const root{nullptr, kBundle};
      Place const entry = root.child("entry", i);
      issues_.add(IssueKind::kValue, "two entries of the bundle have the same fullUrl",
                  entry.child("fullUrl").path());
    }
  }

  Bundle bundle_;
  Issues issues_;
};

Checked<Bundle> check_bundle(std::string_view text, Format format) {
  Json json = TACENDA_TRY(read_document(text, format));
  if (json.text_of("resourceType") != kBundle) {
    return std::unexpected(one_issue(IssueKind::kStructure, "the body is no Bundle", {}));
  }
  return BundleReader().read(std::move(json));
}

Result<Bundle> parse_bundle(std::string_view text, Format format) {
  return first_of(check_bundle(text, format));
}

std::optional<std::string> resolve_in_entry(std::string_view full_url, std::string_view reference) {
  if (!full_url.starts_with("http://") && !full_url.starts_with("https://")) return std::nullopt;
  if (!parse_local_reference(reference)) return std::nullopt;
  auto const id = full_url.rfind('/');
  auto const type = full_url.rfind('/', id - 1);
  if (type == std::string_view::npos || !parse_local_reference(full_url.substr(type + 1)))
    return std::nullopt;
  std::string url(full_url.substr(0, type + 1));
  url.append(reference);
  return url;
}

}  // namespace tacenda::fhir

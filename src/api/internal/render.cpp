#include "api/internal/render.hpp"

#include "api/internal/export_answer.hpp"
#include "api/internal/format.hpp"
#include "api/internal/high_water.hpp"
#include "api/outcome.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"

namespace tacenda::api {
namespace {

using operations::SearchAnswer;
using records::HistoryPage;
using records::StoredVersion;
using records::Written;

void append_string(std::string& out, std::string_view text) {
  codec::write_json(codec::Json::string(text), out);
}

net::Response fhir_response(std::uint16_t status, std::string body) {
  net::Response response;
  response.status = status;
  response.body = std::move(body);
  response.headers.reserve(4);  // with what tells of a version
  response.headers.push_back({"content-type", "application/fhir+json; charset=utf-8"});
  return response;
}

std::string place_of(Wishes const& wishes, std::string_view type, std::string_view id,
                     std::uint64_t version) {
  std::string place = wishes.base_url;
  place.append("/").append(type).append("/").append(id).append("/_history/").append(std::to_string(version));
  return place;
}

net::Response render_version(StoredVersion&& version, Wishes const& wishes, bool matched, bool not_modified) {
  auto response = fhir_response(200, std::move(version.json));
  if (not_modified) {
    response.status = 304;
    response.headers.clear();
  }
  response.headers.push_back({"etag", etag_of(version.version)});
  response.headers.push_back({"last-modified", codec::format_http_date(version.last_updated)});
  if (matched) {
    response.headers.push_back({"location", place_of(wishes, version.type, version.id, version.version)});
    if (wishes.prefer == Prefer::kMinimal) response.body.clear();
  }
  return response;
}

net::Response render_written(Written const& written, audit::Receipt const& receipt, Wishes const& wishes,
                             bool matched) {
  if (written.deletion) {
    net::Response response;
    response.status = 204;
    if (written.changed) response.headers.push_back({"etag", etag_of(written.version)});
    return response;
  }
  auto response = fhir_response(written.created ? 201 : 200, {});
  response.headers.push_back({"etag", etag_of(written.version)});
  response.headers.push_back({"location", place_of(wishes, written.type, written.id, written.version)});
  if (matched) return response;
  response.headers.push_back({"last-modified", codec::format_http_date(receipt.time())});
  if (wishes.prefer == Prefer::kOutcome) {
    response.body = wishes.outcome.empty() ? done_json() : wishes.outcome;
  } else if (wishes.prefer != Prefer::kMinimal) {
    response.body = written.render(receipt.time());
  }
  return response;
}

/// One entry of a history Bundle (R4 bundle.html#history).
void append_history_entry(std::string& out, StoredVersion const& version, Wishes const& wishes) {
  bool const first = version.version == 1;
  out.append("{\"fullUrl\":");
  append_string(out, wishes.base_url + "/" + version.type + "/" + version.id);
  if (!version.deleted) out.append(",\"resource\":").append(version.json);
  std::string_view const method = version.deleted ? "DELETE" : first ? "POST" : "PUT";
  out.append(",\"request\":{\"method\":\"").append(method).append("\",\"url\":\"").append(version.type);
  if (!first) out.append("/").append(version.id);
  out.append("\"},\"response\":{\"status\":\"").append(version.deleted ? "204" : first ? "201" : "200");
  out.append("\",\"etag\":");
  append_string(out, etag_of(version.version));
  out.append(",\"lastModified\":\"").append(codec::format_instant(version.last_updated)).append("\"}}");
}

void append_links(std::string& out, PageLinks const& links) {
  if (links.self.empty()) return;  // an empty address would be no FHIR
  out.append(R"(,"link":[{"relation":"self","url":)");
  append_string(out, links.self);
  out.push_back('}');
  if (!links.next.empty()) {
    out.append(R"(,{"relation":"next","url":)");
    append_string(out, links.next);
    out.push_back('}');
  }
  out.push_back(']');
}

std::string history_bundle(HistoryPage const& page, PageLinks const& links, Wishes const& wishes) {
  HighWater high;
  for (auto const& version : page.entries) high.see(version.json);
  std::string out = R"({"resourceType":"Bundle","type":"history")" + high.member();
  append_links(out, links);
  if (!page.entries.empty()) {
    out.append(",\"entry\":[");
    for (std::size_t i = 0; i < page.entries.size(); ++i) {
      if (i > 0) out.push_back(',');
      append_history_entry(out, page.entries[i], wishes);
    }
    out.push_back(']');
  }
  out.push_back('}');
  return out;
}

void append_match(std::string& out, StoredVersion const& version, std::string_view mode,
                  Wishes const& wishes) {
  out.append("{\"fullUrl\":");
  append_string(out, wishes.base_url + "/" + version.type + "/" + version.id);
  out.append(",\"resource\":").append(version.json);
  out.append(",\"search\":{\"mode\":\"").append(mode).append("\"}}");
}

/// An OperationOutcome that grows by its issues.
class Remarks {
 public:
  explicit Remarks(std::string& out) : out_(out) {
    out_.append(R"({"resource":{"resourceType":"OperationOutcome","issue":[)");
  }
  /// `parameter`: the name of the one that the issue is about; empty: of none that can be named.
  void add(std::string_view severity, std::string_view code, std::string const& text,
           std::string_view parameter = {}) {
    if (!is_first_) out_.push_back(',');
    is_first_ = false;
    out_.append("{\"severity\":\"").append(severity).append("\",\"code\":\"").append(code);
    out_.append("\",\"diagnostics\":");
    append_string(out_, text);
    if (!parameter.empty()) {
      // "For HTTP errors, will be "http." + the parameter name": R4 says so of the location, which the
      // expression replaces.
      for (auto const* member : {"location", "expression"}) {
        out_.append(",\"").append(member).append("\":[");
        append_string(out_, std::string("http.").append(parameter));
        out_.push_back(']');
      }
    }
    out_.push_back('}');
  }
  void finish() { out_.append(R"(]},"search":{"mode":"outcome"}})"); }

 private:
  std::string& out_;
  bool is_first_ = true;
};

/// What was left out, and for administrators how the search was made.
void append_remarks(std::string& out, SearchAnswer const& answer) {
  Remarks remarks(out);
  for (auto const& each : answer.left_out) {
    remarks.add("warning", "not-supported",
                std::string(each.reason) + " (parameter " + std::to_string(each.index + 1) +
                    " of the search was left out)",
                each.name);
  }
  for (auto const warning : answer.warnings) remarks.add("warning", "not-supported", std::string(warning));
  if (answer.explain) {
    for (auto const& step : answer.steps) {
      remarks.add("information", "informational",
                  std::string(step.kind) + ": " + std::string(step.use) +
                      ", rows counted: " + std::to_string(step.rows));
    }
    remarks.add("information", "informational", "index rows read: " + std::to_string(answer.rows_read));
  }
  remarks.finish();
}

void see_all(HighWater& high, SearchAnswer const& answer) {
  for (auto const& version : answer.matches) high.see(version.json);
  for (auto const& version : answer.included) high.see(version.json);
}

/// Source: R4 search.html#response.
std::string search_bundle(SearchAnswer const& answer, PageLinks const& links, Wishes const& wishes) {
  HighWater high;
  see_all(high, answer);
  std::string out = R"({"resourceType":"Bundle","type":"searchset")" + high.member();
  if (answer.total) out.append(",\"total\":").append(std::to_string(*answer.total));
  append_links(out, links);
  bool first = true;
  auto const next_entry = [&] {
    out.append(first ? ",\"entry\":[" : ",");
    first = false;
  };
  for (auto const& version : answer.matches) {
    next_entry();
    append_match(out, version, "match", wishes);
  }
  for (auto const& version : answer.included) {
    next_entry();
    append_match(out, version, "include", wishes);
  }
  if (!answer.left_out.empty() || !answer.warnings.empty() || answer.explain) {
    next_entry();
    append_remarks(out, answer);
  }
  if (!first) out.push_back(']');
  out.push_back('}');
  return out;
}

void append_status(std::string& out, std::uint16_t status) {
  out.append("\"response\":{\"status\":\"").append(std::to_string(status)).append("\"");
}

void append_place(std::string& out, std::string_view type, std::string_view id, std::uint64_t version,
                  Time time) {
  out.append(",\"location\":\"").append(type).append("/").append(id).append("/_history/");
  out.append(std::to_string(version)).append("\",\"etag\":");
  append_string(out, etag_of(version));
  if (time != Time{}) out.append(",\"lastModified\":\"").append(codec::format_instant(time)).append("\"");
}

/// One entry of a batch-response or transaction-response (R4 http.html#transaction-response).
void append_entry(std::string& out, operations::EntryOutcome const& entry, Time common_time,
                  PageLinks const& links, Wishes const& wishes) {
  Time const time = entry.time.value_or(common_time);
  out.push_back('{');
  if (auto const* error = std::get_if<Error>(&entry.result)) {
    append_status(out, status_of(*error));
    out.append(",\"outcome\":")
        .append(entry.outcome.empty() ? outcome_json(*error) : entry.outcome)
        .append("}}");
  } else if (auto const* version = std::get_if<StoredVersion>(&entry.result)) {
    bool const is_sent = !entry.matched || wishes.prefer == Prefer::kRepresentation;
    if (is_sent && !entry.not_modified) {
      out.append("\"resource\":").append(version->json).append(",");
    }
    append_status(out, entry.not_modified ? 304 : 200);
    append_place(out, version->type, version->id, version->version, version->last_updated);
    out.append("}}");
  } else if (auto const* written = std::get_if<Written>(&entry.result)) {
    bool const deletion = written->deletion;
    if (wishes.prefer == Prefer::kRepresentation && !written->text.empty()) {
      out.append("\"resource\":").append(written->render(time)).append(",");
    }
    append_status(out, deletion ? 204 : written->created ? 201 : 200);
    if (!deletion)
      append_place(out, written->type, written->id, written->version, entry.matched ? Time{} : time);
    if (!entry.outcome.empty()) out.append(",\"outcome\":").append(entry.outcome);
    out.append("}}");
  } else if (auto const* page = std::get_if<HistoryPage>(&entry.result)) {
    out.append("\"resource\":").append(history_bundle(*page, links, wishes)).append(",");
    append_status(out, 200);
    out.append("}}");
  } else if (auto const* answer = std::get_if<SearchAnswer>(&entry.result)) {
    out.append("\"resource\":").append(search_bundle(*answer, links, wishes)).append(",");
    append_status(out, 200);
    out.append("}}");
  } else if (auto const* advice = std::get_if<operations::Advice>(&entry.result)) {
    out.append("\"resource\":").append(advice->outcome).append(",");
    append_status(out, 200);
    out.append("}}");
  } else {
    append_status(out, 500);
    out.append("}}");
  }
}

void see_all(HighWater& high, operations::EntryOutcome const& entry) {
  if (auto const* version = std::get_if<StoredVersion>(&entry.result)) high.see(version->json);
  if (auto const* written = std::get_if<Written>(&entry.result)) high.see(written->text);
  if (auto const* answer = std::get_if<SearchAnswer>(&entry.result)) see_all(high, *answer);
  if (auto const* page = std::get_if<HistoryPage>(&entry.result)) {
    for (auto const& version : page->entries) high.see(version.json);
  }
}

net::Response render_bundle(operations::BundleOutcome const& bundle, Time time, Wishes const& wishes) {
  HighWater high;
  for (auto const& entry : bundle.entries) see_all(high, entry);
  std::string out = R"({"resourceType":"Bundle","type":")";
  out.append(bundle.transaction ? "transaction-response" : "batch-response")
      .append("\"")
      .append(high.member());
  if (!bundle.entries.empty()) {
    out.append(",\"entry\":[");
    for (std::size_t i = 0; i < bundle.entries.size(); ++i) {
      if (i > 0) out.push_back(',');
      append_entry(out, bundle.entries[i], time, wishes.entry_links[i], wishes);
    }
    out.push_back(']');
  }
  out.push_back('}');
  return fhir_response(200, std::move(out));
}

net::Response render_json(operations::Outcome&& outcome, audit::Receipt const& receipt,
                          Wishes const& wishes) {
  if (auto* version = std::get_if<StoredVersion>(&outcome.result)) {
    return render_version(std::move(*version), wishes, outcome.matched, outcome.not_modified);
  }
  if (auto const* written = std::get_if<Written>(&outcome.result)) {
    return render_written(*written, receipt, wishes, outcome.matched);
  }
  if (auto const* page = std::get_if<HistoryPage>(&outcome.result)) {
    return fhir_response(200, history_bundle(*page, wishes.links, wishes));
  }
  if (auto const* answer = std::get_if<SearchAnswer>(&outcome.result)) {
    return fhir_response(200, search_bundle(*answer, wishes.links, wishes));
  }
  if (auto const* answer = std::get_if<operations::ExportAnswer>(&outcome.result))
    return render_export(*answer, wishes.base_url);
  if (auto const* advice = std::get_if<operations::Advice>(&outcome.result))
    return fhir_response(200, advice->outcome);
  return render_bundle(std::get<operations::BundleOutcome>(outcome.result), receipt.time(), wishes);
}

}  // namespace

std::string etag_of(std::uint64_t version) {
  return "W/\"" + std::to_string(version) + "\"";
}

net::Response render(operations::Outcome&& outcome, audit::Receipt const& receipt, Wishes const& wishes) {
  auto response = render_json(std::move(outcome), receipt, wishes);
  put_into(wishes.format, response);
  return response;
}

}  // namespace tacenda::api

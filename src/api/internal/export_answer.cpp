#include "api/internal/export_answer.hpp"

#include "codec/json.hpp"
#include "codec/text.hpp"

namespace tacenda::api {
namespace {

using codec::Json;
using operations::ExportAnswer;
using records::ExportFileKind;

std::string place_of(ExportAnswer const& answer, std::string const& base_url) {
  return base_url + "/$export/" + answer.job.id;
}

Json files_of(ExportAnswer const& answer, std::string const& base_url, ExportFileKind kind) {
  Json list = Json::array();
  for (auto const& file : answer.files) {
    if (file.kind != kind) continue;
    Json item = Json::object();
    item.set("type", Json::string(file.type));
    item.set("url", Json::string(place_of(answer, base_url) + "/" + std::to_string(file.number)));
    item.set("count", Json::number(file.count));
    list.push(std::move(item));
  }
  return list;
}

std::string manifest(ExportAnswer const& answer, std::string const& base_url) {
  Json out = Json::object();
  out.set("transactionTime", Json::string(codec::format_instant(answer.job.transaction_time)));
  out.set("request", Json::string(answer.job.request.url));
  out.set("requiresAccessToken", Json::boolean(true));
  out.set("output", files_of(answer, base_url, ExportFileKind::kOutput));
  if (answer.job.request.since) out.set("deleted", files_of(answer, base_url, ExportFileKind::kDeleted));
  out.set("error", files_of(answer, base_url, ExportFileKind::kError));
  return codec::write_json(out);
}

}  // namespace

net::Response render_export(ExportAnswer const& answer, std::string const& base_url) {
  net::Response response;
  response.status = 202;
  switch (answer.kind) {
    case ExportAnswer::Kind::kAccepted:
      response.headers.push_back({"content-location", place_of(answer, base_url)});
      break;
    case ExportAnswer::Kind::kWaiting:
      response.headers.push_back({"x-progress", std::to_string(answer.progress) + " resources prepared"});
      response.headers.push_back({"retry-after", "2"});
      break;
    case ExportAnswer::Kind::kComplete:
      response.status = 200;
      response.body = manifest(answer, base_url);
      response.headers.push_back({"content-type", "application/json"});
      response.headers.push_back({"expires", codec::format_http_date(answer.job.expires)});
      break;
    case ExportAnswer::Kind::kEnded:
      break;
    case ExportAnswer::Kind::kFile:
      response.status = 200;
      response.body = answer.body;
      response.headers.push_back({"content-type", "application/fhir+ndjson"});
      response.headers.push_back({"content-disposition", "attachment"});
      break;
  }
  return response;
}

}  // namespace tacenda::api

#pragma once

#include <map>
#include <string>

#include "api/admin.hpp"
#include "codec/json.hpp"

namespace tacenda::api {

/// One administrative request. Owner: the worker that runs it.
struct Admin::Call {
  net::Request request;
  audit::Event origin;
  codec::Json body = codec::Json::object();
  std::map<std::string, std::string, std::less<>> query;
};

}  // namespace tacenda::api

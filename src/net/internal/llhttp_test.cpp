// Reads the request corpus of llhttp (tests/vectors/llhttp, MIT) and compares what both parsers make of it.
// Source: nodejs/llhttp 01e105a3, test/request/*.md; the escapes are those of its test runner.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/internal/fake_host.hpp"
#include "net/internal/field.hpp"
#include "net/internal/http1_session.hpp"

namespace tacenda::net {
namespace {

/// What a parser made of one block: the whole requests as text, and whether it refused something.
struct Reading {
  std::vector<std::string> requests;
  bool is_refused = false;
};

struct Case {
  std::string name;  // "file: title"
  std::string input;
  Reading expected;
};

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// The escapes of the corpus: a backslash before the end of a line joins it to the next.
std::string unescape(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  text = replace_all(std::move(text), "\\\n", "");
  text = replace_all(std::move(text), "\n", "\r\n");
  text = replace_all(std::move(text), "\\r", "\r");
  text = replace_all(std::move(text), "\\n", "\n");
  text = replace_all(std::move(text), "\\t", "\t");
  text = replace_all(std::move(text), "\\f", "\f");
  for (auto at = text.find("\\x"); at != std::string::npos; at = text.find("\\x", at + 1)) {
    text.replace(at, 4, 1, static_cast<char>(std::stoi(text.substr(at + 2, 2), nullptr, 16)));
  }
  return text;
}

/// llhttp asks for no Host; where a block has none, it gets one, so that something else is tested.
std::string with_host(std::string text) {
  std::string lower = text;
  make_lower(lower);
  if (lower.find("\r\nhost:") != std::string::npos) return text;
  std::string host = "added.test";
  if (auto const start = text.find(" http://"); start != std::string::npos) {
    auto const rest = text.substr(start + 8);
    host = rest.substr(0, rest.find_first_of("/? "));
  }
  return replace_all(std::move(text), " HTTP/1.1\r\n", " HTTP/1.1\r\nHost: " + host + "\r\n");
}

/// The path and query of an absolute target, as a Request has them.
std::string origin_form(std::string url) {
  if (!url.starts_with("http://")) return url;
  auto const end = std::min(url.find_first_of("/?", 7), url.size());
  url.erase(0, end);
  return url.starts_with('/') ? url : "/" + url;
}

std::string describe(std::string const& method, std::string const& url, std::vector<Header> const& headers) {
  std::string text = method + " " + url;
  for (auto const& [name, value] : headers) {
    if (name != "host") text.append("|").append(name).append("=").append(value);
  }
  std::erase(text, '\\');  // the logs of the corpus escape some quotes and some not
  return text;
}

std::string span_text(std::string const& line) {
  auto const first = line.find('"');
  auto const last = line.rfind('"');
  auto text = line.substr(first + 1, last - first - 1);
  text = replace_all(std::move(text), "\\t", "\t");
  return replace_all(std::move(text), "\xC3\xBF", "\xFF");  // the log is UTF-8, the request was not
}

/// Errors that are none: data after "Connection: close" (5), and pauses for an upgrade (21 to 23).
bool is_error(std::string const& line) {
  auto const at = line.find("error code=");
  if (at == std::string::npos) return false;
  auto const code = std::stoi(line.substr(at + 11));
  return code != 5 && (code < 21 || code > 23);
}

Reading read_log(std::string const& log) {
  Reading reading;
  std::istringstream lines(log);
  std::string method;
  std::string url;
  std::vector<Header> headers;
  bool is_value_open = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("span[method]=") != std::string::npos) {
      method = span_text(line);
      url.clear();
      headers.clear();
    } else if (line.find("span[url]=") != std::string::npos) {
      url += span_text(line);
    } else if (line.find("span[header_field]=") != std::string::npos) {
      headers.push_back({span_text(line), ""});
      make_lower(headers.back().name);
      is_value_open = true;
    } else if (line.find("span[header_value]=") != std::string::npos && !headers.empty() && is_value_open) {
      headers.back().value += span_text(line);
    } else if (line.find("headers complete") != std::string::npos) {
      is_value_open = false;  // what follows are trailers
      url = origin_form(url);
    } else if (line.find("message complete") != std::string::npos) {
      for (auto& field : headers) field.value = trim_blanks(field.value);
      reading.requests.push_back(describe(method, url, headers));
    } else if (is_error(line)) {
      reading.is_refused = true;
    }
  }
  return reading;
}

/// All blocks of type "request"; those for a lenient switch of llhttp describe what a strict parser refuses.
std::vector<Case> load() {
  std::vector<Case> cases;
  std::filesystem::path const folder = TACENDA_SOURCE_DIR "/tests/vectors/llhttp/request";
  for (auto const& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    std::string title;
    std::string kind;
    std::string block;
    std::string input;
    std::string fence;
    for (std::string line; std::getline(file, line);) {
      if (fence.empty() && line.starts_with("#")) title = line.substr(line.find(' ') + 1);
      if (fence.empty() && line.starts_with("<!--")) kind = line;
      if (!line.starts_with("```")) {
        if (!fence.empty()) block += line + "\n";
        continue;
      }
      if (fence.empty()) {
        fence = line;
        block.clear();
        continue;
      }
      if (fence == "```http") input = block;
      bool const is_plain = kind.find("\"request\"") != std::string::npos &&
                            kind.find("skipBody") == std::string::npos &&
                            kind.find("pause") == std::string::npos;
      if (fence == "```log" && is_plain) {
        cases.push_back(
            {entry.path().stem().string() + ": " + title, with_host(unescape(input)), read_log(block)});
      }
      fence.clear();
    }
  }
  std::ranges::sort(cases, {}, &Case::name);
  return cases;
}

/// `piece`: how many bytes arrive at a time.
Reading read_ours(std::string const& input, std::size_t piece, bool needs_end) {
  FakeHost host;
  Limits const limits;
  Http1Session session(host, limits, Scheme::kHttp, TimePoint{});
  Reading reading;
  std::size_t at = 0;
  bool is_ended = false;
  while (!session.is_finished()) {
    if (!host.taken.empty()) {
      auto const& request = host.taken.back().request;
      auto const url = request.query.empty() ? request.path : request.path + "?" + request.query;
      reading.requests.push_back(describe(request.method, url, request.headers));
      host.taken.clear();
      Response response;
      response.status = 200;
      session.respond(1, std::move(response));
      (void)drain_output(session);
      continue;
    }
    if (at == input.size() && !is_ended) {
      // A head is judged when it is whole: what llhttp refuses before its end, we refuse at its end.
      is_ended = true;
      if (!needs_end) break;
      session.receive("\r\n\r\n");
      continue;
    }
    if (at == input.size() || !session.wants_read()) break;
    session.receive(std::string_view(input).substr(at, piece));
    at = std::min(at + piece, input.size());
    (void)drain_output(session);
  }
  reading.is_refused = !host.refusals.empty();
  return reading;
}

/// Blocks that llhttp takes and we refuse, each with the reason.
std::map<std::string, std::string> const& stricter() {
  static std::map<std::string, std::string> const kReasons{
      {"connection: CRLF between requests, implicit `keep-alive`", "one empty line is passed over, not two"},
      {"connection: No restart when keep-alive is off (1.0)", "HTTP/1.0"},
      {"content-length: Funky `Content-Length` with body", "HTTP/1.0"},
      {"method: ANNOUNCE request with RTSP", "another protocol"},
      {"method: CONNECT request", "not a proxy"},
      {"method: CONNECT request with CAPS", "not a proxy"},
      {"method: CONNECT with body", "not a proxy"},
      {"method: M-SEARCH request", "the target * names nothing here"},
      {"method: OPTIONS request with RTSP", "another protocol"},
      {"method: PRI request HTTP2", "HTTP/2 is chosen in the TLS handshake only"},
      {"method: SOURCE request with ICE", "another protocol"},
      {"sample: Apache bench GET", "HTTP/1.0"},
      {"sample: Firefox GET", "Host with '='"},
      {"sample: No HTTP version", "HTTP/0.9"},
      {"sample: curl GET", "Host with '='"},
      {"transfer-encoding: POST with `chunked` as last transfer-encoding", "chunked alone is understood"},
      {"transfer-encoding: POST with `chunked` as last transfer-encoding (multiple headers)", "the same"},
      {"transfer-encoding: Trailing headers", "Content-Type as a trailer"},
      {"uri: Fragment in URI", "a fragment never leaves a client"},
      {"uri: Underscore in hostname", "not a proxy"},
      {"uri: `host:port` and basic auth", "user information in the target"},
  };
  return kReasons;
}

/// llhttp has a list of methods, to us any token is one: the handler answers 405.
constexpr char kUnknownMethod[] = "invalid: Invalid method";

TEST(Llhttp, MostOfTheCorpusIsReadTheSameWay) {
  auto const cases = load();
  ASSERT_GE(cases.size(), 120U);
  for (auto const& one : cases) {
    if (stricter().contains(one.name) || one.name == kUnknownMethod) continue;
    auto const ours = read_ours(one.input, one.input.size(), one.expected.is_refused);
    EXPECT_EQ(ours.requests, one.expected.requests) << one.name;
    EXPECT_EQ(ours.is_refused, one.expected.is_refused) << one.name;
  }
}

TEST(Llhttp, WhatWeRefuseBeyondItIsListedWithItsReason) {
  std::size_t found = 0;
  for (auto const& one : load()) {
    if (!stricter().contains(one.name)) continue;
    ++found;
    auto const ours = read_ours(one.input, one.input.size(), false);
    EXPECT_TRUE(ours.is_refused) << one.name;
    EXPECT_FALSE(one.expected.is_refused) << one.name << " is no longer stricter";
    auto known = one.expected.requests;
    known.resize(std::min(known.size(), ours.requests.size()));
    EXPECT_EQ(ours.requests, known) << one.name;  // what came before the refusal, and nothing made up
  }
  EXPECT_EQ(found, stricter().size());
}

TEST(Llhttp, ReadsTheCorpusTheSameWayByteByByte) {
  for (auto const& one : load()) {
    auto const whole = read_ours(one.input, one.input.size(), one.expected.is_refused);
    auto const bytes = read_ours(one.input, 1, one.expected.is_refused);
    EXPECT_EQ(whole.requests, bytes.requests) << one.name;
    EXPECT_EQ(whole.is_refused, bytes.is_refused) << one.name;
  }
}

}  // namespace
}  // namespace tacenda::net

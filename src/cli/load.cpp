// `tacenda load`: bundles and NDJSON into a server, several at once, going on where it was cut off.
#include <algorithm>
#include <atomic>
#include <fstream>
#include <iostream>
#include <optional>
#include <set>
#include <thread>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "cli/internal/terminal.hpp"
#include "cli/progress.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "vault/digest.hpp"

namespace tacenda::cli {
namespace {

constexpr std::size_t kLinesPerTransaction = 500;
constexpr int kTries = 5;

/// Which inputs were loaded, by the hash of address and content; a line each, so that a run that was cut off
/// goes on.
class Journal {
 public:
  explicit Journal(std::string path) : path_(std::move(path)) {
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) done_.insert(line);
  }
  bool has(std::string const& hash) const {
    MutexLock const lock(mutex_);
    return done_.contains(hash);
  }
  void add(std::string const& hash) {
    MutexLock const lock(mutex_);
    std::ofstream(path_, std::ios::app) << hash << "\n";
    done_.insert(hash);
  }

 private:
  std::string path_;
  mutable Mutex mutex_;
  std::set<std::string> done_ TACENDA_GUARDED_BY(mutex_);
};

std::vector<std::string> collect(std::vector<std::string> const& inputs) {
  std::vector<std::string> files;
  for (auto const& input : inputs) {
    if (!std::filesystem::is_directory(input)) {
      files.push_back(input);
      continue;
    }
    for (auto const& entry : std::filesystem::recursive_directory_iterator(input)) {
      auto const extension = entry.path().extension();
      if (entry.is_regular_file() && (extension == ".json" || extension == ".ndjson"))
        files.push_back(entry.path().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

/// NDJSON lines as transactions of kLinesPerTransaction: a line with an id is an update, one without a
/// create.
Result<std::vector<std::string>> transactions_of(std::string_view ndjson) {
  std::vector<std::string> bundles;
  std::string bundle;
  std::size_t lines = 0;
  auto const flush = [&] {
    if (lines > 0)
      bundles.push_back(R"({"resourceType":"Bundle","type":"transaction","entry":[)" + bundle + "]}");
    bundle.clear();
    lines = 0;
  };
  while (!ndjson.empty()) {
    auto const end = ndjson.find('\n');
    auto const line = ndjson.substr(0, end);
    ndjson.remove_prefix(end == std::string_view::npos ? ndjson.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto const json = TACENDA_TRY(codec::parse_json(line));
    std::string const type(json.text_of("resourceType"));
    std::string const id(json.text_of("id"));
    if (lines > 0) bundle.push_back(',');
    bundle.append("{\"resource\":").append(line).append(",\"request\":{\"method\":\"");
    bundle.append(id.empty() ? "POST" : "PUT").append("\",\"url\":");
    codec::write_json(codec::Json::string(id.empty() ? type : std::string(type).append("/").append(id)),
                      bundle);
    bundle.append("}}");
    if (++lines == kLinesPerTransaction) flush();
  }
  flush();
  return bundles;
}

struct Totals {
  std::atomic<std::uint64_t> files{0};
  std::atomic<std::uint64_t> skipped{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> entries{0};
};

class Loader {
 public:
  Loader(LoadOptions const& options, std::string token, Journal& journal, Totals& totals)
      : options_(options), token_(std::move(token)), journal_(journal), totals_(totals) {}

  /// Loads one file; says on standard error what went wrong. False: not loaded.
  bool load(net::Client& client, std::string const& path) {
    auto const content = read_file(path, limits::kBundleBodyBytes);
    if (!content.has_value()) return complain(path, content.error().message());
    auto const digest = vault::digest(as_bytes(options_.url + "\n" + *content));
    std::string const hash = codec::hex_encode(digest);
    if (journal_.has(hash)) {
      ++totals_.skipped;
      return true;
    }
    std::vector<std::string> bundles;
    if (path.ends_with(".ndjson")) {
      auto lines = transactions_of(*content);
      if (!lines.has_value()) return complain(path, lines.error().message());
      bundles = std::move(*lines);
    }
    if (bundles.empty()) bundles.push_back(*content);
    for (auto const& bundle : bundles) {
      if (!send(client, path, bundle)) return false;
    }
    journal_.add(hash);
    totals_.bytes += content->size();
    return true;
  }

 private:
  bool complain(std::string const& path, std::string_view text) {
    std::cerr << "\ntacenda: load: " << path << ": " << text << "\n";
    return false;
  }

  bool send(net::Client& client, std::string const& path, std::string const& body) {
    std::vector<net::Header> const headers{{"authorization", "Bearer " + token_},
                                           {"content-type", "application/fhir+json"},
                                           {"prefer", "return=minimal"}};
    for (int attempt = 0;; ++attempt) {
      auto const response = client.send("POST", options_.url, headers, body);
      if (!response.has_value()) return complain(path, response.error().message());
      bool const busy = response->status == 503 || response->status == 429 || response->status == 409;
      if (busy && attempt < kTries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(200) * (1 << attempt));
        continue;
      }
      if (response->status == 200 || response->status == 201) return count(path, *response);
      auto const answer = codec::parse_json(response->body);
      report(path, response->status, answer.has_value() ? *answer : codec::Json());
      return false;
    }
  }

  /// Counts what was stored; an entry of a batch may have failed although the batch was answered.
  bool count(std::string const& path, net::Response const& response) {
    auto const answer = codec::parse_json(response.body);
    if (!answer.has_value()) return complain(path, "the answer is not JSON");
    auto const* entries = answer->find("entry");
    if (entries == nullptr || !entries->is_array()) {
      ++totals_.entries;
      return true;
    }
    std::size_t refused = 0;
    for (auto const& entry : entries->items()) {
      auto const* result = entry.find("response");
      if (result != nullptr && result->text_of("status").starts_with('2'))
        ++totals_.entries;
      else
        ++refused;
    }
    return refused == 0 || complain(path, "some entries were refused");
  }

  LoadOptions const& options_;
  std::string const token_;
  Journal& journal_;
  Totals& totals_;
};

std::string rate(Totals const& totals, std::chrono::steady_clock::time_point start) {
  double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return std::to_string(static_cast<std::uint64_t>(static_cast<double>(totals.entries.load()) /
                                                   std::max(seconds, 0.001))) +
         " resources/s";
}

}  // namespace

int load(LoadOptions const& options) {
  auto const token = read_file(options.token_file, 4096);
  if (!token.has_value()) return report("load", Error(ErrorKind::kNotFound, "the token file cannot be read"));
  std::string const trimmed = token->substr(0, token->find_last_not_of(" \r\n\t") + 1);
  auto const files = collect(options.inputs);
  if (files.empty()) return report("load", Error(ErrorKind::kNotFound, "there is nothing to load"));
  Journal journal(options.journal.empty() ? options.token_file + ".loaded" : options.journal);
  Totals totals;
  Loader loader(options, trimmed, journal, totals);
  Progress progress(!options.json);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> unreachable{false};
  auto const start = std::chrono::steady_clock::now();
  auto const work = [&] {
    net::Client::Options client_options;
    client_options.ca_file = options.ca;
    client_options.timeout = std::chrono::minutes(10);
    auto client = net::Client::create(client_options);
    if (!client.has_value()) {
      unreachable = true;
      return;
    }
    for (std::size_t i = next++; i < files.size(); i = next++) {
      if (!loader.load(**client, files[i])) ++totals.failed;
      progress.show("loading", ++totals.files, files.size(), rate(totals, start));
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min(options.parallel, files.size()); ++i) threads.emplace_back(work);
  }
  progress.done();
  bool const failed = totals.failed > 0 || unreachable;
  if (options.json) {
    codec::Json json = codec::Json::object();
    json.set("files", codec::Json::number(static_cast<std::int64_t>(files.size())));
    json.set("skipped", codec::Json::number(static_cast<std::int64_t>(totals.skipped.load())));
    json.set("failed", codec::Json::number(static_cast<std::int64_t>(totals.failed.load())));
    json.set("entries", codec::Json::number(static_cast<std::int64_t>(totals.entries.load())));
    std::cout << codec::write_json(json) << "\n";
  } else {
    std::cout << files.size() << " files, " << totals.skipped << " loaded before, " << totals.failed
              << " failed; " << totals.entries << " resources, " << rate(totals, start) << "\n";
  }
  return failed ? kFailed : kOk;
}

}  // namespace tacenda::cli

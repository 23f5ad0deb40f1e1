// `tacenda audit`.
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iomanip>
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "codec/text.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

void add(std::string& query, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  query.append(query.empty() ? "?" : "&").append(name).append("=").append(codec::percent_encode(value));
}

void show(Json const& entry) {
  std::string what(entry.text_of("type"));
  if (!entry.text_of("id").empty()) what.append("/").append(entry.text_of("id"));
  if (what.empty()) what = entry.text_of("target");
  auto const* outcome = entry.find("outcome");
  bool const failed = outcome != nullptr && outcome->is_number() && outcome->number_text() != "0";
  std::cout << std::setw(8) << std::right << entry.find("sequence")->number_text() << "  "
            << entry.text_of("recorded") << "  " << std::left << std::setw(22) << entry.text_of("event")
            << (failed ? "DENIED  " : "ok      ") << std::setw(18) << entry.text_of("user") << std::setw(16)
            << entry.text_of("network") << what;
  if (!entry.text_of("reason").empty()) std::cout << "  (" << entry.text_of("reason") << ")";
  std::cout << "\n";
}

int get(std::string_view command, AuditOptions const& options, std::string const& path) {
  auto connection = AdminConnection::open(options.data);
  if (!connection.has_value()) return report(command, connection.error());
  auto const answer = connection->get(path);
  if (!answer.has_value()) return report(command, answer.error());
  if (answer->status != 200) return report(command, answer->status, answer->body);
  auto const text = answer->body.text_of("checkpoint");
  if (!options.json && !text.empty()) {
    std::cout << text << "\nverifier key: " << answer->body.text_of("verifier_key") << "\n";
  } else {
    std::cout << codec::write_json(answer->body) << "\n";
  }
  return kOk;
}

// So many entries are sorted at once; each takes about a kilobyte.
constexpr std::size_t kSortedMax = 200'000;
constexpr std::size_t kPage = 1'000;

/// An order by one element of the entries; those without it come last, those alike in the order of the log.
class Order {
 public:
  explicit Order(std::string_view name)
      : descending_(name.starts_with('-')), name_(name.substr(descending_ ? 1 : 0)) {}

  bool is_known() const { return std::ranges::find(kNames, name_) != kNames.end(); }
  void sort(std::vector<Json>& entries) const {
    std::ranges::sort(entries, [this](Json const& a, Json const& b) {
      auto const one = value(a);
      auto const other = value(b);
      if (one == other) return sequence_of(a) < sequence_of(b);
      if (one.empty() || other.empty()) return !one.empty();
      return descending_ ? one > other : one < other;
    });
  }

 private:
  static constexpr auto kNames =
      std::to_array<std::string_view>({"recorded", "patient", "user", "event", "type", "outcome", "network"});

  /// Digits without leading zeros: the longer number is the larger one.
  static std::pair<std::size_t, std::string_view> sequence_of(Json const& entry) {
    auto const digits = entry.find("sequence")->number_text();
    return {digits.size(), digits};
  }
  std::string_view value(Json const& entry) const {
    if (name_ == "patient") {
      auto const* patients = entry.find("patients");
      return patients == nullptr ? std::string_view() : patients->items().front().as_string();
    }
    auto const* found = entry.find(name_);
    if (found == nullptr) return {};
    return found->is_number() ? found->number_text() : found->as_string();
  }

  bool descending_;
  std::string_view name_;
};

bool is_wanted(AuditOptions const& options, Json const& entry) {
  if (!options.event.empty() && entry.text_of("event") != options.event) return false;
  return options.type.empty() || entry.text_of("type") == options.type;
}

class Printer {
 public:
  explicit Printer(AuditOptions const& options) : options_(options) {
    if (options_.json) std::cout << "[";
  }
  Printer(Printer const&) = delete;
  Printer& operator=(Printer const&) = delete;
  ~Printer() {
    if (options_.json) std::cout << "\n]\n";
  }

  void print(Json const& entry) {
    if (options_.json) {
      std::cout << (first_ ? "\n" : ",\n") << codec::write_json(entry);
    } else if (options_.fhir) {
      std::cout << codec::write_json(entry) << "\n";
    } else {
      show(entry);
    }
    first_ = false;
  }

 private:
  AuditOptions const& options_;
  bool first_ = true;
};

/// Reads the entries page by page, in the order of the log, until `take` says no.
int each_entry(AuditOptions const& options, std::function<bool(Json const&)> const& take) {
  auto connection = AdminConnection::open(options.data);
  if (!connection.has_value()) return report("audit list", connection.error());
  bool const narrows = !options.sort.empty() || !options.event.empty() || !options.type.empty();
  std::size_t const page = options.all || narrows ? kPage : std::clamp<std::size_t>(options.limit, 1, kPage);
  for (std::string after;;) {
    std::string query;
    add(query, "patient", options.patient);
    add(query, "user", options.user);
    add(query, "since", options.since);
    add(query, "until", options.until);
    add(query, "after", after);
    add(query, "limit", std::to_string(page));
    if (options.fhir) add(query, "format", "fhir");
    auto const answer = connection->get("/admin/audit" + query);
    if (!answer.has_value()) return report("audit list", answer.error());
    if (answer->status != 200) return report("audit list", answer->status, answer->body);
    auto const* entries = answer->body.find("entries");
    if (entries == nullptr || !entries->is_array()) return kFailed;
    for (auto const& entry : entries->items()) {
      if (!take(entry)) return kOk;
    }
    if (entries->items().size() < page) return kOk;
    auto const& last = entries->items().back();
    after = options.fhir ? last.text_of("id") : last.find("sequence")->number_text();
  }
}

}  // namespace

int audit_list(AuditOptions const& options) {
  Order const order(options.sort);
  if (!options.sort.empty() && !order.is_known()) {
    std::cerr << "audit list: --sort takes recorded, patient, user, event, type, outcome or network, and - "
                 "before it "
                 "for the opposite order\n";
    return kUsage;
  }
  Printer printer(options);
  if (options.sort.empty()) {
    std::uint64_t left = options.all ? UINT64_MAX : options.limit;
    return each_entry(options, [&](Json const& entry) {
      if (left > 0 && is_wanted(options, entry)) {
        printer.print(entry);
        --left;
      }
      return left > 0;
    });
  }
  std::vector<Json> entries;
  int const code = each_entry(options, [&](Json const& entry) {
    if (is_wanted(options, entry)) entries.push_back(entry);
    return entries.size() <= kSortedMax;
  });
  if (code != kOk) return code;
  if (entries.size() > kSortedMax) {
    std::cerr << "audit list: more than " << kSortedMax
              << " entries are not sorted: narrow it by --since, --until, --patient or --user\n";
    return kFailed;
  }
  order.sort(entries);
  std::size_t const shown =
      options.all ? entries.size() : std::min<std::size_t>(options.limit, entries.size());
  for (std::size_t i = 0; i < shown; ++i) printer.print(entries[i]);
  return kOk;
}

int audit_checkpoint(AuditOptions const& options) {
  return get("audit checkpoint", options, "/admin/audit/checkpoint");
}

int audit_proof(AuditOptions const& options) {
  return get("audit proof", options, "/admin/audit/proof?sequence=" + std::to_string(options.sequence));
}

}  // namespace tacenda::cli

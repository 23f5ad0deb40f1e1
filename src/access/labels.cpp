#include "access/labels.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "access/internal/concepts.hpp"
#include "access/internal/meta.hpp"

namespace tacenda::access {
namespace {

using codec::Json;

constexpr std::array<std::string_view, 6> kLevels{"U", "L", "M", "N", "R", "V"};

/// What a coding says of confidentiality; nullopt: nothing. A code of that system that is none of the six
/// (the retired ones: HIV, PSY, C for celebrities ...) meant something secret: fail closed.
std::optional<Confidentiality> level_of(std::string_view system, std::string_view code) {
  if (!is_confidentiality_system(system)) return std::nullopt;
  return parse_confidentiality(code).value_or(Confidentiality::kV);
}

std::optional<Confidentiality> level_of(Json const& coding) {
  auto const code = coding.text_of("code");
  return code.empty() ? std::nullopt : level_of(coding.text_of("system"), code);
}

/// Labels of a resource's own meta.security into `labels`; true when one states a level, which goes into
/// `level`.
void read_security(Json const& resource, std::vector<Label>& labels, std::optional<Confidentiality>& level) {
  Json const* meta = resource.find("meta");
  Json const* security = meta == nullptr ? nullptr : meta->find("security");
  if (security == nullptr) return;
  for (auto const& coding : security->items()) {
    auto const code = coding.text_of("code");
    if (code.empty()) continue;
    labels.push_back({std::string(coding.text_of("system")), std::string(code)});
    if (auto const stated = level_of(coding)) level = std::max(level.value_or(Confidentiality::kU), *stated);
  }
}

Labels of_level(Confidentiality level) {
  Labels labels;
  labels.confidentiality = level;
  return labels;
}

void sort_unique(std::vector<Label>& labels) {
  std::ranges::sort(labels);
  auto const rest = std::ranges::unique(labels);
  labels.erase(rest.begin(), rest.end());
}

}  // namespace

Result<Confidentiality> parse_confidentiality(std::string_view code) {
  auto const at = std::ranges::find(kLevels, code);
  if (at == kLevels.end())
    return fail(ErrorKind::kInvalid, "no level of confidentiality: U, L, M, N, R or V");
  return static_cast<Confidentiality>(at - kLevels.begin());
}

std::string_view code_of(Confidentiality level) {
  return kLevels.at(static_cast<std::size_t>(level));
}

bool Labels::has_code(std::string_view code) const {
  return std::ranges::any_of(all, [&](Label const& label) { return label.code == code; });
}

Labels labels_of(Json const& resource) {
  Labels labels;
  std::optional<Confidentiality> level;
  // Without recursion: a Bundle can hold Bundles as deep as JSON goes.
  std::vector<Json const*> open{&resource};
  while (!open.empty()) {
    Json const& next = *open.back();
    open.pop_back();
    read_security(next, labels.all, level);
    if (next.text_of("resourceType") != "Bundle") continue;
    Json const* entries = next.find("entry");
    if (entries == nullptr) continue;
    for (auto const& entry : entries->items()) {
      if (Json const* held = entry.find("resource"); held != nullptr) open.push_back(held);
    }
  }
  labels.confidentiality = level.value_or(Confidentiality::kN);
  sort_unique(labels.all);
  return labels;
}

Labels labels_of_text(std::string_view json) {
  // Every resource that is read comes by here, and most have no label. A name can hide behind escapes only
  // where one is written: our own writer escapes no letter, but what it writes is not the only text there is.
  if (!json.contains("\"security\"") && !json.contains("\\u00")) return of_level(Confidentiality::kN);
  auto const resource = codec::parse_json(json);
  if (!resource.has_value() || !resource->is_object()) return of_level(Confidentiality::kV);
  return labels_of(*resource);
}

Watch& Watch::operator|=(Watch const& other) {
  very_restricted |= other.very_restricted;
  celebrity |= other.celebrity;
  listed |= other.listed;
  return *this;
}

std::string Watch::text() const {
  std::string text;
  auto const add = [&text](bool is_so, std::string_view code) {
    if (!is_so) return;
    if (!text.empty()) text.push_back(' ');
    text.append(code);
  };
  add(very_restricted, "V");
  add(celebrity, kCelebrity);
  add(listed, "VIP");
  return text;
}

Watch watch_of_text(std::string_view json) {
  if (json.empty()) return {};
  auto const labels = labels_of_text(json);
  return {labels.confidentiality == Confidentiality::kV, labels.has_code(kCelebrity), false};
}

LabelRules::LabelRules(std::vector<Rule> rules) : rules_(std::move(rules)) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    auto const& code = rules_[i].code;
    if (code.ends_with('*')) {
      prefixes_.push_back(i);
    } else if (!code.empty()) {
      exact_.emplace(code, i);
    }
  }
}

std::vector<Label> LabelRules::demanded_by(Json const& resource) const {
  std::vector<Label> labels;
  if (rules_.empty()) return labels;
  auto const apply = [&](std::size_t rule, std::string_view system) {
    auto const& [wanted, code, demanded] = rules_[rule];
    if (wanted.empty() || wanted == system) labels.insert(labels.end(), demanded.begin(), demanded.end());
  };
  // Without recursion: the depth of what is stored is not bounded here.
  std::vector<Json const*> open{&resource};
  while (!open.empty()) {
    Json const& next = *open.back();
    open.pop_back();
    if (auto const code = next.text_of("code"); !code.empty()) {
      auto const system = next.text_of("system");
      for (auto [at, end] = exact_.equal_range(code); at != end; ++at) apply(at->second, system);
      for (auto const rule : prefixes_) {
        std::string_view const prefix = rules_[rule].code;
        if (code.starts_with(prefix.substr(0, prefix.size() - 1))) apply(rule, system);
      }
    }
    for (auto const& item : next.items()) open.push_back(&item);
    for (auto const& member : next.members()) open.push_back(&member.value);
  }
  sort_unique(labels);
  return labels;
}

bool add_labels(Json& resource, std::vector<Label> const& labels) {
  if (!resource.is_object()) return false;
  Json const* meta = resource.find("meta");
  Json const* security = meta == nullptr ? nullptr : meta->find("security");
  std::vector<Json> const own = security == nullptr ? std::vector<Json>() : security->items();
  std::vector<Json> all = own;
  for (auto const& label : labels) {
    if (label.code.empty()) continue;
    bool const is_there = std::ranges::any_of(all, [&](Json const& other) {
      return other.text_of("system") == label.system && other.text_of("code") == label.code;
    });
    if (!is_there) all.push_back(coding(label.system, label.code));
  }

  std::size_t highest = all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto const level = level_of(all[i]);
    if (level && (highest == all.size() || *level > *level_of(all[highest]))) highest = i;
  }
  std::vector<Json> result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == highest || !level_of(all[i])) result.push_back(all[i]);
  }
  if (result == own) return false;
  list_of(meta_of(resource), "security").items() = std::move(result);
  return true;
}

}  // namespace tacenda::access

#include "operations/meta.hpp"

#include <algorithm>
#include <array>

#include "access/labels.hpp"
#include "fhir/types.hpp"
#include "operations/internal/hold.hpp"
#include "operations/internal/permits.hpp"
#include "operations/internal/terminology_call.hpp"
#include "operations/internal/writing.hpp"
#include "operations/refused.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;

constexpr std::array<std::string_view, 3> kLists = {"profile", "security", "tag"};

/// R4 resource.html#Meta: two codings are one when system and code are.
bool is_same(Json const& a, Json const& b) {
  if (a.is_string() && b.is_string()) return a.as_string() == b.as_string();
  return a.is_object() && b.is_object() && a.text_of("system") == b.text_of("system") &&
         a.text_of("code") == b.text_of("code");
}

/// `list` with `more` in it, or without.
Json changed(Json const* list, Json const& more, MetaChange change) {
  Json result = Json::array();
  auto const has = [](Json const& all, Json const& one) {
    return std::ranges::any_of(all.items(), [&](Json const& each) { return is_same(each, one); });
  };
  if (list != nullptr) {
    for (auto const& item : list->items()) {
      if (change == MetaChange::kAdd || !has(more, item)) result.push(item);
    }
  }
  if (change == MetaChange::kDelete) return result;
  for (auto const& item : more.items()) {
    if (!has(result, item)) result.push(item);
  }
  return result;
}

Result<Json> meta_parameter(Json const& parameters) {
  auto const* list = parameters.find("parameter");
  Json const* found = nullptr;
  if (list != nullptr && list->is_array()) {
    for (auto const& parameter : list->items()) {
      if (parameter.text_of("name") != "meta" || found != nullptr)
        return fail(ErrorKind::kInvalid, "the operation takes one parameter, meta");
      found = parameter.find("valueMeta");
    }
  }
  if (found == nullptr || !found->is_object())
    return fail(ErrorKind::kInvalid, "the operation takes one parameter, meta, with a valueMeta");
  for (auto const& member : found->members()) {
    if (std::ranges::find(kLists, member.name) == kLists.end() || !member.value.is_array())
      return fail(ErrorKind::kInvalid, "only profiles, tags and security labels can be added or deleted");
  }
  return *found;
}

std::string answer_of(Json meta) {
  Json answer = Json::object();
  answer.set("resourceType", Json::string("Parameters"));
  // FHIR has no empty elements: a meta with nothing in it is none.
  if (!meta.members().empty()) {
    Json list = Json::array();
    list.push(ParametersBuilder::part("return", "valueMeta", std::move(meta)));
    answer.set("parameter", std::move(list));
  }
  return codec::write_json(answer);
}

void put_unless_empty(Json& meta, std::string_view list, Json values) {
  if (!values.items().empty()) meta.set(list, std::move(values));
}

Json codings_of(std::set<records::MetaInUse::Label> const& labels) {
  Json list = Json::array();
  for (auto const& label : labels) {
    Json coding = Json::object();
    if (!label.system.empty()) coding.set("system", Json::string(label.system));
    coding.set("code", Json::string(label.code));
    list.push(std::move(coding));
  }
  return list;
}

/// The meta of a version that is being written. Which version and when is known when it is committed.
Result<Json> meta_of_written(records::Written const& written) {
  auto const json = codec::parse_json(written.text);
  if (!json.has_value()) return fail(ErrorKind::kCorrupt, "a resource that was written is no JSON");
  auto const* kept = json->find("meta");
  Json meta = kept != nullptr ? *kept : Json::object();
  meta.remove("versionId");
  meta.remove("lastUpdated");
  return meta;
}

/// Who may not take labels off hears that. A PUT keeps them without a word, as it says nothing of them
/// (C-18).
Result<void> check_lowering(Context const& context, Json const& before, Json const& after) {
  if (context.services.gate.may_lower_labels(context.principal)) return {};
  auto const old_labels = access::labels_of(before).all;
  if (std::ranges::includes(access::labels_of(after).all, old_labels)) return {};
  return deny(context, "label", "this role may not take a security label off");
}

/// The resource with the changed meta; nullopt: nothing would be another.
Result<std::optional<fhir::Resource>> with_changes(Json json, Json const& wanted, MetaChange change) {
  Json const* old = json.find("meta");
  Json meta = old != nullptr ? *old : Json::object();
  bool same = true;
  for (auto const list : kLists) {
    auto const* more = wanted.find(list);
    if (more == nullptr) continue;
    auto const* before = meta.find(list);
    Json after = changed(before, *more, change);
    auto const size = before == nullptr ? 0 : before->items().size();
    if (after.items().size() == size) continue;
    same = false;
    if (after.items().empty()) {
      meta.remove(list);
    } else {
      meta.set(list, std::move(after));
    }
  }
  if (same) return std::nullopt;
  json.set("meta", std::move(meta));
  return TACENDA_TRY(fhir::Resource::parse(std::move(json)));
}

}  // namespace

Result<Outcome> meta_of(Context const& context, Permit const& permit, std::string_view type,
                        ResourceId const& id) {
  auto const version = TACENDA_TRY(context.services.store.read(permit, type, id));
  auto const json = TACENDA_TRY(codec::parse_json(version.json));
  auto const* meta = json.find("meta");
  Outcome outcome;
  outcome.events.push_back(event_of(context, audit::EventKind::kRead, version));
  outcome.result = Advice{answer_of(meta != nullptr ? *meta : Json::object())};
  return outcome;
}

Result<Outcome> meta_in_use(Context const& context, std::string_view type) {
  std::vector<std::string> types;
  if (type.empty()) {
    types.assign(fhir::resource_types().begin(), fhir::resource_types().end());
  } else {
    types.emplace_back(type);
  }
  Permits permits(context);
  if (std::ranges::none_of(types, [&](auto const& each) { return permits.of(each) != nullptr; })) {
    // The same answer that the gate gives.
    return std::unexpected(
        context.services.gate.authorize(context.principal, Action::kSearch, types.front()).error());
  }
  auto const found =
      TACENDA_TRY(context.services.store.meta_in_use(permits.source(), types, watch_of(context)));
  Json meta = Json::object();
  Json profiles = Json::array();
  for (auto const& profile : found.profiles) profiles.push(Json::string(profile));
  put_unless_empty(meta, "profile", std::move(profiles));
  put_unless_empty(meta, "security", codings_of(found.security));
  put_unless_empty(meta, "tag", codings_of(found.tags));
  Outcome outcome;
  auto const add_event = [&] {
    outcome.events.push_back(event_of(context, audit::EventKind::kSearch, type, ""));
    outcome.events.back().reason = "what profiles, tags and labels are in use";
  };
  for (auto const& patient : found.patients) {
    add_event();
    outcome.events.back().patients.push_back(patient);
    explain(context, outcome.events.back());
  }
  if (outcome.events.empty()) add_event();
  outcome.result = Advice{answer_of(std::move(meta))};
  return outcome;
}

Result<Outcome> change_meta(Context const& context, Permit const& permit, std::string_view type,
                            ResourceId const& id, MetaChange change, Json const& parameters) {
  auto const wanted = TACENDA_TRY(meta_parameter(parameters));
  auto const reader = TACENDA_TRY(context.services.gate.authorize(context.principal, Action::kRead, type));
  auto transaction = begin_writing(context);
  auto const living = TACENDA_TRY(transaction.living(reader, type, id));
  auto const json = codec::parse_json(living.json);
  if (!json.has_value()) return fail(ErrorKind::kCorrupt, "a stored resource is no JSON");
  auto resource = TACENDA_TRY(with_changes(*json, wanted, change));
  Outcome outcome;
  if (!resource) {
    auto const place = TACENDA_TRY(transaction.unchanged(type, id.view()));
    outcome.events.push_back(event_of(context, audit::EventKind::kUpdate, place));
    outcome.events.back().reason = "nothing was to be changed";
    auto const* meta = json->find("meta");
    outcome.result = Advice{answer_of(meta != nullptr ? *meta : Json::object())};
    outcome.set = TACENDA_TRY(end_writing(context, transaction));
    return outcome;
  }
  TACENDA_TRY_VOID(check_lowering(context, *json, resource->json()));
  TACENDA_TRY_VOID(hold(context, *resource));
  auto written = TACENDA_TRY(transaction.update(permit, std::move(*resource), id, std::nullopt, 0));
  outcome.events.push_back(event_of(context, audit::EventKind::kUpdate, written));
  // What the store keeps, not what was asked for: rules of the policy put labels back.
  outcome.result = Advice{answer_of(TACENDA_TRY(meta_of_written(written)))};
  outcome.set = TACENDA_TRY(end_writing(context, transaction));
  return outcome;
}

}  // namespace tacenda::operations

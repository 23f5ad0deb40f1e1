#include "api/internal/scim_patch.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "codec/scim_filter.hpp"
#include "core/application_limits.hpp"

namespace tacenda::api {
namespace {

using codec::find_scim_member;
using codec::Json;
using codec::same_scim_name;
using codec::ScimPath;
using identity::Provisioning;
using Type = ScimRefusal::Type;

constexpr std::size_t kBodyDepth = 8;
constexpr std::size_t kMembersLookedAt = 2'000'000;  // by the filters of one PATCH

std::unexpected<ScimRefusal> refused(Type type, Literal message) {
  return std::unexpected(ScimRefusal{Error(ErrorKind::kInvalid, message), type});
}

enum class Op : std::uint8_t { kAdd, kReplace, kRemove };

/// One operation on one attribute.
struct Step {
  Op op = Op::kAdd;
  ScimPath path;
  Json const* value = nullptr;  // nullptr: none
};

bool is_any_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view one) { return same_scim_name(one, name); });
}

ScimResult<std::string> text_of(Json const* value) {
  if (value == nullptr || value->is_null()) return std::string();
  if (!value->is_string()) return refused(Type::kInvalidValue, "an attribute that is a text is none");
  return std::string(value->as_string());
}

/// Entra ID writes truth as a text.
ScimResult<bool> truth_of(Json const& value) {
  if (value.is_boolean()) return value.as_boolean();
  if (value.is_string() && same_scim_name(value.as_string(), "true")) return true;
  if (value.is_string() && same_scim_name(value.as_string(), "false")) return false;
  return refused(Type::kInvalidValue, "active is neither true nor false");
}

ScimResult<std::vector<std::string>> members_of(Json const* value) {
  std::vector<std::string> members;
  if (value == nullptr || value->is_null()) return members;
  auto const take = [&](Json const& item) -> ScimResult<void> {
    auto const* id = item.is_object() ? find_scim_member(item, "value") : &item;
    auto const* type = find_scim_member(item, "type");
    bool const is_user = type == nullptr || (type->is_string() && same_scim_name(type->as_string(), "User"));
    if (id == nullptr || !id->is_string() || !is_user)
      return refused(Type::kInvalidValue, "a member of a group is no user with a value");
    members.emplace_back(id->as_string());
    return {};
  };
  if (!value->is_array()) {
    TACENDA_TRY_VOID(take(*value));
    return members;
  }
  for (auto const& item : value->items()) TACENDA_TRY_VOID(take(item));
  return members;
}

/// A simple attribute has neither parts nor several values.
ScimResult<void> check_simple(ScimPath const& path) {
  if (!path.attribute.sub.empty() || !path.chooses.empty())
    return refused(Type::kInvalidPath, "this attribute has no parts");
  return {};
}

ScimResult<void> set_text(std::string& text, Step const& step, bool is_required) {
  TACENDA_TRY_VOID(check_simple(step.path));
  if (step.op == Op::kRemove && is_required)
    return refused(Type::kMutability, "an attribute that is required cannot be removed");
  text = step.op == Op::kRemove ? std::string() : TACENDA_TRY(text_of(step.value));
  return {};
}

ScimResult<void> apply(Step const& step, Provisioning::Wanted& user) {
  std::string_view const name = step.path.attribute.name;
  if (same_scim_name(name, "userName")) return set_text(user.user_name, step, true);
  if (same_scim_name(name, "externalId")) return set_text(user.external_id, step, false);
  if (same_scim_name(name, "displayName")) return set_text(user.display_name, step, false);
  if (same_scim_name(name, "active")) {
    TACENDA_TRY_VOID(check_simple(step.path));
    if (step.op == Op::kRemove || step.value == nullptr)
      return refused(Type::kMutability, "an attribute that is required cannot be removed");
    user.active = TACENDA_TRY(truth_of(*step.value));
    return {};
  }
  if (is_any_of(name, {"id", "meta", "schemas", "groups", "roles"}))
    return refused(Type::kMutability, "this attribute is the server's");
  return {};  // not kept
}

/// A group while its operations are applied.
struct GroupDraft {
  Provisioning::WantedGroup group;
  std::set<std::string, std::less<>> members;
  std::size_t looked_at = 0;
};

ScimResult<void> remove_members(Step const& step, GroupDraft& draft) {
  if (step.path.chooses.empty()) {
    // Entra ID names in the value whom it removes; without one all are meant.
    if (step.value == nullptr || step.value->is_null()) {
      draft.members.clear();
      return {};
    }
    for (auto const& member : TACENDA_TRY(members_of(step.value))) draft.members.erase(member);
    return {};
  }
  auto const& filter = step.path.chooses.front();
  bool const names_one = filter.kind == codec::ScimFilter::Kind::kCompare &&
                         filter.op == codec::ScimFilter::Operator::kEq && filter.value.is_string() &&
                         same_scim_name(filter.attribute.name, "value") && filter.attribute.sub.empty();
  if (names_one) {
    draft.members.erase(std::string(filter.value.as_string()));
    return {};
  }
  draft.looked_at += draft.members.size();
  if (draft.looked_at > kMembersLookedAt)
    return refused(Type::kTooMany, "the filters of a request look at more members than they may");
  std::erase_if(draft.members, [&](std::string const& id) {
    Json member = Json::object();
    member.set("value", Json::string(id));
    member.set("type", Json::string("User"));
    return codec::matches(filter, member);
  });
  return {};
}

ScimResult<void> apply(Step const& step, GroupDraft& draft) {
  std::string_view const name = step.path.attribute.name;
  if (same_scim_name(name, "displayName")) return set_text(draft.group.display_name, step, true);
  if (same_scim_name(name, "externalId")) return set_text(draft.group.external_id, step, false);
  if (same_scim_name(name, "members")) {
    if (!step.path.attribute.sub.empty())
      return refused(Type::kMutability, "what is said of a member cannot be changed");
    if (step.op == Op::kRemove) return remove_members(step, draft);
    if (!step.path.chooses.empty())
      return refused(Type::kNoTarget, "a member is added or removed, and not changed");
    auto const members = TACENDA_TRY(members_of(step.value));
    if (step.op == Op::kReplace) draft.members.clear();
    draft.members.insert(members.begin(), members.end());
    return {};
  }
  if (is_any_of(name, {"id", "meta", "schemas"}))
    return refused(Type::kMutability, "this attribute is the server's");
  return {};  // not kept
}

ScimResult<Op> op_of(Json const& operation) {
  auto const* op = find_scim_member(operation, "op");
  if (op != nullptr && op->is_string()) {
    if (same_scim_name(op->as_string(), "add")) return Op::kAdd;
    if (same_scim_name(op->as_string(), "replace")) return Op::kReplace;
    if (same_scim_name(op->as_string(), "remove")) return Op::kRemove;
  }
  return refused(Type::kInvalidSyntax, "an operation is none of add, replace and remove");
}

ScimResult<ScimPath> path_of(std::string_view text) {
  auto path = codec::parse_scim_path(text);
  if (!path.has_value()) return std::unexpected(ScimRefusal{path.error(), Type::kInvalidPath});
  return std::move(*path);
}

/// The steps of one operation: without a path, one for each member of its value.
template <typename Target>
ScimResult<void> apply_operation(Json const& operation, Target& target) {
  Step step;
  step.op = TACENDA_TRY(op_of(operation));
  step.value = find_scim_member(operation, "value");
  auto const* path = find_scim_member(operation, "path");
  if (path != nullptr && !path->is_null()) {
    if (!path->is_string()) return refused(Type::kInvalidPath, "a path is no text");
    step.path = TACENDA_TRY(path_of(path->as_string()));
    if (step.op != Op::kRemove && step.value == nullptr)
      return refused(Type::kInvalidValue, "an operation has no value");
    return apply(step, target);
  }
  if (step.op == Op::kRemove) return refused(Type::kNoTarget, "a removal says not what to remove");
  if (step.value == nullptr || !step.value->is_object())
    return refused(Type::kInvalidValue, "an operation without a path has a value that is no object");
  Json const& values = *step.value;
  for (auto const& member : values.members()) {
    // Okta sends the resource's own id along with what it changes.
    if (is_any_of(member.name, {"id", "schemas", "meta"})) continue;
    step.path = TACENDA_TRY(path_of(member.name));
    step.value = &member.value;
    TACENDA_TRY_VOID(apply(step, target));
  }
  return {};
}

template <typename Target>
ScimResult<void> apply_all(Json const& body, Target& target) {
  auto const* operations = find_scim_member(body, "Operations");
  if (operations == nullptr || !operations->is_array() || operations->items().empty())
    return refused(Type::kInvalidSyntax, "a patch has no operations");
  if (operations->items().size() > limits::kScimOperations)
    return refused(Type::kTooMany, "a patch has more operations than there can be");
  for (auto const& operation : operations->items()) {
    if (!operation.is_object()) return refused(Type::kInvalidSyntax, "an operation is no object");
    TACENDA_TRY_VOID(apply_operation(operation, target));
  }
  return {};
}

}  // namespace

std::string_view word_of(Type type) {
  switch (type) {
    case Type::kNone:
      return {};
    case Type::kInvalidFilter:
      return "invalidFilter";
    case Type::kTooMany:
      return "tooMany";
    case Type::kUniqueness:
      return "uniqueness";
    case Type::kMutability:
      return "mutability";
    case Type::kInvalidSyntax:
      return "invalidSyntax";
    case Type::kInvalidPath:
      return "invalidPath";
    case Type::kNoTarget:
      return "noTarget";
    case Type::kInvalidValue:
      return "invalidValue";
  }
  return {};
}

ScimResult<Json> scim_object_of(std::string_view body) {
  if (body.size() > limits::kScimBodyBytes)
    return std::unexpected(ScimRefusal{Error(ErrorKind::kTooLarge, "the body is too large"), Type::kTooMany});
  auto json = codec::parse_json(body, {.depth = kBodyDepth, .size_bytes = limits::kScimBodyBytes});
  if (!json.has_value()) return std::unexpected(ScimRefusal{json.error(), Type::kInvalidSyntax});
  if (!json->is_object()) return refused(Type::kInvalidSyntax, "the body is not a JSON object");
  return std::move(*json);
}

ScimResult<Provisioning::Wanted> user_of(Json const& resource, Provisioning::Wanted const& before) {
  Provisioning::Wanted user;
  user.user_name = TACENDA_TRY(text_of(find_scim_member(resource, "userName")));
  user.external_id = TACENDA_TRY(text_of(find_scim_member(resource, "externalId")));
  user.display_name = TACENDA_TRY(text_of(find_scim_member(resource, "displayName")));
  auto const* active = find_scim_member(resource, "active");
  // Who was suspended does not come back by silence.
  user.active = active == nullptr || active->is_null() ? before.active : TACENDA_TRY(truth_of(*active));
  return user;
}

ScimResult<Provisioning::WantedGroup> group_of(Json const& resource) {
  Provisioning::WantedGroup group;
  group.display_name = TACENDA_TRY(text_of(find_scim_member(resource, "displayName")));
  group.external_id = TACENDA_TRY(text_of(find_scim_member(resource, "externalId")));
  group.members = TACENDA_TRY(members_of(find_scim_member(resource, "members")));
  return group;
}

ScimResult<Provisioning::Wanted> patched_user(Json const& body, Provisioning::Wanted before) {
  TACENDA_TRY_VOID(apply_all(body, before));
  return before;
}

ScimResult<Provisioning::WantedGroup> patched_group(Json const& body, Provisioning::WantedGroup before) {
  GroupDraft draft;
  draft.members.insert(before.members.begin(), before.members.end());
  draft.group = std::move(before);
  TACENDA_TRY_VOID(apply_all(body, draft));
  draft.group.members.assign(draft.members.begin(), draft.members.end());
  return std::move(draft.group);
}

}  // namespace tacenda::api

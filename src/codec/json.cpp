#include "codec/json.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <new>

#include "codec/internal/json_scan.hpp"
#include "core/process.hpp"

namespace tacenda::codec {
namespace {

// Plain recursion is twice as fast as a list of what is left to destroy, and this deep it is safe.
constexpr unsigned kDestroyDepth = 200;

template <typename Vector>
Vector const& empty() {
  static Vector const none;
  return none;
}

}  // namespace

static_assert(sizeof(Json) == 32 && sizeof(Json::Member) == 64);
static_assert(std::is_nothrow_move_constructible_v<Json::Member>);

template <typename T>
T& Json::stored() {
  static_assert(sizeof(T) <= kInlineBytes && alignof(T) <= 8);
  return *std::launder(reinterpret_cast<T*>(storage_.data()));
}

template <typename T>
T const& Json::stored() const {
  static_assert(sizeof(T) <= kInlineBytes && alignof(T) <= 8);
  return *std::launder(reinterpret_cast<T const*>(storage_.data()));
}

Json::Json(Json const& other) : size_(other.size_), kind_(other.kind_) {
  if (kind_ == Kind::kArray) {
    ::new (storage_.data()) std::vector<Json>(other.stored<std::vector<Json>>());
  } else if (kind_ == Kind::kObject) {
    ::new (storage_.data()) std::vector<Member>(other.stored<std::vector<Member>>());
  } else if (size_ == kOnHeap) {
    auto const text = other.text();
    auto data = std::make_unique_for_overwrite<char[]>(text.size());
    std::ranges::copy(text, data.get());
    ::new (storage_.data()) HeapText{data.release(), text.size()};
  } else {
    storage_ = other.storage_;
  }
}

Json& Json::operator=(Json const& other) {
  Json copy(other);
  return *this = std::move(copy);
}

Json& Json::operator=(Json&& other) noexcept {
  if (!owns_memory()) {
    if (this != &other) take(other);
    return *this;
  }
  // `other` may lie inside this value: it is taken out before the rest is destroyed.
  Json taken(std::move(other));
  Json const old(std::move(*this));
  take(taken);
  return *this;
}

void Json::take_container(Json& other) noexcept {
  kind_ = other.kind_;
  if (kind_ == Kind::kArray) {
    ::new (storage_.data()) std::vector<Json>(std::move(other.stored<std::vector<Json>>()));
    std::destroy_at(&other.stored<std::vector<Json>>());
  } else {
    ::new (storage_.data()) std::vector<Member>(std::move(other.stored<std::vector<Member>>()));
    std::destroy_at(&other.stored<std::vector<Member>>());
  }
  other.kind_ = Kind::kNull;
}

template <typename Visit>
void Json::for_each_child(Visit visit) {
  if (kind_ == Kind::kArray) {
    for (auto& item : stored<std::vector<Json>>()) visit(item);
  } else if (kind_ == Kind::kObject) {
    for (auto& member : stored<std::vector<Member>>()) visit(member.value);
  }
}

void Json::destroy(unsigned depth) noexcept {
  if (depth == kDestroyDepth) return destroy_flat();
  for_each_child([depth](Json& child) {
    if (child.kind_ >= Kind::kArray) child.destroy(depth + 1);
  });
  release_own();
}

/// Destroys with a list in place of the stack. All that the list holds are containers.
void Json::destroy_flat() noexcept {
  std::vector<Json> pending;
  auto const defer_containers = [&pending](Json& child) {
    if (child.kind_ >= Kind::kArray) pending.push_back(std::move(child));
  };
  for_each_child(defer_containers);
  while (!pending.empty()) {
    Json last(std::move(pending.back()));
    pending.pop_back();
    last.for_each_child(defer_containers);
    last.release_own();
  }
  release_own();
}

/// Frees this value's own memory; no child of it is a container any more.
void Json::release_own() noexcept {
  if (kind_ == Kind::kArray) {
    std::destroy_at(&stored<std::vector<Json>>());
  } else if (kind_ == Kind::kObject) {
    std::destroy_at(&stored<std::vector<Member>>());
  } else if (size_ == kOnHeap) {
    delete[] stored<HeapText>().data;
  }
  kind_ = Kind::kNull;
  size_ = 0;
}

Json Json::text_value(Kind kind, std::string_view text) {
  Json json;
  json.kind_ = kind;
  if (text.size() <= kInlineBytes) {
    std::memcpy(json.storage_.data(), text.data(), text.size());
    json.size_ = static_cast<std::uint8_t>(text.size());
    return json;
  }
  auto data = std::make_unique_for_overwrite<char[]>(text.size());
  std::memcpy(data.get(), text.data(), text.size());
  ::new (json.storage_.data()) HeapText{data.release(), text.size()};
  json.size_ = kOnHeap;
  return json;
}

std::string_view Json::text() const {
  if (size_ == kOnHeap) return {stored<HeapText>().data, stored<HeapText>().size_bytes};
  return {reinterpret_cast<char const*>(storage_.data()), size_};
}

Json Json::boolean(bool value) {
  Json json;
  json.kind_ = Kind::kBoolean;
  json.size_ = value ? 1 : 0;
  return json;
}

Json Json::number(std::int64_t value) {
  std::array<char, 20> digits;  // "-9223372036854775808"
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return text_value(Kind::kNumber, {digits.data(), end});
}

Result<Json> Json::number_text(std::string_view text) {
  char const* const end = text.data() + text.size();
  if (internal::scan_number(text.data(), end) != end || text.empty()) {
    return fail(ErrorKind::kInvalid, "this is no JSON number");
  }
  return text_value(Kind::kNumber, text);
}

Json Json::string(std::string_view value) {
  return text_value(Kind::kString, value);
}

Json Json::array() {
  Json json;
  ::new (json.storage_.data()) std::vector<Json>();
  json.kind_ = Kind::kArray;
  return json;
}

Json Json::object() {
  Json json;
  ::new (json.storage_.data()) std::vector<Member>();
  json.kind_ = Kind::kObject;
  return json;
}

bool Json::as_boolean() const {
  TACENDA_ASSERT(is_boolean());
  return size_ != 0;
}

std::string_view Json::as_string() const {
  TACENDA_ASSERT(is_string());
  return text();
}

std::string_view Json::number_text() const {
  TACENDA_ASSERT(is_number());
  return text();
}

std::vector<Json> const& Json::items() const {
  return is_array() ? stored<std::vector<Json>>() : empty<std::vector<Json>>();
}

std::vector<Json>& Json::items() {
  TACENDA_ASSERT(is_array());
  return stored<std::vector<Json>>();
}

std::vector<Json::Member> const& Json::members() const {
  return is_object() ? stored<std::vector<Member>>() : empty<std::vector<Member>>();
}

std::vector<Json::Member>& Json::members() {
  TACENDA_ASSERT(is_object());
  return stored<std::vector<Member>>();
}

Json const* Json::find(std::string_view name) const {
  auto const& all = members();
  auto const found = std::ranges::find(all, name, &Member::name);
  return found == all.end() ? nullptr : &found->value;
}

Json* Json::find(std::string_view name) {
  if (!is_object()) return nullptr;
  auto& all = members();
  auto const found = std::ranges::find(all, name, &Member::name);
  return found == all.end() ? nullptr : &found->value;
}

std::string_view Json::text_of(std::string_view name) const {
  Json const* const value = find(name);
  return value != nullptr && value->is_string() ? value->text() : std::string_view();
}

Json& Json::set(std::string_view name, Json value) {
  auto& all = members();
  if (Json* const present = find(name); present != nullptr) return *present = std::move(value);
  return all.emplace_back(Member{std::string(name), std::move(value)}).value;
}

bool Json::remove(std::string_view name) {
  if (!is_object()) return false;
  auto& all = members();
  auto const found = std::ranges::find(all, name, &Member::name);
  if (found == all.end()) return false;
  all.erase(found);
  return true;
}

void Json::push(Json value) {
  items().push_back(std::move(value));
}

bool operator==(Json const& a, Json const& b) {
  if (a.kind_ != b.kind_) return false;
  switch (a.kind_) {
    case Json::Kind::kNull:
      return true;
    case Json::Kind::kBoolean:
      return a.size_ == b.size_;
    case Json::Kind::kNumber:
    case Json::Kind::kString:
      return a.text() == b.text();
    case Json::Kind::kArray:
      return a.items() == b.items();
    case Json::Kind::kObject:
      return a.members() == b.members();
  }
  std::unreachable();
}

}  // namespace tacenda::codec

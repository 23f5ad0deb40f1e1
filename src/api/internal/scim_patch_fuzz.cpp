// A body as User, Group and PatchOp. What comes of it is never more than what it says, and doing it to its
// own result changes no one's suspension back.
#include "api/internal/scim_patch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const body = api::scim_object_of(text);
  if (!body.has_value()) return 0;
  identity::Provisioning::Wanted const suspended{"ada", "x", "Ada", false};
  bool const speaks_of_truth = std::ranges::search(
                                   text, std::string_view("rue"), {},
                                   [](char c) {
                                     return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
                                   }).begin() != text.end() ||
                               text.contains('\\');
  if (auto const user = api::user_of(*body, suspended); user.has_value())
    TACENDA_ASSERT(!user->active || speaks_of_truth);
  if (auto const user = api::patched_user(*body, suspended); user.has_value())
    TACENDA_ASSERT(!user->active || speaks_of_truth);
  (void)api::group_of(*body);
  identity::Provisioning::WantedGroup const group{"doctors", "", {"a", "b", "c"}};
  auto const patched = api::patched_group(*body, group);
  if (!patched.has_value()) return 0;
  TACENDA_ASSERT(std::ranges::is_sorted(patched->members));
  TACENDA_ASSERT(std::ranges::adjacent_find(patched->members) == patched->members.end());
  return 0;
}

// Only access::Gate makes a Permit: a handler that invents its own does not compile.
#include "core/permit.hpp"

#include <memory>
#include <utility>

namespace tacenda {
namespace {

class LetEverything final : public RecordFilter {
 public:
  bool judge(Action /*action*/, RecordFacts const& /*facts*/) const override { return true; }
  bool judges_all(Action /*action*/, std::string_view /*type*/) const override { return true; }
  std::optional<std::string> view(std::string_view /*type*/, std::string_view json) const override {
    return std::string(json);
  }
  bool views_whole(std::string_view /*type*/) const override { return true; }
  bool could_not_tell() const override { return false; }
  bool may_choose_ids() const override { return true; }
};

}  // namespace

#ifdef TACENDA_MISTAKE_MADE
Permit forged(UserId user) {
  return Permit(std::move(user), Action::kRead, 0, std::make_shared<LetEverything>());
}
#endif

#ifdef TACENDA_MISTAKE_COPIED
Permit second(Permit const& permit) {
  return permit;
}
#endif

bool passed_on(Permit permit, RecordFacts const& facts) {
  Permit const kept = std::move(permit);
  return kept.judge(facts) || LetEverything().judge(Action::kRead, facts);
}

}  // namespace tacenda

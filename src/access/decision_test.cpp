// What the gate decides about one record that is stored, by its content.
#include <gtest/gtest.h>

#include "access/assignments.hpp"
#include "access/evidence.hpp"
#include "access/gate.hpp"
#include "identity/directory_testing.hpp"
#include "records/store.hpp"

namespace tacenda::access {
namespace {

class Text final : public RecordContent {
 public:
  explicit Text(std::string_view text) : text_(text) {}
  std::optional<std::string_view> text() const override { return text_; }

 private:
  std::string_view text_;  // of a literal
};

class Decisions : public identity::testing::DirectoryTest {
 protected:
  Decisions() { gate_.look_at(evidence_, *assignments_, store.clock); }

  /// Somebody in a role of the policy `classic`.
  identity::Principal principal(std::string const& role) {
    auto added = directory->add_user({role, role, false, std::nullopt});
    expect_committed(added);
    auto const secret = enrol(added->enrolment_code);
    return directory->authenticate_token(login(role, secret)).value();
  }
  /// May he read an Observation that holds this?
  bool sees(identity::Principal const& who, std::string_view text) {
    Text const content(text);
    auto const permit = gate_.authorize(who, Action::kRead, "Observation").value();
    return permit.judge({"Observation", "o1", patients_, 1, false, &content});
  }

  records::Store records_{*store.vault};
  Gate gate_{Policy::shipped("classic").value()};
  Evidence evidence_{records_, gate_.system_permit(Action::kRead)};
  std::unique_ptr<Assignments> assignments_ = Assignments::open(*store.vault, store.clock).value();
  std::vector<std::string> const patients_{"p1"};
};

constexpr std::string_view kReadable = R"({"resourceType":"Observation"})";
constexpr std::string_view kUnreadable = R"({"resourceType":"Observation","meta":{"security":[)";

TEST_F(Decisions, C15ATextThatCannotBeReadIsVeryRestrictedForEverybody) {
  // Of normal clearance, and above it.
  for (auto const* role : {"nurse", "doctor"}) {
    auto const who = principal(role);
    EXPECT_TRUE(sees(who, kReadable)) << role;
    EXPECT_FALSE(sees(who, kUnreadable)) << role;
  }
}

}  // namespace
}  // namespace tacenda::access

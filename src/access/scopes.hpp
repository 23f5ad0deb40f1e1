#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "codec/scope.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"
#include "core/permit.hpp"
#include "fhir/search_query.hpp"
#include "identity/application.hpp"

namespace tacenda::access {

/// Whose token it is: scopes of the level system/ are for services, patient/ and user/ for people.
enum class Bearer : std::uint8_t { kPerson, kService };

/// The word by which a service says that it wants to keep accounts and groups (SCIM).
inline constexpr std::string_view kProvisioningScope = "scim";

/// Is this a scope that can be held to on every record? A word (`openid`) is none, but `scim` of a service,
/// which reaches none. Constraints are search parameters of R4 without modifiers (no composite or special
/// ones, no `ap` of a date), on a named type, and on reading and searching alone: what is about to be written
/// is judged by its place. Errors: kInvalid (of another bearer's level, no type of R4, a constraint that
/// cannot be judged).
Result<void> check_scope(codec::Scope const& scope, Bearer bearer);

/// What the scopes of an application's token leave of its principal's rights. Immutable: thread-safe.
/// Source: SMART App Launch 2.2, scopes-and-launch-context.html; REQUIREMENTS F-06 to F-09.
class ScopeSet {
 public:
  /// Words are passed over. `patient`: whom patient/ scopes are about. Errors: as check_scope; kInvalid (a
  /// patient/ scope without a patient).
  static Result<std::shared_ptr<ScopeSet const>> make(std::vector<codec::Scope> const& scopes, Bearer bearer,
                                                      std::optional<std::string> patient);

  /// May it meet any record of the type (empty: of any type) by this action?
  bool may(Action action, std::string_view type) const;
  /// The same, whatever the content of a record: by a scope without constraints.
  bool may_all(Action action, std::string_view type) const;
  /// True when `judge` says yes to every record of the type.
  bool covers_all(Action action, std::string_view type) const;
  /// True when no scope is limited to a patient or by constraints.
  bool is_unlimited() const;

  enum class Verdict : std::uint8_t { kYes, kNo, kUnreadable };
  /// `content`: the record, opened when it is first needed; nullptr: it cannot be.
  Verdict judge(Action action, RecordFacts const& facts,
                std::function<codec::Json const*()> const& content) const;

 private:
  struct Rule {
    codec::ScopeLevel level = codec::ScopeLevel::kNone;
    std::string type;  // or *
    std::uint8_t verbs = 0;
    std::vector<fhir::SearchCriterion> criteria;

    bool is_for(Action action, std::string_view wanted) const;
  };
  bool reaches(Rule const& rule, Action action, RecordFacts const& facts) const;

  std::vector<Rule> rules_;
  std::optional<std::string> patient_;
};

/// The scope sets of tokens in use, each made once. Thread-safe.
class KnownScopes {
 public:
  /// nullptr: no application, and no limit. Errors: as ScopeSet::make.
  Result<std::shared_ptr<ScopeSet const>> of(std::shared_ptr<identity::Application const> const& application,
                                             Bearer bearer) const;

 private:
  using Known = std::map<std::weak_ptr<identity::Application const>, std::shared_ptr<ScopeSet const>,
                         std::owner_less<std::weak_ptr<identity::Application const>>>;
  mutable Mutex mutex_;
  mutable Known known_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::access

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "access/gate.hpp"
#include "core/clock.hpp"
#include "fhir/validate.hpp"
#include "records/store.hpp"

namespace tacenda::operations {

class Vocabulary;

/// What is done with what validation says of a resource that is written.
enum class ValidationMode : std::uint8_t {
  kOff,      // it is not asked: the structure alone must be right
  kWarn,     // written all the same; who wants to know is told
  kEnforce,  // an error refuses the write
};

struct ValidationRules {
  ValidationMode usual = ValidationMode::kOff;
  std::map<std::string, ValidationMode, std::less<>> types;  // where it is another than the usual

  ValidationMode of(std::string_view type) const;
};

/// fhir::Validator with all that the server knows: FHIRPath for invariants, UCUM, the profiles that are
/// stored, and value sets.
///
/// Owner: start. Thread-safe. Outlived by what it is made of.
class Validation {
 public:
  /// See fhir::ValidationHooks::target_type.
  using TargetType = std::function<std::optional<std::string>(std::string_view reference)>;

  /// `vocabulary` is asked of value sets that the base definitions do not have in whole.
  Validation(records::Store const& store, access::Gate const& gate, ValidationRules rules,
             Vocabulary const* vocabulary = nullptr);
  ~Validation();
  Validation(Validation const&) = delete;
  Validation& operator=(Validation const&) = delete;

  ValidationMode mode_of(std::string_view type) const { return rules_.of(type); }

  class Session;
  struct Parts;

 private:
  ValidationRules const rules_;
  std::unique_ptr<Parts> parts_;
};

/// The validations of one request: they see one state of the stored profiles, and what they may cost together
/// is bounded. Owner: one thread.
class Validation::Session {
 public:
  static constexpr std::int64_t kSteps = 400'000'000;  // of expressions, for a whole request
  static constexpr std::int64_t kStepsPerResource = 50'000'000;

  /// `now` is what expressions take for now. `target_type` outlives the session.
  Session(Validation const& validation, Time now, TargetType target_type = {});
  ~Session();
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;

  /// `profiles` are held beside those that the resource claims.
  fhir::Report validate(fhir::Resource const& resource, std::span<fhir::Profile const* const> profiles = {});

  /// A stored profile by its canonical URL; nullptr: there is none. Errors: why one cannot be held to.
  Result<std::shared_ptr<fhir::Profile const>> profile(std::string_view canonical);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tacenda::operations

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/consent.hpp"
#include "access/labels.hpp"
#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhir/date_range.hpp"

namespace tacenda::access {

/// How a criterion, or an entry of its list, stands to a question. Unknown: the record or the consent says
/// too little.
enum class Match : std::uint8_t { kNo, kUnknown, kYes };

/// The entries of one list of criteria that can be decided. Absent: matches everything.
template <typename T>
struct Criterion {
  bool is_present = false;
  bool has_undecided = false;  // an entry, left out of `entries`, that nothing here can be held against
  std::vector<T> entries;
};

/// A literal reference. A version is cut off: "Task/1" of "Task/1/_history/2".
struct ReferenceCriterion {
  std::string text;
  bool names_version = false;
};

struct ActorCriterion {
  enum class Part : std::uint8_t { kAsks, kWrote };  // what he is to the record
  Part part = Part::kAsks;
  std::optional<ReferenceCriterion> reference;
  std::vector<std::string> roles;  // of the policy
};

struct LabelCriterion {
  std::optional<Confidentiality> level;
  std::string code;  // when it is no level
};

struct ClassCriterion {
  bool is_type = false;  // else the canonical URL of a profile
  std::string text;
};

struct CodeCriterion {
  std::string system;  // empty: not said
  std::string code;
};

struct DataCriterion {
  enum class Meaning : std::uint8_t { kInstance, kReferring, kAuthored };
  Meaning meaning = Meaning::kInstance;
  ReferenceCriterion reference;
};

/// One provision and those within it.
struct Provision {
  Ruling type = Ruling::kDeny;  // kPermit or kDeny
  std::optional<fhir::DateRange> period;
  std::optional<fhir::DateRange> data_period;
  Criterion<ActorCriterion> actors;
  Criterion<ConsentAction> actions;
  Criterion<LabelCriterion> labels;
  Criterion<std::string> purposes;
  Criterion<ClassCriterion> classes;
  Criterion<CodeCriterion> codes;
  Criterion<DataCriterion> data;
  std::vector<Provision> provisions;

  bool needs_content() const;
};

/// Reads Consent.provision. A type that it does not state is `base`; nullopt: then it must. Errors: kInvalid
/// (not understood), kTooLarge.
Result<Provision> read_provision(codec::Json const& json, std::optional<Ruling> base);

/// The time from the first to the last moment of a Period. Errors: kInvalid.
Result<fhir::DateRange> read_period(codec::Json const& json);

/// All criteria together.
Match match(Provision const& provision, ConsentQuestion const& question, ConsentItem const& item);

}  // namespace tacenda::access

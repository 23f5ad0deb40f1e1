#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"

/// Security labels: what `meta.security` of a resource says of its secrecy.
/// Source: FHIR R4 security-labels.html; HL7 v3 Confidentiality and ActCode; REQUIREMENTS C-15 to C-18.
namespace tacenda::access {

/// Ascending: unrestricted, low, moderate, normal, restricted, very restricted.
enum class Confidentiality : std::uint8_t { kU, kL, kM, kN, kR, kV };

/// Celebrity information sensitivity (v3-ActCode).
inline constexpr std::string_view kCelebrity = "CEL";
inline constexpr std::string_view kConfidentialitySystem =
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// "U" to "V" of kConfidentialitySystem. Errors: kInvalid.
Result<Confidentiality> parse_confidentiality(std::string_view code);
std::string_view code_of(Confidentiality level);

/// One label as a Coding.
struct Label {
  std::string system;
  std::string code;
  auto operator<=>(Label const&) const = default;
};

/// What the labels of one resource come to.
struct Labels {
  /// The highest that is stated; N where none is.
  Confidentiality confidentiality = Confidentiality::kN;
  std::vector<Label> all;  // sorted, each once

  /// A label by its code, whatever system it is from: a policy names "HIV" and means it however it was
  /// written.
  bool has_code(std::string_view code) const;
  friend bool operator==(Labels const&, Labels const&) = default;
};

/// Labels of a resource (of its `meta.security`). Never fails: what is no Coding is no label.
Labels labels_of(codec::Json const& resource);
/// The same of a resource's text; quick where it holds no labels. A text that cannot be read is labelled V:
/// fail closed.
Labels labels_of_text(std::string_view json);

/// Why every access to a record is watched: it says so itself, or its patient is on an access list (C-16).
struct Watch {
  bool very_restricted = false;
  bool celebrity = false;  // ActCode CEL: a person whom many would like to read about
  bool listed = false;

  Watch& operator|=(Watch const& other);
  /// As audit::Event::labels has it: "V CEL VIP", or some of them; empty: it is not watched.
  std::string text() const;
};

/// What the labels of a resource's text say of it.
Watch watch_of_text(std::string_view json);

/// Which codes in a resource demand which labels: the rule table of a labelling service (C-17).
///
/// Immutable; thread-safe.
class LabelRules {
 public:
  struct Rule {
    std::string system;  // of the coding that triggers; empty: any
    std::string code;    // a code, or a prefix of one when it ends in '*'
    std::vector<Label> labels;
    friend bool operator==(Rule const&, Rule const&) = default;
  };
  LabelRules() = default;
  explicit LabelRules(std::vector<Rule> rules);
  friend bool operator==(LabelRules const& a, LabelRules const& b) { return a.rules_ == b.rules_; }

  bool empty() const { return rules_.empty(); }
  /// Labels that the codings anywhere in the resource demand, those of contained resources among them;
  /// sorted, each once.
  std::vector<Label> demanded_by(codec::Json const& resource) const;

 private:
  std::vector<Rule> rules_;
  std::multimap<std::string, std::size_t, std::less<>> exact_;  // by code
  std::vector<std::size_t> prefixes_;
};

/// Puts `labels` into `meta.security` of the resource, keeping what is there and its order; of several
/// confidentiality codes only the highest stays (exactly one, C-15). True when the resource changed.
bool add_labels(codec::Json& resource, std::vector<Label> const& labels);

}  // namespace tacenda::access

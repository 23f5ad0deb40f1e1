#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace tacenda::fhir {

/// What is wrong with an element. Source: R4 valueset-issue-type, below "invalid".
enum class IssueKind : std::uint8_t {
  kStructure,     // not the shape of the definition: unknown property, array for one, object for text
  kRequired,      // an element with min 1 is missing
  kValue,         // a text or number that its type does not allow
  kTooLong,       // over a limit
  kNotSupported,  // well-formed, and not for this server
  kInvariant,     // an invariant of a definition does not hold
  kCodeInvalid,   // a code that its value set does not have
  kExtension,     // an extension that is not known, or not allowed here
  kTooCostly,     // judging it would cost more than it may
};

/// The code of valueset-issue-type: "structure".
std::string_view code_of(IssueKind kind);

/// One thing that is wrong. `path` is a FHIRPath of names from the definitions and indexes
/// ("Patient.contact[1].name.family"), never a value or a name that came from outside; empty when it
/// concerns no element.
struct Issue {
  IssueKind kind;
  Error error;  // what a caller returns who reports one thing only
  std::string path;

  std::string_view text() const { return error.message(); }
};

/// All that is wrong with a document, in document order, up to a limit: a hostile document must not make a
/// report larger than itself.
class Issues {
 public:
  static constexpr std::size_t kMax = 100;

  explicit Issues(std::size_t max = kMax) : max_(max) {}

  void add(IssueKind kind, Literal text, std::string path);
  /// What a lower room said about the document as a whole, or behind the start of the element at `path`.
  void add(Error const& error, std::string path = {});

  bool empty() const { return list_.empty(); }
  bool full() const { return list_.size() >= max_; }
  std::size_t size() const { return list_.size(); }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }

  /// The first issue as an error, without its path. Not of an empty list (asserted).
  Error first_error() const;

 private:
  std::vector<Issue> list_;
  std::size_t max_;
};

/// A value, or everything that is wrong with what it was to be made of.
template <typename T>
using Checked = std::expected<T, Issues>;

}  // namespace tacenda::fhir

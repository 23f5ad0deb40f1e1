#include "fhir/issues.hpp"

#include "core/process.hpp"

namespace tacenda::fhir {

std::string_view code_of(IssueKind kind) {
  switch (kind) {
    case IssueKind::kStructure:
      return "structure";
    case IssueKind::kRequired:
      return "required";
    case IssueKind::kValue:
      return "value";
    case IssueKind::kTooLong:
      return "too-long";
    case IssueKind::kNotSupported:
      return "not-supported";
    case IssueKind::kInvariant:
      return "invariant";
    case IssueKind::kCodeInvalid:
      return "code-invalid";
    case IssueKind::kExtension:
      return "extension";
    case IssueKind::kTooCostly:
      return "too-costly";
  }
  return "invalid";
}

void Issues::add(IssueKind kind, Literal text, std::string path) {
  if (full()) return;
  ErrorKind const error = kind == IssueKind::kTooLong        ? ErrorKind::kTooLarge
                          : kind == IssueKind::kNotSupported ? ErrorKind::kUnsupported
                                                             : ErrorKind::kInvalid;
  list_.push_back({kind, Error(error, text), std::move(path)});
}

void Issues::add(Error const& error, std::string path) {
  if (full()) return;
  IssueKind const kind = error.kind() == ErrorKind::kTooLarge      ? IssueKind::kTooLong
                         : error.kind() == ErrorKind::kUnsupported ? IssueKind::kNotSupported
                                                                   : IssueKind::kStructure;
  list_.push_back({kind, error, std::move(path)});
}

Error Issues::first_error() const {
  TACENDA_ASSERT(!list_.empty());
  return list_.front().error;
}

}  // namespace tacenda::fhir

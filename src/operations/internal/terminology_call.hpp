#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "fhir/terminology.hpp"
#include "operations/internal/arguments.hpp"
#include "operations/internal/permits.hpp"
#include "operations/terminology.hpp"

namespace tacenda::operations {

/// One terminology operation under way. Owner: one thread.
class TerminologyCall {
 public:
  TerminologyCall(Context const& context, TerminologyRequest const& request, Arguments arguments);

  Arguments const& arguments() const { return arguments_; }
  fhir::Terminology& terminology() { return terminology_; }

  /// The value set that is meant: that of the URL, `valueSet` or `url` with `valueSetVersion`. Errors:
  /// kInvalid (none is named), kNotFound.
  Result<std::shared_ptr<fhir::ValueSet const>> value_set();
  /// The code system that is meant: that of the URL, `codeSystem`, or the one that `url` names. Errors: as
  /// value_set.
  Result<std::shared_ptr<fhir::CodeSystem const>> code_system(std::string_view url, std::string_view version);

  /// An answer with its event.
  Outcome finish(std::string_view canonical, codec::Json const& answer) const;

 private:
  Context const& context_;
  TerminologyRequest const& request_;
  Arguments arguments_;
  Permits permits_;
  fhir::Terminology terminology_;
};

/// A Parameters resource that grows.
class ParametersBuilder {
 public:
  /// `member`: "valueString". Nothing is added for an empty text.
  void text(std::string_view name, std::string_view member, std::string_view value);
  void flag(std::string_view name, bool value);
  void parts(std::string_view name, codec::Json parts);
  codec::Json take() &&;

  static codec::Json part(std::string_view name, std::string_view member, codec::Json value);

 private:
  codec::Json list_ = codec::Json::array();
};

}  // namespace tacenda::operations

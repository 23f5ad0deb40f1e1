#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "fhir/search_query.hpp"

namespace tacenda::records {

/// Terms of one parameter that may answer a value: those in [from, to) by their bytes, as far as `accepts`
/// says so (empty: all of them). Of a range of more than one term it judges by the bytes alone, and is given
/// no value.
struct TermRange {
  std::string from;
  std::string to;         // empty: no upper bound
  bool one_term = false;  // `from` is one whole term: all its rows lie together, in document order
  std::function<bool(std::string_view bytes, std::string_view value)> accepts;

  bool contains(std::string_view bytes, std::string_view value) const {
    return bytes >= from && (to.empty() || bytes < to) && (!accepts || accepts(bytes, value));
  }
};

/// What a value's meaning depends on beside its parameter.
struct QueryContext {
  std::span<std::string const> base_urls;  // of this server: absolute references below them are its own
  Time now{};                              // for `ap` of dates
};

/// The terms that answer one value; several ranges are alternatives. `parameter` lends the targets of
/// references and the parts of composites. Errors: kNotSupported, kInvalid.
Result<std::vector<TermRange>> ranges_of(QueryContext const& context, fhir::SearchParameter const& parameter,
                                         fhir::SearchType type, fhir::Modifier modifier,
                                         fhir::SearchValue const& value);

/// All terms of a section.
TermRange whole_section(char section);

/// The first bytes that no text with this prefix can have: where its range ends. Empty: there are none.
std::string after_prefix(std::string prefix);

// One file each: the parts of ranges_of.
Result<std::vector<TermRange>> date_ranges(QueryContext const& context, fhir::SearchValue const& value);
Result<std::vector<TermRange>> number_ranges(fhir::SearchValue const& value);
Result<std::vector<TermRange>> quantity_ranges(fhir::SearchValue const& value);
Result<std::vector<TermRange>> composite_ranges(QueryContext const& context,
                                                fhir::SearchParameter const& parameter,
                                                fhir::SearchValue const& value);

}  // namespace tacenda::records

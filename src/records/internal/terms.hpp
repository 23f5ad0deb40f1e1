#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/decimal.hpp"
#include "core/error.hpp"
#include "fhir/date_range.hpp"
#include "fhir/search_parameter.hpp"

/// Index terms (docs/data-file.md, "Index rows"): the key of an index row between its first byte and the
/// document number, as ordered bytes:
///
///   parameter(4) | section(1) | value
///
///   section   value                                                      row's value
///   t         code end system end             token                      -
///   T         folded text end                 token that ignores case    -
///   s         system end                      token, any code            -
///   d         folded display end              token, :text               -
///   o         type system end type code end identifier end   :of-type    -
///   f         folded text end                 string                     texts as they came, each as size(4)
///   text w         folded word end                 later word of a family name - r         target end (or
///   "*/" id end)      reference                  versions, if it names one R         url end canonical, not
///   followed    versions, if it names one i         value end system end            Reference.identifier -
///   u         text end                        URI                        -
///   U         url end                         canonical with a version   -
///   K         parameter(4) section | value    term of a contained resource that the reference leads to
///   z         -                               element without a term     -
///   D         width(1) low(8) high(8)         date                       -
///   n         span                            number                     -
///   c         unit end span                   quantity, canonical unit   -
///   q         unit end span                   quantity, unit as written  -
///   k         the parts, each section | value      composite            -
///
/// A span of numbers is 00 number end for one number, 01 number end number end for a range; a number is 01
/// and the ordered bytes of a decimal, 00 for a range without a low end, 02 for one without a high end. Texts
/// are any bytes: a 00 in them is written as 00 FF and their end as 00 01, which keeps their order.
namespace tacenda::records {

enum class Section : char {
  kToken = 't',
  kTextToken = 'T',
  kSystem = 's',
  kDisplay = 'd',
  kTypedIdentifier = 'o',
  kString = 'f',
  kLaterWord = 'w',
  kReference = 'r',
  kNested = 'N',
  kCanonical = 'R',
  kIdentifier = 'i',
  kUri = 'u',
  kCanonicalUrl = 'U',
  kPresent = 'z',
  kContained = 'K',
  kDate = 'D',
  kNumber = 'n',
  kCanonicalQuantity = 'c',
  kQuantity = 'q',
  kComposite = 'k',
};

/// The number of a parameter in keys: it follows from what the parameter finds, so that rows of another
/// definition, or of another way of reading it, never answer for this one.
std::uint32_t number_of(std::string_view type, fhir::SearchParameter const& parameter);
/// Of all resources of a type, as if they had a parameter in common.
std::uint32_t number_of_type(std::string_view type);

/// One term of a resource.
struct Term {
  std::uint32_t parameter = 0;
  std::string bytes;  // section | value
  std::string value;  // of the row

  friend auto operator<=>(Term const&, Term const&) = default;
};

/// Appends `text` and its end.
void append_text(std::string& out, std::string_view text);
/// Appends `text` without an end: what a longer text begins with.
void append_open_text(std::string& out, std::string_view text);
/// Takes one text and its end from the front. Errors: kCorrupt.
Result<std::string> take_text(std::string_view& bytes);
void append_u64(std::string& out, std::uint64_t value);
/// Errors: kCorrupt.
Result<std::uint64_t> take_u64(std::string_view& bytes);
/// Keeps the order of signed numbers.
std::uint64_t ordered(std::int64_t value);
std::int64_t unordered(std::uint64_t value);

std::string token_bytes(std::string_view code, std::string_view system);
std::string text_token_bytes(std::string_view text);  // folds
std::string system_bytes(std::string_view system);
std::string display_bytes(std::string_view display);  // folds
std::string typed_identifier_bytes(std::string_view system, std::string_view code, std::string_view value);
std::string string_bytes(std::string_view text);      // folds
std::string later_word_bytes(std::string_view word);  // folds
std::string reference_bytes(std::string_view target);
/// Of a reference to a type that its parameter does not name, by id alone.
std::string stray_reference_bytes(std::string_view id);
/// Of a resource that lies where a parameter looks for references, by its place: it is found like what is
/// referred to, and leads to no other resource.
std::string nested_bytes(std::string_view place);
std::string canonical_bytes(std::string_view url);
std::string identifier_bytes(std::string_view value, std::string_view system);
std::string uri_bytes(std::string_view uri);
std::string canonical_url_bytes(std::string_view url);
std::string present_bytes();
/// `term` as what a reference to a contained resource leads to.
std::string contained_bytes(std::uint32_t parameter, std::string_view term);
std::string date_bytes(fhir::DateRange range);

/// A number or a range of numbers; a missing end is open. At least one end (asserted).
struct NumberSpan {
  std::optional<codec::Decimal> low;
  std::optional<codec::Decimal> high;
};
/// Compares as the number does.
std::string number_text(codec::Decimal const& number);
void append_span(std::string& out, NumberSpan const& span);
std::string number_bytes(NumberSpan const& span);
std::string quantity_bytes(std::string_view unit, NumberSpan const& span);
/// `system` and `code` where UCUM says nothing, else UCUM's base units; the span in them.
struct CanonicalSpan {
  std::string unit;
  NumberSpan span;
};
CanonicalSpan canonical(std::string_view system, std::string_view code, NumberSpan const& span);
std::string canonical_quantity_bytes(CanonicalSpan const& quantity);
std::string composite_bytes(std::vector<std::string> const& parts);

/// Takes one term, `section | value`, from the front. Errors: kCorrupt.
Result<std::string_view> take_term(std::string_view& bytes);

/// What stands for the system of a token that can have none, such as a boolean: no system that is asked for
/// is it, nor is none.
inline constexpr std::string_view kPlainToken("\x02", 1);

/// Ranges of one width lie together: up to a day, up to a year, longer or open. A search for what overlaps a
/// time then looks back no further than the width.
inline constexpr std::uint8_t kDateWidths = 3;
std::uint8_t width_of(fhir::DateRange range);
/// The longest range of a width in microseconds; nullopt: open.
std::optional<std::int64_t> longest_of(std::uint8_t width);

}  // namespace tacenda::records

// Terms of numbers, quantities and composites, and how a row is taken apart again.
#include "codec/ucum.hpp"
#include "core/process.hpp"
#include "records/internal/terms.hpp"

namespace tacenda::records {
namespace {

constexpr std::string_view kUcum = "http://unitsofmeasure.org";
constexpr std::string_view kNoLow("\x00", 1);
constexpr std::string_view kNoHigh("\x02", 1);

Result<void> skip_text(std::string_view& bytes) {
  for (std::size_t at = bytes.find('\0'); at + 1 < bytes.size(); at = bytes.find('\0', at + 2)) {
    if (bytes[at + 1] != '\x01') continue;
    bytes.remove_prefix(at + 2);
    return {};
  }
  return fail(ErrorKind::kCorrupt, "an index row has another form");
}

Result<void> skip(std::string_view& bytes, std::size_t size) {
  if (bytes.size() < size) return fail(ErrorKind::kCorrupt, "an index row has another form");
  bytes.remove_prefix(size);
  return {};
}

Result<void> skip_span(std::string_view& bytes) {
  if (bytes.empty()) return fail(ErrorKind::kCorrupt, "an index row has another form");
  bool const is_range = bytes.front() != '\0';
  bytes.remove_prefix(1);
  TACENDA_TRY_VOID(skip_text(bytes));
  return is_range ? skip_text(bytes) : Result<void>();
}

Result<void> skip_value(Section section, std::string_view& bytes) {
  switch (section) {
    case Section::kToken:
    case Section::kIdentifier:
      TACENDA_TRY_VOID(skip_text(bytes));
      return skip_text(bytes);
    case Section::kTextToken:
    case Section::kCanonicalUrl:
    case Section::kSystem:
    case Section::kDisplay:
    case Section::kString:
    case Section::kLaterWord:
    case Section::kReference:
    case Section::kNested:
    case Section::kCanonical:
    case Section::kUri:
      return skip_text(bytes);
    case Section::kDate:
      return skip(bytes, 17);
    case Section::kNumber:
      return skip_span(bytes);
    case Section::kCanonicalQuantity:
    case Section::kQuantity:
      TACENDA_TRY_VOID(skip_text(bytes));
      return skip_span(bytes);
    case Section::kTypedIdentifier:
    case Section::kComposite:
    case Section::kPresent:
    case Section::kContained:
      break;  // no part of a composite
  }
  return fail(ErrorKind::kCorrupt, "an index row has another form");
}

}  // namespace

std::string number_text(codec::Decimal const& number) {
  return "\x01" + number.ordered_bytes();
}

void append_span(std::string& out, NumberSpan const& span) {
  TACENDA_ASSERT(span.low || span.high);
  bool const is_one = span.low && span.high && *span.low == *span.high;
  out.push_back(is_one ? '\0' : '\x01');
  append_text(out, span.low ? number_text(*span.low) : kNoLow);
  if (!is_one) append_text(out, span.high ? number_text(*span.high) : kNoHigh);
}

std::string number_bytes(NumberSpan const& span) {
  std::string out(1, static_cast<char>(Section::kNumber));
  append_span(out, span);
  return out;
}

std::string quantity_bytes(std::string_view unit, NumberSpan const& span) {
  std::string out(1, static_cast<char>(Section::kQuantity));
  append_text(out, unit);
  append_span(out, span);
  return out;
}

CanonicalSpan canonical(std::string_view system, std::string_view code, NumberSpan const& span) {
  CanonicalSpan as_written{std::string(system) + "|" + std::string(code), span};
  if (system != kUcum) return as_written;
  auto const unit = codec::parse_unit(code);
  if (!unit.has_value()) return as_written;
  CanonicalSpan in_base{"|" + unit->canonical_code(), {}};
  for (auto end : {&NumberSpan::low, &NumberSpan::high}) {
    if (!(span.*end)) continue;
    auto const value = codec::canonical(*(span.*end), *unit);
    if (!value.has_value()) return as_written;
    in_base.span.*end = value->value;
  }
  return in_base;
}

std::string canonical_quantity_bytes(CanonicalSpan const& quantity) {
  std::string out(1, static_cast<char>(Section::kCanonicalQuantity));
  append_text(out, quantity.unit);
  append_span(out, quantity.span);
  return out;
}

std::string composite_bytes(std::vector<std::string> const& parts) {
  std::string out(1, static_cast<char>(Section::kComposite));
  for (auto const& part : parts) out.append(part);
  return out;
}

Result<std::string_view> take_term(std::string_view& bytes) {
  std::string_view const all = bytes;
  if (bytes.empty()) return fail(ErrorKind::kCorrupt, "an index row has another form");
  auto const section = static_cast<Section>(bytes.front());
  bytes.remove_prefix(1);
  TACENDA_TRY_VOID(skip_value(section, bytes));
  return all.substr(0, all.size() - bytes.size());
}

}  // namespace tacenda::records

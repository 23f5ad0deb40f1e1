#include "records/internal/term_query.hpp"

#include <algorithm>

#include "codec/fold.hpp"
#include "core/bytes.hpp"
#include "core/id.hpp"
#include "core/limits.hpp"
#include "fhir/reference.hpp"
#include "records/internal/terms.hpp"

namespace tacenda::records {
namespace {

using fhir::Modifier;
using fhir::SearchType;
using fhir::SearchValue;
using Ranges = std::vector<TermRange>;

TermRange one(std::string bytes) {
  std::string end = after_prefix(bytes);
  return {std::move(bytes), std::move(end), true, {}};
}

TermRange all_with(std::string prefix) {
  std::string end = after_prefix(prefix);
  return {std::move(prefix), std::move(end), false, {}};
}

Ranges token_ranges(Modifier modifier, SearchValue const& value) {
  if (modifier == Modifier::kText) {
    std::string prefix(1, static_cast<char>(Section::kDisplay));
    append_open_text(prefix, codec::fold(value.text));
    return {all_with(std::move(prefix))};
  }
  if (modifier == Modifier::kOfType) {
    return {one(typed_identifier_bytes(*value.system, value.text, value.identifier))};
  }
  if (!value.system) {
    std::string prefix(1, static_cast<char>(Section::kToken));
    append_text(prefix, value.text);
    return {all_with(std::move(prefix)), one(text_token_bytes(value.text))};
  }
  if (value.text.empty()) return {one(system_bytes(*value.system))};
  return {one(token_bytes(value.text, *value.system))};
}

/// Media types that begin with the value, or that it begins with. Their elements imply one code system.
Result<Ranges> media_type_ranges(fhir::SearchParameter const& parameter, Modifier modifier,
                                 SearchValue const& value) {
  Ranges ranges;
  if (modifier == Modifier::kBelow) {
    std::string prefix(1, static_cast<char>(Section::kToken));
    append_open_text(prefix, value.text);
    ranges.push_back(all_with(std::move(prefix)));
    return ranges;
  }
  if (value.text.size() > limits::kSearchAboveBytes) {
    return fail(ErrorKind::kTooLarge, "the value of :above is too long");
  }
  for (auto const system : parameter.systems) {
    for (std::size_t size = 1; size <= value.text.size(); ++size) {
      ranges.push_back(one(token_bytes(std::string_view(value.text).substr(0, size), system)));
    }
  }
  return ranges;
}

/// Does the row hold this text as it came?
bool holds(std::string_view row_value, std::string_view text) {
  ByteReader reader(as_bytes(row_value));
  while (!reader.done()) {
    auto const each = reader.sized();
    if (!each.has_value()) return false;
    if (as_text(*each) == text) return true;
  }
  return false;
}

Ranges string_ranges(Modifier modifier, SearchValue const& value) {
  std::string const folded = codec::fold(value.text);
  if (modifier == Modifier::kExact) {
    TermRange range = one(string_bytes(value.text));
    range.accepts = [text = value.text](std::string_view, std::string_view row) { return holds(row, text); };
    return {std::move(range)};
  }
  if (modifier == Modifier::kContains) {
    TermRange range = whole_section(static_cast<char>(Section::kString));
    range.accepts = [folded](std::string_view bytes, std::string_view) {
      bytes.remove_prefix(1);
      auto const text = take_text(bytes);
      return text.has_value() && text->contains(folded);
    };
    return {std::move(range)};
  }
  Ranges ranges;
  for (auto const section : {Section::kString, Section::kLaterWord}) {
    std::string prefix(1, static_cast<char>(section));
    append_open_text(prefix, folded);
    ranges.push_back(all_with(std::move(prefix)));
  }
  return ranges;
}

/// Does the row name a version that begins with these parts (1.2 of 1.2.3)?
bool holds_below(std::string_view row_value, std::string_view version) {
  ByteReader reader(as_bytes(row_value));
  while (!reader.done()) {
    auto const each = reader.sized();
    if (!each.has_value()) return false;
    auto const text = as_text(*each);
    if (text.starts_with(version) && (text.size() == version.size() || text[version.size()] == '.'))
      return true;
  }
  return false;
}

TermRange versioned(std::string bytes, std::string_view version) {
  TermRange range = one(std::move(bytes));
  if (!version.empty()) {
    range.accepts = [version = std::string(version)](std::string_view, std::string_view row) {
      return holds(row, version);
    };
  }
  return range;
}

Ranges reference_ranges(QueryContext const& context, fhir::SearchParameter const& parameter,
                        Modifier modifier, SearchValue const& value) {
  if (modifier == Modifier::kIdentifier) {
    if (value.system && !value.text.empty()) return {one(identifier_bytes(value.text, *value.system))};
    if (value.system) {
      TermRange range = whole_section(static_cast<char>(Section::kIdentifier));
      range.accepts = [system = *value.system](std::string_view bytes, std::string_view) {
        bytes.remove_prefix(1);
        auto const code = take_text(bytes);
        auto const own = take_text(bytes);
        return code.has_value() && own.has_value() && *own == system;
      };
      return {std::move(range)};
    }
    std::string prefix(1, static_cast<char>(Section::kIdentifier));
    append_text(prefix, value.text);
    return {all_with(std::move(prefix))};
  }
  Ranges ranges;
  // A canonical: url, or url|version.
  auto const bar = value.text.rfind('|');
  std::string_view const version =
      bar == std::string::npos ? std::string_view() : std::string_view(value.text).substr(bar + 1);
  ranges.push_back(versioned(canonical_bytes(std::string_view(value.text).substr(0, bar)), version));
  if (modifier == Modifier::kBelow && !version.empty()) {
    ranges.back().accepts = [version = std::string(version)](std::string_view, std::string_view row) {
      return holds_below(row, version);
    };
  }
  // What lies elsewhere has no place in a hierarchy of this server.
  if (modifier == Modifier::kNone) ranges.push_back(one(reference_bytes(value.text)));
  auto const parsed = fhir::parse_reference(value.text, context.base_urls);
  if (parsed.kind == fhir::ReferenceKind::kLocal) {
    std::string const place = std::string(parsed.type) + "/" + std::string(parsed.id);
    // The places of a hierarchy are resources, and not versions of them.
    ranges.push_back(
        versioned(reference_bytes(place), modifier == Modifier::kNone ? parsed.version : std::string_view()));
    if (parsed.version.empty()) ranges.push_back(one(nested_bytes(place)));
  } else if (ResourceId::parse(value.text).has_value()) {
    for (auto const type : fhir::types_of_bare_ids(parameter)) {
      auto const place = std::string(type).append("/").append(value.text);
      ranges.push_back(one(reference_bytes(place)));
      ranges.push_back(one(nested_bytes(place)));
    }
    ranges.push_back(one(stray_reference_bytes(value.text)));
  }
  return ranges;
}

Ranges uri_ranges(Modifier modifier, SearchValue const& value) {
  bool const is_urn = value.text.starts_with("urn:");
  if (modifier == Modifier::kBelow) {
    if (is_urn) return {};
    std::string prefix(1, static_cast<char>(Section::kUri));
    append_open_text(prefix, value.text);
    return {all_with(std::move(prefix))};
  }
  if (modifier != Modifier::kAbove) {
    return {one(uri_bytes(value.text)), one(canonical_url_bytes(value.text))};
  }
  // Every text that it begins with.
  Ranges ranges;
  for (std::size_t size = is_urn ? value.text.size() + 1 : 1; size <= value.text.size(); ++size) {
    ranges.push_back(one(uri_bytes(std::string_view(value.text).substr(0, size))));
  }
  return ranges;
}

}  // namespace

std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

TermRange whole_section(char section) {
  return all_with(std::string(1, section));
}

Result<Ranges> ranges_of(QueryContext const& context, fhir::SearchParameter const& parameter, SearchType type,
                         Modifier modifier, SearchValue const& value) {
  switch (type) {
    case SearchType::kToken: {
      bool const is_related = modifier == Modifier::kBelow || modifier == Modifier::kAbove;
      if (is_related && parameter.finds_media_types()) return media_type_ranges(parameter, modifier, value);
      // Who makes the criteria puts codes in their place.
      if (is_related || modifier == Modifier::kIn || modifier == Modifier::kNotIn) {
        return fail(ErrorKind::kNotSupported, "the codes of this modifier are not known");
      }
      return token_ranges(modifier, value);
    }
    case SearchType::kString:
      return string_ranges(modifier, value);
    case SearchType::kReference:
      return reference_ranges(context, parameter, modifier, value);
    case SearchType::kUri:
      if (modifier == Modifier::kAbove && value.text.size() > limits::kSearchAboveBytes) {
        return fail(ErrorKind::kTooLarge, "the value of :above is too long");
      }
      return uri_ranges(modifier, value);
    case SearchType::kDate:
      return date_ranges(context, value);
    case SearchType::kNumber:
      return number_ranges(value);
    case SearchType::kQuantity:
      return quantity_ranges(value);
    case SearchType::kComposite:
      return composite_ranges(context, parameter, value);
    case SearchType::kSpecial:
      break;
  }
  return fail(ErrorKind::kNotSupported, "this search parameter is not supported");
}

}  // namespace tacenda::records

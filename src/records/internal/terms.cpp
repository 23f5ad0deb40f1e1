#include "records/internal/terms.hpp"

#include "codec/fold.hpp"
#include "core/bytes.hpp"
#include "vault/digest.hpp"

namespace tacenda::records {
namespace {

constexpr std::string_view kEnd("\x00\x01", 2);
constexpr std::int64_t kDay = 24LL * 3600 * 1'000'000;
constexpr std::int64_t kYear = 366 * kDay;

// To be raised when a value of a definition that stays the same is read in another way: all rows are then
// written anew.
constexpr std::uint32_t kReading = 3;

std::uint32_t number_of_text(std::string_view text) {
  Digest const digest = vault::digest(as_bytes(text));
  ByteReader reader(digest);
  return reader.u32().value();  // a digest is longer
}

std::string section(Section section) {
  return std::string(1, static_cast<char>(section));
}

}  // namespace

std::uint32_t number_of(std::string_view type, fhir::SearchParameter const& parameter) {
  std::string text = std::to_string(kReading);
  auto const add = [&](std::string_view part) {
    text.push_back('\0');
    text.append(part);
  };
  add(type);
  add(parameter.code);
  add(fhir::code_of(parameter.type));
  add(parameter.expression);
  for (auto const& component : parameter.components) {
    add(fhir::code_of(component.type));
    add(component.expression);
  }
  for (auto const target : parameter.targets) add(target);
  for (auto const system : parameter.systems) add(system);
  return number_of_text(text);
}

std::uint32_t number_of_type(std::string_view type) {
  return number_of_text(type);
}

void append_open_text(std::string& out, std::string_view text) {
  for (char const c : text) {
    out.push_back(c);
    if (c == '\0') out.push_back('\xFF');
  }
}

void append_text(std::string& out, std::string_view text) {
  append_open_text(out, text);
  out.append(kEnd);
}

Result<std::string> take_text(std::string_view& bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\0') {
      text.push_back(bytes[i]);
      continue;
    }
    if (i + 1 == bytes.size()) break;
    if (bytes[i + 1] == '\x01') {
      bytes.remove_prefix(i + 2);
      return text;
    }
    text.push_back('\0');
    ++i;
  }
  return fail(ErrorKind::kCorrupt, "an index row has another form");
}

void append_u64(std::string& out, std::uint64_t value) {
  for (unsigned shift = 64; shift > 0;) {
    shift -= 8;
    out.push_back(static_cast<char>(value >> shift));
  }
}

Result<std::uint64_t> take_u64(std::string_view& bytes) {
  if (bytes.size() < 8) return fail(ErrorKind::kCorrupt, "an index row has another form");
  ByteReader reader(as_bytes(bytes.substr(0, 8)));
  bytes.remove_prefix(8);
  return reader.u64();
}

std::uint64_t ordered(std::int64_t value) {
  return static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63U);
}

std::int64_t unordered(std::uint64_t value) {
  return static_cast<std::int64_t>(value ^ (std::uint64_t{1} << 63U));
}

std::string token_bytes(std::string_view code, std::string_view system) {
  std::string out = section(Section::kToken);
  append_text(out, code);
  append_text(out, system);
  return out;
}

std::string text_token_bytes(std::string_view text) {
  std::string out = section(Section::kTextToken);
  append_text(out, codec::fold(text));
  return out;
}

std::string system_bytes(std::string_view system) {
  std::string out = section(Section::kSystem);
  append_text(out, system);
  return out;
}

std::string display_bytes(std::string_view display) {
  std::string out = section(Section::kDisplay);
  append_text(out, codec::fold(display));
  return out;
}

std::string typed_identifier_bytes(std::string_view system, std::string_view code, std::string_view value) {
  std::string out = section(Section::kTypedIdentifier);
  append_text(out, system);
  append_text(out, code);
  append_text(out, value);
  return out;
}

std::string string_bytes(std::string_view text) {
  std::string out = section(Section::kString);
  append_text(out, codec::fold(text));
  return out;
}

std::string later_word_bytes(std::string_view word) {
  std::string out = section(Section::kLaterWord);
  append_text(out, codec::fold(word));
  return out;
}

std::string reference_bytes(std::string_view target) {
  std::string out = section(Section::kReference);
  append_text(out, target);
  return out;
}

std::string stray_reference_bytes(std::string_view id) {
  return reference_bytes(std::string("*/").append(id));
}

std::string nested_bytes(std::string_view place) {
  std::string out = section(Section::kNested);
  append_text(out, place);
  return out;
}

std::string canonical_bytes(std::string_view url) {
  std::string out = section(Section::kCanonical);
  append_text(out, url);
  return out;
}

std::string identifier_bytes(std::string_view value, std::string_view system) {
  std::string out = section(Section::kIdentifier);
  append_text(out, value);
  append_text(out, system);
  return out;
}

std::string uri_bytes(std::string_view uri) {
  std::string out = section(Section::kUri);
  append_text(out, uri);
  return out;
}

std::string canonical_url_bytes(std::string_view url) {
  std::string out = section(Section::kCanonicalUrl);
  append_text(out, url);
  return out;
}

std::string contained_bytes(std::uint32_t parameter, std::string_view term) {
  std::string out = section(Section::kContained);
  Bytes number;
  ByteWriter(number).u32(parameter);
  out.append(as_text(number)).append(term);
  return out;
}

std::string present_bytes() {
  return section(Section::kPresent);
}

std::string date_bytes(fhir::DateRange range) {
  std::string out = section(Section::kDate);
  out.push_back(static_cast<char>(width_of(range)));
  append_u64(out, ordered(range.low));
  append_u64(out, ordered(range.high));
  return out;
}

std::uint8_t width_of(fhir::DateRange range) {
  if (range.low == fhir::kBeforeAllTime || range.high == fhir::kAfterAllTime) return 2;
  std::int64_t const width = range.high - range.low;
  if (width < kDay) return 0;
  return width < kYear ? 1 : 2;
}

std::optional<std::int64_t> longest_of(std::uint8_t width) {
  if (width == 0) return kDay;
  if (width == 1) return kYear;
  return std::nullopt;
}

}  // namespace tacenda::records

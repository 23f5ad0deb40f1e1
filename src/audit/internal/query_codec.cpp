#include "audit/internal/query_codec.hpp"

#include <algorithm>

#include "core/id.hpp"

namespace tacenda::audit {
namespace {

constexpr std::size_t kPadding = 16;
constexpr std::uint8_t kText = 0;
constexpr std::uint8_t kLink = 1;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// What is no escape stays as it is: a text that nothing can parse may name somebody, too.
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    int const high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    int const low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

bool is_id_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
}

class Names {
 public:
  void add(std::string_view id) {
    if (names_.size() < kQueryNames && ResourceId::parse(id).has_value()) names_.emplace_back(id);
  }

  void add_references(std::string_view text) {
    constexpr std::string_view kPatient = "Patient/";
    for (auto at = text.find(kPatient); at != std::string_view::npos; at = text.find(kPatient, at)) {
      at += kPatient.size();
      auto const rest = text.substr(at);
      auto const* const end = std::ranges::find_if_not(rest, is_id_character);
      add(rest.substr(0, static_cast<std::size_t>(end - rest.begin())));
    }
  }

  void add_values(std::string_view values) {
    while (!values.empty()) {
      auto const comma = values.find(',');
      add(values.substr(0, comma));
      values.remove_prefix(comma == std::string_view::npos ? values.size() : comma + 1);
    }
  }

  std::vector<std::string> take() {
    std::ranges::sort(names_);
    auto const repeated = std::ranges::unique(names_);
    names_.erase(repeated.begin(), repeated.end());
    return std::move(names_);
  }

 private:
  std::vector<std::string> names_;
};

/// `patient`, `subject:Patient`, `encounter.subject`, `_has:Observation:subject:_id`.
bool takes_patient_ids(std::string_view name) {
  if (auto const dot = name.rfind('.'); dot != std::string_view::npos) name.remove_prefix(dot + 1);
  if (name.starts_with("_has:")) name.remove_prefix(name.rfind(':') + 1);
  auto const colon = name.find(':');
  auto const base = name.substr(0, colon);
  if (colon != std::string_view::npos && name.substr(colon + 1) == "Patient") return true;
  return base == "_id" || base == "patient" || base == "subject";
}

}  // namespace

void encode_query(QueryText const& query, Bytes& out) {
  std::size_t const start = out.size();
  ByteWriter writer(out);
  if (query.at) {
    writer.u8(kLink).u64(*query.at);
  } else {
    writer.u8(kText).sized(query.text);
  }
  while ((out.size() - start) % kPadding != 0) out.push_back(std::byte{0});
}

Result<QueryText> decode_query(ByteView plaintext) {
  ByteReader in(plaintext);
  QueryText query;
  std::uint8_t const kind = TACENDA_TRY(in.u8());
  if (kind == kLink) {
    query.at = TACENDA_TRY(in.u64());
  } else if (kind == kText) {
    query.text = as_text(TACENDA_TRY(in.sized()));
  } else {
    return fail(ErrorKind::kCorrupt, "audit query: no such kind");
  }
  bool const zeros = std::ranges::all_of(in.rest(), [](std::byte b) { return b == std::byte{0}; });
  if (plaintext.size() % kPadding != 0 || in.rest().size() >= kPadding || !zeros)
    return fail(ErrorKind::kCorrupt, "audit query: bytes after its end");
  return query;
}

void encode_query_row(QueryRow const& row, Bytes& out) {
  ByteWriter writer(out);
  writer.u32(static_cast<std::uint32_t>(row.aliases.size()));
  for (auto const& alias : row.aliases) writer.raw(alias);
  writer.raw(row.sealed);
}

Result<QueryRow> decode_query_row(ByteView plaintext) {
  ByteReader in(plaintext);
  QueryRow row;
  std::uint64_t const patients = TACENDA_TRY(in.u32());
  if (patients > in.rest().size() / sizeof(vault::Alias))
    return fail(ErrorKind::kCorrupt, "audit query: more patients than bytes");
  row.aliases.resize(patients);
  for (auto& alias : row.aliases) std::ranges::copy(TACENDA_TRY(in.raw(alias.size())), alias.begin());
  if (std::ranges::adjacent_find(row.aliases, std::ranges::greater_equal()) != row.aliases.end())
    return fail(ErrorKind::kCorrupt, "audit query: patients are not in order");
  row.sealed = in.rest();
  return row;
}

std::vector<std::string> patients_named_in(std::string_view query) {
  Names names;
  while (!query.empty()) {
    auto const end = query.find('&');
    auto const part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    auto const equals = part.find('=');
    std::string const name = unescape(part.substr(0, equals));
    std::string const value = equals == std::string_view::npos ? "" : unescape(part.substr(equals + 1));
    names.add_references(name);
    names.add_references(value);
    if (takes_patient_ids(name)) names.add_values(value);
  }
  return names.take();
}

}  // namespace tacenda::audit

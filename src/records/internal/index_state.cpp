#include "records/internal/index_state.hpp"

#include <algorithm>
#include <string>

namespace tacenda::records {
namespace {

using fhir::ParameterDefinition;
using fhir::SearchType;

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kSweeping = 1;
constexpr std::uint8_t kWalking = 2;
constexpr std::uint8_t kWhole = 4;
constexpr std::uint8_t kRenewing = 8;

void add_texts(ByteWriter& writer, std::vector<std::string> const& texts) {
  writer.u16(static_cast<std::uint16_t>(texts.size()));
  for (auto const& text : texts) writer.sized(std::string_view(text));
}

Result<std::string> take_string(ByteReader& reader) {
  return std::string(as_text(TACENDA_TRY(reader.sized())));
}

Result<std::vector<std::string>> take_strings(ByteReader& reader) {
  std::vector<std::string> texts;
  for (auto left = TACENDA_TRY(reader.u16()); left > 0; --left) texts.push_back(TACENDA_TRY(take_string(reader)));
  return texts;
}

Result<SearchType> take_type(ByteReader& reader) {
  auto const type = TACENDA_TRY(reader.u8());
  if (type > static_cast<std::uint8_t>(SearchType::kSpecial))
    return fail(ErrorKind::kCorrupt, "the state of the search index has another form");
  return static_cast<SearchType>(type);
}

Result<fhir::SearchParameters::Defined> take_defined(ByteReader& reader) {
  fhir::SearchParameters::Defined defined;
  defined.is_ready = TACENDA_TRY(reader.u8()) != 0;
  ParameterDefinition& definition = defined.definition;
  definition.url = TACENDA_TRY(take_string(reader));
  definition.code = TACENDA_TRY(take_string(reader));
  definition.type = TACENDA_TRY(take_type(reader));
  definition.expression = TACENDA_TRY(take_string(reader));
  definition.bases = TACENDA_TRY(take_strings(reader));
  definition.targets = TACENDA_TRY(take_strings(reader));
  for (auto left = TACENDA_TRY(reader.u16()); left > 0; --left) {
    auto const type = TACENDA_TRY(take_type(reader));
    definition.components.push_back({type, TACENDA_TRY(take_string(reader))});
  }
  return defined;
}

}  // namespace

Bytes index_state_key() {
  return tacenda::to_bytes(std::string_view("I"));
}

Bytes to_bytes(IndexState const& state) {
  Bytes row;
  ByteWriter writer(row);
  writer.u8(kFormat).raw(state.reading);
  int const flags = (state.sweeping ? kSweeping : 0) | (state.walking ? kWalking : 0) |
                    (state.whole ? kWhole : 0) | (state.renewing ? kRenewing : 0);
  writer.u8(static_cast<std::uint8_t>(flags)).u64(state.done).u64(state.total);
  writer.sized(state.after);
  writer.u16(static_cast<std::uint16_t>(state.defined.size()));
  for (auto const& [definition, is_ready] : state.defined) {
    writer.u8(is_ready ? 1 : 0);
    writer.sized(std::string_view(definition.url));
    writer.sized(std::string_view(definition.code));
    writer.u8(static_cast<std::uint8_t>(definition.type));
    writer.sized(std::string_view(definition.expression));
    add_texts(writer, definition.bases);
    add_texts(writer, definition.targets);
    writer.u16(static_cast<std::uint16_t>(definition.components.size()));
    for (auto const& component : definition.components) {
      writer.u8(static_cast<std::uint8_t>(component.type));
      writer.sized(std::string_view(component.expression));
    }
  }
  return row;
}

Result<IndexState> parse_index_state(ByteView row) {
  ByteReader reader(row);
  if (TACENDA_TRY(reader.u8()) != kFormat)
    return fail(ErrorKind::kCorrupt, "the state of the search index has another form");
  IndexState state;
  auto const reading = TACENDA_TRY(reader.raw(state.reading.size()));
  std::ranges::copy(reading, state.reading.begin());
  auto const flags = TACENDA_TRY(reader.u8());
  state.sweeping = (flags & kSweeping) != 0;
  state.walking = (flags & kWalking) != 0;
  state.whole = (flags & kWhole) != 0;
  state.renewing = (flags & kRenewing) != 0;
  state.done = TACENDA_TRY(reader.u64());
  state.total = TACENDA_TRY(reader.u64());
  state.after = tacenda::to_bytes(TACENDA_TRY(reader.sized()));
  for (auto left = TACENDA_TRY(reader.u16()); left > 0; --left) state.defined.push_back(TACENDA_TRY(take_defined(reader)));
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "the state of the search index has another form");
  return state;
}

}  // namespace tacenda::records

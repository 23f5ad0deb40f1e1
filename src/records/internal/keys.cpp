#include "records/internal/keys.hpp"

namespace tacenda::records {
namespace {

Bytes start(char kind, std::string_view type) {
  Bytes key;
  key.reserve(64);
  key.push_back(static_cast<std::byte>(kind));
  append(key, type);
  key.push_back(std::byte{0});
  return key;
}

Result<std::pair<std::string_view, std::string_view>> split_type(ByteView key, char kind) {
  auto const text = as_text(key);
  auto const end = text.find('\0');
  if (text.empty() || text.front() != kind || end == std::string_view::npos) {
    return fail(ErrorKind::kCorrupt, "a record key has another form");
  }
  return std::pair(text.substr(1, end - 1), text.substr(end + 1));
}

}  // namespace

Bytes current_key(std::string_view type, std::string_view id) {
  Bytes key = start('C', type);
  append(key, id);
  return key;
}

Bytes erased_key(std::string_view type, std::string_view id) {
  Bytes key = start('G', type);
  append(key, id);
  return key;
}

Bytes current_prefix(std::string_view type) {
  return start('C', type);
}

Bytes version_prefix(std::string_view type, std::string_view id) {
  Bytes key = start('V', type);
  append(key, id);
  key.push_back(std::byte{0});
  return key;
}

Bytes version_key(std::string_view type, std::string_view id, std::uint64_t version) {
  Bytes key = version_prefix(type, id);
  ByteWriter(key).u64(version);
  return key;
}

Bytes history_prefix(std::string_view type) {
  return start('h', type);
}

Bytes history_key_at(std::string_view type, std::uint64_t sequence) {
  Bytes key = history_prefix(type);
  ByteWriter(key).u64(sequence);
  return key;
}

Bytes history_key(std::string_view type) {
  return history_key_at(type, 0);
}

Bytes erasing_key(std::string_view patient) {
  Bytes key;
  key.push_back(std::byte{'E'});
  append(key, patient);
  return key;
}

Result<ParsedKey> parse_current_key(ByteView key) {
  auto const [type, id] = TACENDA_TRY(split_type(key, 'C'));
  return ParsedKey{type, id, 0};
}

Result<ParsedKey> parse_version_key(ByteView key) {
  auto const [type, rest] = TACENDA_TRY(split_type(key, 'V'));
  auto const end = rest.find('\0');
  if (end == std::string_view::npos || rest.size() != end + 9) {
    return fail(ErrorKind::kCorrupt, "a version key has another form");
  }
  ByteReader reader(as_bytes(rest.substr(end + 1)));
  return ParsedKey{type, rest.substr(0, end), TACENDA_TRY(reader.u64())};
}

}  // namespace tacenda::records

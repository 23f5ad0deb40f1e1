#include "storage/embedded/registry_entries.hpp"

#include <algorithm>

namespace tacenda::storage {
namespace {

enum class Entry : std::uint8_t {
  kBegin = 0,
  kBind = 1,
  kEstablish = 2,
  kRename = 3,
  kUnbind = 4,
  kLength = 5
};

constexpr std::size_t kNameBytesMax = 255;

ByteWriter start(Bytes& out, Entry entry) {
  ByteWriter writer(out);
  writer.u8(std::to_underlying(entry));
  return writer;
}

Result<std::string> read_name(ByteReader& reader) {
  auto const bytes = TACENDA_TRY(reader.sized());
  if (bytes.empty() || bytes.size() > kNameBytesMax)
    return fail(ErrorKind::kCorrupt, "registry: name of a wrong length");
  return std::string(as_text(bytes));
}

Result<FileId> read_id(ByteReader& reader) {
  FileId id;
  std::ranges::copy(TACENDA_TRY(reader.raw(kFileIdBytes)), id.begin());
  return id;
}

Result<void> apply(Entry entry, ByteReader& reader, RegistryContent& content) {
  if (entry == Entry::kBegin) {
    content.known_to_marks = TACENDA_TRY(read_id(reader));
    return {};
  }
  std::string const name = TACENDA_TRY(read_name(reader));
  switch (entry) {
    case Entry::kBind: {
      content.names[name] = {.ids = {TACENDA_TRY(read_id(reader))}, .must_exist = false, .synced = 0};
      return {};
    }
    case Entry::kEstablish: {
      auto const found = content.names.find(name);
      if (found == content.names.end())
        return fail(ErrorKind::kCorrupt, "registry: unknown name is established");
      found->second.ids = {found->second.ids.back()};
      found->second.must_exist = true;
      return {};
    }
    case Entry::kRename: {
      std::string const to = TACENDA_TRY(read_name(reader));
      content.names[to].ids.push_back(TACENDA_TRY(read_id(reader)));
      if (auto const from = content.names.find(name); from != content.names.end())
        from->second.must_exist = false;
      return {};
    }
    case Entry::kUnbind:
      content.names.erase(name);
      return {};
    case Entry::kLength: {
      auto const found = content.names.find(name);
      if (found == content.names.end())
        return fail(ErrorKind::kCorrupt, "registry: unknown name has a length");
      found->second.synced = TACENDA_TRY(reader.u64());
      return {};
    }
    case Entry::kBegin:
      break;
  }
  return fail(ErrorKind::kCorrupt, "registry: entry of an unknown kind");
}

}  // namespace

Result<RegistryContent> parse_registry(ByteView plaintext) {
  RegistryContent content;
  ByteReader reader(plaintext);
  bool first = true;
  while (!reader.done()) {
    auto const entry = Entry{TACENDA_TRY(reader.u8())};
    if (first != (entry == Entry::kBegin)) return fail(ErrorKind::kCorrupt, "registry does not begin once");
    first = false;
    TACENDA_TRY_VOID(apply(entry, reader, content));
  }
  if (first) return fail(ErrorKind::kCorrupt, "registry is empty");
  return content;
}

void append_begin(Bytes& out, FileId const& known_to_marks) {
  start(out, Entry::kBegin).raw(known_to_marks);
}
void append_bind(Bytes& out, std::string_view name, FileId const& id) {
  start(out, Entry::kBind).sized(name).raw(id);
}
void append_establish(Bytes& out, std::string_view name) {
  start(out, Entry::kEstablish).sized(name);
}
void append_rename(Bytes& out, std::string_view from, std::string_view to, FileId const& id) {
  start(out, Entry::kRename).sized(from).sized(to).raw(id);
}
void append_length(Bytes& out, std::string_view name, std::uint64_t synced) {
  start(out, Entry::kLength).sized(name).u64(synced);
}
void append_unbind(Bytes& out, std::string_view name) {
  start(out, Entry::kUnbind).sized(name);
}

}  // namespace tacenda::storage

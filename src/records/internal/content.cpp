#include "records/internal/content.hpp"

#include <algorithm>
#include <utility>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "fhir/resource.hpp"
#include "records/internal/document.hpp"
#include "vault/digest.hpp"
#include "vault/running_digest.hpp"

namespace tacenda::records {
namespace {

constexpr std::string_view kPrefix = "B";

/// The chunks of a content by the size that its record tells.
class Chunks {
 public:
  static Result<Chunks> of(Rows const& rows, ContentApart const& content) {
    if (content.size_bytes > kContentBytesMax)
      return fail(ErrorKind::kCorrupt, "a content has a size that nothing can have");
    return Chunks(rows,
                  TACENDA_TRY(vault::ChunkSeal::restore(rows.vault, content.secret)), content.size_bytes);
  }

  std::uint32_t count() const {
    return static_cast<std::uint32_t>((size_ + kContentChunkBytes - 1) / kContentChunkBytes);
  }

  /// Appends the plaintext of one.
  Result<void> open(std::uint32_t index, Bytes& out) const {
    auto const sealed = TACENDA_TRY(rows_.view.get(vault::chunk_key(seal_.id(), index), rows_.at));
    if (!sealed) return fail(ErrorKind::kCorrupt, "a piece of what a Binary holds is missing");
    bool const is_last = index + 1 == count();
    auto const before = out.size();
    TACENDA_TRY_VOID(seal_.open({.index = index, .is_last = is_last}, *sealed, out));
    auto const expected = is_last ? size_ - std::uint64_t{index} * kContentChunkBytes : kContentChunkBytes;
    if (out.size() - before != expected)
      return fail(ErrorKind::kCorrupt, "a piece of what a Binary holds has another size than it must have");
    return {};
  }

 private:
  Chunks(Rows const& rows, vault::ChunkSeal seal, std::uint64_t size)
      : rows_(rows), seal_(std::move(seal)), size_(size) {}

  Rows const& rows_;  // the caller's, outlives this
  vault::ChunkSeal seal_;
  std::uint64_t size_;
};

/// Takes the empty data out of the text and says that it is not whole.
Result<void> leave_content_out(Document& document) {
  using codec::Json;
  auto json = TACENDA_TRY(codec::parse_json(document.text));
  json.remove("data");
  Json coding = Json::object();
  coding.set("system", Json::string("http://terminology.hl7.org/CodeSystem/v3-ObservationValue"));
  coding.set("code", Json::string("SUBSETTED"));
  Json* meta = json.find("meta");
  if (meta == nullptr) meta = &json.set("meta", Json::object());
  Json* tags = meta->find("tag");
  if (tags == nullptr) tags = &meta->set("tag", Json::array());
  if (!tags->is_array()) return fail(ErrorKind::kCorrupt, "a stored resource has tags of another form");
  tags->push(std::move(coding));
  auto const id = TACENDA_TRY(ResourceId::parse(json.text_of("id")));
  document = to_document(TACENDA_TRY(fhir::Resource::parse(std::move(json))), id);
  return {};
}

}  // namespace

Result<ContentKey> parse_content_key(ByteView bytes) {
  ByteReader reader(bytes);
  ContentKey key;
  if (TACENDA_TRY(reader.u8()) != static_cast<std::uint8_t>(kPrefix.front()))
    return fail(ErrorKind::kCorrupt, "a key of a content has another form");
  std::ranges::copy(TACENDA_TRY(reader.raw(key.id.size())), key.id.begin());
  key.index = TACENDA_TRY(reader.u32());
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "a key of a content has another form");
  return key;
}

Result<std::string> put_content_apart(vault::Vault const& vault, vault::View const& view,
                                      vault::WriteSet& set, Document& document) {
  auto const [offset, size] = std::exchange(document.data, {});
  if (size <= kContentChunkBytes) return std::string();
  // Strict: what it takes it would write in no other way.
  auto const held = codec::base64_decode(std::string_view(document.text).substr(offset, size));
  if (!held.has_value() || held->size() <= kContentChunkBytes) return std::string();
  auto const seal = TACENDA_TRY(vault::ChunkSeal::make(vault));
  ByteView rest = *held;
  for (std::uint32_t index = 0; !rest.empty(); ++index) {
    auto const chunk = rest.first(std::min(rest.size(), kContentChunkBytes));
    rest = rest.subspan(chunk.size());
    view.put(set, vault::chunk_key(seal.id(), index),
             seal.seal({.index = index, .is_last = rest.empty()}, chunk));
  }
  ContentApart content;
  content.offset = static_cast<std::uint32_t>(offset);
  content.size_bytes = held->size();
  content.digest = vault::digest(*held);
  seal.put_secret(content.secret);
  document.content = std::move(content);
  std::string without = document.text.substr(0, offset) + document.text.substr(offset + size);
  return std::exchange(document.text, std::move(without));
}

void put_uploaded_apart(UploadedContent held, Document& document) {
  auto const [offset, size] = std::exchange(document.data, {});
  document.text.erase(offset, size);
  document.content = ContentApart{.offset = static_cast<std::uint32_t>(offset),
                                  .size_bytes = held.size_bytes,
                                  .digest = held.digest,
                                  .secret = std::move(held.secret)};
}

Result<std::string> read_content(Rows const& rows, ContentApart const& content, ContentRange range) {
  if (range.first > content.size_bytes || range.size > content.size_bytes - range.first)
    return fail(ErrorKind::kInvalid, "a range is beyond what a Binary holds");
  if (range.size == 0) return std::string();
  auto const chunks = TACENDA_TRY(Chunks::of(rows, content));
  auto const from = static_cast<std::uint32_t>(range.first / kContentChunkBytes);
  auto const last = static_cast<std::uint32_t>((range.first + range.size - 1) / kContentChunkBytes);
  Bytes opened;
  opened.reserve((std::size_t{last} - from + 1) * kContentChunkBytes);
  for (std::uint32_t index = from; index <= last; ++index) TACENDA_TRY_VOID(chunks.open(index, opened));
  auto const skipped = static_cast<std::size_t>(range.first % kContentChunkBytes);
  return std::string(as_text(ByteView(opened).subspan(skipped, range.size)));
}

Result<void> put_content_back(Rows const& rows, Document& document) {
  if (!document.content) return {};
  if (document.content->size_bytes > kContentInTextBytes) return leave_content_out(document);
  auto const chunks = TACENDA_TRY(Chunks::of(rows, *document.content));
  Bytes whole;
  whole.reserve(static_cast<std::size_t>(document.content->size_bytes));
  for (std::uint32_t index = 0; index < chunks.count(); ++index) TACENDA_TRY_VOID(chunks.open(index, whole));
  document.text.insert(document.content->offset, codec::base64_encode(whole));
  document.content.reset();
  return {};
}

Result<void> verify_content(Rows const& rows, ContentApart const& content) {
  auto const chunks = TACENDA_TRY(Chunks::of(rows, content));
  vault::RunningDigest digest;
  Bytes opened;
  for (std::uint32_t index = 0; index < chunks.count(); ++index) {
    opened.clear();
    TACENDA_TRY_VOID(chunks.open(index, opened));
    digest.add(opened);
  }
  if (digest.finish() != content.digest)
    return fail(ErrorKind::kCorrupt, "what a Binary holds is not what its record says");
  return {};
}

}  // namespace tacenda::records

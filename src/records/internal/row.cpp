#include "records/internal/row.hpp"

#include <algorithm>

#include "codec/compress.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "core/process.hpp"
#include "vault/chunk_seal.hpp"
#include "vault/digest.hpp"

namespace tacenda::records {
namespace {

constexpr std::uint8_t kFormat = 2;
constexpr std::uint8_t kFormatApart = 3;
constexpr std::uint8_t kFormatPurged = 4;
constexpr std::uint8_t kDeleted = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::uint32_t kContentBit = 0x8000'0000;  // of the size of a text
constexpr std::string_view kPatient = "Patient/";

std::string_view label_of(RowHeader const& header) {
  if (header.purged) return "tacenda/record/4";
  return header.has_content_apart ? "tacenda/record/3" : "tacenda/record/2";
}

std::uint8_t format_of(RowHeader const& header) {
  if (header.purged) return kFormatPurged;
  return header.has_content_apart ? kFormatApart : kFormat;
}

Bytes associated_data(vault::Vault const& vault, vault::SubjectKeys const& keys, RowPlace const& place,
                      RowHeader const& header) {
  Bytes data;
  data.reserve(256);
  ByteWriter(data)
      .sized(label_of(header))
      .sized(vault.store_id())
      .sized(vault.tenant_id())
      .sized(place.type)
      .sized(place.id)
      .u64(header.version)
      .sized(keys.alias())
      .u32(keys.generation())
      .u8(header.deleted ? kDeleted : 0)
      .u64(header.document)
      .raw(header.previous);
  return data;
}

Result<ContentApart> read_content(ByteReader& reader, std::uint32_t text_size) {
  ContentApart content;
  content.offset = TACENDA_TRY(reader.u32());
  content.size_bytes = TACENDA_TRY(reader.u64());
  std::ranges::copy(TACENDA_TRY(reader.raw(content.digest.size())), content.digest.begin());
  content.secret = to_bytes(TACENDA_TRY(reader.raw(vault::ChunkSeal::kSecretBytes)));
  if (content.offset > text_size || content.size_bytes == 0)
    return fail(ErrorKind::kCorrupt, "a record body has lengths that do not fit");
  return content;
}

codec::Compressor const& compressor() {
  static codec::Compressor const instance(codec::fhir_dictionary_v1());
  return instance;
}

}  // namespace

std::vector<std::string> RowHeader::patients() const {
  std::vector<std::string> ids;
  for (auto const& subject : subjects) {
    if (subject.starts_with(kPatient)) ids.push_back(subject.substr(kPatient.size()));
  }
  return ids;
}

Result<RowHeader> parse_row(ByteView row) {
  ByteReader reader(row);
  RowHeader header;
  header.sequence = TACENDA_TRY(reader.u64());
  header.time = from_unix_ms(TACENDA_TRY(reader.u64()));
  std::uint8_t const format = TACENDA_TRY(reader.u8());
  if (format < kFormat || format > kFormatPurged)
    return fail(ErrorKind::kCorrupt, "a record row has an unknown format");
  header.has_content_apart = format == kFormatApart;
  header.purged = format == kFormatPurged;
  std::uint8_t const flags = TACENDA_TRY(reader.u8());
  if (flags > kDeleted) return fail(ErrorKind::kCorrupt, "a record row has unknown flags");
  header.deleted = flags == kDeleted;
  if (header.purged && !header.deleted) return fail(ErrorKind::kCorrupt, "a record row has unknown flags");
  header.version = TACENDA_TRY(reader.u64());
  header.document = TACENDA_TRY(reader.u64());
  auto const previous = TACENDA_TRY(reader.raw(header.previous.size()));
  std::ranges::copy(previous, header.previous.begin());
  std::uint16_t const count = TACENDA_TRY(reader.u16());
  if (count == 0 || count > limits::kCompartmentsPerResource) {
    return fail(ErrorKind::kCorrupt, "a record row has no subject or too many");
  }
  for (std::uint16_t i = 0; i < count; ++i) header.subjects.emplace_back(as_text(TACENDA_TRY(reader.sized())));
  header.envelope = reader.rest();
  return header;
}

Result<SealedRow> seal_row(vault::Vault const& vault, vault::SubjectKeys const& keys, RowPlace const& place,
                           RowHeader const& header, Document const& document, Bytes* body_out) {
  Bytes body;
  auto const salt = TACENDA_TRY(vault.random_bytes16());
  TACENDA_ASSERT(header.has_content_apart == document.content.has_value());
  auto const size = static_cast<std::uint32_t>(document.text.size());
  ByteWriter(body).raw(salt).u32(document.meta_offset).u32(document.content ? size | kContentBit : size);
  if (auto const& content = document.content)
    ByteWriter(body).u32(content->offset).u64(content->size_bytes).raw(content->digest).raw(content->secret);
  if (!document.text.empty()) TACENDA_TRY_VOID(compressor().compress(as_bytes(document.text), body));

  SealedRow sealed;
  sealed.row.reserve(body.size() + 256);
  ByteWriter writer(sealed.row);
  writer.u64(0).u64(0).u8(format_of(header)).u8(header.deleted ? kDeleted : 0);
  writer.u64(header.version).u64(header.document).raw(header.previous);
  writer.u16(static_cast<std::uint16_t>(header.subjects.size()));
  for (auto const& subject : header.subjects) writer.sized(subject);
  std::size_t const envelope_offset = sealed.row.size();
  TACENDA_TRY_VOID(keys.seal_record(associated_data(vault, keys, place, header), body, sealed.row));
  sealed.digest = vault::digest(ByteView(sealed.row).subspan(envelope_offset));
  if (body_out != nullptr) *body_out = std::move(body);
  return sealed;
}

Result<Bytes> open_body(vault::Vault const& vault, RowPlace const& place, RowHeader const& header) {
  auto const subjects = TACENDA_TRY(subjects_of(header));
  auto const keys = TACENDA_TRY(vault.subjects(subjects));
  Bytes body;
  TACENDA_TRY_VOID(keys->open_record(associated_data(vault, *keys, place, header), header.envelope, body));
  return body;
}

Result<Document> open_document(ByteView body) {
  ByteReader reader(body);
  TACENDA_TRY_VOID(reader.raw(kSaltBytes));
  Document document;
  document.meta_offset = TACENDA_TRY(reader.u32());
  std::uint32_t const marked = TACENDA_TRY(reader.u32());
  std::uint32_t const size = marked & ~kContentBit;
  if (size == 0) return document;
  if (size > limits::kBundleBodyBytes || document.meta_offset > size) {
    return fail(ErrorKind::kCorrupt, "a record body has lengths that do not fit");
  }
  if (marked != size) document.content = TACENDA_TRY(read_content(reader, size));
  Bytes text;
  TACENDA_TRY_VOID(compressor().decompress(reader.rest(), size, text));
  if (text.size() != size) return fail(ErrorKind::kCorrupt, "a record body has another length than it names");
  document.text = as_text(text);
  return document;
}

Digest commit_to(ByteView body) {
  return vault::digest(body);
}

std::string render(Document const& document, std::uint64_t version, Time last_updated) {
  std::string const number = std::to_string(version);
  std::string const instant = codec::format_instant(last_updated);
  std::string_view const text = document.text;
  std::string out;
  out.reserve(text.size() + 80);
  out.append(text.substr(0, document.meta_offset));
  out.append("\"versionId\":\"").append(number).append("\",\"lastUpdated\":\"").append(instant).append("\"");
  if (text[document.meta_offset] != '}') out.push_back(',');
  out.append(text.substr(document.meta_offset));
  return out;
}

Bytes state_item(RowPlace const& place, std::uint64_t version, Digest const& envelope_digest) {
  Bytes item;
  ByteWriter(item).sized(place.type).sized(place.id).u64(version).raw(envelope_digest);
  return item;
}

Result<std::vector<vault::Subject>> subjects_of(RowHeader const& header) {
  std::vector<vault::Subject> subjects;
  subjects.reserve(header.subjects.size());
  for (auto const& text : header.subjects) {
    auto const slash = text.find('/');
    std::string_view const id =
        slash == std::string::npos ? std::string_view() : std::string_view(text).substr(slash + 1);
    if (text.starts_with(kPatient)) {
      subjects.push_back(vault::Subject::patient(id));
    } else if (text.starts_with("Practitioner/")) {
      subjects.push_back(vault::Subject::practitioner(id));
    } else if (text.starts_with("Binary/")) {
      subjects.push_back(vault::Subject::binary(id));
    } else if (text == "Tenant") {
      subjects.push_back(vault::Subject::tenant());
    } else {
      return fail(ErrorKind::kCorrupt, "a record row names an unknown kind of subject");
    }
  }
  return subjects;
}

}  // namespace tacenda::records

#include "records/internal/export_rows.hpp"

#include "core/limits.hpp"

namespace tacenda::records {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kApplicationFormat = 2;  // of a job; older
constexpr std::uint8_t kPurposeFormat = 3;      // of a job

void put_texts(ByteWriter& writer, std::vector<std::string> const& texts) {
  writer.u32(static_cast<std::uint32_t>(texts.size()));
  for (auto const& text : texts) writer.sized(text);
}

/// Reads a row whose first byte is the format.
class RowReader {
 public:
  explicit RowReader(ByteView row) : reader_(row) {}

  Result<void> format() {
    if (TACENDA_TRY(reader_.u8()) != kFormat) return corrupt();
    return {};
  }
  /// kApplicationFormat adds the application behind everything else, kPurposeFormat the purpose behind that.
  Result<std::uint8_t> job_format() {
    auto const format = TACENDA_TRY(reader_.u8());
    if (format < kFormat || format > kPurposeFormat) return corrupt();
    return format;
  }
  Result<std::string> text() { return std::string(as_text(TACENDA_TRY(reader_.sized()))); }
  Result<Time> time() { return from_unix_ms(TACENDA_TRY(reader_.u64())); }
  Result<bool> flag() {
    auto const value = TACENDA_TRY(reader_.u8());
    if (value > 1) return corrupt();
    return value == 1;
  }
  template <typename E>
  Result<E> one_of(E last) {
    auto const value = TACENDA_TRY(reader_.u8());
    if (value == 0 || value > static_cast<std::uint8_t>(last)) return corrupt();
    return static_cast<E>(value);
  }
  Result<std::uint32_t> u32() { return reader_.u32(); }
  Result<std::uint64_t> u64() { return reader_.u64(); }
  /// Of items of at least `least` bytes: a count that the rest cannot hold is damage, and reserves nothing.
  Result<std::uint32_t> count(std::size_t least) {
    auto const number = TACENDA_TRY(reader_.u32());
    if (number > reader_.rest().size() / least) return corrupt();
    return number;
  }
  Result<std::vector<std::string>> texts() {
    std::vector<std::string> all;
    auto const number = TACENDA_TRY(count(4));
    for (std::uint32_t i = 0; i < number; ++i) all.push_back(TACENDA_TRY(text()));
    return all;
  }
  Result<void> end() {
    if (!reader_.done()) return corrupt();
    return {};
  }

 private:
  static std::unexpected<Error> corrupt() {
    return fail(ErrorKind::kCorrupt, "an export row has another form");
  }
  ByteReader reader_;
};

}  // namespace

Bytes encode_job(ExportJob const& job) {
  Bytes row;
  ByteWriter writer(row);
  auto const& request = job.request;
  writer.u8(kPurposeFormat);
  writer.u8(static_cast<std::uint8_t>(job.state)).u8(static_cast<std::uint8_t>(request.level));
  writer.sized(job.user).sized(job.user_name).sized(job.role).sized(job.request_id).sized(request.url);
  writer.u64(to_unix_ms(job.created)).u64(to_unix_ms(job.expires)).u64(to_unix_ms(job.transaction_time));
  writer.u64(job.resources);
  writer.u8(request.since ? 1 : 0).u64(to_unix_ms(request.since.value_or(Time{})));
  put_texts(writer, request.types);
  writer.u32(static_cast<std::uint32_t>(request.filters.size()));
  for (auto const& [type, query] : request.filters) writer.sized(type).sized(query);
  writer.u8(request.of_patients ? 1 : 0);
  put_texts(writer, request.patients);
  put_texts(writer, job.remarks);
  writer.sized(job.client).sized(job.scopes).sized(job.purpose);
  return row;
}

Result<ExportJob> decode_job(ByteView row) {
  RowReader reader(row);
  ExportJob job;
  auto const format = TACENDA_TRY(reader.job_format());
  job.state = TACENDA_TRY(reader.one_of(ExportState::kEnding));
  job.request.level = TACENDA_TRY(reader.one_of(ExportLevel::kGroup));
  job.user = TACENDA_TRY(reader.text());
  job.user_name = TACENDA_TRY(reader.text());
  job.role = TACENDA_TRY(reader.text());
  job.request_id = TACENDA_TRY(reader.text());
  job.request.url = TACENDA_TRY(reader.text());
  job.created = TACENDA_TRY(reader.time());
  job.expires = TACENDA_TRY(reader.time());
  job.transaction_time = TACENDA_TRY(reader.time());
  job.resources = TACENDA_TRY(reader.u64());
  bool const has_since = TACENDA_TRY(reader.flag());
  Time const since = TACENDA_TRY(reader.time());
  if (has_since) job.request.since = since;
  job.request.types = TACENDA_TRY(reader.texts());
  auto const filters = TACENDA_TRY(reader.count(8));
  for (std::uint32_t i = 0; i < filters; ++i) {
    auto type = TACENDA_TRY(reader.text());
    job.request.filters.emplace_back(std::move(type), TACENDA_TRY(reader.text()));
  }
  job.request.of_patients = TACENDA_TRY(reader.flag());
  job.request.patients = TACENDA_TRY(reader.texts());
  job.remarks = TACENDA_TRY(reader.texts());
  if (format >= kApplicationFormat) {
    job.client = TACENDA_TRY(reader.text());
    job.scopes = TACENDA_TRY(reader.text());
  }
  if (format == kPurposeFormat) job.purpose = TACENDA_TRY(reader.text());
  TACENDA_TRY_VOID(reader.end());
  return job;
}

Bytes encode_summary(ExportFileSummary const& summary) {
  Bytes row;
  ByteWriter(row)
      .u8(kFormat)
      .u8(static_cast<std::uint8_t>(summary.kind))
      .sized(summary.type)
      .u32(summary.count);
  return row;
}

Result<ExportFileSummary> decode_summary(ByteView row) {
  RowReader reader(row);
  ExportFileSummary summary;
  TACENDA_TRY_VOID(reader.format());
  summary.kind = TACENDA_TRY(reader.one_of(ExportFileKind::kError));
  summary.type = TACENDA_TRY(reader.text());
  summary.count = TACENDA_TRY(reader.u32());
  TACENDA_TRY_VOID(reader.end());
  return summary;
}

Bytes encode_file(ExportFile const& file) {
  Bytes row;
  ByteWriter writer(row);
  writer.u8(kFormat).u8(static_cast<std::uint8_t>(file.kind)).sized(file.type);
  writer.u32(static_cast<std::uint32_t>(file.places.size()));
  for (auto const& place : file.places) {
    writer.sized(place.type == file.type ? std::string_view() : std::string_view(place.type));
    writer.sized(place.id).u64(place.version);
  }
  put_texts(writer, file.texts);
  return row;
}

Result<ExportFile> decode_file(ByteView row) {
  RowReader reader(row);
  ExportFile file;
  TACENDA_TRY_VOID(reader.format());
  file.kind = TACENDA_TRY(reader.one_of(ExportFileKind::kError));
  file.type = TACENDA_TRY(reader.text());
  auto const places = TACENDA_TRY(reader.count(16));
  for (std::uint32_t i = 0; i < places; ++i) {
    ExportPlace place;
    place.type = TACENDA_TRY(reader.text());
    if (place.type.empty()) place.type = file.type;
    place.id = TACENDA_TRY(reader.text());
    place.version = TACENDA_TRY(reader.u64());
    file.places.push_back(std::move(place));
  }
  file.texts = TACENDA_TRY(reader.texts());
  TACENDA_TRY_VOID(reader.end());
  return file;
}

}  // namespace tacenda::records

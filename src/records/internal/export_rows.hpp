#pragma once

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "records/export_jobs.hpp"

/// Plaintexts of the export rows (docs/data-file.md, "Export rows"), format 1. Texts are size(4) and bytes,
/// lists count(4) and items, times Unix ms(8):
///
///   j  format(1) = 1, or 2 of an application | state(1) | level(1) | user | user name | role | request id |
///   url | created | expires
///   |
///      transaction time | resources(8) | has since(1) | since | types | filters {type, query} |
///      of patients(1) | patients | remarks | of format 2: client | scopes
///   m  format(1) = 1 | kind(1) | type | count(4)
///   f  format(1) = 1 | kind(1) | type | places {type or empty: the file's, id, version(8)} | texts
namespace tacenda::records {

Bytes encode_job(ExportJob const& job);
/// Without the id. Errors: kCorrupt.
Result<ExportJob> decode_job(ByteView row);
Bytes encode_summary(ExportFileSummary const& summary);
/// Without the number. Errors: kCorrupt.
Result<ExportFileSummary> decode_summary(ByteView row);
Bytes encode_file(ExportFile const& file);
/// Errors: kCorrupt.
Result<ExportFile> decode_file(ByteView row);

}  // namespace tacenda::records

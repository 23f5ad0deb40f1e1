#include "records/internal/opened.hpp"

#include "codec/json.hpp"
#include "records/internal/extract.hpp"

namespace tacenda::records {
namespace {

// What opening a record costs, in index rows.
constexpr std::uint64_t kRowsPerRecord = 64;

}  // namespace

Result<std::vector<Term>> terms_of_version(SearchState const& state, RowPlace const& place,
                                           RowHeader const& header) {
  TACENDA_TRY_VOID(state.index().budget.spend(kRowsPerRecord));
  Bytes const body = TACENDA_TRY(open_body(state.vault(), place, header));
  auto const document = TACENDA_TRY(open_document(body));
  return state.extractor().terms_of(TACENDA_TRY(codec::parse_json(document.text)));
}

}  // namespace tacenda::records

#pragma once

#include <string_view>
#include <vector>

#include "fhir/search_query.hpp"
#include "operations/context.hpp"
#include "records/transaction.hpp"

namespace tacenda::operations {

/// A transaction whose resources get the security labels that the policy demands of their codes, and keep
/// those that the version before had unless the asker may take them off (C-17, C-18). What was seen in part
/// is not written back (C-19): kConflict. A privacy consent that no patient would be found by is refused:
/// kUnprocessable. Who may move records between patients moves them (W-01). A Binary gets what was uploaded
/// for it.
records::Transaction begin_writing(Context const& context);
/// What the transaction has collected, when no patient gets too many consents by it. Errors: as
/// Transaction::check_consents.
Result<vault::WriteSet> end_writing(Context const& context, records::Transaction& transaction);

/// May the asker look for what the criteria ask about? Not for elements that his role does not see: matches
/// would tell them (P-01). Errors: kForbidden.
Result<void> check_shown(Context const& context, std::string_view type,
                         std::vector<fhir::SearchCriterion> const& criteria);
/// The same of a whole query: order and includes, too.
Result<void> check_shown(Context const& context, fhir::SearchQuery const& query);

}  // namespace tacenda::operations

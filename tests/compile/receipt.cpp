// Only audit::Log makes a Receipt: a response that was not recorded cannot claim to be.
#include "audit/receipt.hpp"

#include <utility>

namespace tacenda {

#ifdef TACENDA_MISTAKE
audit::Receipt forged() {
  return audit::Receipt(0, Time{}, "request");
}
#endif

std::uint64_t passed_on(audit::Receipt receipt) {
  audit::Receipt const kept = std::move(receipt);
  return kept.first_sequence();
}

}  // namespace tacenda

// What is certified of an erasure (K-10). The lines are docs/operating/erasure.md's.
#include "audit/log.hpp"
#include "codec/text.hpp"
#include "privacy/erasure.hpp"

namespace tacenda::privacy {
namespace {

void line(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(" ").append(value).push_back('\n');
}

void line(std::string& text, std::string_view name, std::uint64_t value) {
  line(text, name, std::to_string(value));
}

}  // namespace

std::string certificate_of(Erasure const& erasure, std::string_view store_id) {
  std::string text(audit::Log::kCertificateLine);
  line(text, "store", store_id);
  line(text, "erasure", erasure.id);
  line(text, "key", codec::hex_encode(erasure.key));
  line(text, "ordered", codec::format_instant(erasure.ordered));
  line(text, "keys destroyed", codec::format_instant(erasure.destroyed.value_or(Time{})));
  line(text, "completed", codec::format_instant(erasure.completed.value_or(Time{})));
  line(text, "method",
       "NIST SP 800-88r2 cryptographic erase; record key and audit key of the patient, 256-bit");
  line(text, "method",
       "page key and vault root of the secure-deletion tree replaced, old vault root overwritten");
  line(text, "method", "rows of the record deleted and the files that held them rewritten");
  line(text, "copy", "row of the key vault: replaced by a mark that the keys never come back");
  line(text, "copy", "unwrapped keys in memory: wiped");
  line(text, "copy", "vault root file, two slots: the old root overwritten and synced");
  line(text, "copy", "backups: none, this version makes none");
  line(text, "verified", "the key vault has no keys of the patient; no record row lies under them");
  for (auto const& [type, count] : erasure.resources) line(text, "erased " + type, count);
  line(text, "versions", erasure.versions);
  line(text, "rewritten records of others", erasure.rewritten);
  line(text, "purged versions of others", erasure.purged);
  line(text, "ended exports", erasure.exports);
  line(text, "remains", "audit entries, whose content about the patient nobody can read");
  line(text, "remains", "references to the patient in records of others, by logical id alone");
  line(text, "remains",
       "search terms in copies of the data files that were made before, for who has the store's keys");
  return text;
}

}  // namespace tacenda::privacy

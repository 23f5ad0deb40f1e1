#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "audit/internal/entry_seal.hpp"

namespace tacenda::audit {

/// Opens the texts of requests for one listing. Keeps what many of its entries ask for: the last text, since
/// the entries of a request stand together, and the keys of patients, since a page names many.
///
/// Owner: one call, one thread.
class QueryReader {
 public:
  QueryReader(EntrySealer const& sealer, vault::View const& rows, vault::ReadPoint const* at)
      : sealer_(sealer), rows_(rows), at_(at) {}

  /// Puts the text into the entry, or says that it is erased.
  /// Errors: kCorrupt (missing, altered, or of another entry), kUnavailable.
  Result<void> read(EntrySealer::Opened& opened);

 private:
  using Keys = std::shared_ptr<vault::SubjectKeys const>;
  struct Text {
    std::uint64_t sequence = 0;
    Digest digest{};
    std::optional<std::string> text;  // nullopt: erased
  };
  struct AliasHash {
    std::size_t operator()(vault::Alias const& alias) const {
      return std::hash<std::string_view>()(as_text(alias));
    }
  };
  static constexpr std::size_t kKeysMax = 100'000;

  enum class Links : bool { kNone, kOne };

  Result<std::optional<std::string>> text_at(std::uint64_t sequence, QueryMark const& mark, Links links);
  Result<std::optional<std::string>> follow(std::uint64_t from, std::uint64_t to);
  Result<Keys> keys_behind(vault::Alias const& alias);

  EntrySealer const& sealer_;
  vault::View const& rows_;
  vault::ReadPoint const* at_;
  std::optional<Text> last_;
  std::unordered_map<vault::Alias, Keys, AliasHash> keys_;  // null: destroyed
};

}  // namespace tacenda::audit

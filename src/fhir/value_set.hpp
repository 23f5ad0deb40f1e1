#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"

namespace tacenda::fhir {

/// Source: R4 filter-operator.
enum class FilterOperator : std::uint8_t {
  kEquals,
  kIsA,
  kDescendentOf,
  kIsNotA,
  kRegex,
  kIn,
  kNotIn,
  kGeneralizes,
  kExists,
};

class CodePattern;  // a compiled regular expression

struct ValueSetFilter {
  std::string_view property;
  FilterOperator op;
  std::string_view value;
  std::shared_ptr<CodePattern const> pattern;  // of kRegex; nullptr: it cannot be used. Shared by copies
};

/// A code that a value set names itself.
struct ListedCode {
  std::string_view code;
  std::string_view display;           // empty: that of the code system
  codec::Json const* json = nullptr;  // designations; nullptr: none
  bool is_abstract = false;
  bool is_inactive = false;
};

/// One include or exclude: the codes of a system, as far as they are listed or meet every filter, that are
/// in every one of the value sets. Source: R4 valueset.html#compositions.
struct ValueSetPart {
  std::string_view system;        // empty: whatever system the value sets have
  std::string_view version;       // of the code system; empty: any
  bool lists_codes = false;       // else the whole system
  std::vector<ListedCode> codes;  // in order
  std::vector<ValueSetFilter> filters;
  std::vector<std::string_view> value_sets;  // canonical URLs

  /// nullptr: it is not listed.
  ListedCode const* find(std::string_view code) const;

 private:
  friend class ValueSet;
  std::unordered_map<std::string_view, std::uint32_t> places_;
};

/// What a ValueSet resource is composed of. One without a compose is what its stored expansion lists.
///
/// Immutable, so thread-safe; its views live as long as it does. Source: R4 valueset.html.
class ValueSet {
 public:
  static constexpr std::size_t kCodesMax = 500'000;
  static constexpr std::size_t kPartsMax = 10'000;  // with their filters and value sets
  static constexpr std::size_t kPatternsMax = 16;   // regular expressions: each may cost much to compile

  /// Takes a ValueSet over; its url may be missing. Errors: kInvalid (no ValueSet, a filter or an include
  /// that says nothing), kTooCostly.
  static Result<std::shared_ptr<ValueSet const>> parse(codec::Json document);
  /// A value set that the base definitions of R4 know in whole; nullptr: there is no such. `url` may have a
  /// version.
  static std::shared_ptr<ValueSet const> of_base(std::string_view url);

  ValueSet(ValueSet const&) = delete;
  ValueSet& operator=(ValueSet const&) = delete;

  codec::Json const& json() const { return document_; }
  std::string_view url() const { return document_.text_of("url"); }
  std::string_view version() const { return document_.text_of("version"); }
  std::vector<ValueSetPart> const& includes() const { return includes_; }
  std::vector<ValueSetPart> const& excludes() const { return excludes_; }
  /// False: codes that are inactive in their code system are not in it.
  bool takes_inactive() const { return takes_inactive_; }
  /// False: of a stored expansion only a page is here.
  bool is_whole() const { return is_whole_; }
  /// What it is made of, to bound what keeping it costs.
  std::size_t size() const { return codes_ + parts_ + kPatternSize * patterns_; }

 private:
  static constexpr std::size_t kPatternSize = 500;  // a pattern is as large as so many codes

  explicit ValueSet(codec::Json document) : document_(std::move(document)) {}
  Result<void> read();
  Result<void> read_compose(codec::Json const& compose);
  Result<ValueSetPart> read_part(codec::Json const& json);
  Result<ValueSetFilter> read_filter(codec::Json const& json);
  Result<void> read_expansion(codec::Json const& expansion);
  Result<void> add(ValueSetPart& part, ListedCode code);
  Result<void> count_part();

  codec::Json const document_;
  std::vector<ValueSetPart> includes_;
  std::vector<ValueSetPart> excludes_;
  bool takes_inactive_ = true;
  bool is_whole_ = true;
  std::size_t codes_ = 0;
  std::size_t parts_ = 0;
  std::size_t patterns_ = 0;
};

}  // namespace tacenda::fhir

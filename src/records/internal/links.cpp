#include "records/internal/links.hpp"

#include "records/internal/extract.hpp"

namespace tacenda::records {
namespace {

std::string_view url_of(std::string_view bytes, std::string& text) {
  bytes.remove_prefix(1);
  auto url = take_text(bytes);
  if (!url.has_value()) return {};
  text = std::move(*url);
  return text;
}

TermRange one_term(std::string bytes) {
  std::string end = after_prefix(bytes);
  return {std::move(bytes), std::move(end), true, {}};
}

/// Does `document` of `type` have a version that a canonical's row names, or names the row none?
Result<bool> has_version(SearchState const& state, std::string_view row, std::string_view type,
                         std::uint64_t document) {
  if (row.empty()) return true;
  auto const parameter = state.extractor().parameters().find(type, "version");
  if (parameter == nullptr) return false;
  auto const& index = state.index();
  ByteReader versions(as_bytes(row));
  while (!versions.done()) {
    auto const version = as_text(TACENDA_TRY(versions.sized()));
    TACENDA_TRY_VOID(index.budget.spend(1));
    auto const key = index_key(number_of(type, *parameter), text_token_bytes(version), document);
    if (TACENDA_TRY(index.view.get(key, &index.at))) return true;
  }
  return false;
}

/// The stream's documents, until `visit` says false. True: it never did.
Result<bool> visit_all(DocumentStream& stream, std::function<Result<bool>(std::uint64_t)> const& visit) {
  for (std::uint64_t from = 0;;) {
    auto const document = TACENDA_TRY(stream.at_or_after(from));
    if (!document) return true;
    if (!TACENDA_TRY(visit(*document))) return false;
    from = *document + 1;
  }
}

}  // namespace

TermRange reference_to(std::string_view type, std::string_view id) {
  return one_term(reference_bytes(std::string(type) + "/" + std::string(id)));
}

TermRange nested_as(std::string_view type, std::string_view id) {
  return one_term(nested_bytes(std::string(type) + "/" + std::string(id)));
}

bool is_canonical(std::string_view bytes) {
  return !bytes.empty() && bytes.front() == static_cast<char>(Section::kCanonical);
}

Result<Term> with_row(SearchState const& state, KeptTerm const& kept, std::uint64_t document) {
  Term term{kept.parameter, std::string(kept.bytes), {}};
  auto const& index = state.index();
  TACENDA_TRY_VOID(index.budget.spend(1));
  auto const row = TACENDA_TRY(index.view.get(index_key(term.parameter, term.bytes, document), &index.at));
  if (row) term.value = as_text(*row);
  return term;
}

Result<std::vector<LinkTarget>> canonical_targets(SearchState const& state, Term const& term,
                                                  std::vector<std::string_view> const& types) {
  std::vector<LinkTarget> targets;
  std::string text;
  auto const url = url_of(term.bytes, text);
  for (auto const type : types) {
    auto const parameter = state.extractor().parameters().find(type, "url");
    if (parameter == nullptr || parameter->type != fhir::SearchType::kUri) continue;
    auto const named = term_stream(state.index(), number_of(type, *parameter), one_term(uri_bytes(url)));
    TACENDA_TRY_VOID(visit_all(*named, [&](std::uint64_t document) -> Result<bool> {
      if (TACENDA_TRY(has_version(state, term.value, type, document))) targets.push_back({type, document});
      return true;
    }));
  }
  return targets;
}

Result<void> visit_referrers(SearchState const& state, std::uint32_t parameter, Candidate& target,
                             std::function<Result<bool>(std::uint64_t)> const& visit) {
  auto const* facts = TACENDA_TRY(target.facts());
  auto const literal = term_stream(state.index(), parameter, reference_to(facts->type, facts->id));
  if (!TACENDA_TRY(visit_all(*literal, visit))) return {};
  auto const own = state.extractor().parameters().find(facts->type, "url");
  if (own == nullptr || own->type != fhir::SearchType::kUri) return {};
  std::uint32_t const number = number_of(facts->type, *own);
  for (auto const& term : facts->terms) {
    if (term.parameter != number || term.bytes.front() != static_cast<char>(Section::kUri)) continue;
    std::string text;
    std::string const bytes = canonical_bytes(url_of(term.bytes, text));
    auto const named = term_stream(state.index(), parameter, one_term(bytes));
    bool const goes_on = TACENDA_TRY(visit_all(
        *named,
        [&](std::uint64_t document) -> Result<bool> {
          auto const found = TACENDA_TRY(with_row(state, {parameter, bytes}, document));
          if (!TACENDA_TRY(has_version(state, found.value, facts->type, target.document()))) return true;
          return visit(document);
        }));
    if (!goes_on) return {};
  }
  return {};
}

Result<bool> has_canonicals(SearchState const& state, std::uint32_t parameter, std::string_view inside) {
  std::string from(inside);
  from.push_back(static_cast<char>(Section::kCanonical));
  std::string to = after_prefix(from);
  return TACENDA_TRY(
             count_rows(state.index(), parameter, {{std::move(from), std::move(to), false, {}}}, 1)) > 0;
}

}  // namespace tacenda::records

// What a Transaction does to the index.
#include <algorithm>

#include "records/internal/extract.hpp"
#include "records/internal/facts.hpp"
#include "records/internal/row.hpp"
#include "records/transaction.hpp"

namespace tacenda::records {
namespace {

/// Writes the rows of one resource: by its number, or for a new one with a place for the committer to write
/// it.
class RowWriter {
 public:
  RowWriter(vault::View const& view, vault::WriteSet& set, std::uint64_t document, std::uint32_t event)
      : view_(view), set_(set), document_(document), event_(event) {}

  void put(Bytes key, Bytes value) {
    if (document_ == 0) {
      view_.put_stamped_key(set_, key, std::move(value), event_);
    } else {
      view_.put(set_, key, std::move(value));
    }
  }
  void put(Term const& term) {
    put(index_key(term.parameter, term.bytes, document_), tacenda::to_bytes(as_bytes(term.value)));
  }
  void erase(Term const& term) { view_.erase(set_, index_key(term.parameter, term.bytes, document_)); }

 private:
  vault::View const& view_;
  vault::WriteSet& set_;
  std::uint64_t document_;
  std::uint32_t event_;
};

Result<std::vector<Term>> terms_of_body(Extractor const& extractor, ByteView body) {
  auto const document = TACENDA_TRY(open_document(body));
  auto const json = TACENDA_TRY(codec::parse_json(document.text));
  return extractor.terms_of(json);
}

/// The beginning that all tokens of a code share, whatever their system.
std::string_view code_of_token(std::string_view bytes) {
  std::string_view rest = bytes.substr(1);
  if (!take_text(rest).has_value()) return bytes;
  return bytes.substr(0, bytes.size() - rest.size());
}

}  // namespace

void Transaction::touch(std::vector<Term> const& terms) {
  for (auto const& term : terms) {
    switch (static_cast<Section>(term.bytes.front())) {
      case Section::kToken:
        set_.touches(view_.guard(term_guard(term.parameter, code_of_token(term.bytes))));
        break;
      case Section::kReference:
      case Section::kNested:
      case Section::kCanonical:
      case Section::kUri:
        set_.touches(view_.guard(term_guard(term.parameter, term.bytes)));
        break;
      default:
        break;  // criteria about these depend on the type as a whole
    }
  }
}

Result<void> Transaction::replace_index(std::string_view type, std::string_view id, Current const& current,
                                        RowHeader const& header, fhir::Resource const* resource,
                                        std::uint32_t event) {
  std::vector<Term> before;
  std::vector<Term> after;
  if (!current.body.empty()) before = TACENDA_TRY(terms_of_body(*extractor_, current.body));
  if (resource != nullptr) after = TACENDA_TRY(extractor_->terms_to_write(resource->json()));

  RowWriter writer(view_, set_, current.document, event);
  std::vector<Term> changed;
  std::ranges::set_difference(before, after, std::back_inserter(changed));
  // Before the new rows: a row that stays and only its value changes is in both lists.
  for (auto const& term : changed) writer.erase(term);
  std::vector<Term> added;
  std::ranges::set_difference(after, before, std::back_inserter(added));
  for (auto const& term : added) writer.put(term);
  touch(changed);
  touch(added);
  set_.touches(view_.guard(type_guard(type)));
  announce(type, current, header.patients(),
           std::ranges::find(after, label_parameter(type), &Term::parameter) != after.end());

  Term const of_type{number_of_type(type), {}, {}};
  if (resource == nullptr) {
    writer.erase(of_type);
    view_.erase(set_, facts_key(current.document));
    return {};
  }
  if (current.body.empty()) writer.put(of_type);
  writer.put(facts_key(current.document), facts_row({type, id}, header, after));
  return {};
}

}  // namespace tacenda::records

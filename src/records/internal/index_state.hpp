#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "fhir/search_parameters.hpp"

/// What the index holds and what is still to be done to it (docs/data-file.md, "Index rows"): value of the
/// row I.
///
///   format(1) = 1 | reading(32) | flags(1): bit 0 sweeping, 1 walking, 2 whole, 3 renewing
///   done(8) | total(8) | after: text
///   defined: count(2) {ready(1) url code type(1) expression bases targets components(2) {type(1)
///   expression}}
///
/// Texts are size(4) and bytes, bases and targets count(2) and texts.
namespace tacenda::records {

struct IndexState {
  Digest reading{};       // of R4's own parameters, when the rows were written
  bool sweeping = false;  // there may be rows of parameters that are no more
  bool walking = false;   // some resources may lack rows
  bool whole = false;     // the walk writes every row, not those of awaited parameters alone
  bool renewing = false;  // the rows of R4's own parameters are all there while the whole is written again
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // of resources, when the walk began
  Bytes after;              // where sweep or walk goes on: behind this key; empty: at the beginning
  std::vector<fhir::SearchParameters::Defined> defined;

  /// False while searches would not find all.
  bool answers() const { return !whole || renewing; }

  friend bool operator==(IndexState const&, IndexState const&) = default;
};

Bytes index_state_key();
Bytes to_bytes(IndexState const& state);
/// Errors: kCorrupt.
Result<IndexState> parse_index_state(ByteView row);

}  // namespace tacenda::records

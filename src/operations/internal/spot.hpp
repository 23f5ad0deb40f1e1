#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "fhir/elements.hpp"
#include "fhirpath/item.hpp"

namespace tacenda::operations {

/// An element in JSON: its value, and what stands beside it under `_name`; null where there is none.
struct Content {
  codec::Json value;
  codec::Json shadow;

  bool is_empty() const { return value.is_null() && shadow.is_null(); }
};

/// Where an element stands in a document: a property, or one item of it. Good until the document changes.
struct Spot {
  codec::Json* parent = nullptr;     // the object that has the property
  fhir::Node const* node = nullptr;  // of parent; nullptr: not known
  std::string name;                  // in JSON, without underscore
  std::optional<std::size_t> index;  // when the property repeats
  std::size_t depth = 0;             // of parent: 1 is the document
};

/// The spot of an item that was found in `document`; nullopt: it does not stand in it, or is the document
/// itself. `work` grows by what was looked at.
std::optional<Spot> find_spot(codec::Json& document, fhirpath::Item const& item, std::size_t& work);

/// Takes a property that repeats out of its object, values and shadows together. `put_list` must follow.
std::vector<Content> take_list(codec::Json& object, std::string_view name);
/// Puts it in; an empty one is removed.
void put_list(codec::Json& object, std::string_view name, std::vector<Content> list);
/// Adds to the end of a property that repeats.
void append(codec::Json& object, std::string_view name, Content content);
/// Puts a property in that does not repeat; an empty one is removed.
void put_one(codec::Json& object, std::string_view name, Content content);

/// Removes what operations left empty: objects, arrays, and places of arrays that say nothing. Null when
/// nothing stays.
void prune(codec::Json& value);

}  // namespace tacenda::operations

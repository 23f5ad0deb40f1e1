#include "fhir/elements.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/process.hpp"
#include "fhir/generated/element_tables.hpp"
#include "fhir/types.hpp"

namespace tacenda::fhir {
namespace {

using generated::kTables;

static_assert(std::endian::native == std::endian::little, "hash_of reads names as little-endian numbers");

std::string_view text_of(std::uint16_t number) {
  std::size_t const start = kTables.text_starts[number];
  return {kTables.text + start, kTables.text_starts[number + std::size_t{1}] - start};
}

template <typename Word>
std::uint64_t load(char const* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

std::uint64_t byte_at(std::string_view name, std::size_t index) {
  return std::uint64_t{static_cast<unsigned char>(name[index])} << (8 * index);
}

/// The first and the last eight bytes and the length, mixed: names of one type differ there. Must give what
/// hash_of in tools/reduce_definitions.py gives, which filled the slots.
std::uint32_t hash_of(std::string_view name) {
  std::size_t const size = name.size();
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (size >= 8) {
    first = load<std::uint64_t>(name.data());
    last = load<std::uint64_t>(name.data() + size - 8);
  } else if (size >= 4) {
    first = load<std::uint32_t>(name.data()) | load<std::uint32_t>(name.data() + size - 4)
                                                   << (8 * (size - 4));
    last = first;
  } else if (size > 0) {
    first = byte_at(name, 0) | byte_at(name, size / 2) | byte_at(name, size - 1);
    last = first;
  }
  std::uint64_t const mixed = (first ^ (last * 0x9E3779B97F4A7C15U) ^ size) * 0xD6E8FEB86659FD93U;
  return static_cast<std::uint32_t>(mixed >> 40U);
}

}  // namespace

std::string_view path_of(Node const& node) {
  return text_of(node.path);
}

std::string_view name_of(Element const& element) {
  return text_of(element.name);
}

std::string_view definition_name_of(Element const& element) {
  return text_of(element.name).substr(0, element.stem_bytes);
}

std::size_t node_count() {
  return kTables.nodes.size();
}

Node const& node_of(TypeCode type) {
  TACENDA_ASSERT(type >= TypeCode::kFirstNode);
  return kTables.nodes[static_cast<std::size_t>(type) - static_cast<std::size_t>(TypeCode::kFirstNode)];
}

std::size_t index_of(Node const& node) {
  return static_cast<std::size_t>(&node - kTables.nodes.data());
}

TypeCode type_code_of(Node const& node) {
  return static_cast<TypeCode>(index_of(node) + static_cast<std::size_t>(TypeCode::kFirstNode));
}

Node const* find_resource_node(std::string_view type) {
  auto const types = resource_types();
  auto const at = std::ranges::lower_bound(types, type);
  if (at == types.end() || *at != type) return nullptr;
  return &node_of(
      static_cast<TypeCode>(kTables.resource_types[static_cast<std::size_t>(at - types.begin())]));
}

Node const* find_type_node(std::string_view name) {
  if (name.contains('.')) return nullptr;  // a backbone
  auto const at = std::ranges::find(kTables.nodes, name, [](Node const& node) { return path_of(node); });
  return at == kTables.nodes.end() ? nullptr : &*at;
}

std::span<Element const> elements_of(Node const& node) {
  return kTables.elements.subspan(node.first_element, node.element_count);
}

Element const* find_element(Node const& node, std::string_view name) {
  for (std::size_t slot = hash_of(name);; ++slot) {
    std::uint8_t const place = kTables.hash_slots[node.first_hash_slot + (slot & node.hash_mask)];
    if (place == 0) return nullptr;  // at most half of the slots are taken: there is one
    Element const& element = kTables.elements[node.first_element + place - std::size_t{1}];
    if (text_of(element.name) == name) return &element;
  }
}

bool is_type(Element const& element, std::string_view type_name) {
  if (!element.has(Element::kChoice)) return true;
  constexpr char kCaseBit = 0x20;
  auto const suffix = text_of(element.name).substr(element.stem_bytes);
  return suffix.size() == type_name.size() && !suffix.empty() &&
         (suffix.front() | kCaseBit) == (type_name.front() | kCaseBit) &&
         suffix.substr(1) == type_name.substr(1);
}

std::size_t target_count(Element const& element) {
  return std::size_t{kTables.target_starts[element.target_set + std::size_t{1}]} -
         kTables.target_starts[element.target_set];
}

std::string_view target_of(Element const& element, std::size_t index) {
  return text_of(kTables.targets[kTables.target_starts[element.target_set] + index]);
}

}  // namespace tacenda::fhir

#include "privacy/internal/without_patient.hpp"

#include <algorithm>
#include <array>

#include "fhir/compartment.hpp"
#include "fhir/reference.hpp"

namespace tacenda::privacy {
namespace {

using codec::Json;

class Stripper {
 public:
  explicit Stripper(Erased const& erased) : erased_(erased) {}

  /// What becomes of a value when what names him is gone.
  enum class Left : std::uint8_t {
    kWhole,
    kLess,     // without some of it
    kNothing,  // it named him, or nothing is left of it
  };

  Left strip(Json& value) const {
    if (value.is_object()) return strip_object(value);
    return Left::kWhole;
  }

  bool names_him(std::string_view reference) const {
    auto const parsed = fhir::parse_reference(reference, erased_.base_urls);
    if (parsed.kind != fhir::ReferenceKind::kLocal) return false;
    return (parsed.type == "Patient" && parsed.id == erased_.patient) ||
           erased_.is_his(parsed.type, parsed.id);
  }

 private:
  Left strip_object(Json& object) const {
    if (names_him(object.text_of("reference"))) return Left::kNothing;
    bool lost = false;
    auto& members = object.members();
    for (std::size_t i = 0; i < members.size();) {
      bool const is_list = members[i].value.is_array();
      auto const left = is_list ? strip_array(members[i].value) : strip(members[i].value);
      // A list that lost an entry is a list still: who holds it lost nothing.
      lost = lost || (left != Left::kWhole && !is_list);
      if (left == Left::kNothing) {
        members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
    if (members.empty()) return Left::kNothing;
    return lost ? Left::kLess : Left::kWhole;
  }

  /// An entry that lost what it was about goes as a whole.
  Left strip_array(Json& array) const {
    auto& items = array.items();
    auto const before = items.size();
    std::erase_if(items, [this](Json& item) { return strip(item) != Left::kWhole; });
    if (items.empty()) return Left::kNothing;
    return items.size() == before ? Left::kWhole : Left::kLess;
  }

  Erased const& erased_;
};

/// Is the text a reference to him, at whatever place, or does it begin with one?
bool tells_of(Json const& value, std::string const& needle) {
  if (value.is_string()) {
    auto const text = value.as_string();
    for (auto at = text.find(needle); at != std::string_view::npos; at = text.find(needle, at + 1)) {
      auto const end = at + needle.size();
      auto const is_id = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
               c == '.';
      };
      if (end == text.size() || !is_id(text[end])) return true;
    }
    return false;
  }
  return std::ranges::any_of(value.items(), [&](Json const& item) { return tells_of(item, needle); }) ||
         std::ranges::any_of(value.members(),
                             [&](Json::Member const& member) { return tells_of(member.value, needle); });
}

}  // namespace

std::string_view subject_of(Json const& resource) {
  if (auto const subject = fhir::clear_subject(resource); !subject.empty()) return subject;
  if (!fhir::is_of_whom_it_names(resource.text_of("resourceType"))) return {};
  for (std::string_view const name : {"for", "subject", "patient"}) {
    auto const* reference = resource.find(name);
    if (reference == nullptr) continue;
    if (reference->is_array()) {
      if (reference->items().size() != 1) return {};
      reference = &reference->items().front();
    }
    auto const parsed = fhir::parse_local_reference(reference->text_of("reference"));
    return parsed && parsed->type == "Patient" ? parsed->id : std::string_view();
  }
  return {};
}

Result<std::optional<fhir::Resource>> without_patient(Json json, Erased const& erased) {
  std::optional<fhir::Resource> none;
  // They hold resources, or stand as they were made: a document and its signature, an attachment.
  constexpr auto kWhole = std::to_array<std::string_view>({"Binary", "Bundle", "Parameters", "Patient"});
  auto const type = json.text_of("resourceType");
  if (std::ranges::find(kWhole, type) != kWhole.end() || json.find("contained") != nullptr) return none;
  if (subject_of(json) == erased.patient) return none;
  auto const before = TACENDA_TRY(fhir::Resource::parse(json));
  json.remove("text");
  if (Stripper(erased).strip(json) == Stripper::Left::kNothing) return none;
  if (tells_of(json, "Patient/" + std::string(erased.patient))) return none;
  auto after = fhir::Resource::parse(std::move(json));
  if (!after.has_value()) return none;
  if (fhir::missing_elements(*after).size() > fhir::missing_elements(before).size()) return none;
  return std::optional(std::move(*after));
}

}  // namespace tacenda::privacy

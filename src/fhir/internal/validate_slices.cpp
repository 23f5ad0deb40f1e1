// How the values of an element fall into its slices. Source: R4 profiling.html#slicing, #discriminator.
#include <algorithm>

#include "fhir/internal/validate_match.hpp"
#include "fhir/internal/validate_profile.hpp"

namespace tacenda::fhir {

using codec::Json;
using Step = DiscriminatorStep;

namespace {

/// A slice for the extension with this URL.
bool is_extension(ProfileElement const& slice, std::string_view url) {
  return !slice.types.empty() && std::ranges::any_of(slice.types.front().profiles, [&](auto const& each) {
    return without_version(each) == url;
  });
}

}  // namespace

void ProfileWalk::slices(At const& at, ProfileElement const& sliced, std::vector<Value> const& values) {
  std::vector<std::vector<Value>> found(sliced.slices.size());
  auto const rules = sliced.slicing.has_value() ? sliced.slicing->rules : SlicingRules::kOpen;
  bool const is_ordered = sliced.slicing.has_value() && sliced.slicing->is_ordered;
  std::size_t last = 0;
  bool seen_other = false;
  auto const wrong = [&](Literal text, Value const& each) {
    run_.add(Severity::kError, IssueKind::kStructure, text, at.place_of(each), {at.profile.url(), {}});
  };
  for (auto const& each : values) {
    std::size_t slice = 0;
    auto const answer = find_slice(at, sliced, each, slice);
    if (run_.is_over()) return;
    if (answer == Answer::kUnknown) {
      return run_.add(Severity::kInformation, IssueKind::kNotSupported, "slices cannot be told apart here",
                      at.owner.child(sliced.name), {at.profile.url(), {}});
    }
    if (answer == Answer::kNo) {
      if (rules == SlicingRules::kClosed) wrong("in none of the slices that the profile allows", each);
      seen_other = true;
      continue;
    }
    if (is_ordered && slice < last) wrong("not in the order of the profile's slices", each);
    if (rules == SlicingRules::kOpenAtEnd && seen_other) wrong("behind values that are in no slice", each);
    last = std::max(last, slice);
    found[slice].push_back(each);
  }
  for (std::size_t i = 0; i < found.size(); ++i) element(at, at.profile[sliced.slices[i]], found[i]);
}

ProfileWalk::Answer ProfileWalk::find_slice(At const& at, ProfileElement const& sliced, Value const& value,
                                            std::size_t& slice) {
  auto result = Answer::kNo;
  for (slice = 0; slice < sliced.slices.size(); ++slice) {
    if (!run_.step(1, at.owner)) return Answer::kUnknown;
    auto const answer = belongs(at, sliced, at.profile[sliced.slices[slice]], value);
    if (answer == Answer::kYes) return answer;
    if (answer == Answer::kUnknown) result = answer;
  }
  return result;
}

ProfileWalk::Answer ProfileWalk::belongs(At const& at, ProfileElement const& sliced,
                                         ProfileElement const& slice, Value const& value) {
  if (sliced.slicing.has_value() && sliced.slicing->is_decidable) {
    auto result = Answer::kYes;
    for (auto const& discriminator : sliced.slicing->discriminators) {
      auto const answer = judge(at, slice, discriminator, value);
      if (answer == Answer::kNo) return answer;
      if (answer == Answer::kUnknown) result = answer;
    }
    return result;
  }
  // "Extensions are always sliced by url", a choice by its type, whether the profile says so or not.
  if (value.element->type_code() == TypeCode::kExtension) {
    return judge(at, slice, {DiscriminatorKind::kValue, {{Step::Kind::kName, "url"}}}, value);
  }
  if (value.element->has(Element::kChoice)) return judge(at, slice, {DiscriminatorKind::kType, {}}, value);
  return Answer::kUnknown;
}

ProfileWalk::Answer ProfileWalk::judge(At const& at, ProfileElement const& slice,
                                       Discriminator const& discriminator, Value const& value) {
  auto const& steps = discriminator.steps;
  bool const names_extensions = value.element->type_code() == TypeCode::kExtension && !slice.types.empty() &&
                                !slice.types.front().profiles.empty();
  if (names_extensions && steps.size() == 1 && steps.front().text == "url") {
    auto const url = value.value == nullptr ? std::string_view{} : value.value->text_of("url");
    return is_extension(slice, url) ? Answer::kYes : Answer::kNo;
  }
  Trail trail{.definitions = {{&at.profile, &slice}}, .values = {value}};
  bool const by_value =
      discriminator.kind == DiscriminatorKind::kValue || discriminator.kind == DiscriminatorKind::kPattern;
  for (auto const& step : steps) {
    auto const is_fixed = [](Definition const& each) {
      return !each.element->fixed.is_null() || !each.element->pattern.is_null();
    };
    // A value fixed above decides what is below it: patternCodeableConcept for coding.code.
    if (by_value && std::ranges::any_of(trail.definitions, is_fixed)) break;
    if (step.kind == Step::Kind::kResolve && discriminator.kind == DiscriminatorKind::kType) {
      return target_type_is(at, trail);
    }
    if (!advance(at, step, trail)) return Answer::kUnknown;
  }
  return decide(at, discriminator.kind, trail);
}

bool ProfileWalk::advance(At const& at, Step const& step, Trail& trail) {
  switch (step.kind) {
    case Step::Kind::kName:
      advance_to(step.text, {}, trail);
      return run_.step(1 + trail.values.size() + trail.definitions.size(), at.owner);
    case Step::Kind::kExtension:
      advance_to("extension", step.text, trail);
      return run_.step(1 + trail.values.size() + trail.definitions.size(), at.owner);
    case Step::Kind::kResolve:
      return resolve(at, trail);
    case Step::Kind::kOfType:
      std::erase_if(trail.values, [&](Value const& each) {
        return each.element == nullptr || !is_type(*each.element, step.text);
      });
      return true;
  }
  return false;
}

/// Goes down to the property `name` of every value and definition; to extensions of one URL only, if given.
void ProfileWalk::advance_to(std::string_view name, std::string_view extension_url, Trail& trail) {
  std::vector<Value> values;
  for (auto const& each : trail.values) {
    Node const* node = node_of_value(each);
    bool const is_primitive = each.element != nullptr && each.element->is_primitive();
    Json const* object = is_primitive ? each.shadow : each.value;
    if (node == nullptr || object == nullptr) continue;
    for (auto const& found : values_of(*node, *object, name)) {
      bool const fits =
          extension_url.empty() || (found.value != nullptr && found.value->text_of("url") == extension_url);
      if (fits) values.push_back(found);
    }
  }
  std::vector<Definition> definitions;
  auto const add_children = [&](Profile const& profile, ProfileElement const& parent) {
    for (auto const index : profile.children_of(parent)) {
      ProfileElement const& child = profile[index];
      if (child.name != name) continue;
      if (extension_url.empty()) definitions.push_back({&profile, &child});
      // Slices below take part when one of them must be there.
      for (auto const number : child.slices) {
        ProfileElement const& slice = profile[number];
        bool const is_asked_for = extension_url.empty() ? slice.min > 0 || child.slices.size() == 1
                                                        : is_extension(slice, extension_url);
        if (is_asked_for) definitions.push_back({&profile, &slice});
      }
    }
  };
  for (auto const& each : trail.definitions) {
    auto const before = definitions.size();
    add_children(*each.profile, *each.element);
    if (definitions.size() > before || each.element->types.empty()) continue;
    auto const& type = each.element->types.front();
    auto const& urls = trail.is_resolved ? type.target_profiles : type.profiles;
    if (urls.size() != 1) continue;
    if (Profile const* profile = run_.find_profile(urls.front())) add_children(*profile, profile->root());
  }
  trail.is_resolved = false;
  trail.values = std::move(values);
  trail.definitions = std::move(definitions);
}

bool ProfileWalk::resolve(At const& at, Trail& trail) {
  std::vector<Value> targets;
  for (auto const& each : trail.values) {
    if (each.value == nullptr) continue;
    Json const* target = run_.find_target(each.value->text_of("reference"), at.scope);
    if (target == nullptr) return false;  // outside the document
    targets.push_back({target, nullptr, nullptr, Place::kNoIndex});
  }
  trail.values = std::move(targets);
  trail.is_resolved = true;
  return true;
}

ProfileWalk::Answer ProfileWalk::decide(At const& at, DiscriminatorKind kind, Trail const& trail) {
  if (trail.definitions.empty()) return Answer::kUnknown;
  switch (kind) {
    case DiscriminatorKind::kValue:
    case DiscriminatorKind::kPattern:
      return decide_value(at, trail);
    case DiscriminatorKind::kExists:
      return decide_exists(trail);
    case DiscriminatorKind::kType:
      return trail.is_resolved ? target_type_is(at, trail) : decide_type(trail);
    case DiscriminatorKind::kProfile:
      return decide_profile(at, trail);
  }
  return Answer::kUnknown;
}

ProfileWalk::Answer ProfileWalk::decide_value(At const& at, Trail const& trail) {
  auto result = Answer::kUnknown;
  for (auto const& definition : trail.definitions) {
    ProfileElement const& element = *definition.element;
    bool const says = !element.fixed.is_null() || !element.pattern.is_null() ||
                      (!element.value_set.empty() && element.strength == BindingStrength::kRequired) ||
                      !definition.profile->children_of(element).empty();
    if (!says) continue;
    bool const found =
        std::ranges::any_of(trail.values, [&](Value const& each) { return satisfies(at, definition, each); });
    if (!found) return Answer::kNo;
    result = Answer::kYes;
  }
  return result;
}

bool ProfileWalk::satisfies(At const& at, Definition const& definition, Value const& value) {
  ProfileElement const& element = *definition.element;
  if (value.value == nullptr) return false;
  Match match(run_, at.owner);
  if (!element.fixed.is_null()) return match.same(element.fixed, *value.value);
  if (!element.pattern.is_null()) return match.fits(element.pattern, *value.value);
  if (!element.value_set.empty() && element.strength == BindingStrength::kRequired &&
      run_.membership(element.value_set, value) != Membership::kIn) {
    return false;
  }
  if (definition.profile->children_of(element).empty()) return true;
  Node const* node = node_of_value(value);
  Json const* object = value.object();
  if (node == nullptr || object == nullptr) return false;
  return run_.passes([&] {
    children(*definition.profile, element, *node, *object, at.scope, at.owner.child(element.name));
  });
}

ProfileWalk::Answer ProfileWalk::decide_exists(Trail const& trail) {
  auto const& element = *trail.definitions.front().element;
  if (element.max == 0) return trail.values.empty() ? Answer::kYes : Answer::kNo;
  if (element.min > 0) return trail.values.empty() ? Answer::kNo : Answer::kYes;
  return Answer::kUnknown;
}

ProfileWalk::Answer ProfileWalk::decide_type(Trail const& trail) {
  auto const& types = trail.definitions.front().element->types;
  if (types.empty()) return Answer::kUnknown;
  auto const fits = [&](Value const& value) {
    return std::ranges::any_of(types, [&](ProfileType const& type) {
      if (value.element != nullptr && value.element->type_code() != TypeCode::kResource) {
        return is_type(*value.element, type.code);
      }
      Node const* node = node_of_value(value);
      return node != nullptr && is_kind_of(*node, type.code);
    });
  };
  return std::ranges::any_of(trail.values, fits) ? Answer::kYes : Answer::kNo;
}

std::vector<std::string> ProfileWalk::target_types(std::vector<Definition> const& definitions) {
  std::vector<std::string> found;
  for (auto const& definition : definitions) {
    for (auto const& type : definition.element->types) {
      for (auto const& url : type.target_profiles) {
        auto const base = base_definition(url);
        if (!base.empty() && find_type_node(base) != nullptr) {
          found.emplace_back(base);
        } else if (Profile const* profile = run_.find_profile(url)) {
          found.emplace_back(profile->type());
        }
      }
    }
  }
  return found;
}

ProfileWalk::Answer ProfileWalk::target_type_is(At const& at, Trail const& trail) {
  auto const wanted = target_types(trail.definitions);
  if (wanted.empty()) return Answer::kUnknown;
  auto result = Answer::kNo;
  for (auto const& each : trail.values) {
    if (each.value == nullptr) continue;
    auto const type = run_.target_type(*each.value, at.scope);
    Node const* node = find_resource_node(type);
    if (node == nullptr) {
      result = Answer::kUnknown;
    } else if (std::ranges::any_of(wanted, [&](auto const& one) { return is_kind_of(*node, one); })) {
      return Answer::kYes;
    }
  }
  return result;
}

ProfileWalk::Answer ProfileWalk::decide_profile(At const& at, Trail const& trail) {
  auto result = Answer::kUnknown;
  for (auto const& type : trail.definitions.front().element->types) {
    for (auto const& url : trail.is_resolved ? type.target_profiles : type.profiles) {
      bool const is_known = !base_definition(url).empty() || run_.find_profile(url) != nullptr;
      if (!is_known) return Answer::kUnknown;
      for (auto const& each : trail.values) {
        if (trail.is_resolved) {
          auto const local = "#" + std::string(each.value->text_of("id"));
          bool const is_contained = run_.find_target(local, at.scope) == each.value;
          Target const target{each.value->text_of("resourceType"), each.value,
                              is_contained ? at.scope.root : each.value};
          if (target_conforms(url, target, at.owner)) return Answer::kYes;
        } else if (conforms_to(url, each, at.scope, at.owner)) {
          return Answer::kYes;
        }
      }
      result = Answer::kNo;
    }
  }
  return result;
}

}  // namespace tacenda::fhir

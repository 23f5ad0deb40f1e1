// CodeSystem/$lookup and CodeSystem/$subsumes.
#include <algorithm>
#include <array>

#include "operations/internal/terminology_call.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;

constexpr auto kLookupTakes =
    std::to_array<std::string_view>({"code", "system", "version", "coding", "displayLanguage", "property"});
constexpr auto kSubsumesTakes =
    std::to_array<std::string_view>({"codeA", "codeB", "system", "version", "codingA", "codingB"});

std::vector<Json> const& items_of(Json const& json, std::string_view name) {
  static Json const none = Json::array();
  Json const* list = json.find(name);
  return list == nullptr ? none.items() : list->items();
}

class Lookup {
 public:
  Lookup(fhir::CodeSystem const& system, std::uint32_t number, Arguments const& arguments)
      : system_(system), found_(system[number]), wanted_(arguments.texts("property")) {
    member_.concept_of_code = &found_;
    member_.display = found_.display;
    language_ = arguments.text("displayLanguage");
  }

  Json answer() {
    auto const name = system_.json().text_of("name");
    answer_.text("name", "valueString", name.empty() ? system_.url() : name);
    answer_.text("version", "valueString", system_.version());
    auto const display = display_in(member_, language_);
    answer_.text("display", "valueString", display.empty() ? found_.code : display);
    if (is_wanted("designation")) designations();
    if (is_wanted("definition")) {
      auto const text = found_.json->text_of("definition");
      if (!text.empty()) property("definition", "valueString", Json::string(text));
    }
    if (is_wanted("inactive")) property("inactive", "valueBoolean", Json::boolean(found_.is_inactive));
    for (auto const* kind : {"parent", "child"}) {
      if (!is_wanted(kind)) continue;
      for (auto const code : fhir::property_values(system_, found_, kind)) {
        property(kind, "valueCode", Json::string(code));
      }
    }
    own_properties();
    return std::move(answer_).take();
  }

 private:
  bool is_wanted(std::string_view name) const {
    return wanted_.empty() || std::ranges::find(wanted_, name) != wanted_.end();
  }

  void property(std::string_view code, std::string_view member, Json value) {
    Json parts = Json::array();
    parts.push(ParametersBuilder::part("code", "valueCode", Json::string(code)));
    parts.push(ParametersBuilder::part("value", member, std::move(value)));
    answer_.parts("property", std::move(parts));
  }

  void own_properties() {
    for (auto const& each : items_of(*found_.json, "property")) {
      auto const code = each.text_of("code");
      // These are told above, from both of their ends.
      if (code == "parent" || code == "child" || code == "inactive" || !is_wanted(code)) continue;
      for (auto const& member : each.members()) {
        if (member.name.starts_with("value")) property(code, member.name, member.value);
      }
    }
  }

  void designations() {
    for (auto const& each : items_of(*found_.json, "designation")) {
      Json parts = Json::array();
      if (auto const language = each.text_of("language"); !language.empty()) {
        parts.push(ParametersBuilder::part("language", "valueCode", Json::string(language)));
      }
      if (Json const* use = each.find("use")) parts.push(ParametersBuilder::part("use", "valueCoding", *use));
      parts.push(ParametersBuilder::part("value", "valueString", Json::string(each.text_of("value"))));
      answer_.parts("designation", std::move(parts));
    }
  }

  fhir::CodeSystem const& system_;
  fhir::Concept const& found_;
  fhir::Member member_;
  std::vector<std::string_view> wanted_;
  std::string_view language_;
  ParametersBuilder answer_;
};

/// A code with its system, from two parameters or a Coding.
struct Coded {
  std::string_view system;
  std::string_view code;
};

Coded coded_of(Arguments const& arguments, std::string_view code, std::string_view coding) {
  if (Json const* json = arguments.object(coding)) return {json->text_of("system"), json->text_of("code")};
  return {arguments.text("system"), arguments.text(code)};
}

Result<std::uint32_t> number_of(fhir::CodeSystem const& system, std::string_view code) {
  auto const number = system.find(code);
  if (!number) return fail(ErrorKind::kNotFound, "the code system does not have this code");
  return *number;
}

}  // namespace

Result<Outcome> lookup(Context const& context, TerminologyRequest const& request) {
  TerminologyCall call(context, request, TACENDA_TRY(Arguments::read(request, kLookupTakes)));
  auto const coded = coded_of(call.arguments(), "code", "coding");
  if (coded.code.empty()) return fail(ErrorKind::kInvalid, "there is no code to look up");
  auto const system = TACENDA_TRY(call.code_system(coded.system, call.arguments().text("version")));
  auto const number = TACENDA_TRY(number_of(*system, coded.code));
  return call.finish(system->url(), Lookup(*system, number, call.arguments()).answer());
}

Result<Outcome> subsumes(Context const& context, TerminologyRequest const& request) {
  TerminologyCall call(context, request, TACENDA_TRY(Arguments::read(request, kSubsumesTakes)));
  auto const a = coded_of(call.arguments(), "codeA", "codingA");
  auto const b = coded_of(call.arguments(), "codeB", "codingB");
  if (a.code.empty() || b.code.empty()) return fail(ErrorKind::kInvalid, "two codes are to be compared");
  if (a.system != b.system) return fail(ErrorKind::kInvalid, "the codes are of two code systems");
  auto const system = TACENDA_TRY(call.code_system(a.system, call.arguments().text("version")));
  if (!a.system.empty() && a.system != system->url()) {
    return fail(ErrorKind::kInvalid, "the codes are of another code system");
  }
  auto const number_of_a = TACENDA_TRY(number_of(*system, a.code));
  auto const number_of_b = TACENDA_TRY(number_of(*system, b.code));
  ParametersBuilder answer;
  answer.text("outcome", "valueCode", code_of(system->compare(number_of_a, number_of_b)));
  return call.finish(system->url(), std::move(answer).take());
}

}  // namespace tacenda::operations

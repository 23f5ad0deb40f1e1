// ValueSet/$validate-code and CodeSystem/$validate-code.
#include <algorithm>
#include <array>

#include "codec/fold.hpp"
#include "operations/internal/terminology_call.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;
using fhir::Member;
using fhir::Membership;

constexpr auto kTakes = std::to_array<std::string_view>(
    {"url", "valueSet", "valueSetVersion", "codeSystem", "version", "code", "system", "systemVersion",
     "display", "coding", "codeableConcept", "abstract", "displayLanguage"});

constexpr std::size_t kCodingsMax = 100;
// A longer text is no display that somebody could mean: comparing costs more than its length.
constexpr std::size_t kDisplayBytes = 4'096;

/// One code as it is asked about.
struct Asked {
  std::optional<std::string_view> system;
  std::string_view code;
  std::string_view display;
};

Asked asked_of(Json const& coding) {
  Asked asked{std::nullopt, coding.text_of("code"), coding.text_of("display")};
  if (auto const system = coding.text_of("system"); !system.empty()) asked.system = system;
  return asked;
}

/// The codes that are asked about: one of them must be good.
Result<std::vector<Asked>> asked_of(Arguments const& arguments) {
  std::vector<Asked> asked;
  if (auto const code = arguments.text("code"); !code.empty()) {
    asked.push_back({std::nullopt, code, arguments.text("display")});
    if (auto const system = arguments.text("system"); !system.empty()) asked.back().system = system;
  }
  if (Json const* coding = arguments.object("coding")) asked.push_back(asked_of(*coding));
  if (Json const* value = arguments.object("codeableConcept")) {
    Json const* codings = value->find("coding");
    if (codings != nullptr) {
      for (auto const& each : codings->items()) asked.push_back(asked_of(each));
    }
  }
  if (asked.size() > kCodingsMax) return fail(ErrorKind::kTooLarge, "there are too many codings");
  std::erase_if(asked, [](Asked const& each) { return each.code.empty(); });
  if (asked.empty())
    return fail(ErrorKind::kInvalid, "there is no code, coding or codeableConcept to validate");
  return asked;
}

bool is_display_of(Member const& member, std::string_view display) {
  if (display.size() > kDisplayBytes) return member.display == display;
  auto const wanted = codec::fold(display);
  auto const is_same = [&](std::string_view text) {
    return text.size() <= kDisplayBytes && codec::fold(text) == wanted;
  };
  if (member.display.empty() || is_same(member.display)) return true;
  for (Json const* json : {member.listed == nullptr ? nullptr : member.listed->json,
                           member.concept_of_code == nullptr ? nullptr : member.concept_of_code->json}) {
    if (json == nullptr) continue;
    if (is_same(json->text_of("display"))) return true;
    Json const* list = json->find("designation");
    if (list == nullptr) continue;
    if (std::ranges::any_of(list->items(),
                            [&](Json const& each) { return is_same(each.text_of("value")); })) {
      return true;
    }
  }
  return false;
}

struct Verdict {
  bool is_good = false;
  std::string_view message;  // a literal
  std::string display;
};

class ValidateCode {
 public:
  ValidateCode(TerminologyCall& call, bool takes_headings) : call_(call), takes_headings_(takes_headings) {}

  Result<Verdict> in_value_set(fhir::ValueSet const& set, Asked const& asked) {
    auto const found = TACENDA_TRY(call_.terminology().find(set, {asked.system, asked.code}));
    if (found.membership == Membership::kOut)
      return Verdict{false, "the value set does not have this code", {}};
    if (found.membership == Membership::kUnknown) {
      return Verdict{false, "it cannot be told: a code system or value set is not here in whole", {}};
    }
    return judge(found.member, asked);
  }

  Result<Verdict> in_code_system(fhir::CodeSystem const& system, Asked const& asked) const {
    if (asked.system && *asked.system != system.url()) {
      return Verdict{false, "the code is of another code system", {}};
    }
    auto const number = system.find(asked.code);
    if (!number && system.is_complete()) return Verdict{false, "the code system does not have this code", {}};
    if (!number) return Verdict{false, "it cannot be told: the code system is not here in whole", {}};
    Member member;
    member.concept_of_code = &system[*number];
    member.display = system[*number].display;
    member.is_abstract = system[*number].is_abstract;
    return judge(member, asked);
  }

 private:
  Verdict judge(Member const& member, Asked const& asked) const {
    std::string display(display_in(member, call_.arguments().text("displayLanguage")));
    if (member.is_abstract && !takes_headings_) {
      return {false, "the code is abstract: it stands for others and is not to be recorded",
              std::move(display)};
    }
    if (!asked.display.empty() && !is_display_of(member, asked.display)) {
      return {false, "the display is none of this code", std::move(display)};
    }
    return {true, {}, std::move(display)};
  }

  TerminologyCall& call_;
  bool takes_headings_;
};

}  // namespace

Result<Outcome> validate_code(Context const& context, TerminologyRequest const& request) {
  TerminologyCall call(context, request, TACENDA_TRY(Arguments::read(request, kTakes)));
  auto const& arguments = call.arguments();
  auto const asked = TACENDA_TRY(asked_of(arguments));
  ValidateCode validate(call, TACENDA_TRY(arguments.flag("abstract")).value_or(true));
  std::optional<Verdict> verdict;
  std::string canonical;
  if (request.type == "ValueSet") {
    auto const set = TACENDA_TRY(call.value_set());
    canonical = set->url();
    for (auto const& each : asked) {
      if (!verdict || !verdict->is_good) verdict = TACENDA_TRY(validate.in_value_set(*set, each));
    }
  } else {
    auto const url = arguments.text("url");
    auto const named = url.empty() ? asked.front().system.value_or("") : url;
    auto const system = TACENDA_TRY(call.code_system(named, arguments.text("version")));
    canonical = system->url();
    for (auto const& each : asked) {
      if (!verdict || !verdict->is_good) verdict = TACENDA_TRY(validate.in_code_system(*system, each));
    }
  }
  ParametersBuilder answer;
  answer.flag("result", verdict->is_good);
  answer.text("message", "valueString", verdict->message);
  answer.text("display", "valueString", verdict->display);
  return call.finish(canonical, std::move(answer).take());
}

}  // namespace tacenda::operations

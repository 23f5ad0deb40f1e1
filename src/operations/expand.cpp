// ValueSet/$expand.
#include <algorithm>
#include <array>
#include <set>

#include "codec/fold.hpp"
#include "codec/text.hpp"
#include "operations/internal/terminology_call.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;
using fhir::Member;

constexpr auto kTakes = std::to_array<std::string_view>(
    {"url", "valueSet", "valueSetVersion", "filter", "offset", "count", "includeDesignations",
     "includeDefinition", "activeOnly", "excludeNested", "excludeNotForUI", "excludePostCoordinated",
     "displayLanguage"});

constexpr std::size_t kFilterBytes = 1'000;

/// What of the expansion is wanted.
struct Wanted {
  std::vector<std::string> words;  // folded
  bool active_only = false;
  bool no_headings = false;
  bool designations = false;
  bool definition = false;
  std::optional<std::size_t> offset;
  std::optional<std::size_t> count;
  std::string_view language;
};

std::vector<std::string> words_of(std::string_view filter) {
  std::vector<std::string> words;
  std::string const folded = codec::fold(filter);
  for (std::size_t at = 0; at < folded.size();) {
    auto const end = std::min(folded.find(' ', at), folded.size());
    if (end > at) words.push_back(folded.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

Result<Wanted> wanted_of(Arguments const& arguments) {
  Wanted wanted;
  if (arguments.text("filter").size() > kFilterBytes) return fail(ErrorKind::kTooLarge, "filter is too long");
  wanted.words = words_of(arguments.text("filter"));
  wanted.active_only = TACENDA_TRY(arguments.flag("activeOnly")).value_or(false);
  wanted.no_headings = TACENDA_TRY(arguments.flag("excludeNested")).value_or(false) ||
                       TACENDA_TRY(arguments.flag("excludeNotForUI")).value_or(false);
  wanted.designations = TACENDA_TRY(arguments.flag("includeDesignations")).value_or(false);
  wanted.definition = TACENDA_TRY(arguments.flag("includeDefinition")).value_or(false);
  wanted.offset = TACENDA_TRY(arguments.number("offset"));
  wanted.count = TACENDA_TRY(arguments.number("count"));
  wanted.language = arguments.text("displayLanguage");
  return wanted;
}

bool has_words(Member const& member, Wanted const& wanted) {
  if (wanted.words.empty()) return true;
  std::string const text = codec::fold(display_in(member, wanted.language)) + " " + codec::fold(member.code);
  return std::ranges::all_of(wanted.words, [&](std::string const& word) { return text.contains(word); });
}

bool is_wanted(Member const& member, Wanted const& wanted) {
  if (wanted.active_only && member.is_inactive) return false;
  if (wanted.no_headings && member.is_abstract) return false;
  return has_words(member, wanted);
}

void add_designations(Member const& member, Json& item) {
  Json designations = Json::array();
  for (Json const* json : {member.listed == nullptr ? nullptr : member.listed->json,
                           member.concept_of_code == nullptr ? nullptr : member.concept_of_code->json}) {
    Json const* list = json == nullptr ? nullptr : json->find("designation");
    if (list == nullptr) continue;
    for (auto const& each : list->items()) designations.push(each);
  }
  if (!designations.items().empty()) item.set("designation", std::move(designations));
}

Json item_of(Member const& member, Wanted const& wanted) {
  Json item = Json::object();
  if (!member.system.empty()) item.set("system", Json::string(member.system));
  if (member.is_abstract) item.set("abstract", Json::boolean(true));
  if (member.is_inactive) item.set("inactive", Json::boolean(true));
  item.set("code", Json::string(member.code));
  auto const display = display_in(member, wanted.language);
  if (!display.empty()) item.set("display", Json::string(display));
  if (wanted.designations) add_designations(member, item);
  return item;
}

/// What the expansion was made with: the parameters as they were asked, and the code systems' versions.
Json parameters_of(Arguments const& arguments, Wanted const& wanted, fhir::Expansion const& expansion) {
  Json list = Json::array();
  for (auto const* name : {"filter", "displayLanguage"}) {
    auto const value = arguments.text(name);
    if (!value.empty()) list.push(ParametersBuilder::part(name, "valueString", Json::string(value)));
  }
  for (auto const* name : {"activeOnly", "excludeNested", "includeDesignations"}) {
    auto const value = arguments.text(name);
    if (!value.empty()) {
      list.push(ParametersBuilder::part(name, "valueBoolean", Json::boolean(value == "true")));
    }
  }
  if (wanted.count) {
    list.push(ParametersBuilder::part("count", "valueInteger",
                                      Json::number(static_cast<std::int64_t>(*wanted.count))));
  }
  std::set<std::pair<std::string_view, std::string_view>> systems;
  for (auto const& member : expansion.members) {
    if (!member.version.empty()) systems.emplace(member.system, member.version);
  }
  for (auto const& [system, version] : systems) {
    std::string const canonical = std::string(system).append("|").append(version);
    list.push(ParametersBuilder::part("version", "valueUri", Json::string(canonical)));
  }
  return list;
}

/// Source: R4 extension-valueset-unclosed.html.
Json unclosed() {
  Json extension = Json::object();
  extension.set("url", Json::string("http://hl7.org/fhir/StructureDefinition/valueset-unclosed"));
  extension.set("valueBoolean", Json::boolean(true));
  Json list = Json::array();
  list.push(std::move(extension));
  return list;
}

Json answer_of(fhir::ValueSet const& set, fhir::Expansion const& expansion, Arguments const& arguments,
               Wanted const& wanted, Time now) {
  Json contains = Json::array();
  std::size_t const from = wanted.offset.value_or(0);
  std::size_t total = 0;
  for (auto const& member : expansion.members) {
    if (!is_wanted(member, wanted)) continue;
    std::size_t const place = total++;
    if (place < from || (wanted.count && place - from >= *wanted.count)) continue;
    contains.push(item_of(member, wanted));
  }
  Json made = Json::object();
  if (expansion.is_unclosed) made.set("extension", unclosed());
  made.set("timestamp", Json::string(codec::format_instant(now)));
  made.set("total", Json::number(static_cast<std::int64_t>(total)));
  if (wanted.offset || wanted.count) made.set("offset", Json::number(static_cast<std::int64_t>(from)));
  Json parameters = parameters_of(arguments, wanted, expansion);
  if (!parameters.items().empty()) made.set("parameter", std::move(parameters));
  if (!contains.items().empty()) made.set("contains", std::move(contains));

  Json answer = Json::object();
  answer.set("resourceType", Json::string("ValueSet"));
  for (auto const* name : {"id", "url", "version", "name", "title", "status"}) {
    if (Json const* value = set.json().find(name)) answer.set(name, *value);
  }
  if (answer.find("status") == nullptr) answer.set("status", Json::string("unknown"));
  Json const* compose = set.json().find("compose");
  if (wanted.definition && compose != nullptr) answer.set("compose", *compose);
  answer.set("expansion", std::move(made));
  return answer;
}

}  // namespace

Result<Outcome> expand(Context const& context, TerminologyRequest const& request) {
  TerminologyCall call(context, request, TACENDA_TRY(Arguments::read(request, kTakes)));
  auto const wanted = TACENDA_TRY(wanted_of(call.arguments()));
  auto const set = TACENDA_TRY(call.value_set());
  auto const expansion = TACENDA_TRY(call.terminology().expand(*set));
  return call.finish(set->url(), answer_of(*set, expansion, call.arguments(), wanted, context.now));
}

}  // namespace tacenda::operations

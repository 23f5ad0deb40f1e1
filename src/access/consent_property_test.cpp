// Consents against a second evaluator that reads the JSON anew for each question, keeps nothing, and knows no
// "unknown" of its own: a provision that can be met or not met is tried both ways, and the worst ruling of
// all worlds counts.
#include <array>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "access/consent.hpp"
#include "access/internal/consent_testing.hpp"

namespace tacenda::access {
namespace {

using codec::Json;
using testing::Asker;
using testing::Record;

// --- the literal evaluator

/// What can be true of a statement.
struct Truth {
  bool may_hold = false;
  bool may_fail = false;
};
constexpr Truth kTrue{true, false};
constexpr Truth kFalse{false, true};
constexpr Truth kEither{true, true};
Truth truth(bool holds) {
  return holds ? kTrue : kFalse;
}
Truth either(Truth a, Truth b) {  // or
  return {a.may_hold || b.may_hold, a.may_fail && b.may_fail};
}
Truth both(Truth a, Truth b) {  // and
  return {a.may_hold && b.may_hold, a.may_fail || b.may_fail};
}

void collect_references(Json const& json, std::set<std::string>& found) {
  if (auto const text = std::string(json.text_of("reference")); !text.empty()) {
    found.insert(text.substr(0, text.find("/_history/")));
  }
  for (auto const& item : json.items()) collect_references(item, found);
  for (auto const& member : json.members()) collect_references(member.value, found);
}

void collect_codes(Json const& json, std::set<std::pair<std::string, std::string>>& found) {
  if (auto const code = json.text_of("code"); !code.empty()) {
    found.emplace(json.text_of("system"), code);
  }
  for (auto const& item : json.items()) collect_codes(item, found);
  for (auto const& member : json.members()) collect_codes(member.value, found);
}

class Literal {
 public:
  Literal(Json const& consent, Asker const& asker, Record const& record)
      : consent_(consent), asker_(asker), record_(record) {}

  Ruling rule() {
    auto const policy =
        std::string(consent_.find("policyRule") == nullptr
                        ? ""
                        : consent_.find("policyRule")->find("coding")->items()[0].text_of("code"));
    Json const& root = *consent_.find("provision");
    if (!now_in(root.find("period"))) return Ruling::kNone;
    std::string const base = policy == "OPTIN" ? "permit" : policy == "OPTOUT" ? "deny" : "";
    // Which provisions are undecided, in the order in which they are visited.
    undecided_.clear();
    note(root, base);
    auto worst = Ruling::kPermit;
    for (std::uint64_t world = 0; world < (std::uint64_t{1} << undecided_.size()); ++world) {
      for (std::size_t i = 0; i < undecided_.size(); ++i) is_met_[undecided_[i]] = (world >> i & 1U) != 0;
      auto ruling = judge(root, base);
      if (policy == "OPTOUT" && ruling == Ruling::kNone) ruling = Ruling::kDeny;
      if (ruling == Ruling::kDeny) worst = ruling;
      if (ruling == Ruling::kNone && worst == Ruling::kPermit) worst = ruling;
    }
    return worst;
  }

 private:
  static std::string type_of(Json const& provision, std::string const& base) {
    auto const own = std::string(provision.text_of("type"));
    return own.empty() ? base : own;
  }

  void note(Json const& provision, std::string const& base) {
    auto const met = criteria(provision, type_of(provision, base));
    is_met_[&provision] = met.may_hold;
    if (met.may_hold && met.may_fail) undecided_.push_back(&provision);
    for (auto const& nested : nested_of(provision)) note(nested, "");
  }

  static std::vector<Json> const& nested_of(Json const& provision) {
    static std::vector<Json> const kNone;
    auto const* nested = provision.find("provision");
    return nested == nullptr ? kNone : nested->items();
  }

  Ruling judge(Json const& provision, std::string const& base) {
    if (!is_met_.at(&provision)) return Ruling::kNone;
    std::multiset<Ruling> said;
    for (auto const& nested : nested_of(provision)) said.insert(judge(nested, ""));
    if (said.contains(Ruling::kDeny)) return Ruling::kDeny;
    if (said.contains(Ruling::kPermit)) return Ruling::kPermit;
    return type_of(provision, base) == "permit" ? Ruling::kPermit : Ruling::kDeny;
  }

  bool now_in(Json const* period) const {
    if (period == nullptr) return true;
    auto const today = asker_.now.substr(0, 10);
    auto const start = std::string(period->text_of("start"));
    auto const end = std::string(period->text_of("end"));
    return (start.empty() || start <= today) && (end.empty() || today <= end);
  }

  Truth criteria(Json const& provision, std::string const& type) const {
    Truth all = truth(now_in(provision.find("period")));
    for (auto const& member : provision.members()) {
      Truth one = kFalse;
      if (member.name == "dataPeriod") {
        one = data_period(member.value);
      } else if (member.name == "type" || member.name == "period" || member.name == "provision") {
        continue;
      } else {
        for (auto const& entry : member.value.items()) one = either(one, criterion(member.name, entry, type));
      }
      all = both(all, one);
    }
    return all;
  }

  Truth criterion(std::string const& name, Json const& entry, std::string const& type) const {
    if (name == "actor") return actor(entry);
    if (name == "action") return action(entry);
    if (name == "securityLabel") return label(entry, type);
    if (name == "purpose") return purpose(entry);
    if (name == "class") return class_of(entry);
    if (name == "code") return code(entry);
    if (name == "data") return data(entry);
    ADD_FAILURE() << name;
    return kFalse;
  }

  Truth actor(Json const& entry) const {
    auto const role = std::string(entry.find("role")->find("coding")->items()[0].text_of("code"));
    auto const reference = std::string(entry.find("reference")->text_of("reference"));
    if (role == "CST") return kEither;
    if (role == "nurse" && reference.empty())
      return asker_.role.empty() ? kEither : truth(asker_.role == "nurse");
    if (reference.empty()) return kEither;
    if (role == "AUT") return truth(authors().contains(reference));
    bool const is_asker = std::set(asker_.actors.begin(), asker_.actors.end()).contains(reference);
    if (asker_.actors.empty()) return kEither;
    if (!is_asker) return kFalse;
    return role == "nurse" && asker_.role != "nurse" ? kEither : kTrue;
  }

  std::set<std::string> authors() const {
    std::set<std::string> found;
    for (auto const* name : {"performer", "author"}) {
      if (auto const* element = record_.content.find(name)) collect_references(*element, found);
    }
    return found;
  }

  Truth action(Json const& entry) const {
    auto const* codings = entry.find("coding");
    if (codings == nullptr) return kEither;
    static std::map<std::string, ConsentAction> const kActions{{"collect", ConsentAction::kCollect},
                                                               {"access", ConsentAction::kAccess},
                                                               {"use", ConsentAction::kUse},
                                                               {"disclose", ConsentAction::kDisclose},
                                                               {"correct", ConsentAction::kCorrect}};
    return truth(kActions.at(std::string(codings->items()[0].text_of("code"))) == asker_.action);
  }

  Truth label(Json const& entry, std::string const& type) const {
    auto const code = std::string(entry.text_of("code"));
    if (code.empty()) return kEither;
    std::set<std::string> own;
    std::size_t level = 3;
    std::string const levels = "ULMNRV";
    if (auto const* meta = record_.content.find("meta")) {
      bool is_stated = false;
      for (auto const& coding : meta->find("security")->items()) {
        auto const text = std::string(coding.text_of("code"));
        own.insert(text);
        if (text.size() != 1) continue;
        level = is_stated ? std::max(level, levels.find(text)) : levels.find(text);
        is_stated = true;
      }
    }
    if (code.size() == 1) {
      auto const wanted = levels.find(code);
      return truth(type == "permit" ? level <= wanted : level >= wanted);
    }
    static std::map<std::string, std::set<std::string>> const kWithin{{"HIV", {"HIV"}},
                                                                      {"SUD", {"SUD", "ETHUD"}},
                                                                      {"SPI", {"SPI", "SUD", "ETHUD", "PSY"}},
                                                                      {"PSY", {"PSY"}}};
    for (auto const& one : kWithin.at(code)) {
      if (own.contains(one)) return kTrue;
    }
    return kFalse;
  }

  Truth purpose(Json const& entry) const {
    auto const code = std::string(entry.text_of("code"));
    if (code.empty() || asker_.purpose.empty()) return kEither;
    static std::map<std::string, std::set<std::string>> const kWithin{{"TREAT", {"TREAT", "ETREAT", "BTG"}},
                                                                      {"ETREAT", {"ETREAT", "BTG"}},
                                                                      {"HRESCH", {"HRESCH", "CLINTRCH"}}};
    return truth(kWithin.at(code).contains(asker_.purpose));
  }

  Truth class_of(Json const& entry) const {
    auto const system = entry.text_of("system");
    auto const code = std::string(entry.text_of("code"));
    if (system == "http://hl7.org/fhir/resource-types") {
      return truth(record_.content.text_of("resourceType") == code);
    }
    if (system == "urn:ietf:bcp:13") return kEither;
    return truth(codec::write_json(record_.content).find(code) != std::string::npos);
  }

  Truth code(Json const& entry) const {
    auto const* codings = entry.find("coding");
    if (codings == nullptr) return kEither;
    auto const& wanted = codings->items()[0];
    std::pair<std::string, std::string> const pair(wanted.text_of("system"), wanted.text_of("code"));
    std::set<std::pair<std::string, std::string>> top;
    if (auto const* own = record_.content.find("code")) collect_codes(*own, top);
    if (top.contains(pair)) return kTrue;
    std::set<std::pair<std::string, std::string>> all;
    collect_codes(record_.content, all);
    if (all.contains(pair)) return kEither;
    return all.contains({"", pair.second}) ? kEither : kFalse;
  }

  Truth data(Json const& entry) const {
    auto reference = std::string(entry.find("reference")->text_of("reference"));
    if (reference.empty()) return kEither;
    bool const is_version = reference.contains("/_history/");
    reference = reference.substr(0, reference.find("/_history/"));
    auto const meaning = entry.text_of("meaning");
    if (meaning == "authoredby") return truth(authors().contains(reference));
    auto const own = std::string(record_.content.text_of("resourceType")) + "/" +
                     std::string(record_.content.text_of("id"));
    bool is_met = reference == own;
    if (meaning != "instance") {
      std::set<std::string> all;
      collect_references(record_.content, all);
      is_met = is_met || all.contains(reference);
    }
    return is_met && is_version ? kEither : truth(is_met);
  }

  Truth data_period(Json const& period) const {
    auto const start = std::string(period.text_of("start"));
    auto const end = std::string(period.text_of("end"));
    std::string first;
    std::string last;
    if (auto const* day = record_.content.find("effectiveDateTime")) {
      first = last = std::string(day->as_string());
    } else if (auto const* span = record_.content.find("effectivePeriod")) {
      first = std::string(span->text_of("start"));
      last = std::string(span->text_of("end"));
    } else {
      return kEither;
    }
    if (!last.empty() && last < start) return kFalse;
    if (!first.empty() && first > end) return kFalse;
    return !first.empty() && !last.empty() && start <= first && last <= end ? kTrue : kEither;
  }

  Json const& consent_;
  Asker const& asker_;
  Record const& record_;
  std::vector<Json const*> undecided_;
  std::map<Json const*, bool> is_met_;
};

// --- random consents, records and questions

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::string consent() {
    std::string const policy = pick({"OPTIN", "OPTIN", "OPTOUT", ""});
    bool const must_say = policy.empty();
    return testing::consent_text(policy, provision(must_say || chance(4), 0, true));
  }

  Record record() {
    auto const type = pick({"Observation", "Observation", "Condition", "Task"});
    std::string text = R"({"resourceType":")" + type + R"(","id":")" + pick({"1", "2"}) + '"';
    if (chance(2)) {
      text += R"(,"meta":{"security":[)" + label() + (chance(3) ? "," + label() : "") + "]";
      text += chance(3) ? R"(,"profile":["http://p/a"]})" : "}";
    }
    if (chance(2)) text += R"(,"code":)" + codeable(pick({"10", "11"}), chance(5));
    if (chance(4)) text += R"(,"component":[{"code":)" + codeable(pick({"10", "11"}), false) + "}]";
    if (chance(2)) text += R"(,"performer":[{"reference":")" + actor_reference() + R"("}])";
    if (chance(3))
      text += R"(,"basedOn":[{"reference":")" + pick({"Task/1", "Task/2", "Task/1/_history/2"}) + R"("}])";
    if (chance(2)) {
      text += R"(,"effectiveDateTime":")" + day() + '"';
    } else if (chance(2)) {
      auto const [first, last] = days();
      auto const form = number(3);
      text += R"(,"effectivePeriod":{)";
      if (form != 1) text += R"("start":")" + first + '"';
      if (form == 0) text += ',';
      if (form != 2) text += R"("end":")" + last + '"';
      text += '}';
    }
    return Record(text + "}");
  }

  Asker asker() {
    Asker asker;
    asker.actors.clear();
    for (auto const* actor : {"Practitioner/1", "PractitionerRole/1", "Organization/1"}) {
      if (chance(2)) asker.actors.emplace_back(actor);
    }
    asker.role = pick({"doctor", "nurse", "nurse", ""});
    asker.purpose = pick({"TREAT", "TREAT", "ETREAT", "BTG", "HRESCH", "CLINTRCH", "HPAYMT", ""});
    asker.action = static_cast<ConsentAction>(chance(2) ? 1U : number(5));
    asker.now = day() + "T10:00:00Z";
    return asker;
  }

 private:
  std::size_t number(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }
  bool chance(std::size_t one_in) { return number(one_in) == 0; }
  std::string pick(std::vector<std::string> const& of) { return of[number(of.size())]; }
  std::string day() { return "2015-0" + std::to_string(1 + number(6)) + "-1" + std::to_string(number(9)); }
  std::pair<std::string, std::string> days() {
    auto first = day();
    auto last = day();
    if (last < first) std::swap(first, last);
    return {first, last};
  }
  std::string period() {
    auto const [first, last] = days();
    return R"({"start":")" + first + R"(","end":")" + last + R"("})";
  }
  std::string label() {
    auto const code = pick({"N", "R", "V", "L", "HIV", "PSY", "SUD", "ETHUD"});
    return R"({"system":"http://terminology.hl7.org/CodeSystem/v3-)" +
           std::string(code.size() == 1 ? "Confidentiality" : "ActCode") + R"(","code":")" + code + R"("})";
  }
  std::string codeable(std::string const& code, bool without_system) {
    return R"({"coding":[{)" + std::string(without_system ? "" : R"("system":"http://s",)") + R"("code":")" +
           code + R"("}]})";
  }
  std::string actor_reference() {
    return pick({"Practitioner/1", "PractitionerRole/1", "Organization/1", "Organization/2"});
  }

  std::string entry(std::string const& name) {
    if (name == "actor") {
      bool const is_own = chance(4);
      std::string const system =
          is_own ? "http://house" : "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
      auto const role = is_own ? "nurse" : pick({"PRCP", "PRCP", "IRCP", "AUT", "CST"});
      auto const reference =
          chance(5) ? R"({"display":"x"})" : R"({"reference":")" + actor_reference() + R"("})";
      return R"({"role":{"coding":[{"system":")" + system + R"(","code":")" + role + R"("}]},"reference":)" +
             reference + "}";
    }
    if (name == "action") {
      if (chance(8)) return R"({"text":"x"})";
      return R"({"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentaction","code":")" +
             pick({"access", "access", "collect", "use", "disclose", "correct"}) + R"("}]})";
    }
    if (name == "securityLabel") {
      if (chance(10)) return R"({"display":"x"})";
      auto const code = pick({"N", "R", "V", "L", "HIV", "PSY", "SUD", "SPI"});
      return R"({"system":"http://terminology.hl7.org/CodeSystem/v3-)" +
             std::string(code.size() == 1 ? "Confidentiality" : "ActCode") + R"(","code":")" + code + R"("})";
    }
    if (name == "purpose") {
      return chance(10) ? R"({"display":"x"})"
                        : R"({"code":")" + pick({"TREAT", "ETREAT", "HRESCH"}) + R"("})";
    }
    if (name == "class") {
      if (chance(8)) return R"({"system":"urn:ietf:bcp:13","code":"text/plain"})";
      if (chance(3)) return R"({"system":"urn:ietf:rfc:3986","code":"http://p/a"})";
      return R"({"system":"http://hl7.org/fhir/resource-types","code":")" +
             pick({"Observation", "Condition"}) + R"("})";
    }
    if (name == "code") return chance(8) ? R"({"text":"x"})" : codeable(pick({"10", "11", "12"}), false);
    auto const meaning = pick({"instance", "related", "dependents", "authoredby"});
    auto const reference = meaning == "authoredby" ? actor_reference()
                           : chance(8)             ? ""
                                       : pick({"Task/1", "Task/2", "Observation/1", "Task/1/_history/2"});
    return R"({"meaning":")" + meaning + R"(","reference":{"reference":")" + reference + R"("}})";
  }

  std::string provision(bool is_typed, int depth, bool is_root) {
    std::string text = "{";
    auto const add = [&](std::string const& name, std::string const& value) {
      if (text.size() > 1) text += ',';
      text += '"' + name + "\":" + value;
    };
    if (is_typed) add("type", '"' + pick({"permit", "deny"}) + '"');
    if (chance(8)) add("period", period());
    if (chance(8)) add("dataPeriod", period());
    for (std::string const name : {"actor", "action", "securityLabel", "purpose", "class", "code", "data"}) {
      if (!chance(is_root ? 12 : 6)) continue;
      std::string list = "[" + entry(name);
      while (chance(3)) list += "," + entry(name);
      add(name, list + "]");
    }
    if (depth < 3 && (is_root || chance(2))) {
      std::string list;
      for (auto left = 1 + number(3); left > 0; --left) {
        list += std::string(list.empty() ? "" : ",") + provision(true, depth + 1, false);
      }
      add("provision", "[" + list + "]");
    }
    return text + "}";
  }

  std::mt19937_64 random_;
};

TEST(ConsentProperty, RulesAsTheLiteralEvaluatorDoes) {
  constexpr std::uint64_t kConsents = 4'000;
  constexpr int kQuestions = 8;
  std::map<Ruling, int> seen;
  for (std::uint64_t seed = 1; seed <= kConsents; ++seed) {
    Generator generator(seed);
    auto const text = generator.consent();
    auto const json = testing::json(text);
    auto const consent = Consent::parse(json);
    ASSERT_TRUE(consent.has_value()) << "seed " << seed;
    for (int i = 0; i < kQuestions; ++i) {
      auto const record = generator.record();
      auto const asker = generator.asker();
      auto const expected = Literal(json, asker, record).rule();
      auto const ruling = testing::ask(*consent, record, asker);
      ++seen[ruling];
      ASSERT_EQ(ruling, expected) << "seed " << seed << " question " << i << "\n"
                                  << text << "\n"
                                  << codec::write_json(record.content) << "\n"
                                  << asker.purpose << " " << asker.role << " " << asker.now;
    }
  }
  // Each ruling comes up often enough to mean something.
  for (auto const ruling : {Ruling::kNone, Ruling::kPermit, Ruling::kDeny}) EXPECT_GT(seen[ruling], 2'000);
}

TEST(ConsentProperty, NeitherTheOrderOfConsentsNorADoubleOneMatters) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Generator generator(seed);
    std::vector<Consent> consents;
    for (int i = 0; i < 4; ++i) consents.push_back(*Consent::parse(testing::json(generator.consent())));
    auto const record = generator.record();
    auto const asker = generator.asker();
    auto const ruling = rule(consents, asker.question(), record.item());
    std::vector<Consent> turned(consents.rbegin(), consents.rend());
    turned.push_back(consents.front());
    EXPECT_EQ(rule(turned, asker.question(), record.item()), ruling) << "seed " << seed;
  }
}

// What needs no content must rule the same with it and without.
TEST(ConsentProperty, ARecordNeedNotBeOpenedWhereNoCriterionLooksInside) {
  int count = 0;
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    Generator generator(seed);
    auto const consent = *Consent::parse(testing::json(generator.consent()));
    auto const record = generator.record();
    auto const asker = generator.asker();
    if (consent.needs_content()) continue;
    ++count;
    auto closed = record.item();
    closed.content = nullptr;
    EXPECT_EQ(consent.rule(asker.question(), closed), testing::ask(consent, record, asker))
        << "seed " << seed;
  }
  EXPECT_GT(count, 300);
}

}  // namespace
}  // namespace tacenda::access

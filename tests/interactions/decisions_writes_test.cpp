// C-11 by writing: conditional create, update, patch and delete, conditional references, and writes to an id.
#include <iostream>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "interactions/decisions_world.hpp"
#include "operations/patch.hpp"

namespace tacenda::operations {
namespace {

using test::TestServer;
using test::Who;
using test::World;

/// One write that looks before it leaps.
struct Attempt {
  enum class Form : std::uint8_t { kCreate, kUpdate, kPatch, kDelete, kReference, kPut, kPatchId, kDeleteId };
  Form form = Form::kCreate;
  std::string type;
  std::string criteria;
  std::string id;    // of kPut, kPatchId, kDeleteId
  std::string json;  // what is written; a bundle for kReference
  std::optional<std::uint64_t> if_match;

  std::string told() const {
    return fmt::format("form {} of {}?{} id {} if-match {}: {}", static_cast<int>(form), type, criteria, id,
                       if_match.value_or(0), json);
  }
};

constexpr std::string_view kPatch = R"([{"op":"add","path":"/language","value":"en"}])";

std::string content(std::string_view type, std::string_view id, std::string_view subject,
                    std::string_view rest) {
  std::string const own = id.empty() ? "" : fmt::format(R"("id":"{}",)", id);
  std::string const status = type == "Observation" ? R"("status":"final",)" : "";
  return fmt::format(
      R"({{"resourceType":"{}",{}{}{}"code":{{"coding":[{{"system":"http://s","code":"c1"}}]}}{}}})", type,
      own, status, subject, rest);
}

class Attempts {
 public:
  Attempts(test::Maker& maker, Who const& who, World const& world) : maker_(maker), world_(world) {
    // This application may change and delete everything, as its scopes say, and by id needs not see it.
    if (!who.code.empty()) forms_ = 5;
    // What is written is of somebody whose records he sees: whom he may write about is another question.
    for (auto const& person : world.people) {
      test::Record const own{
          .type = "Observation", .id = {}, .patient = person.id, .level = {}, .json = {}, .code = "c1"};
      if (!test::may_see(who, world, own)) continue;
      subject_ = fmt::format(R"("subject":{{"reference":"Patient/{}"}},)", person.id);
      break;
    }
  }
  /// False: he sees nobody's records.
  bool can_write() const { return !subject_.empty(); }

  Attempt next() {
    Attempt attempt;
    attempt.form = static_cast<Attempt::Form>(maker_.pick(forms_));
    attempt.type = maker_.pick(3) == 0 ? "Condition" : "Observation";
    attempt.criteria = criteria(attempt.type);
    // One of the world's, or none.
    attempt.id = fmt::format("r{}", maker_.pick(30));
    if (maker_.pick(4) == 0) attempt.if_match = 1 + maker_.pick(2);
    bool const names_id = attempt.form == Attempt::Form::kPut || maker_.pick(5) == 0;
    attempt.json = content(attempt.type, names_id ? attempt.id : "", subject_, "");
    if (attempt.form == Attempt::Form::kReference) attempt.json = bundle(attempt);
    return attempt;
  }

 private:
  std::string criteria(std::string const& type) {
    std::string const patient = world_.people[maker_.pick(world_.people.size())].id;
    std::string const code = fmt::format("c{}", maker_.pick(4));
    std::string const family = fmt::format("f{}", maker_.pick(3));
    std::vector<std::string> forms{"code=" + code,
                                   "code=" + code + "&patient=Patient/" + patient,
                                   "patient=Patient/" + patient,
                                   "patient.family=" + family,
                                   "_id=" + fmt::format("r{}", maker_.pick(30)),
                                   "_security=HIV",
                                   "_security:not=HIV&code=" + code,
                                   "patient._has:Condition:patient:code=" + code,
                                   "subject:Patient._has:Observation:patient:code=" + code};
    if (type == "Observation") {
      forms.push_back("derived-from.code=" + code);
      forms.push_back("_has:Observation:derived-from:code=" + code);
      forms.push_back("date=gt2015&code:not=" + code);
    }
    return forms[maker_.pick(forms.size())];
  }

  /// A transaction whose entry names what it is about by criteria, and perhaps is made only if nothing
  /// matches.
  std::string bundle(Attempt const& attempt) {
    std::string const family = fmt::format("f{}", maker_.pick(3));
    std::string const patient = world_.people[maker_.pick(world_.people.size())].id;
    std::vector<std::string> const named{R"(,"focus":[{"reference":"Patient?family=)" + family + R"("}])",
                                         R"(,"focus":[{"reference":"Patient?_id=)" + patient + R"("}])",
                                         R"(,"derivedFrom":[{"reference":"Observation?code=c)" +
                                             std::to_string(maker_.pick(4)) + "&patient=Patient/" + patient +
                                             R"("}])"};
    auto const resource = content("Observation", "", subject_, named[maker_.pick(named.size())]);
    std::string const unless = attempt.type == "Observation" && maker_.pick(2) == 0
                                   ? R"(,"ifNoneExist":")" + attempt.criteria + R"(")"
                                   : "";
    return R"({"resourceType":"Bundle","type":"transaction","entry":[{"resource":)" + resource +
           R"(,"request":{"method":"POST","url":"Observation")" + unless + "}}]}";
  }

  test::Maker& maker_;
  World const& world_;
  std::string subject_;
  std::size_t forms_ = 8;
};

/// Everything that the answer to an attempt tells, as text.
class Trying {
 public:
  Trying(TestServer& server, identity::Principal const& who, World const& world)
      : server_(server), who_(who) {
    for (auto const& record : world.records) known_.insert(record.id);
  }

  std::string run(Attempt const& attempt) {
    auto const outcome =
        server_.peek(who_, [&](Context const& context) { return attempted(context, attempt); });
    if (!outcome.has_value()) return std::string(outcome.error().message());
    std::string told = outcome->matched ? "matched " : "";
    if (auto const* bundle = std::get_if<BundleOutcome>(&outcome->result)) {
      // All or none: where an entry fails, the transaction does.
      for (auto const& entry : bundle->entries) told += (entry.matched ? "matched " : "") + of(entry.result);
      return told;
    }
    return told + of(outcome->result);
  }

 private:
  Result<Outcome> attempted(Context const& context, Attempt const& attempt) {
    using Form = Attempt::Form;
    if (attempt.form == Form::kReference) {
      auto bundle = TACENDA_TRY(fhir::parse_bundle(attempt.json));
      return transaction(context, bundle);
    }
    auto criteria = TACENDA_TRY(criteria_of(context, attempt.type, attempt.criteria));
    auto const id = TACENDA_TRY(ResourceId::parse(attempt.id));
    auto const permit = TACENDA_TRY(server_.gate().authorize(who_, action_of(attempt.form), attempt.type));
    auto resource = TACENDA_TRY(fhir::parse_resource(attempt.json));
    switch (attempt.form) {
      case Form::kCreate:
        return create(context, permit, std::move(resource), std::optional(std::move(criteria)));
      case Form::kUpdate:
        return update_matching(context, permit, std::move(resource), criteria, attempt.if_match);
      case Form::kPatch:
        return patch_matching(context, permit,
                              TACENDA_TRY(Patch::parse_json_patch(kPatch)), attempt.type, criteria,
                              attempt.if_match);
      case Form::kDelete:
        return remove_matching(context, permit, attempt.type, criteria, attempt.if_match);
      case Form::kPut:
        return update(context, permit, std::move(resource), id, attempt.if_match);
      case Form::kPatchId:
        return patch(context, permit,
                     TACENDA_TRY(Patch::parse_json_patch(kPatch)), attempt.type, id, attempt.if_match);
      case Form::kDeleteId:
        return remove(context, permit, attempt.type, id, attempt.if_match);
      case Form::kReference:
        break;
    }
    return fail(ErrorKind::kInvalid, "no such form");
  }

  static Action action_of(Attempt::Form form) {
    using Form = Attempt::Form;
    if (form == Form::kCreate) return Action::kCreate;
    return form == Form::kDelete || form == Form::kDeleteId ? Action::kDelete : Action::kUpdate;
  }

  template <typename Variant>
  std::string of(Variant const& result) {
    if (auto const* version = std::get_if<records::StoredVersion>(&result))
      return fmt::format("found {}", version->id);
    if (auto const* written = std::get_if<records::Written>(&result)) {
      return fmt::format("{} {} {}{}", known_.contains(written->id) ? written->id : "new", written->version,
                         written->changed ? "changed" : "", written->deletion ? " deletion" : "");
    }
    return "something else";
  }

  TestServer& server_;
  identity::Principal who_;
  std::set<std::string> known_;
};

// TACENDA_DECISION_ROUNDS=100 asks more.
TEST(Decisions, C11WhatIsHiddenIsAsIfItWereNotThereForWrites) {
  constexpr std::size_t kAttempts = 400;
  std::map<std::string, std::size_t> answers;
  for (std::uint32_t seed = 1; seed <= test::rounds(); ++seed) {
    SCOPED_TRACE(seed);
    std::cout << "seed " << seed << "\n";
    test::Maker maker(seed);
    auto const world = maker.world();
    auto const whole = test::store_of_all(world);
    for (auto const& who : test::everybody()) {
      // An emergency opens what may be read, and lets nobody write; nor does who sees Patients in part.
      if (who.breaks_glass || who.role == "viewer") continue;
      SCOPED_TRACE(who.name);
      auto const seen = test::store_of_what_is_seen(who, world);
      Trying in_whole(*whole, test::sign_in(*whole, who, world), world);
      Trying in_seen(*seen, seen->sign_in("plain"), world);
      Attempts attempts(maker, who, world);
      if (!attempts.can_write()) continue;
      for (std::size_t i = 0; i < kAttempts; ++i) {
        auto const attempt = attempts.next();
        auto const told = in_whole.run(attempt);
        EXPECT_EQ(told, in_seen.run(attempt)) << attempt.told();
        ++answers[told.substr(0, told.find(' '))];
      }
    }
  }
  for (auto const& [answer, count] : answers) std::cout << count << " " << answer << "\n";
}

}  // namespace
}  // namespace tacenda::operations

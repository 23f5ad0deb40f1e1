// What one decision costs under the policy "hospital": a thousand patients who each gave a Consent, ten
// thousand labelled resources. A decision is the Permit and its judgement of one record whose text lies in
// memory.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <random>

#include <fmt/format.h>

#include "interactions/test_server.hpp"

namespace tacenda::operations {
namespace {

constexpr int kPatients = 1'000;
constexpr int kEach = 10;  // labelled Observations
constexpr int kDecisions = 100'000;
constexpr std::string_view kActCode = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

class Text final : public RecordContent {
 public:
  explicit Text(std::string text) : text_(std::move(text)) {}
  std::optional<std::string_view> text() const override { return text_; }

 private:
  std::string text_;
};

struct Record {
  std::string id;
  std::vector<std::string> patients;
  std::unique_ptr<Text> content;
};

std::string entry(std::string const& type, std::string const& id, std::string const& rest) {
  return fmt::format(
      R"({{"request":{{"method":"PUT","url":"{0}/{1}"}},"resource":{{"resourceType":"{0}","id":"{1}",{2}}}}})",
      type, id, rest);
}

std::string labelled(int patient, int number) {
  return fmt::format(
      R"("meta":{{"security":[{{"system":"{0}","code":"{1}"}}]}},"status":"final","code":{{"text":"x"}},)"
      R"("subject":{{"reference":"Patient/p{2}"}})",
      kActCode, number % 3 == 0 ? "HIV" : "PSY", patient);
}

std::string bundle_of(int patient) {
  std::string const id = fmt::format("p{}", patient);
  std::string const subject = fmt::format(R"({{"reference":"Patient/{}"}})", id);
  std::vector<std::string> entries{
      entry("Patient", id, R"("gender":"female")"),
      entry("Encounter", "e" + id,
            fmt::format(R"("status":"in-progress","class":{{"code":"IMP"}},"subject":{},)"
                        R"("participant":[{{"individual":{{"reference":"Practitioner/me"}}}}])",
                        subject)),
      entry(
          "Consent", "c" + id,
          fmt::format(
              R"("status":"active","scope":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentscope",)"
              R"("code":"patient-privacy"}}]}},"category":[{{"text":"c"}}],"patient":{0},"policyRule":{{"coding":[)"
              R"({{"system":"{1}","code":"OPTIN"}}]}},"provision":{{"provision":[{{"type":"deny","securityLabel":[)"
              R"({{"system":"{1}","code":"HIV"}}],"actor":[{{"role":{{"text":"r"}},"reference":{{"reference":"Practitioner/other"}}}}]}}]}})",
              subject, kActCode))};
  for (int i = 0; i < kEach; ++i)
    entries.push_back(entry("Observation", fmt::format("o{}-{}", patient, i), labelled(patient, i)));
  return fmt::format(R"({{"resourceType":"Bundle","type":"transaction","entry":[{}]}})",
                     fmt::join(entries, ","));
}

std::vector<Record> fill(test::TestServer& server) {
  auto const loader = server.sign_in("administrator");
  std::vector<Record> records;
  for (int patient = 0; patient < kPatients; ++patient) {
    auto const done = server.bundle(loader, bundle_of(patient));
    if (!done.has_value()) throw std::runtime_error(std::string(done.error().message()));
    for (int i = 0; i < kEach; ++i) {
      std::string const id = fmt::format("o{}-{}", patient, i);
      records.push_back({id,
                         {fmt::format("p{}", patient)},
                         std::make_unique<Text>(fmt::format(
                             R"({{"resourceType":"Observation","id":"{}",{}}})", id, labelled(patient, i)))});
    }
  }
  return records;
}

struct Cost {
  double p50;
  double p99;
  int permitted;
};

Cost measure(test::TestServer& server, identity::Principal const& who, std::vector<Record> const& records,
             int decisions, std::mt19937& random) {
  std::vector<double> took;
  int permitted = 0;
  for (int i = 0; i < decisions; ++i) {
    auto const& record = records[random() % records.size()];
    auto const begin = std::chrono::steady_clock::now();
    auto const permit = server.gate().authorize(who, Action::kRead, "Observation");
    bool const yes = permit.has_value() && permit->judge({"Observation", record.id, record.patients, 1, false,
                                                          record.content.get(), true});
    took.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    permitted += yes ? 1 : 0;
  }
  std::ranges::sort(took);
  return {took[took.size() / 2], took[took.size() * 99 / 100], permitted};
}

int run() {
  test::TestServer server("classic");
  auto const records = fill(server);
  auto const doctor = server.sign_in("doctor");
  auto link = server.assignments().set_practitioner(doctor.id().view(), ResourceId::parse("me").value());
  if (!link.has_value()) return 1;
  link->committed();
  server.gate().replace(access::Policy::shipped("hospital").value());
  std::mt19937 random(7);
  for (auto const* name : {"what is known of a patient is read first", "again"}) {
    auto const cost = measure(server, doctor, records, kDecisions, random);
    std::cout << fmt::format("{}: {} decisions, {} permitted, p50 {:.2f} us, p99 {:.2f} us\n", name,
                             kDecisions, cost.permitted, cost.p50, cost.p99);
  }
  return 0;
}

}  // namespace
}  // namespace tacenda::operations

int main() {
  return tacenda::operations::run();
}

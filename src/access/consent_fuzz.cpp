// A Consent is written by whoever may write one. Whatever it holds, reading and ruling end; a nearly empty
// question and a full one are answered; and a record that the consent says it need not see changes nothing.
#include "access/consent.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include "access/labels.hpp"
#include "codec/json.hpp"
#include "core/process.hpp"

namespace {

using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file

constexpr std::string_view kRecord = R"({"resourceType":"Observation","id":"1",
  "meta":{"profile":["http://p/a"],"security":[
    {"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"},
    {"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]},
  "basedOn":[{"reference":"Task/1"}],"performer":[{"reference":"Practitioner/1"}],
  "code":{"coding":[{"system":"http://loinc.org","code":"75622-1"}]},"effectiveDateTime":"2015-02-03"})";

codec::Json const& record() {
  static auto const document = codec::parse_json(kRecord);
  TACENDA_ASSERT(document.has_value());
  return *document;
}

void check_text(std::string_view text) {
  // The quick way and the whole one agree on what a text's labels are.
  auto const json = codec::parse_json(text);
  auto const labels = access::labels_of_text(text);
  if (json.has_value() && json->is_object()) TACENDA_ASSERT(labels == access::labels_of(*json));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  check_text(text);
  auto const json = codec::parse_json(text);
  if (!json.has_value()) return 0;
  auto const consent = access::Consent::parse(*json);
  if (!consent.has_value()) return 0;
  auto const labels = access::labels_of(record());
  std::array<std::string, 2> const actors{"Practitioner/1", "Organization/1"};
  access::ConsentQuestion const full{.actors = actors,
                                     .role = "nurse",
                                     .purpose = "TREAT",
                                     .action = access::ConsentAction::kAccess,
                                     .now = from_unix_ms(1'423'000'000'000)};
  access::ConsentItem const item{.type = "Observation", .id = "1", .content = &record(), .labels = &labels};
  for (auto const& question : {full, access::ConsentQuestion{}}) {
    auto const ruling = consent->rule(question, item);
    TACENDA_ASSERT(consent->rule(question, item) == ruling);
    access::ConsentItem const deleted{.type = "Observation", .id = "1", .labels = &labels};
    auto const closed = consent->rule(question, deleted);
    if (!consent->needs_content()) TACENDA_ASSERT(closed == ruling);
    if (consent->denies_by_purpose(question, item)) TACENDA_ASSERT(ruling != access::Ruling::kPermit);
    (void)consent->rule(question, {.type = "Consent", .id = "x", .content = &*json});  // only that it ends
  }
  return 0;
}

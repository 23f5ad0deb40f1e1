// A ruling is asked for with every record: it must cost no memory.
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "access/consent.hpp"
#include "access/internal/consent_testing.hpp"

namespace {
std::atomic<std::size_t> allocations{0};
}  // namespace

// Counts for the whole program; one test looks.
void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size); memory != nullptr) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace tacenda::access {
namespace {

TEST(Consent, RulesWithoutAllocating) {
  auto const consent = testing::consent("OPTIN", R"({"provision":[
      {"type":"deny","actor":[{"reference":{"reference":"Organization/a-long-name-that-no-string-holds-inside"}},
         {"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"AUT"}]},
          "reference":{"reference":"Practitioner/another-long-name-that-no-string-holds-inside"}},
         {"reference":{"reference":"Practitioner/dr"}}],
       "purpose":[{"code":"TREAT"}],"securityLabel":[{"code":"HIV"},{"code":"SPI"}],
       "class":[{"code":"http://a-profile-with-a-long-url.example/StructureDefinition/a"},
                {"system":"http://hl7.org/fhir/resource-types","code":"Observation"}],
       "code":[{"coding":[{"system":"http://a-code-system-with-a-long-url.example","code":"75622-1"}]}],
       "dataPeriod":{"start":"2015"},"provision":[
         {"type":"permit","data":[{"meaning":"related","reference":{"reference":"Task/1"}}]}]}]})");
  testing::Record const record(
      R"({"resourceType":"Observation","id":"o","effectiveDateTime":"2016-01-01",)" +
      testing::security("ETHUD", "http://terminology.hl7.org/CodeSystem/v3-ActCode") +
      R"(,"component":[{"code":{"coding":[{"code":"75622-1"}]}}]})");
  testing::Asker const asker;
  auto const question = asker.question();
  auto const item = record.item();
  auto ruling = consent.rule(question, item);  // once before: what is made once may be made now
  auto const before = allocations.load();
  ruling = consent.rule(question, item);
  bool const is_named = consent.denies_by_purpose(question, item);
  EXPECT_EQ(allocations.load(), before);
  EXPECT_EQ(ruling, Ruling::kDeny);
  EXPECT_TRUE(is_named);
}

}  // namespace
}  // namespace tacenda::access

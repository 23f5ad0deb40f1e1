#include "privacy/internal/without_patient.hpp"

#include <gtest/gtest.h>

namespace tacenda::privacy {
namespace {

/// The text of what is left of it without patient p1 and his Observation o1; empty: nothing sensible.
std::string without(std::string_view json) {
  std::vector<std::string> const base_urls{"https://here.example/fhir"};
  Erased const erased{
      "p1", [](std::string_view type, std::string_view id) { return type == "Observation" && id == "o1"; },
      base_urls};
  auto const left = without_patient(codec::parse_json(json).value(), erased);
  EXPECT_TRUE(left.has_value());
  return left.has_value() && *left ? codec::write_json((*left)->json()) : std::string();
}

TEST(WithoutPatient, AMemberOfAGroupGoesWithAllOfItsEntry_G07) {
  EXPECT_EQ(
      without(R"({"resourceType":"Group","type":"person","actual":true,"member":[
      {"entity":{"reference":"Patient/p1","display":"Ada"},"inactive":false},{"entity":{"reference":"Patient/p2"}}]})"),
      R"({"resourceType":"Group","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p2"}}]})");
}

TEST(WithoutPatient, AParticipantAndTheNarrativeGo_G07) {
  auto const left = without(R"({"resourceType":"Appointment","status":"booked",
      "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Ada and Ben</div>"},
      "participant":[{"actor":{"reference":"https://here.example/fhir/Patient/p1"},"status":"accepted"},
                     {"actor":{"reference":"Patient/p2"},"status":"accepted"}]})");
  EXPECT_EQ(left.find("Ada"), std::string::npos);
  EXPECT_EQ(left.find("p1"), std::string::npos);
  EXPECT_NE(left.find("Patient/p2"), std::string::npos);
}

TEST(WithoutPatient, AnEntryThatNamesARecordOfHisGoes_G07) {
  EXPECT_EQ(
      without(R"({"resourceType":"List","status":"current","mode":"working","entry":[
      {"item":{"reference":"Observation/o1"}},{"item":{"reference":"Observation/o2"}}]})"),
      R"({"resourceType":"List","status":"current","mode":"working","entry":[{"item":{"reference":"Observation/o2"}}]})");
}

TEST(WithoutPatient, APatientWhoseIdBeginsAlikeStays_G07) {
  EXPECT_NE(without(R"({"resourceType":"Group","type":"person","actual":true,"member":[
      {"entity":{"reference":"Patient/p1"}},{"entity":{"reference":"Patient/p12"}}]})")
                .find("Patient/p12"),
            std::string::npos);
}

TEST(WithoutPatient, WhatIsAboutHimOrWouldLackSomethingIsNothing_G07) {
  // He is whom it is about.
  EXPECT_EQ(without(R"({"resourceType":"Observation","status":"final","code":{"text":"x"},
      "subject":{"reference":"Patient/p1"},"performer":[{"reference":"Patient/p2"}]})"),
            "");
  // participant is 1..*
  EXPECT_EQ(without(R"({"resourceType":"Appointment","status":"booked",
      "participant":[{"actor":{"reference":"Patient/p1"},"status":"accepted"}]})"),
            "");
  // It still names him, in words.
  EXPECT_EQ(
      without(
          R"({"resourceType":"Group","type":"person","actual":true,"name":"Patient/p1 and others","member":[
      {"entity":{"reference":"Patient/p1"}},{"entity":{"reference":"Patient/p2"}}]})"),
      "");
}

TEST(WithoutPatient, ATaskIsAboutWhomItIsFor_G07) {
  EXPECT_EQ(
      without(
          R"({"resourceType":"Task","status":"requested","intent":"order","for":{"reference":"Patient/p1"},
      "requester":{"reference":"Patient/p2"}})"),
      "");
  EXPECT_EQ(
      without(
          R"({"resourceType":"Task","status":"requested","intent":"order","for":{"reference":"Patient/p2"},"focus":{"reference":"Observation/o1"}})"),
      R"({"resourceType":"Task","status":"requested","intent":"order","for":{"reference":"Patient/p2"}})");
  EXPECT_EQ(
      subject_of(
          codec::parse_json(R"({"resourceType":"Contract","subject":[{"reference":"Patient/p2"}]})").value()),
      "p2");
  EXPECT_EQ(
      subject_of(
          codec::parse_json(
              R"({"resourceType":"Contract","subject":[{"reference":"Patient/p2"},{"reference":"Patient/p1"}]})")
              .value()),
      "");
}

}  // namespace
}  // namespace tacenda::privacy

#include "core/log.hpp"

#include <concepts>

#include <gtest/gtest.h>

namespace tacenda {
namespace {

TEST(Log, FormatsLevelMessageAndFields) {
  EXPECT_EQ(format_log_line(LogLevel::kWarning, "queue is full", {{"waiting", 7}, {"route", "read"}}),
            "warning queue is full waiting=7 route=read");
}

TEST(Log, KeepsOperatorTextOnOneLine) {
  EXPECT_EQ(format_log_line(LogLevel::kInfo, "opened", {{"path", OperatorText{"/a\nerror forged"}}}),
            "info opened path=/a?error forged");
}

// No overload takes run-time text or a resource's id.
static_assert(!std::constructible_from<LogField, Literal, std::string>);
static_assert(!std::constructible_from<LogField, Literal, std::string_view>);
static_assert(!std::constructible_from<LogField, Literal, PatientId>);
static_assert(!std::constructible_from<LogField, Literal, ResourceId>);
static_assert(std::constructible_from<LogField, Literal, RequestId>);

}  // namespace
}  // namespace tacenda

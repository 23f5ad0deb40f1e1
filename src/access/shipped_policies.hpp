#pragma once

#include <string_view>

namespace tacenda::access {

// The texts of policies/*.toml, embedded at build time (CMakeLists.txt).
extern std::string_view const kSeparatedPolicy;
extern std::string_view const kClassicPolicy;
extern std::string_view const kHospitalPolicy;

}  // namespace tacenda::access

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/scope.hpp"

namespace tacenda::authorization {

/// The scope of an application that may start others for a patient (POST /oauth/launch). SMART leaves names
/// with two underscores to servers.
inline constexpr std::string_view kStartsOthers = "__start_applications";
/// The scope of an application that asks which visit it is about (SMART App Launch 2.2,
/// scopes-and-launch-context).
inline constexpr std::string_view kEncounterContext = "launch/encounter";

/// What both lists allow, in normal form. A scope that one of the other list covers stands as it is: of the
/// same level, with this type or *, these verbs or more, and no constraint that it has not. Of two of which
/// neither covers the other: the narrower type, the verbs of both, and the constraints of both (all of them
/// must then hold). Words that stand in both. What another one of the result covers is left out. At most
/// limits::kGrantedScopes: of more, the narrowest are not granted.
std::vector<codec::Scope> common_scopes(std::vector<codec::Scope> const& a,
                                        std::vector<codec::Scope> const& b);

/// True when any of them reaches records: a level other than kNone.
bool reach_records(std::vector<codec::Scope> const& scopes);

}  // namespace tacenda::authorization

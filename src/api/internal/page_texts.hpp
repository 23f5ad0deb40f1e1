#pragma once

#include <string_view>

namespace tacenda::api {

// The files of pages/, as they are.
extern std::string_view const kEnrolHtml;
extern std::string_view const kEnrolCss;
extern std::string_view const kEnrolJs;
extern std::string_view const kSignInHtml;
extern std::string_view const kSignInJs;
extern std::string_view const kAuthorizePasskeyJs;

}  // namespace tacenda::api

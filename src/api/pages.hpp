#pragma once

#include <cstdint>
#include <string_view>

namespace tacenda::api {

/// The program's own pages for a browser: the same bytes for everyone, with nothing of the store in them.
enum class PublicPage : std::uint8_t {
  kEnrolment,
  kEnrolmentScript,
  kEnrolmentStyle,
  kSignIn,
  kSignInScript,
  kAuthorizePasskeyScript
};

struct Page {
  std::string_view content_type;
  std::string_view body;
};
Page page(PublicPage which);

}  // namespace tacenda::api

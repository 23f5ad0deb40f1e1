#include "api/pages.hpp"

#include "api/internal/page_texts.hpp"

namespace tacenda::api {

Page page(PublicPage which) {
  switch (which) {
    case PublicPage::kEnrolmentScript:
      return {"text/javascript; charset=utf-8", kEnrolJs};
    case PublicPage::kEnrolmentStyle:
      return {"text/css; charset=utf-8", kEnrolCss};
    case PublicPage::kSignIn:
      return {"text/html; charset=utf-8", kSignInHtml};
    case PublicPage::kSignInScript:
      return {"text/javascript; charset=utf-8", kSignInJs};
    case PublicPage::kAuthorizePasskeyScript:
      return {"text/javascript; charset=utf-8", kAuthorizePasskeyJs};
    case PublicPage::kEnrolment:
      break;
  }
  return {"text/html; charset=utf-8", kEnrolHtml};
}

}  // namespace tacenda::api

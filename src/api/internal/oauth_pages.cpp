#include "api/internal/oauth_pages.hpp"

#include <algorithm>
#include <array>

#include "authorization/scopes.hpp"

namespace tacenda::api {
namespace {

using codec::Scope;
using codec::ScopeLevel;
using codec::ScopeVerb;

constexpr auto kVerbs = std::to_array<std::pair<ScopeVerb, std::string_view>>({
    {ScopeVerb::kRead, "read"},
    {ScopeVerb::kSearch, "search"},
    {ScopeVerb::kCreate, "create"},
    {ScopeVerb::kUpdate, "change"},
    {ScopeVerb::kDelete, "delete"},
});

std::string page(std::string_view title, std::string_view problem, std::string const& body) {
  std::string html = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Tacenda: )";
  html.append(escaped(title)).append("</title>\n");
  html.append("<link rel=\"stylesheet\" href=\"/auth/enrol.css\">\n<main>\n  <h1>");
  html.append(escaped(title)).append("</h1>\n");
  if (!problem.empty())
    html.append("  <p class=\"error\" role=\"alert\">").append(escaped(problem)).append("</p>\n");
  return html.append(body).append("</main>\n</html>\n");
}

std::string hidden(std::string_view name, std::string_view value) {
  return "    <input type=\"hidden\" name=\"" + std::string(name) + "\" value=\"" + escaped(value) + "\">\n";
}

std::string checkbox(std::size_t index, std::string_view text) {
  std::string const name = "s" + std::to_string(index);
  return "      <label class=\"inline\"><input type=\"checkbox\" name=\"" + name +
         "\" value=\"1\" checked> " + escaped(text) + "</label>\n";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (char const c : text) {
    switch (c) {
      case '&':
        out.append("&amp;");
        break;
      case '<':
        out.append("&lt;");
        break;
      case '>':
        out.append("&gt;");
        break;
      case '"':
        out.append("&quot;");
        break;
      case '\'':
        out.append("&#39;");
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

bool is_context(Scope const& scope) {
  return scope.level == ScopeLevel::kNone && (scope.word == "launch" || scope.word == "launch/patient" ||
                                              scope.word == authorization::kEncounterContext);
}

std::string words_of(Scope const& scope) {
  if (scope.word == "offline_access")
    return "go on when you are not there, for up to 100 days after its last use";
  if (scope.word == authorization::kStartsOthers)
    return "start other applications for patients whom you may see";
  if (scope.word == "online_access") return "go on until the end of this working day";
  if (scope.level == ScopeLevel::kNone) return scope.word;
  std::string text = scope.type == "*" ? "Everything" : scope.type;
  text.append(scope.level == ScopeLevel::kPatient ? " of one patient: " : " that you may see: ");
  bool is_first = true;
  for (auto const& [verb, word] : kVerbs) {
    if (!scope.has(verb)) continue;
    if (!std::exchange(is_first, false)) text.append(", ");
    text.append(word);
  }
  if (!scope.constraints.empty()) text.append(" (only ").append(scope.constraints).append(")");
  return text;
}

std::string sign_in_page(authorization::Client const& client, std::string_view sealed,
                         std::string_view problem, std::string_view issuer) {
  std::string body = "  <p><strong>" + escaped(client.title) +
                     "</strong> asks for access to records. Sign in to decide what it gets.</p>\n"
                     "  <form method=\"post\" action=\"/oauth/sign-in\">\n";
  body.append(hidden("request", sealed));
  body.append(R"(    <label for="user">User name</label>
    <input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck="false" required>
    <label for="password">Password</label>
    <input id="password" name="password" type="password" autocomplete="current-password" required>
    <label for="factor">Six digits of your authenticator app, or a recovery code</label>
    <input id="factor" name="factor" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required>
    <button>Sign in</button>
    <button formaction="/oauth/passkey" formnovalidate>Use a passkey</button>
)");
  if (!issuer.empty())
    body.append("    <button formaction=\"/oauth/provider\" formnovalidate>Sign in at " + escaped(issuer) +
                "</button>\n");
  body.append("  </form>\n");
  return page("sign in", problem, body);
}

std::string provider_page(std::string_view issuer, std::string_view url) {
  return page("sign in", "",
              "  <p>You go on at <a href=\"" + escaped(url) + "\">" + escaped(issuer) +
                  "</a>, and come back here when you have signed in there.</p>\n");
}

std::string passkey_page(authorization::Client const& client, std::string_view sealed,
                         std::string_view challenge, std::string_view relying_party) {
  std::string body =
      "  <p><strong>" + escaped(client.title) +
      "</strong> asks for access to records. Sign in to decide what it gets.</p>\n"
      "  <noscript><p class=\"error\">Passkeys need JavaScript of this server.</p></noscript>\n"
      "  <p id=\"error\" class=\"error\" role=\"alert\" hidden></p>\n"
      "  <form id=\"passkey\" method=\"post\" action=\"/oauth/sign-in\" data-challenge=\"" +
      escaped(challenge) + "\" data-rp=\"" + escaped(relying_party) + "\">\n";
  body.append(hidden("request", sealed)).append(hidden("credential", ""));
  body.append(R"(    <button>Sign in with a passkey</button>
  </form>
  <script src="/oauth/passkey.js"></script>
)");
  return page("sign in", "", body);
}

std::string consent_page(ConsentPage const& about) {
  std::string body =
      "  <p>You are signed in as <strong>" + escaped(about.person) + "</strong>. <strong>" +
      escaped(about.client.title) + "</strong> (" + escaped(about.client.id) +
      ") asks for what follows. Your own rights bind it: it never sees more than you may.</p>\n"
      "  <form method=\"post\" action=\"/oauth/consent\">\n";
  body.append(hidden("request", about.sealed));
  body.append("    <fieldset>\n      <legend>It may</legend>\n");
  for (std::size_t i = 0; i < about.request.scopes.size(); ++i) {
    auto const& scope = about.request.scopes[i];
    if (!is_context(scope)) body.append(checkbox(i, words_of(scope)));
  }
  body.append("    </fieldset>\n");
  if (auto const& launch = about.request.launch) {
    body.append("    <p>You started it for the patient <strong>" + escaped(launch->patient) + "</strong>");
    if (!launch->context.encounter.empty())
      body.append(" and the encounter <strong>" + escaped(launch->context.encounter) + "</strong>");
    body.append(".</p>\n");
  }
  if (about.asks_for_patient) {
    body.append(R"(    <label for="patient">Id of the patient whom it is about</label>
    <input id="patient" name="patient" autocapitalize="none" spellcheck="false" maxlength="64">
)");
  }
  if (about.asks_for_encounter) {
    body.append(R"(    <label for="encounter">Id of the encounter that it is about (may stay empty)</label>
    <input id="encounter" name="encounter" autocapitalize="none" spellcheck="false" maxlength="64">
)");
  }
  body.append(R"(    <button name="decision" value="allow">Allow</button>
    <button name="decision" value="deny">Deny</button>
  </form>
)");
  return page("allow access?", about.problem, body);
}

std::string problem_page(std::string_view problem) {
  return page("this did not work", problem,
              "  <p>Close this page and start again from the application.</p>\n");
}

}  // namespace tacenda::api

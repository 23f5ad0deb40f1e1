#include "identity/awareness.hpp"

#include <algorithm>
#include <array>

namespace tacenda::identity {
namespace {

constexpr auto kTopics = std::to_array<AwarenessTopic>({
    {"strong-passwords", 1, "Strong passwords",
     "Use a password here that you use nowhere else: one that is stolen elsewhere is tried here the same "
     "day. Length "
     "protects, rules do not: take a sentence that only you would say, or several words that have nothing to "
     "do with "
     "each other. Let a password manager keep it. Tell it to nobody: no administrator and no help desk needs "
     "it. If "
     "somebody else may know it, change it at once and end your other sessions. A passkey is better still: "
     "there is "
     "nothing to remember, and nothing that you could tell to the wrong page."},
    {"phishing", 1, "Phishing",
     "Whoever wants the records asks you for them: by a mail, a call or a page that looks like this "
     "server's. Look at "
     "the address before you type anything, and open this server from your own bookmark, never from a link "
     "in a "
     "message. Nobody who is entitled asks for your password, for a code of your authenticator app or for a "
     "recovery "
     "code. Hurry and threats are signs of fraud: stop, and call back on a number that you know. A passkey "
     "works on "
     "this server's own page only, so that a copy of the page gets nothing. If you have typed something into "
     "the wrong "
     "page, report it at once: nobody is blamed for reporting."},
});

}  // namespace

std::span<AwarenessTopic const> awareness_topics() {
  return kTopics;
}

AwarenessTopic const* find_awareness_topic(std::string_view id) {
  auto const* const found = std::ranges::find(kTopics, id, &AwarenessTopic::id);
  return found == kTopics.end() ? nullptr : found;
}

}  // namespace tacenda::identity

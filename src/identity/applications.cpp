// Tokens by which applications act for people and services.
#include "identity/internal/state.hpp"

namespace tacenda::identity {

Result<Directory::IssuedToken> Directory::issue_application_token(
    Bearer const& bearer, std::shared_ptr<Application const> application, std::chrono::milliseconds lifetime,
    std::string_view address) {
  State& state = *state_;
  WriteLock const lock(state.mutex);
  auto const found = state.by_id.find(bearer.user.view());
  if (found == state.by_id.end() || !state.is_usable(*found->second, state.clock.now()) ||
      (bearer.epoch && found->second->token_epoch != *bearer.epoch))
    return fail(ErrorKind::kUnauthenticated, "the account of this application's user has ended");
  auto made = TACENDA_TRY(state.make_token(found->second, {.lifetime = lifetime,
                                                           .idles = false,
                                                           .method = bearer.method,
                                                           .address = std::string(address),
                                                           .application = std::move(application)}));
  return IssuedToken{std::move(made.pending), state.principal_of(*found->second, *made.token, bearer.method),
                     std::move(made.text), made.token->expires};
}

Pending Directory::end_application_tokens(std::function<bool(Application const&)> const& is_meant) {
  State& state = *state_;
  std::vector<Digest> ended;
  {
    WriteLock const lock(state.mutex);
    for (auto const& [hash, token] : state.tokens) {
      if (token->application && is_meant(*token->application)) ended.push_back(hash);
    }
    for (auto const& hash : ended) state.tokens.erase(hash);
  }
  return Pending(
      [raw = &state, ended]() -> Result<vault::WriteSet> {
        vault::WriteSet set;
        for (auto const& hash : ended) raw->rows.erase(set, State::token_key(hash));
        return set;
      },
      [raw = &state, ended](bool committed) {
        if (committed) return;
        WriteLock const lock(raw->mutex);
        raw->dead.insert(raw->dead.end(), ended.begin(),
                         ended.end());  // their rows go with the next token made
      });
}

}  // namespace tacenda::identity

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "authorization/refusal.hpp"
#include "authorization/remote_keys.hpp"
#include "codec/json.hpp"
#include "core/bytes.hpp"
#include "identity/pending.hpp"

namespace tacenda::authorization {

/// Who was concerned, for the audit log: only what is known to be so.
struct Trace {
  std::string client;
  std::string owner;  // the application whose the code is that `client` showed; empty: none was found
  std::string user_id;
  std::string user_name;
  std::string role;
  std::string authentication;  // how the client showed who it is
  std::string token_id;        // of what was issued
  std::string scopes;
  std::string patient;
};

/// What a request for a token came to. `pending` is committed with its event in every case: also a refusal
/// uses an assertion up. The answer leaves only behind the commit.
struct TokenReply {
  identity::Pending pending;
  std::optional<Refusal> refusal;            // nullopt: it is done
  codec::Json body = codec::Json::object();  // of a success: RFC 6749 section 5.1, RFC 7662 section 2.2
  Trace trace;
  std::vector<KeysNotice> keys;  // each an event of its own, durable before the answer leaves
  bool is_outside = false;       // it may not be asked from there (N-05)
  bool reused = false;  // a code or refresh token was shown again: somebody has a copy, and all of it ended
};

/// Who asks at the token endpoint, by what the connection says.
struct Caller {
  std::string address;                     // for the row of the token
  std::optional<Digest> certificate = {};  // SHA-256 of the verified client certificate (DER)
};

}  // namespace tacenda::authorization

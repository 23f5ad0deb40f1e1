#pragma once

#include <string>
#include <vector>

namespace tacenda::identity {

/// Who a browser takes this server for. A passkey is good for one id and works from these origins only.
/// Source: WebAuthn section 5.1.2 (rp.id), 7.1 and 7.2 (origin).
struct RelyingParty {
  std::string id;                    // a domain: "records.example.org"; never an IP address
  std::vector<std::string> origins;  // "https://records.example.org:8443"
};

}  // namespace tacenda::identity

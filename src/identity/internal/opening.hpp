#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "identity/provisioned.hpp"
#include "identity/standing.hpp"

namespace tacenda::identity {

/// What a change gives an account, and what may open a door therefore: the rows that are to be stored have
/// it, and the account in memory only once they are. Nothing, of what is not set.
struct Opening {
  std::optional<std::string> role = {};
  std::optional<Digest> certificate = {};
  std::uint32_t forgiven = 0;  // failures
  std::shared_ptr<Standing const> standing = {};
  std::optional<std::shared_ptr<Provisioned const>> provisioned =
      {};  // nullptr: it is the provider's no more
  std::shared_ptr<ProviderLink const> provider = {};
};

/// Says what a change opens, each time its rows are written, under the lock: of the account as it is then.
using MakeOpening = std::function<Result<Opening>()>;

}  // namespace tacenda::identity

#pragma once

#include "crypto/running_hash.hpp"

namespace tacenda::vault {

/// vault::digest of bytes that come piece by piece, for rooms above.
using RunningDigest = crypto::RunningSha256;

}  // namespace tacenda::vault

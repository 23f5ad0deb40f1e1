#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "identity/pending.hpp"

namespace tacenda::authorization {

/// Several changes as one: all of them are committed together, or none is.
inline identity::Pending joined(std::vector<identity::Pending> parts) {
  // shared by the two closures of one Pending
  auto const all = std::make_shared<std::vector<identity::Pending>>(std::move(parts));
  return identity::Pending(
      [all]() -> Result<vault::WriteSet> {
        vault::WriteSet set;
        for (auto& part : *all) set.merge(TACENDA_TRY(part.set()), 0);
        return set;
      },
      [all](bool committed) {
        if (committed) {
          for (auto& part : *all) part.committed();
        }
        all->clear();  // what was not committed is taken back here and now
      });
}

template <typename... Pendings>
identity::Pending joined(identity::Pending first, Pendings... rest) {
  std::vector<identity::Pending> parts;
  parts.push_back(std::move(first));
  (parts.push_back(std::move(rest)), ...);
  return joined(std::move(parts));
}

}  // namespace tacenda::authorization

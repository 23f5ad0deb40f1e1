#include "api/internal/content_source.hpp"

#include <algorithm>

#include "core/log.hpp"

namespace tacenda::api {

Result<std::string> ContentSource::next() {
  // A piece ends where a chunk does, so that no chunk is opened twice.
  auto const size =
      static_cast<std::size_t>(std::min<std::uint64_t>(left_, kPieceBytes - first_ % kPieceBytes));
  auto piece = reader_(first_, size);
  if (!piece.has_value()) {
    log(LogLevel::kError, piece.error());
    return piece;
  }
  first_ += size;
  left_ -= size;
  return piece;
}

}  // namespace tacenda::api

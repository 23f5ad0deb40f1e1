#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "core/error.hpp"
#include "net/http.hpp"

namespace tacenda::api {

/// Gives bytes of what a Binary holds. Errors: as records::Store::content.
using ContentReader = std::function<Result<std::string>(std::uint64_t first, std::size_t size)>;

/// The rest of a content, read while it is sent: one piece at a time is in memory.
class ContentSource final : public net::BodySource {
 public:
  static constexpr std::size_t kPieceBytes = std::size_t{256} * 1024;  // a whole number of chunks

  ContentSource(ContentReader reader, std::uint64_t first, std::uint64_t size)
      : reader_(std::move(reader)), first_(first), left_(size) {}

  /// Errors: those of the reader, which are logged: the answer can only be cut off.
  Result<std::string> next() override;

  std::uint64_t left() const { return left_; }

 private:
  ContentReader reader_;
  std::uint64_t first_;
  std::uint64_t left_;
};

}  // namespace tacenda::api

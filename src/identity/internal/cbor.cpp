#include "identity/internal/cbor.hpp"

namespace tacenda::identity {

Result<CborReader::Head> CborReader::head() {
  if (rest_.empty()) return fail(ErrorKind::kInvalid, "the CBOR ends too early");
  auto const first = std::to_integer<std::uint8_t>(rest_[0]);
  rest_ = rest_.subspan(1);
  Head head{static_cast<Major>(first >> 5U), first & 0x1FU};
  if (head.value < 24) return head;
  if (head.value > 27) return fail(ErrorKind::kInvalid, "the CBOR has an indefinite length");
  auto const size = std::size_t{1} << (head.value - 24);
  std::uint64_t const least = size == 1 ? 24 : std::uint64_t{1} << (size * 4);
  std::uint64_t value = 0;
  auto const bytes = TACENDA_TRY(take(size));
  for (auto const byte : bytes) value = value << 8U | std::to_integer<std::uint64_t>(byte);
  if (value < least) return fail(ErrorKind::kInvalid, "the CBOR has a number that is longer than it must be");
  head.value = value;
  return head;
}

Result<ByteView> CborReader::take(std::uint64_t size_bytes) {
  if (size_bytes > rest_.size()) return fail(ErrorKind::kInvalid, "the CBOR ends too early");
  auto const taken = rest_.first(static_cast<std::size_t>(size_bytes));
  rest_ = rest_.subspan(taken.size());
  return taken;
}

Result<ByteView> CborReader::string(Major major) {
  auto const found = TACENDA_TRY(head());
  if (found.major != major) return fail(ErrorKind::kInvalid, "the CBOR has another item than is due here");
  return take(found.value);
}

Result<std::string_view> CborReader::text() {
  return as_text(TACENDA_TRY(string(Major::kText)));
}

Result<ByteView> CborReader::bytes() {
  return string(Major::kBytes);
}

Result<std::uint64_t> CborReader::map() {
  auto const found = TACENDA_TRY(head());
  if (found.major != Major::kMap)
    return fail(ErrorKind::kInvalid, "the CBOR has another item than is due here");
  if (found.value > rest_.size() / 2) return fail(ErrorKind::kInvalid, "the CBOR ends too early");
  return found.value;
}

Result<void> CborReader::skip(unsigned depth) {
  if (depth == 0) return fail(ErrorKind::kInvalid, "the CBOR is too deep");
  auto const found = TACENDA_TRY(head());
  std::uint64_t items = 0;
  switch (found.major) {
    case Major::kUnsigned:
    case Major::kNegative:
      return {};
    case Major::kBytes:
    case Major::kText:
      TACENDA_TRY_VOID(take(found.value));
      return {};
    case Major::kArray:
    case Major::kMap:
      if (found.value > rest_.size()) return fail(ErrorKind::kInvalid, "the CBOR ends too early");
      items = found.major == Major::kMap ? found.value * 2 : found.value;
      break;
    case Major::kTag:
      return fail(ErrorKind::kInvalid, "the CBOR has a tag");
    case Major::kSimple:
      // false, true and null.
      if (found.value < 20 || found.value > 22) return fail(ErrorKind::kInvalid, "the CBOR has a float");
      return {};
  }
  for (; items > 0; --items) TACENDA_TRY_VOID(skip(depth - 1));
  return {};
}

}  // namespace tacenda::identity

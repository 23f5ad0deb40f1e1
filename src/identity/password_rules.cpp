#include "identity/password_rules.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>
#include <zxcvbn.h>

#include "codec/text.hpp"
#include "core/limits.hpp"

namespace tacenda::identity {
namespace {

constexpr std::int32_t kCodePointsMin = 8;
// Guesses an online attacker cannot make against the throttle, with room: 2^24 (about 100 a quarter hour are
// let through per account).
constexpr double kGuessBitsMin = 24.0;
// zxcvbn grows with the square of the length; what follows can only make a password stronger.
constexpr std::size_t kJudgedBytes = 100;

}  // namespace

Result<SecretBuffer> normalize_password(SecretBuffer const& typed) {
  auto const text = as_text(typed.reveal());
  if (text.size() > limits::kPasswordBytes)
    return fail(ErrorKind::kUnprocessable, "the password is too long");
  if (!codec::is_utf8(text)) return fail(ErrorKind::kUnprocessable, "the password is not UTF-8");
  if (text.contains('\0')) return fail(ErrorKind::kUnprocessable, "the password has a NUL character");
  UErrorCode error = U_ZERO_ERROR;
  icu::Normalizer2 const* nfkc = icu::Normalizer2::getNFKCInstance(error);
  if (U_FAILURE(error) != 0) return fail(ErrorKind::kUnavailable, "Unicode data is missing");
  icu::UnicodeString const form = nfkc->normalize(
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size()))),
      error);
  if (U_FAILURE(error) != 0) return fail(ErrorKind::kUnprocessable, "the password cannot be normalized");
  std::string utf8;
  utf8.reserve(text.size() * 4);
  form.toUTF8String(utf8);
  SecretBuffer normalized(as_bytes(utf8));
  ::explicit_bzero(utf8.data(), utf8.size());
  return normalized;
}

Result<void> check_new_password(SecretBuffer const& normalized, std::string_view user_name) {
  auto const bytes = normalized.reveal();
  auto const code_points =
      std::ranges::count_if(bytes, [](std::byte b) { return (b & std::byte{0xC0}) != std::byte{0x80}; });
  if (code_points < kCodePointsMin)
    return fail(ErrorKind::kUnprocessable, "the password is shorter than 8 characters");

  std::vector<char> text(std::min(bytes.size(), kJudgedBytes) + 1, '\0');
  std::ranges::transform(bytes.first(text.size() - 1), text.begin(),
                         [](std::byte b) { return static_cast<char>(b); });
  std::string name(user_name);
  std::array<char const*, 3> known{name.c_str(), "tacenda", nullptr};
  double const bits = ::ZxcvbnMatch(text.data(), known.data(), nullptr);
  ::explicit_bzero(text.data(), text.size());
  if (bits < kGuessBitsMin) {
    return fail(ErrorKind::kUnprocessable, "the password is among the common or easily guessed ones");
  }
  return {};
}

}  // namespace tacenda::identity

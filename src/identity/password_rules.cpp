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

constexpr std::size_t kCodePointsMin = 8;
// Guesses an online attacker cannot make against the throttle, with room: 2^24 (about 100 a quarter hour are
// let through per account).
constexpr double kGuessBitsMin = 24.0;
// zxcvbn grows with the square of the length; what follows can only make a password stronger.
constexpr std::size_t kJudgedBytes = 100;

// Guesses, as powers of two, from which on zxcvbn gives a score of 1, 2, 3 and 4: 10^3, 10^6, 10^8, 10^10.
constexpr std::array kScoreBits{9.966, 19.932, 26.576, 33.220};

/// What zxcvbn makes of a password: the bits of a guess, and the kind of the part that it knows most of.
struct Judged {
  double bits = 0;
  int kind = NON_MATCH;
};

Judged judge(SecretBuffer const& normalized, std::string_view user_name) {
  auto const bytes = normalized.reveal();
  std::vector<char> text(std::min(bytes.size(), kJudgedBytes) + 1, '\0');
  std::ranges::transform(bytes.first(text.size() - 1), text.begin(),
                         [](std::byte b) { return static_cast<char>(b); });
  std::string name(user_name);
  std::array<char const*, 3> known{name.c_str(), "tacenda", nullptr};
  ::ZxcMatch_t* parts = nullptr;
  Judged judged{::ZxcvbnMatch(text.data(), known.data(), &parts), NON_MATCH};
  ::explicit_bzero(text.data(), text.size());
  int longest = 0;
  for (auto const* part = parts; part != nullptr; part = part->Next) {
    int const kind = part->Type & ~MULTIPLE_MATCH;
    if (kind == BRUTE_MATCH || part->Length <= longest) continue;
    longest = part->Length;
    judged.kind = kind;
  }
  ::ZxcvbnFreeInfo(parts);
  return judged;
}

Literal advice_for(int kind) {
  switch (kind) {
    case DICTIONARY_MATCH:
    case DICT_LEET_MATCH:
      return "a common word makes most of it: add several words that have nothing to do with each other";
    case USER_MATCH:
    case USER_LEET_MATCH:
      return "the user name or the name of this program is in it: leave it out";
    case REPEATS_MATCH:
      return "repeated characters add nearly nothing: add other words";
    case SEQUENCE_MATCH:
      return "sequences such as abc or 6543 are tried first: leave them out";
    case SPATIAL_MATCH:
      return "rows of keys such as qwerty are tried first: leave them out";
    case DATE_MATCH:
    case YEAR_MATCH:
      return "dates and years are tried first: leave them out";
    default:
      return "make it longer: a sentence that only you would say";
  }
}

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

std::size_t code_points_of(SecretBuffer const& normalized) {
  return static_cast<std::size_t>(std::ranges::count_if(
      normalized.reveal(), [](std::byte b) { return (b & std::byte{0xC0}) != std::byte{0x80}; }));
}

Result<void> check_new_password(SecretBuffer const& normalized, std::string_view user_name) {
  if (code_points_of(normalized) < kCodePointsMin)
    return fail(ErrorKind::kUnprocessable, "the password is shorter than 8 characters");

  if (judge(normalized, user_name).bits < kGuessBitsMin) {
    return fail(ErrorKind::kUnprocessable, "the password is among the common or easily guessed ones");
  }
  return {};
}

PasswordStrength password_strength(SecretBuffer const& typed, std::string_view user_name) {
  auto const normalized = normalize_password(typed);
  if (!normalized.has_value()) return {};
  auto const judged = judge(*normalized, user_name);
  PasswordStrength strength;
  for (double const bits : kScoreBits) strength.score += judged.bits >= bits ? 1 : 0;
  strength.advice = strength.score == 4 ? Literal("it is strong: keep it to yourself, and use it here alone")
                                        : advice_for(judged.kind);
  return strength;
}

}  // namespace tacenda::identity

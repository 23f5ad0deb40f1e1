#include <random>

#include <gtest/gtest.h>

#include "codec/json.hpp"

namespace tacenda::codec {
namespace {

/// Makes values of every kind; all that it makes follows from its seed.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  Json value(int depth) {
    switch (below(depth > 0 ? 6 : 4)) {
      case 0:
        return {};
      case 1:
        return Json::boolean(below(2) == 0);
      case 2:
        return Json::number_text(number()).value();
      case 3:
        return Json::string(text());
      case 4: {
        Json list = Json::array();
        for (auto count = below(30); count > 0; --count) list.push(value(depth - 1));
        return list;
      }
      default: {
        Json object = Json::object();
        for (auto count = below(30); count > 0; --count) object.set(text(), value(depth - 1));
        return object;
      }
    }
  }

  /// Puts white space where RFC 8259 section 2 allows it: around the structural characters.
  std::string spaced(std::string_view written) {
    std::string out;
    bool in_string = false;
    for (std::size_t i = 0; i < written.size(); ++i) {
      char const c = written[i];
      if (in_string && c == '\\') {
        out.append(written.substr(i++, 2));
        continue;
      }
      if (c == '"') in_string = !in_string;
      bool const structural = !in_string && std::string_view("[]{},:").contains(c);
      if (structural) out.append(below(12), " \n\r\t"[below(4)]);
      out.push_back(c);
      if (structural) out.append(below(12), ' ');
    }
    return out;
  }

  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }

 private:
  std::string digits(std::size_t count_max) {
    std::string out(1 + below(count_max), '0');
    for (auto& digit : out) digit = static_cast<char>('0' + below(10));
    return out;
  }

  std::string number() {
    std::string out = below(2) == 0 ? "-" : "";
    std::string const whole = digits(23);
    out += below(4) == 0 ? "0" : "1" + whole;
    if (below(2) == 0) out += "." + digits(23);
    if (below(4) == 0) out += std::string(1, "eE"[below(2)]) + std::string(1, "+-"[below(2)]) + digits(3);
    return out;
  }

  std::string text() {
    static constexpr std::string_view kPieces[] = {"a",
                                                   "code",
                                                   "\"",
                                                   "\\",
                                                   "/",
                                                   "\n",
                                                   "\x01",
                                                   "\x7f",
                                                   "\xC3\xA9",
                                                   "\xE2\x80\xA8",
                                                   "\xF0\x9F\x98\x80",
                                                   "valueCodeableConcept"};
    std::string out;
    for (auto count = below(8); count > 0; --count) {
      if (below(12) == 0) {
        out.push_back('\0');
      } else {
        out += kPieces[below(std::size(kPieces))];
      }
    }
    return out;
  }

  std::mt19937_64 random_;
};

TEST(JsonProperty, ParsesWhatItWroteToTheSameValue) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Generator generator(seed);
    Json const value = generator.value(4);
    std::string const written = write_json(value);
    auto const parsed = parse_json(written);
    ASSERT_TRUE(parsed.has_value()) << seed;
    EXPECT_EQ(*parsed, value) << seed;
    EXPECT_EQ(write_json(*parsed), written) << seed;
  }
}

TEST(JsonProperty, ReadsTheSameValueWhateverTheWhiteSpace) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Generator generator(seed);
    Json const value = generator.value(3);
    auto const parsed = parse_json(generator.spaced(write_json(value)));
    ASSERT_TRUE(parsed.has_value()) << seed;
    EXPECT_EQ(*parsed, value) << seed;
  }
}

// A document with one byte changed is refused, or is a document whose own text comes back.
TEST(JsonProperty, SurvivesEveryChangedByte) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Generator generator(seed);
    std::string text = write_json(generator.value(2));
    for (int i = 0; i < 50; ++i) {
      std::string changed = text;
      changed[generator.below(changed.size())] = static_cast<char>(generator.below(256));
      auto const parsed = parse_json(changed);
      if (!parsed.has_value()) continue;
      EXPECT_EQ(parse_json(write_json(*parsed)).value(), *parsed) << seed;
    }
  }
}

}  // namespace
}  // namespace tacenda::codec

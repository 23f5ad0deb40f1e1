#pragma once

#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "fhirpath/context.hpp"

/// For the tests of this room alone.
namespace tacenda::fhirpath::testing {

inline std::string read_whole(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline codec::Json parsed(std::string_view text) {
  auto json = codec::parse_json(text);
  if (!json) throw std::runtime_error("no JSON");
  return *std::move(json);
}

/// The dozen units of UCUM that the suite uses, and their products and quotients.
class FewUnits final : public Units {
 public:
  std::optional<Canonical> canonical(Decimal const& value, std::string_view unit) const override {
    Measure measure{value, {}};
    if (!read(unit, 1, measure)) return std::nullopt;
    std::string text;
    for (std::size_t i = 0; i < kBases.size(); ++i) {
      if (measure.exponents[i] != 0)
        text += std::string(kBases[i]) + std::to_string(measure.exponents[i]) + ".";
    }
    return Canonical{measure.value, text};
  }

 private:
  static constexpr std::array<std::string_view, 3> kBases{"m", "g", "s"};
  struct Measure {
    Decimal value;
    std::array<int, 3> exponents;
  };
  struct Row {
    std::string_view code;
    std::string_view factor;
    int base;
  };
  static constexpr std::array kRows{
      Row{"m", "1", 0},      Row{"cm", "0.01", 0}, Row{"[in_i]", "0.0254", 0},     Row{"g", "1", 1},
      Row{"mg", "0.001", 1}, Row{"kg", "1000", 1}, Row{"[lb_av]", "453.59237", 1}, Row{"s", "1", 2}};

  /// "(cm).(m)", "g/m", "m2", "1".
  bool read(std::string_view unit, int sign, Measure& out) const {
    int depth = 0;
    for (std::size_t i = unit.size(); i-- > 0;) {
      if (unit[i] == ')') ++depth;
      if (unit[i] == '(') --depth;
      if (depth == 0 && (unit[i] == '.' || unit[i] == '/')) {
        int const right = unit[i] == '/' ? -sign : sign;
        return read(unit.substr(0, i), sign, out) && read(unit.substr(i + 1), right, out);
      }
    }
    if (unit.starts_with('(') && unit.ends_with(')')) return read(unit.substr(1, unit.size() - 2), sign, out);
    if (unit == "1") return true;
    int power = 1;
    if (unit.size() > 1 && unit.back() >= '2' && unit.back() <= '9') {
      power = unit.back() - '0';
      unit.remove_suffix(1);
    }
    for (Row const& row : kRows) {
      if (row.code != unit) continue;
      out.exponents[static_cast<std::size_t>(row.base)] += sign * power;
      for (int i = 0; i < power; ++i) {
        auto const factor = *Decimal::parse(row.factor);
        auto const next =
            sign > 0 ? Decimal::multiply(out.value, factor) : Decimal::divide(out.value, factor);
        if (!next) return false;
        out.value = *next;
      }
      return true;
    }
    return false;
  }
};

}  // namespace tacenda::fhirpath::testing

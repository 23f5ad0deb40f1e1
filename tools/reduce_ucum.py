#!/usr/bin/env python3
"""Reduces the table of UCUM to the one that the server converts units with.

usage: reduce_ucum.py ESSENCE [OUT]

ESSENCE is ucum-essence.xml. OUT is src/codec/generated/ucum_units.cpp (the default). The same input always gives
the same file.

Each unit is followed through its definitions down to the seven base units: an exact fraction and seven exponents.
Arbitrary units, and special units whose function is no straight line (logarithms, tangent, root), become
dimensions of their own.
"""
import fractions
import pathlib
import re
import sys
import xml.etree.ElementTree

BASE = ["C", "K", "cd", "g", "m", "rad", "s"]  # the order of a canonical unit: by character codes
SPACE = "{http://unitsofmeasure.org/ucum-essence}"
WIDTH = 110

# Special units on a straight line: value in base units = (value + offset) * factor. UCUM names the functions and
# leaves their meaning to the name; these are the zero points of the scales (0 Cel = 273.15 K exactly).
OFFSETS = {"Cel": fractions.Fraction("273.15"), "degF": fractions.Fraction("459.67"),
           "degRe": fractions.Fraction("218.52")}
SAME_FUNCTION = {"100tan": "tanTimes100"}  # two names in the table for one function

BANNER = """\
// Made by tools/reduce_ucum.py from ucum-essence.xml {version} ({date}). Do not edit.
//
// This table is derived from the UCUM table, which is copyright 1999-2024 Regenstrief Institute, Inc. and the UCUM
// Organization; all rights reserved. Used under the UCUM Copyright Notice and License, available at
// https://unitsofmeasure.org/license, whose disclaimer of warranties applies: the UCUM table (in all formats), UCUM
// definitions and specification are provided "as is", without warranties or conditions of any kind, express or
// implied. See also LICENSE.md beside this file.
#include "codec/internal/ucum_table.hpp"
"""


class Unit:
    """factor * product of base units; `own` names a dimension that is no base unit, `offset` a zero point."""

    def __init__(self, factor=1, exponents=None, own="", offset=None, metric=False, special=False):
        self.factor = fractions.Fraction(factor)
        self.exponents = exponents or [0] * len(BASE)
        self.own = own
        self.offset = offset
        self.metric = metric
        self.special = special  # its measurements are on no ratio scale: takes part in no product

    def times(self, other, power):
        if self.own or other.own or self.offset or other.offset:
            sys.exit("a definition builds on an arbitrary or special unit")
        exponents = [a + b * power for a, b in zip(self.exponents, other.exponents)]
        return Unit(self.factor * other.factor ** power, exponents)


class Table:
    """The units of the file, each worked out when it is first asked for."""

    def __init__(self, root):
        self.prefixes = {node.get("Code"): fractions.Fraction(node.find(SPACE + "value").get("value"))
                         for node in root.iter(SPACE + "prefix")}
        self.nodes = {node.get("Code"): node for node in root.iter(SPACE + "unit")}
        self.units = {}
        for node in root.iter(SPACE + "base-unit"):
            code = node.get("Code")
            self.units[code] = Unit(1, [int(code == name) for name in BASE], metric=True)
        if sorted(self.units) != BASE:
            sys.exit(f"other base units than {BASE}")
        for code in self.nodes:
            self.unit(code)
        self._check_codes()

    def unit(self, code):
        if code not in self.units:
            self.units[code] = self._define(self.nodes[code])
        return self.units[code]

    def _define(self, node):
        code, value = node.get("Code"), node.find(SPACE + "value")
        metric = node.get("isMetric") == "yes"
        if node.get("isArbitrary") == "yes":
            same_as = value.get("Unit")
            own = same_as if same_as in self.nodes else code
            return Unit(1, own=own, metric=metric)
        function = value.find(SPACE + "function")
        if function is None:
            unit = Unit(fractions.Fraction(value.get("value"))).times(self.term(value.get("Unit")), 1)
        elif function.get("name") in OFFSETS:
            unit = Unit(fractions.Fraction(function.get("value"))).times(self.term(function.get("Unit")), 1)
            unit.offset = OFFSETS[function.get("name")] * unit.factor
        else:
            unit = Unit(1, own=self._first_of_same_function(code))
        unit.metric, unit.special = metric, function is not None
        return unit

    def _first_of_same_function(self, code):
        def key(node):
            function = node.find(f"{SPACE}value/{SPACE}function")
            return function is not None and (SAME_FUNCTION.get(function.get("name"), function.get("name")),
                                             function.get("value"), function.get("Unit"))
        return next(other for other, node in self.nodes.items() if key(node) == key(self.nodes[code]))

    def term(self, text):
        """A unit expression of a definition; none of the file has parentheses or annotations."""
        unit = Unit()
        for operator, part in re.findall(r"([./]?)((?:\[[^\]]*\]|[^./\[])+)", text):
            unit = unit.times(self._component(part), -1 if operator == "/" else 1)
        return unit

    def _component(self, part):
        if part.isdigit():
            return Unit(int(part))
        if part[:3] in ("10*", "10^"):
            return Unit().times(self.unit("10*"), int(part[3:] or 1))
        symbol, exponent = re.fullmatch(r"(.*?[^0-9+-])([+-]?[0-9]+)?", part).groups()
        return Unit().times(self._simple(symbol), int(exponent or 1))

    def _simple(self, symbol):
        if symbol in self.units or symbol in self.nodes:
            return self.unit(symbol)
        for prefix, value in self.prefixes.items():
            if symbol.startswith(prefix) and symbol[len(prefix):] in self.nodes.keys() | set(BASE):
                unit = self.unit(symbol[len(prefix):])
                if unit.metric:
                    return Unit(value).times(unit, 1)
        sys.exit(f"unknown unit in a definition: {symbol}")

    def _check_codes(self):
        """What the server's reader relies on: digits and operators only within brackets, no symbol of two meanings."""
        meanings = {}
        for code, unit in self.units.items():
            outside = re.sub(r"\[[^\]]*\]", "", code)
            if code not in ("10*", "10^") and re.search(r"[0-9+\-./(){}\[\]]", outside):
                sys.exit(f"the symbol has a digit or operator outside brackets: {code}")
            for prefix in ["", *self.prefixes] if unit.metric else [""]:
                meanings.setdefault(prefix + code, []).append((prefix, code))
        twice = [symbol for symbol, found in meanings.items() if len(found) > 1]
        if twice:
            sys.exit(f"symbols that can be read in two ways: {twice}")


def fraction_fields(value):
    """Digits above and below, and a power of ten; what is below has no factor 2 or 5."""
    top, bottom, power = value.numerator, value.denominator, 0
    for factor, other in ((2, 5), (5, 2)):
        while bottom % factor == 0:
            bottom, top, power = bottom // factor, top * other, power - 1
    while top and top % 10 == 0:
        top, power = top // 10, power + 1
    return f'{{"{top}", "{bottom}", {power}}}'


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main():
    root = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
    out = pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else "src/codec/generated/ucum_units.cpp")
    table = Table(root)
    date = re.search(r"\d{4}-\d{2}-\d{2}", root.get("revision-date")).group()
    lines = [BANNER.format(version=root.get("version"), date=date), "namespace tacenda::codec::internal {", "namespace {",
             "", "constexpr UcumPrefix kPrefixes[] = {"]
    for code in sorted(table.prefixes):
        lines.append(f"    {{{quoted(code)}, {fraction_fields(table.prefixes[code])}}},")
    lines += ["};", "", "constexpr UcumUnit kUnits[] = {"]
    for code in sorted(table.units):
        unit = table.units[code]
        exponents = ", ".join(map(str, unit.exponents))
        lines.append(f"    {{{quoted(code)}, {str(unit.metric).lower()}, {str(unit.special).lower()}, {quoted(unit.own)}, "
                     f"{fraction_fields(unit.factor)}, {fraction_fields(unit.offset or fractions.Fraction(0))}, "
                     f"{{{exponents}}}}},")
    lines += ["};", "", "}  // namespace", "", "std::span<UcumPrefix const> ucum_prefixes() { return kPrefixes; }",
              "std::span<UcumUnit const> ucum_units() { return kUnits; }", "",
              "}  // namespace tacenda::codec::internal", ""]
    out.write_text("\n".join(lines))
    print(f"{len(table.units)} units, {len(table.prefixes)} prefixes")


if __name__ == "__main__":
    main()

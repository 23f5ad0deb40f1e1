"""tools/reduce_ucum.py: definitions become exact factors; what the server could not read stops it."""
import fractions
import pathlib
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import reduce_ucum as tool  # noqa: E402

PREFIX = '<prefix Code="{}"><value value="{}"/></prefix>'
UNIT = '<unit Code="{}" isMetric="{}"><value Unit="{}" value="{}"/></unit>'
ARBITRARY = '<unit Code="{}" isMetric="yes" isArbitrary="yes"><value Unit="{}" value="1"/></unit>'
SPECIAL = '<unit Code="{}" isMetric="no" isSpecial="yes"><value><function name="{}" value="{}" Unit="{}"/></value></unit>'


def table(*rows):
    bases = "".join(f'<base-unit Code="{code}"/>' for code in tool.BASE)
    text = f'<root xmlns="http://unitsofmeasure.org/ucum-essence">{bases}{"".join(rows)}</root>'
    return tool.Table(xml.etree.ElementTree.fromstring(text))


class ReduceUcum(unittest.TestCase):
    def test_follows_definitions_down_to_base_units(self):
        units = table(PREFIX.format("k", "1e3"), UNIT.format("N", "yes", "kg.m/s2", "1"),
                      UNIT.format("[x]", "no", "kN/7", "2.5")).units
        self.assertEqual(units["[x]"].factor, fractions.Fraction(2_500_000, 7))
        self.assertEqual(units["[x]"].exponents, [0, 0, 0, 1, 1, 0, -2])

    def test_keeps_arbitrary_and_logarithmic_units_apart(self):
        units = table(ARBITRARY.format("[iU]", "1"), ARBITRARY.format("[IU]", "[iU]"),
                      SPECIAL.format("[pH]", "pH", "1", "g/m3")).units
        self.assertEqual((units["[iU]"].own, units["[IU]"].own, units["[pH]"].own), ("[iU]", "[iU]", "[pH]"))
        self.assertTrue(units["[pH]"].special)

    def test_gives_straight_scales_their_zero_point_in_base_units(self):
        unit = table(SPECIAL.format("[degF]", "degF", "5", "K/9")).units["[degF]"]
        self.assertEqual(unit.factor * 32 + unit.offset, fractions.Fraction("273.15"))

    def test_writes_fractions_without_twos_and_fives_below(self):
        self.assertEqual(tool.fraction_fields(fractions.Fraction(1, 60)), '{"5", "3", -2}')
        self.assertEqual(tool.fraction_fields(fractions.Fraction(4600)), '{"46", "1", 2}')
        self.assertEqual(tool.fraction_fields(fractions.Fraction(0)), '{"0", "1", 0}')

    def test_stops_at_what_cannot_be_read(self):
        for rows in ([UNIT.format("x", "no", "unknown", "1")], [UNIT.format("x2", "no", "m", "1")],
                     [PREFIX.format("k", "1e3"), UNIT.format("km", "yes", "m", "1")],
                     [ARBITRARY.format("[iU]", "1"), UNIT.format("x", "no", "[iU]", "1")]):
            with self.assertRaises(SystemExit):
                table(*rows)


if __name__ == "__main__":
    unittest.main()

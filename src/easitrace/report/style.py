"""How numbers are printed: one rule for every table, sentence and figure of a report."""

import math
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

MISSING = "\u2013"
SMALLEST_P = 0.001
LARGEST_P = 0.999


@dataclass(frozen=True)
class Style:
    """A journal's way with numbers.

    Attributes
    ----------
    p_leading_zero : bool
        Print `0.003` rather than `.003`.
    decimal : str
        Decimal sign, "." or ",".
    digits : int
        Digits after the sign for scores, medians, estimates and their limits.
    """

    p_leading_zero: bool = False
    decimal: str = "."
    digits: int = 1

    def number(self, value: float | None, digits: int | None = None) -> str:
        """A score or an estimate; halves away from zero, missing as an en dash, a real minus sign, never `-0.0`."""
        if value is None or not math.isfinite(value):
            return MISSING
        places = self.digits if digits is None else digits
        rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
        return f"{abs(rounded) if rounded == 0 else rounded:f}".replace("-", "\u2212").replace(".", self.decimal)

    def interval(self, lower: float, upper: float, digits: int | None = None) -> str:
        """Two limits as `1.2 to 3.4`, which cannot be misread where limits are negative."""
        return f"{self.number(lower, digits)} to {self.number(upper, digits)}"

    def range(self, lower: float, upper: float, digits: int | None = None) -> str:
        """Two quartiles as `1.2\u20133.4`."""
        return f"{self.number(lower, digits)}\u2013{self.number(upper, digits)}"

    def p(self, value: float | None) -> str:
        """A P value to three decimals below .01 or where two would round across .05, to two otherwise; `< .001`."""
        if value is None or not math.isfinite(value):
            return MISSING
        if value < SMALLEST_P:
            return f"< {self._p_text(SMALLEST_P, 3)}"
        if value > LARGEST_P:
            return f"> {self._p_text(LARGEST_P, 3)}"
        near_threshold = 0.045 <= value < 0.055
        return self._p_text(value, 3 if value < 0.0995 or near_threshold else 2)

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A proportion between 0 and 1 as a percentage with its sign."""
        return MISSING if share is None or not math.isfinite(share) else f"{self.number(100 * share, digits)}%"

    def count(self, n: int, total: int) -> str:
        """`7/20 (35%)`; no percentage of nothing."""
        return f"{n}/{total} ({self.percent(n / total)})" if total else f"{n}/{total}"

    def fill(self, template: str, values: Mapping[str, Any]) -> str:
        r"""Fill `{name:spec}` fields; spec is digits (`.1f`), `p`, `%`, `d`, or nothing for text and scores.

        `\[` is a bracket that begins no link.

        Raises
        ------
        KeyError
            When the template names a value that was not given.
        """
        return _Filler(self).vformat(template.replace(r"\[", "["), (), values)

    def _p_text(self, value: float, digits: int) -> str:
        text = f"{value:.{digits}f}".replace(".", self.decimal)
        return text if self.p_leading_zero else text.removeprefix("0")


class _Filler(string.Formatter):
    """str.format with a style's own field formats."""

    def __init__(self, style: Style) -> None:
        self.style = style

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, str | bool):
            return str(value)
        if format_spec == "p":
            return "P " + _with_relation(self.style.p(value))
        if format_spec == "%":
            return self.style.percent(value)
        if digits := re.fullmatch(r"\.(\d)f", format_spec):
            return self.style.number(value, int(digits[1]))
        if format_spec == "d" or isinstance(value, int):
            return str(int(value))
        return self.style.number(value)


def _with_relation(p: str) -> str:
    return p if p[0] in "<>" else f"= {p}"

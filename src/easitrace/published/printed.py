"""A figure as a paper prints it: the text, and the values that would be printed so."""

import math
import re
from dataclasses import dataclass

DUST = 1e-9
_PRINTED = re.compile(r"([=<>]?)\s*(-?\d*\.?\d+)\s*%?")


@dataclass(frozen=True)
class Printed:
    """A printed figure, such as `12.8`, `= .003`, `< .001` or `84 %`.

    Attributes
    ----------
    text : str
        As printed; its last digit says how far it was rounded.
    lower, upper : float
        A value between them is printed so; either rounding of a half is accepted.
    value : float
        The number printed.
    unit : float
        One unit of its last digit.
    assumed : bool
        Whether the publication is silent and the figure was chosen.
    """

    text: str
    lower: float
    upper: float
    value: float
    unit: float
    assumed: bool = False

    def agrees(self, computed: float) -> bool:
        """Whether a computed value is printed so."""
        return self.lower - DUST <= computed <= self.upper + DUST

    def distance(self, computed: float) -> float:
        """How many units of the last digit a value is away from being printed so; 0 when no rounding decides."""
        inside = 0.02 * self.unit
        short = max(self.lower + inside - computed, computed - self.upper + inside, 0.0)
        return short / self.unit


def printed(text: str, *, assumed: bool = False) -> Printed:
    """Read a printed figure.

    Raises
    ------
    ValueError
        When the text is no figure.
    """
    match = _PRINTED.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no printed figure; write e.g. 12.8, = .003 or < .001")
    value = float(match[2])
    unit = 10.0 ** -len(match[2].partition(".")[2])
    lower, upper = value - unit / 2, value + unit / 2
    if match[1] == "<":
        lower, upper = -math.inf, value
    elif match[1] == ">":
        lower, upper = value, math.inf
    return Printed(text, lower, upper, value, unit, assumed)

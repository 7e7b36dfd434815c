"""How far a score is from meeting a response criterion, in steps of the outcome's grid, exactly."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from easitrace.instruments import Instrument
from easitrace.published.draws import Floats, Integers
from easitrace.response.expression import Atom, Combined, Expression, Percent, Reached, parse_criterion

Margin = Callable[[Integers, Integers], Floats]


def margin_of(criterion: str, instrument: Instrument) -> Margin:
    """A function of (baseline, follow-up) in grid steps: at or below 0 where a criterion of the instrument is met."""
    return _margin(parse_criterion(criterion, instrument.name), instrument)


def _margin(expression: Expression, instrument: Instrument) -> Margin:
    if not isinstance(expression, Combined):
        return _atom(expression, instrument)
    parts = [_margin(part, instrument) for part in expression.parts]
    combine = np.maximum if expression.word == "and" else np.minimum

    def combined(before: Integers, after: Integers) -> Floats:
        return np.asarray(combine.reduce([part(before, after) for part in parts]))

    return combined


def _atom(atom: Atom, instrument: Instrument) -> Margin:
    sign = 1 if instrument.better == "lower" else -1
    if isinstance(atom, Percent):
        share = atom.percent
        return lambda before, after: np.asarray((share * before - 100 * sign * (before - after)) / 100)
    grid = Decimal(str(instrument.grid))
    if isinstance(atom, Reached):
        rounding = ROUND_FLOOR if atom.relation == "<=" else ROUND_CEILING
        bound = int((atom.score / grid).to_integral_value(rounding))
        direction = 1 if atom.relation == "<=" else -1
        return lambda before, after: (direction * (after - bound)).astype(np.float64)
    steps = int((atom.points / grid).to_integral_value(ROUND_CEILING))
    return lambda before, after: (steps - sign * (before - after)).astype(np.float64)

"""The border of response: from a baseline score to the worst score that still meets the criterion, exactly."""

from typing import Any

import numpy as np

from easitrace.cohort.cohort import Cohort
from easitrace.instruments import UNITS_PER_PERCENT, UNITS_PER_POINT
from easitrace.response.criteria import criterion_of
from easitrace.response.expression import Combined, Expression, Percent, Reached, atoms


def response_limit(cohort: Cohort, criterion: str, baseline: Any) -> Any:
    """The worst score on the instrument's grid that still meets the criterion, by baseline score.

    Missing where the baseline is, where the criterion cannot be met from it, and for a percentage of 0.
    """
    one = cohort.instrument()
    units = limit_in_units(cohort, criterion, baseline)
    grid, low = round(one.grid * UNITS_PER_POINT), round(one.minimum * UNITS_PER_POINT)
    steps = np.floor((units - low) / grid) if one.better == "lower" else np.ceil((units - low) / grid)
    limit = (low + steps * grid) / UNITS_PER_POINT
    reached = limit >= one.minimum if one.better == "lower" else limit <= one.maximum
    return np.where(reached, np.clip(limit, one.minimum, one.maximum), np.nan)


def limit_in_units(cohort: Cohort, criterion: str, baseline: Any) -> Any:
    """The limit of a criterion in millionths of a point, by baseline score, exact: a score at it meets, one beyond not.

    It may lie outside the instrument's range; missing for a missing baseline, and for a percentage of 0.
    """
    expression = criterion_of(cohort, criterion)
    scores = np.asarray(baseline, dtype=float)
    start = np.round(np.nan_to_num(scores) * UNITS_PER_POINT).astype(np.int64)
    limit = _limit(expression, start, cohort.instrument().better == "lower").astype(float)
    percents = any(isinstance(atom, Percent) for atom in atoms(expression))
    return np.where(np.isnan(scores) | ((start == 0) & percents), np.nan, limit)


def _limit(expression: Expression, start: Any, lower: bool) -> Any:
    if isinstance(expression, Combined):
        limits = [_limit(part, start, lower) for part in expression.parts]
        stricter = np.minimum if (expression.word == "and") == lower else np.maximum
        return stricter.reduce(limits)
    sign = 1 if lower else -1
    if isinstance(expression, Percent):
        whole = 100 * UNITS_PER_PERCENT
        kept = start * (whole - sign * expression.percent * UNITS_PER_PERCENT)
        return sign * (sign * kept // whole)
    if isinstance(expression, Reached):
        return np.full_like(start, round(float(expression.score) * UNITS_PER_POINT))
    return start - sign * round(float(expression.points) * UNITS_PER_POINT)

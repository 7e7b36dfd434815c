"""Observed scores of two arms at a visit: Mann-Whitney test and Hodges-Lehmann shift with its interval.

With x of one arm and y of the reference, the shift is the median of all differences x_i - y_k, and its interval lies
between two of them, chosen by the null distribution of Mann and Whitney's U (Hollander & Wolfe 1999, Nonparametric
Statistical Methods, sections 4.1 to 4.3). Differences are counted in billionths of a point, as in `easitrace.paired`.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from easitrace.cohort.arms import each_arm
from easitrace.cohort.cohort import Cohort
from easitrace.paired import LARGEST_EXACT, UNITS_PER_POINT

Integers = npt.NDArray[np.int64]
NUMBERS = ("shift", "lower", "upper", "achieved", "statistic", "p")


def arm_comparisons(cohort: Cohort, *, instrument: str | None = None, level: float = 0.95) -> pd.DataFrame:
    """Each other arm against the reference at each visit after baseline, by the patients seen there.

    Baselines are not compared: randomised arms differ there by chance. `instrument` is the outcome when None.

    Returns
    -------
    DataFrame
        `name` ("drug v placebo"), `arm`, `reference`, `visit`, `week`, `n`, `n_reference`, `median`,
        `reference_median`, then those of `compared`. P values are not adjusted.
    """
    parts = {arm: part.wide(instrument) for arm, part in each_arm(cohort).items()}
    reference, *others = parts
    rows = []
    for arm in others:
        for visit in cohort.schedule[1:]:
            own, base = (parts[name][visit.week].dropna().to_numpy(float) for name in (arm, reference))
            place = {"name": f"{arm} v {reference}", "arm": arm, "reference": reference, "visit": visit.label}
            counts = {"week": visit.week, "n": len(own), "n_reference": len(base)}
            medians = {"median": _median(own), "reference_median": _median(base)}
            rows.append({**place, **counts, **medians, **compared(own, base, level)})
    return pd.DataFrame(rows)


def instrument_comparisons(cohort: Cohort, names: Sequence[str], *, level: float = 0.95) -> pd.DataFrame:
    """`arm_comparisons` of several instruments: `instrument` first, its label in `name`."""
    tables = []
    for name in names:
        own = arm_comparisons(cohort, instrument=name, level=level)
        own["name"] = cohort.instrument(name).label + ", " + own["name"]
        own.insert(0, "instrument", name)
        tables.append(own)
    return pd.concat(tables, ignore_index=True)


def compared(x: Any, y: Any, level: float = 0.95) -> dict[str, Any]:
    """The shift of x (n,) against y (m,), none missing.

    Returns
    -------
    dict
        `shift`, `lower`, `upper` (points), `achieved` (level of the interval), `statistic` (U), `p` (two-sided),
        `method`: exact where neither sample has more than `LARGEST_EXACT` values and none are tied, else the normal
        approximation with tie and continuity correction. Missing where a sample is empty or all values are equal.
    """
    one, other = (np.sort(np.rint(np.asarray(v, dtype=float) * UNITS_PER_POINT).astype(np.int64)) for v in (x, y))
    both = np.concatenate([one, other])
    if not len(one) or not len(other) or (both == both[0]).all():
        why = "nobody seen in an arm" if not len(one) or not len(other) else "all scores are equal"
        return {**dict.fromkeys(NUMBERS, math.nan), "method": f"no test: {why}"}
    return {**_shift(one, other, level), **_test(one, other)}


def _shift(x: Integers, y: Integers, level: float) -> dict[str, float]:
    total = len(x) * len(y)
    order, achieved = _interval_order(len(x), len(y), 1 - level)
    middle = (_difference(x, y, (total + 1) // 2) + _difference(x, y, total // 2 + 1)) / 2
    lower, upper = _difference(x, y, order), _difference(x, y, total + 1 - order)
    points = {"shift": middle, "lower": lower, "upper": upper}
    return {name: value / UNITS_PER_POINT for name, value in points.items()} | {"achieved": achieved}


def _test(x: Integers, y: Integers) -> dict[str, Any]:
    from scipy.stats import mannwhitneyu

    tied = len(np.unique(np.concatenate([x, y]))) < len(x) + len(y)
    exact = max(len(x), len(y)) <= LARGEST_EXACT and not tied
    found = mannwhitneyu(x.astype(float), y.astype(float), method="exact" if exact else "asymptotic")
    correction = "tie and continuity correction" if tied else "continuity correction"
    method = "exact Mann-Whitney test" if exact else f"Mann-Whitney test (normal approximation with {correction})"
    return {"statistic": float(found.statistic), "p": float(found.pvalue), "method": method}


def _interval_order(n: int, m: int, alpha: float) -> tuple[int, float]:
    """Rank k of the difference that is the lower limit, and the level of [k-th, k-th from above]."""
    if max(n, m) > LARGEST_EXACT:
        deviation = math.sqrt(n * m * (n + m + 1) / 12)
        order = max(1, math.floor(n * m / 2 - NormalDist().inv_cdf(1 - alpha / 2) * deviation))
        return order, 1 - math.erfc((n * m / 2 - order + 0.5) / deviation / math.sqrt(2))
    counts = _null_counts(n, m)
    below = np.cumsum([count / math.comb(n + m, n) for count in counts])
    order = max(1, int(np.searchsorted(below, alpha / 2, side="right")))
    return order, 1 - 2 * float(below[order - 1])


@lru_cache(maxsize=256)
def _null_counts(n: int, m: int) -> tuple[int, ...]:
    """How many of the orders of n and m values give U = 0, 1, ..., n m: the Gaussian binomial coefficient."""
    counts = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for u in range(n * m, m + i - 1, -1):
            counts[u] -= counts[u - m - i]
        for u in range(i, n * m + 1):
            counts[u] += counts[u - i]
    return tuple(counts)


def _difference(x: Integers, y: Integers, order: int) -> int:
    """The `order`-th smallest of x_i - y_k, by bisection on whole numbers."""
    low, high = int(x[0] - y[-1]), int(x[-1] - y[0])
    while low < high:
        middle = (low + high) // 2
        if int(np.searchsorted(x, middle + y, side="right").sum()) >= order:
            high = middle
        else:
            low = middle + 1
    return low


def _median(values: npt.NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else math.nan

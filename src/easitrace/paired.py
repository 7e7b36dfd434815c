"""Paired change: exact Wilcoxon signed-rank test, Hodges-Lehmann shift with its interval, quartiles.

Differences are counted in billionths of a point, because scores on a 0.1 grid leave floating-point dust
(12.8 - 6.2 is not 10.6 - 4.0) that would break ties and hide zeros.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from easitrace.errors import NotEstimableError, ParameterError, Problem

UNITS_PER_POINT = 10**9
LARGEST_EXACT = 50
LARGEST_DIFFERENCE = 1e9

QuartileMethod = Literal[
    "linear",
    "weibull",
    "hazen",
    "median_unbiased",
    "normal_unbiased",
    "interpolated_inverted_cdf",
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class SignedRank:
    """Two-sided Wilcoxon signed-rank test.

    Attributes
    ----------
    n_pairs, n_zero, n : int
        Pairs given, pairs without a change (dropped, as Wilcoxon did), pairs ranked.
    statistic : float
        Sum of the ranks of the positive differences.
    p : float
        Two-sided P value.
    ties : bool
        Whether some absolute differences are equal and share their mean rank.
    method : str
        The test in words, as a report prints it.
    """

    n_pairs: int
    n_zero: int
    n: int
    statistic: float
    p: float
    ties: bool
    method: str


@dataclass(frozen=True)
class Shift:
    """Hodges-Lehmann shift: median of the Walsh averages, with an interval between two of them.

    `level` is the confidence level asked for, `achieved` the one the interval has: not below `level`
    unless even the widest interval falls short (fewer than 6 pairs at 95 %).
    """

    n: int
    estimate: float
    lower: float
    upper: float
    level: float
    achieved: float
    method: str


@dataclass(frozen=True)
class Quartiles:
    """Lower quartile, median and upper quartile of the `n` values that are not missing."""

    n: int
    lower: float
    median: float
    upper: float
    method: str


def signed_rank(differences: ArrayLike) -> SignedRank:
    """Wilcoxon signed-rank test that the differences are symmetric about 0.

    The null distribution is exact for `n <= 50`, given the midranks when absolute differences are tied;
    above that the normal approximation with tie and continuity correction.

    Parameters
    ----------
    differences : array_like, shape (n_pairs,)
        After minus before, none missing.

    Returns
    -------
    SignedRank

    Raises
    ------
    NotEstimableError
        E298 when no difference is different from 0.
    ParameterError
        E299 when a difference is missing, infinite or above `LARGEST_DIFFERENCE`.

    Notes
    -----
    Wilcoxon (1945) Biometrics Bulletin 1:80; Hollander & Wolfe (1999) Nonparametric Statistical Methods,
    section 3.1, for the variance under ties.
    """
    units = _units(differences)
    changed = units[units != 0]
    n = len(changed)
    if n == 0:
        raise NotEstimableError(
            Problem("E298", "signed-rank test", f"none of {len(units)} pairs differs", "no test is possible")
        )
    doubled, ties = _doubled_midranks(np.abs(changed))
    positive = int(doubled[changed > 0].sum())
    exact = n <= LARGEST_EXACT
    p = _exact_p(tuple(doubled.tolist()), positive) if exact else _normal_p(doubled, positive)
    return SignedRank(len(units), len(units) - n, n, positive / 2, p, ties, _test_name(exact=exact, ties=ties))


def hodges_lehmann(differences: ArrayLike, level: float = 0.95) -> Shift:
    """Hodges-Lehmann shift with the interval that inverts the signed-rank test.

    Pairs without a change stay in. The order statistics come from the exact null distribution of the
    signed-rank sum for `n <= 50` (distribution-free without ties, conservative with), above that from its
    normal approximation.

    Parameters
    ----------
    differences : array_like, shape (n,)
        After minus before, none missing.
    level : float
        Confidence level, between 0.5 and 1.

    Returns
    -------
    Shift

    Raises
    ------
    NotEstimableError
        E298 when there is no pair.
    ParameterError
        E299 when a difference is missing, infinite or above `LARGEST_DIFFERENCE`, or `level` is out of range.

    Notes
    -----
    Hollander & Wolfe (1999), sections 3.2 and 3.3. R: `wilcox.test(differences, conf.int = TRUE)`.
    """
    if not 0.5 < level < 1:
        raise ParameterError(Problem("E299", "level", f"{level} is not between 0.5 and 1", "give e.g. 0.95"))
    units = np.sort(_units(differences))
    n = len(units)
    if n == 0:
        raise NotEstimableError(Problem("E298", "Hodges-Lehmann shift", "there is no pair", "no shift is possible"))
    total = n * (n + 1) // 2
    order, achieved = _interval_order(n, 1 - level)
    middle = [_walsh_sum(units, (total + 1) // 2), _walsh_sum(units, total // 2 + 1)]
    halves = 2 * UNITS_PER_POINT
    return Shift(
        n=n,
        estimate=sum(middle) / 2 / halves,
        lower=_walsh_sum(units, order) / halves,
        upper=_walsh_sum(units, total + 1 - order) / halves,
        level=level,
        achieved=achieved,
        method="exact" if n <= LARGEST_EXACT else "normal approximation",
    )


def quartiles(values: ArrayLike, method: QuartileMethod = "linear") -> Quartiles:
    """Quartiles by a named definition; missing values are left out and `n` says how many are in.

    Parameters
    ----------
    values : array_like, shape (n_values,)
    method : str
        NumPy's name: "linear" is R type 7, "weibull" R type 6 (SPSS HAVERAGE), "hazen" R type 5
        (Hyndman & Fan 1996, American Statistician 50:361).

    Raises
    ------
    ParameterError
        E299 when the definition has another name.
    """
    if method not in get_args(QuartileMethod):
        names = ", ".join(get_args(QuartileMethod))
        raise ParameterError(Problem("E299", "quartiles", f"{method!r} is no definition", f"use {names}"))
    numbers = np.asarray(values, dtype=float)
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return Quartiles(0, math.nan, math.nan, math.nan, method)
    lower, median, upper = np.quantile(present, [0.25, 0.5, 0.75], method=method).tolist()
    return Quartiles(len(present), lower, median, upper, method)


def _units(differences: ArrayLike) -> Integers:
    numbers = np.asarray(differences, dtype=float)
    if not (np.abs(numbers) <= LARGEST_DIFFERENCE).all():
        raise ParameterError(
            Problem("E299", "differences", "a value is missing, infinite or too large", "leave the pair out")
        )
    units: Integers = np.rint(numbers * UNITS_PER_POINT).astype(np.int64)
    return units


def _doubled_midranks(magnitudes: Integers) -> tuple[Integers, bool]:
    """Twice the mid-ranks, whole numbers, and whether any are shared."""
    _, position, count = np.unique(magnitudes, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    doubled: Integers = (2 * last - count + 1)[position]
    return doubled, bool((count > 1).any())


@lru_cache(maxsize=4096)
def _null_counts(doubled_ranks: tuple[int, ...]) -> Integers:
    """How many of the 2^n sign patterns give each doubled rank sum 0, 1, ..., sum of all."""
    counts = np.zeros(sum(doubled_ranks) + 1, dtype=np.int64)
    counts[0] = 1
    reached = 0
    for rank in doubled_ranks:
        counts[rank : reached + rank + 1] += counts[: reached + 1].copy()
        reached += rank
    return counts


def _exact_p(doubled_ranks: tuple[int, ...], positive: int) -> float:
    counts = _null_counts(tuple(sorted(doubled_ranks)))
    smaller_tail = min(positive, len(counts) - 1 - positive)
    as_extreme = int(counts[: smaller_tail + 1].sum())
    return min(1.0, 2.0 * as_extreme / 2.0 ** len(doubled_ranks))


def _normal_p(doubled_ranks: Integers, positive: int) -> float:
    """Normal approximation; the sum of squared mid-ranks / 4 is the variance with its tie correction."""
    ranks = doubled_ranks / 2
    excess = abs(positive / 2 - ranks.sum() / 2) - 0.5
    z = max(excess, 0.0) / math.sqrt(float((ranks**2).sum()) / 4)
    return math.erfc(z / math.sqrt(2))


def _test_name(*, exact: bool, ties: bool) -> str:
    if exact:
        return "exact Wilcoxon signed-rank test" + (" (midranks for ties)" if ties else "")
    correction = "tie and continuity correction" if ties else "continuity correction"
    return f"Wilcoxon signed-rank test (normal approximation with {correction})"


def _interval_order(n: int, alpha: float) -> tuple[int, float]:
    """Rank k of the Walsh average that is the lower limit, and the level of [k-th, k-th from above]."""
    total = n * (n + 1) // 2
    if n > LARGEST_EXACT:
        deviation = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        order = max(1, math.floor(total / 2 - NormalDist().inv_cdf(1 - alpha / 2) * deviation))
        return order, 1 - math.erfc((total / 2 - order + 0.5) / deviation / math.sqrt(2))
    below = np.cumsum(_null_counts(tuple(range(1, n + 1)))) / 2**n
    order = max(1, int(np.searchsorted(below, alpha / 2, side="right")))
    return order, 1 - 2 * float(below[order - 1])


def _walsh_sum(ascending: Integers, order: int) -> int:
    """The `order`-th smallest of x_i + x_j (i <= j), by bisection on whole numbers: O(n log n) per step."""
    low, high = 2 * int(ascending[0]), 2 * int(ascending[-1])
    while low < high:
        middle = (low + high) // 2
        if _walsh_sums_up_to(ascending, middle) >= order:
            high = middle
        else:
            low = middle + 1
    return low


def _walsh_sums_up_to(ascending: Integers, bound: int) -> int:
    """How many pairs i <= j have x_i + x_j <= bound."""
    partners = np.searchsorted(ascending, bound - ascending, side="right")
    ordered_pairs = int(partners.sum())
    diagonal = int(np.searchsorted(2 * ascending, bound, side="right"))
    return (ordered_pairs + diagonal) // 2

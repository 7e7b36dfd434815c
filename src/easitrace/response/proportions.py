"""Proportions with intervals, by name."""

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from easitrace.errors import ParameterError, Problem

Interval = Literal["wilson", "clopper-pearson"]
STATSMODELS_NAMES = {"wilson": "wilson", "clopper-pearson": "beta"}


def with_proportions(table: pd.DataFrame, count: str, *, level: float, interval: str) -> pd.DataFrame:
    """Append `proportion`, `lower`, `upper` and `method` to counts out of column `n`; missing where n is 0.

    Parameters
    ----------
    table : DataFrame
        With the columns `count` names and `n`.
    level : float
        Confidence level, between 0.5 and 1.
    interval : "wilson" or "clopper-pearson"
        Wilson (1927) JASA 22:209; Clopper & Pearson (1934) Biometrika 26:404.

    Raises
    ------
    ParameterError
        When the interval has another name or the level is out of range.
    """
    lower, upper = limits(table[count].to_numpy(), table["n"].to_numpy(), level=level, interval=interval)
    share = table[count] / table["n"].where(table["n"] > 0)
    return table.assign(proportion=share, lower=lower, upper=upper, method=interval)


def limits(counts: Any, totals: Any, *, level: float, interval: str) -> tuple[Any, Any]:
    """Lower and upper limits of proportions, arrays of shape (n_proportions,), missing where the total is 0.

    No response gives a lower limit of exactly 0, nothing but responses an upper limit of exactly 1.
    """
    from statsmodels.stats.proportion import proportion_confint

    if interval not in get_args(Interval):
        names = ", ".join(get_args(Interval))
        raise ParameterError(Problem("E105", "interval", f"{interval!r} is no interval", f"use {names}"))
    if not 0.5 < level < 1:
        raise ParameterError(Problem("E105", "level", f"{level} is not between 0.5 and 1", "write 0.95 for 95 %"))
    k, n = np.asarray(counts, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    some = n > 0
    lower, upper = np.full(k.shape, np.nan), np.full(k.shape, np.nan)
    lower[some], upper[some] = proportion_confint(k[some], n[some], 1 - level, STATSMODELS_NAMES[interval])
    return np.where(k == 0, 0 * lower, lower), np.where(k == n, 0 * upper + 1, upper)

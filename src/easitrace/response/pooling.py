"""One estimate from the analyses of several imputed data sets.

With Q_l the estimate from imputation l = 1..m, U_l its variance and nu the degrees of freedom of the analysis had
nothing been missing (Rubin 1987, Multiple Imputation for Nonresponse in Surveys, 3.1; Barnard & Rubin 1999,
Biometrika 86:948):

    Q = mean Q_l,   U = mean U_l,   B = variance of Q_l,   T = U + (1 + 1/m) B
    lambda = (1 + 1/m) B / T,   1/df = lambda^2 / (m - 1) + (nu + 3) / (nu (nu + 1) (1 - lambda))
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Numbers = npt.NDArray[np.float64]


class Pooled(NamedTuple):
    """A pooled estimate: `se` is the root of T, `missing` is lambda, the share of T that is due to missing data."""

    estimate: float
    se: float
    df: float
    lower: float
    upper: float
    missing: float


def pool(estimates: Numbers, variances: Numbers, complete_df: float, level: float = 0.95) -> Pooled:
    """Rubin's rules with the degrees of freedom of Barnard and Rubin.

    Where all imputations agree there is nothing to pool: the degrees of freedom are those of the complete data, of
    which Barnard and Rubin's formula falls short by the factor (nu + 1) / (nu + 3).

    Parameters
    ----------
    estimates, variances : arrays of shape (m,)
        m of 1 is a complete analysis, returned as it is.
    complete_df : float
        nu; infinite is allowed.
    level : float
        Confidence level.
    """
    m = len(estimates)
    between = (1 + 1 / m) * _variance(estimates)
    total = float(np.mean(variances)) + between
    share = between / total if total > 0 else 0.0
    df = _degrees_of_freedom(share, m, complete_df) if share > 0 else complete_df
    estimate, se = float(np.mean(estimates)), float(np.sqrt(total))
    half = float(stdtrit(df, (1 + level) / 2)) * se
    return Pooled(estimate, se, df, estimate - half, estimate + half, share)


def pool_proportion(proportions: Numbers, n: int, level: float = 0.95) -> Pooled:
    """Wilson's interval for a proportion from imputed data (Lott & Reiter 2020, Am Stat 74:109).

    The limits p solve (Q - p)^2 = t^2 (1 + r) p (1 - p) / n with r = (1 + 1/m) B / U and t the quantile on
    (m - 1) (1 + 1/r)^2 degrees of freedom; where all imputations agree it is Wilson's interval itself.

    Parameters
    ----------
    proportions : array of shape (m,)
        The proportion in each imputed data set.
    n : int
        Patients in each of them.
    """
    m = len(proportions)
    within = float(np.mean(proportions * (1 - proportions))) / n
    between = (1 + 1 / m) * _variance(proportions)
    estimate, total = float(np.mean(proportions)), within + between
    share = between / total if total > 0 else 0.0
    df = (m - 1) / share**2 if share > 0 else np.inf
    width = float(stdtrit(df, (1 + level) / 2)) ** 2 / ((1 - share) * n) if share < 1 else np.inf
    lower, upper = _wilson(estimate, width)
    return Pooled(estimate, float(np.sqrt(total)), df, lower, upper, share)


def _variance(values: Numbers) -> float:
    """Between imputations; exactly 0 where all agree, which rounding would hide."""
    return float(np.var(values, ddof=1)) if np.ptp(values) > 0 else 0.0


def _degrees_of_freedom(share: float, m: int, complete_df: float) -> float:
    observed = 1.0 / complete_df * (1 + 2 / (complete_df + 1)) / (1 - share) if share < 1 else np.inf
    return float(1 / (share**2 / (m - 1) + observed))


def _wilson(q: float, width: float) -> tuple[float, float]:
    """Roots of (q - p)^2 = width p (1 - p)."""
    if not np.isfinite(width):
        return 0.0, 1.0
    centre = (q + width / 2) / (1 + width)
    half = float(np.sqrt(max(centre**2 - q**2 / (1 + width), 0.0)))
    lower = 0.0 if q == 0 else centre - half
    upper = 1.0 if q == 1 else centre + half
    return lower, upper
